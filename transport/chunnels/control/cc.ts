/**
 * Congestion control by any algorithm that CCP runs: pulls from above what window and rate allow. Its place says what it
 * controls: below `route` each neighbour has a window of its own, above it one serves all; a named group is one window for
 * all stacks of a host.
 */

import { resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { FlowAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import type { Bytes } from "../../../core/units.ts";
import type { Feedback, Message, Surroundings } from "../../chunnel.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Through } from "../../stack/through.ts";
import { numberOption, textOption } from "../options.ts";
import { droppedNow } from "../queues/buffer.ts";
import { CongestionWindow } from "./window.ts";

export interface CcOptions {
  /** a reference such as `cubic` or `dtl:priority=2`; in code also an algorithm itself */
  readonly algorithm?: string | FlowAlgorithm;
  /** stacks with the same group share a window; empty: its own */
  readonly group?: string;
  /** what counts as one packet */
  readonly mssBytes?: Bytes;
}

const NONE: readonly Message[] = [];

export class Cc extends Through {
  readonly window: CongestionWindow;
  readonly #own = new Set<Message>();
  readonly #onRoom = (): void => {
    if (this.below.room() > 0) this.below.offer();
    if (this.#isFull && this.room() > 0) {
      this.#isFull = false;
      this.above.roomGrew();
    }
  };
  #isFull = false;

  readonly #isShared: boolean;

  constructor(window: CongestionWindow, isShared: boolean) {
    super();
    this.window = window;
    this.#isShared = isShared;
    window.join(this.#onRoom);
  }

  override room(): number {
    const room = Math.min(this.window.room(), this.below.room());
    this.#isFull = room <= 0;
    return room;
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    for (const message of messages) {
      this.#own.add(message);
      this.window.sent(message);
    }
    return messages;
  }

  override send(messages: readonly Message[]): void {
    const room = this.room();
    if (room > 0) super.send(messages.slice(0, room));
    if (messages.length > room) this.above.feedback(droppedNow(this.window.nowUs, messages.slice(room)));
  }

  override pull(most: number): readonly Message[] {
    let pulled: readonly Message[] = NONE;
    for (;;) {
      const room = Math.min(most - pulled.length, this.window.room());
      if (room <= 0) return pulled;
      const messages = super.pull(room);
      if (messages.length === 0) {
        this.window.idle();
        return pulled;
      }
      pulled = pulled.length === 0 ? messages : [...pulled, ...messages];
    }
  }

  override feedback(fate: Feedback): void {
    for (const message of fate.acked) this.#own.delete(message);
    for (const message of fate.lost) this.#own.delete(message);
    // those above learn first what to send anew, then the window opens
    super.feedback(fate);
    this.window.fate(fate);
  }

  override close(): void {
    this.window.forget(this.#own);
    this.window.leave(this.#onRoom);
    if (!this.#isShared) this.window.close();
    super.close();
  }
}

export type CcSpec = ChunnelSpec<"same", "same", "fate", "controlled">;

/** Congestion control by CCP. */
export function cc({ algorithm = "cubic", group = "", mssBytes = 1200 }: CcOptions = {}): CcSpec {
  const size = numberOption("cc", "mssBytes", mssBytes, { low: 100, high: 65_000 });
  if (typeof algorithm === "string") resolveAlgorithm(textOption("cc", "algorithm", algorithm));
  const make = (surroundings: Surroundings): Cc => {
    const open = (): CongestionWindow => new CongestionWindow(surroundings, algorithm, size);
    return group === "" ? new Cc(open(), false) : new Cc(surroundings.shared(`window ${group}`, open), true);
  };
  const name = typeof algorithm === "string" ? algorithm : algorithm.name;
  const options = { algorithm: name, group, mssBytes };
  return { name: "cc", up: "same", down: "same", needs: ["fate"], gives: ["controlled"], options, make };
}
