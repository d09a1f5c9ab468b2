/** Sends anew what the layer below tells as lost, until it is acknowledged. It holds a bounded number of messages. */

import type { Feedback, Message, Surroundings } from "../../chunnel.ts";
import { withData } from "../../stack/message.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Changing, causesOf } from "../../stack/through.ts";
import { numberOption } from "../options.ts";
import { droppedNow } from "../queues/buffer.ts";

export interface ReliableOptions {
  /** messages that it holds: waiting or not acknowledged */
  readonly maxMessages?: number;
}

const NONE: readonly Message[] = [];

class Reliable extends Changing {
  readonly #maxMessages: number;
  readonly #again: Message[] = [];
  readonly #waiting: Message[] = [];
  #underway = 0;
  #wasFull = false;

  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings, maxMessages: number) {
    super();
    this.#surroundings = surroundings;
    this.#maxMessages = maxMessages;
  }

  override room(): number {
    const room = this.#maxMessages - this.#underway - this.#again.length - this.#waiting.length;
    this.#wasFull ||= room <= 0;
    return Math.max(0, room);
  }

  override send(messages: readonly Message[]): void {
    const room = this.room();
    this.#waiting.push(...messages.slice(0, room));
    this.below.offer();
    if (messages.length <= room) return;
    this.above.feedback(droppedNow(this.#surroundings.nowUs(), messages.slice(room)));
  }

  override pull(most: number): readonly Message[] {
    const messages = this.#again.splice(0, most);
    if (messages.length < most) messages.push(...this.#waiting.splice(0, most - messages.length));
    this.#underway += messages.length;
    const asked = Math.min(most - messages.length, this.room());
    const fresh = asked > 0 ? this.above.pull(asked) : NONE;
    this.#underway += fresh.length;
    messages.push(...fresh);
    // each transmission is a message of its own
    return messages.map((message) => withData(message, message.data, [message]));
  }

  override feedback(fate: Feedback): void {
    this.#underway -= fate.acked.length + fate.lost.length;
    if (fate.lost.length > 0) this.#again.push(...causesOf(fate.lost));
    if (fate.acked.length > 0 || fate.timeout) super.feedback({ ...fate, lost: NONE });
    if (fate.lost.length > 0) this.below.offer();
    if (!this.#wasFull || this.room() === 0) return;
    this.#wasFull = false;
    this.above.roomGrew();
  }

  override close(): void {
    this.#again.length = 0;
    this.#waiting.length = 0;
    super.close();
  }
}

export type ReliableSpec = ChunnelSpec<"same", "same", "fate", "reliable">;

/** Repeats what is lost. */
export function reliable({ maxMessages = 4096 }: ReliableOptions = {}): ReliableSpec {
  const options = {
    maxMessages: numberOption("reliable", "maxMessages", maxMessages, { low: 1, high: 1_000_000 }),
  };
  return {
    name: "reliable",
    up: "same",
    down: "same",
    needs: ["fate"],
    gives: ["reliable"],
    options,
    make: (surroundings) => new Reliable(surroundings, options.maxMessages),
  };
}
