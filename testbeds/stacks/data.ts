/** What the client of a flow that is a stack has to send: messages of one size, without end unless an application says how many. */
import type { Bytes, Nanos } from "../../core/units.ts";
import type { Supplied } from "../../sim/network.ts";
import type { Message } from "../../transport/chunnel.ts";

const MOST_AT_ONCE = 64;

export class StackData implements Supplied {
  readonly #payload: Uint8Array;
  #waiting = Number.POSITIVE_INFINITY;
  /** given to the stack and not acknowledged */
  #underway = 0;
  #isFinished = false;
  isComplete = false;
  /** set by who has the client: there is something to pull */
  offer: () => void = () => {};
  /** all has been acknowledged, and no more will come */
  onComplete: () => void = () => {};
  onDrained: ((nowNs: Nanos) => void) | undefined;

  constructor(payload: Uint8Array) {
    this.#payload = payload;
  }

  get mssBytes(): Bytes {
    return this.#payload.length;
  }

  supply(packets: number): void {
    this.#waiting += packets;
    this.offer();
  }

  withdraw(): void {
    this.#waiting = 0;
  }

  finish(): void {
    this.#isFinished = true;
  }

  pull(most: number): readonly Message[] {
    const count = Math.min(most, MOST_AT_ONCE, this.#waiting);
    this.#waiting -= count;
    this.#underway += count;
    return Array.from({ length: count }, () => ({ data: this.#payload }));
  }

  acknowledged(messages: number, nowNs: Nanos): void {
    if (messages === 0) return;
    this.#underway -= messages;
    if (this.#underway > 0 || this.#waiting > 0) return;
    if (this.#isFinished) this.isComplete = true;
    this.onDrained?.(nowNs);
    if (this.isComplete) this.onComplete();
  }
}
