/**
 * What both networks do with time: the earliest event or call-back is next, a stop holds back the packets of the flow that
 * asked for it, and what was decided meanwhile has the effect of a decision inside the event.
 */
import type { Nanos } from "../core/units.ts";
import type { NetworkFlow } from "./network.ts";
import { Schedule } from "./schedule.ts";

export abstract class EventLoop<F extends NetworkFlow> {
  abstract nowNs: Nanos;
  /** an event has asked for a stop: its flow's packets are held back */
  protected abstract stopRequested: boolean;
  readonly #schedule = new Schedule();

  /** Of the next call-back; Infinity: none. */
  protected get nextCallNs(): Nanos {
    return this.#schedule.nextNs;
  }

  /** `nextCallNs` has changed. */
  protected onNextCall(): void {}

  /** Runs the events up to and including `untilNs` that come before the next call-back, or up to a stop. */
  protected abstract runEvents(untilNs: Nanos): void;
  /** A stop held packets back: whoever asked may want to decide before they leave. */
  protected abstract get holds(): boolean;
  /** Lets them go. */
  protected abstract sendHeld(): void;
  /** The flow's next event may have changed. */
  protected abstract reschedule(flow: F): void;

  schedule(atNs: Nanos, run: () => void): void {
    this.#schedule.add(atNs, run);
    this.onNextCall();
  }

  requestStop(): void {
    this.stopRequested = true;
  }

  refresh(flow: F): void {
    flow.sender?.applyDecision(this.nowNs);
    this.reschedule(flow);
  }

  runUntil(untilNs: Nanos): boolean {
    if (this.holds) {
      this.#resume();
      if (this.#takeStop()) return false;
    }
    for (;;) {
      this.runEvents(untilNs);
      if (this.#takeStop()) return false;
      if (this.nextCallNs > untilNs) {
        this.nowNs = untilNs;
        return true;
      }
      this.nowNs = this.nextCallNs;
      this.#call();
      if (this.#takeStop()) return false;
    }
  }

  #takeStop(): boolean {
    const stop = this.stopRequested;
    if (stop) this.stopRequested = false;
    return stop;
  }

  #call(): void {
    this.#schedule.runNext();
    this.onNextCall();
  }

  /** After a stop: what was scheduled for this instant meanwhile, then the packets that were held back. */
  #resume(): void {
    const { nowNs } = this;
    while (this.nextCallNs <= nowNs) this.#call();
    if (!this.stopRequested) this.sendHeld();
  }
}
