/**
 * What both engines do with time: the earliest event or call-back is next, a stop holds back the packets of the flow that
 * asked for it, and what was decided meanwhile has the effect of a decision inside the event.
 */
import type { Nanos } from "../../core/units.ts";
import type { NetworkFlow } from "./network.ts";
import { Schedule } from "./schedule.ts";

export abstract class Engine<F extends NetworkFlow> {
  nowNs: Nanos = 0;
  /** an event has asked for a stop: its flow's packets are to be held back (`hold`) */
  protected stopRequested = false;
  readonly #schedule = new Schedule();
  /** the flow whose packets a stop held back: whoever asked may want to decide before they leave */
  #held: F | undefined;

  /** Of the next event; Infinity: none. */
  protected abstract earliestNs(): Nanos;
  /** The earliest event happens. */
  protected abstract happen(nowNs: Nanos): void;
  /** The flow sends what may leave by now. */
  protected abstract sendDue(flow: F, nowNs: Nanos): void;
  /** The flow's next event may have changed. */
  protected abstract reschedule(flow: F): void;

  schedule(atNs: Nanos, run: () => void): void {
    this.#schedule.add(atNs, run);
  }

  requestStop(): void {
    this.stopRequested = true;
  }

  refresh(flow: F): void {
    flow.sender?.applyDecision(this.nowNs);
    this.reschedule(flow);
  }

  protected hold(flow: F): void {
    this.#held = flow;
  }

  runUntil(untilNs: Nanos): boolean {
    const schedule = this.#schedule;
    if (this.#held !== undefined) {
      this.#resume(this.#held);
      if (this.#takeStop()) return false;
    }
    for (;;) {
      const atNs = this.earliestNs();
      if (schedule.nextNs <= atNs && schedule.nextNs <= untilNs) {
        this.nowNs = schedule.nextNs;
        schedule.runNext();
      } else {
        if (atNs > untilNs) {
          this.nowNs = untilNs;
          return true;
        }
        this.nowNs = atNs;
        this.happen(atNs);
      }
      if (this.stopRequested && this.#takeStop()) return false;
    }
  }

  #takeStop(): boolean {
    const stop = this.stopRequested;
    this.stopRequested = false;
    return stop;
  }

  /** After a stop: what was scheduled for this instant meanwhile, then the packets that were held back. */
  #resume(flow: F): void {
    const { nowNs } = this;
    while (this.#schedule.nextNs <= nowNs) this.#schedule.runNext();
    if (this.stopRequested) return;
    this.#held = undefined;
    this.sendDue(flow, nowNs);
    this.reschedule(flow);
  }
}
