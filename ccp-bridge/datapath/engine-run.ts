/**
 * What lets a host that owns the memory of a CCP flow's registers run the flow's program by itself: an optimisation that
 * changes no result, so congestion controls and hosts may leave it out.
 */
import type { AckEvent } from "../congestion-control.ts";
import type { RegisterArena } from "./register-arena.ts";

/** What such a host adds to a `FlowStart`. */
export interface ArenaOffer {
  /** where it would like a CCP flow to keep its registers; absent: the thread's arena */
  readonly arena?: RegisterArena;
}

/** What a congestion control adds whose decisions come from a program in an arena. */
export interface EngineRun {
  /** Where the flow's registers lie: `base` is the first byte of its block. */
  readonly registers: { readonly arena: RegisterArena; readonly base: number };
  /**
   * The arena's owner may fill the primitives and run the program where `BLOCK.runnable` says so, instead of calling
   * `onAck`; it calls this if the program said anything but 0.
   */
  afterRun(code: number, ack: AckEvent): void;
}
