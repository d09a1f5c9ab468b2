/**
 * A step that ends at a report: at the first ACK `stepMs` or more after the last report (or one RTT, in "rtt" mode), or at
 * once on loss or timeout where that is asked for. A step in which no ACK came ends `stepMs` after it began (rtt mode:
 * max(2 srtt, 200 ms)); one in which ACKs came waits for its report at most as long again. So an outage never hangs a step.
 */
import {
  MICROS_PER_MILLI,
  type Micros,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  type Nanos,
} from "../../core/units.ts";
import type { EnvOptions } from "../options.ts";
import type { EnvFlow } from "./env-flow.ts";

/** In rtt mode a silent step lasts max(2 srtt, 200 ms): twice the step, and not less than the floor of Linux's RTO. */
const SILENT_RTTS = 2;
const MIN_SILENT_STEP_NS = 200 * NANOS_PER_MILLI;

/** How long a step may last in which nothing is heard. */
export function silentStepNs(stepMs: number | "rtt", srttUs: Micros): Nanos {
  if (stepMs !== "rtt") return stepMs * NANOS_PER_MILLI;
  return Math.max(SILENT_RTTS * srttUs * NANOS_PER_MICRO, MIN_SILENT_STEP_NS);
}

/** When the datapath is to report for steps of this length. */
export function reportEveryUs({ stepMs }: EnvOptions): Micros | "rtt" {
  return stepMs === "rtt" ? "rtt" : stepMs * MICROS_PER_MILLI;
}

export class ReportStep {
  readonly #flow: EnvFlow;
  readonly #stepMs: number | "rtt";
  #beganNs: Nanos = 0;
  #limitNs: Nanos = 0;
  #acksBefore = 0;
  #waits = false;

  constructor(flow: EnvFlow, { stepMs }: EnvOptions) {
    this.#flow = flow;
    this.#stepMs = stepMs;
  }

  begin(nowNs: Nanos): void {
    this.#beganNs = nowNs;
    this.#limitNs = silentStepNs(this.#stepMs, this.#flow.observer.srttUs);
    this.#acksBefore = this.#acks();
    this.#waits = false;
  }

  get beganNs(): Nanos {
    return this.#beganNs;
  }

  /** until when to run before asking again whether the step is over */
  get deadlineNs(): Nanos {
    return this.#beganNs + (this.#waits ? 2 : 1) * this.#limitNs;
  }

  isOver(nowNs: Nanos): boolean {
    if (this.#flow.hasReported) return true;
    if (nowNs < this.deadlineNs) return false;
    if (this.#waits || this.#acks() === this.#acksBefore) return true;
    this.#waits = true;
    return false;
  }

  #acks(): number {
    return this.#flow.facts.acks;
  }
}
