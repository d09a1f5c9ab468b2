/** A trace is replayed as mm-link does (Mahimahi, link_queue.cc): the last timestamp is the period, and the next lap starts there. */
import { NANOS_PER_MILLI, type Nanos } from "../../../core/units.ts";
import type { Opportunities } from "../opportunities.ts";
import { upperBound } from "../piecewise.ts";
import { type Serve, serveOpportunities } from "./link-servers.ts";

export interface TraceLinkRate {
  readonly kind: "trace";
  /** non-decreasing, last > 0 */
  readonly opportunitiesMs: readonly number[];
  /** where in the trace the simulation begins, 0 <= offset < period */
  readonly offsetNs: Nanos;
  /** absent: loop */
  readonly end?: "loop" | "stop";
}

/** Of traces, which many runs replay. */
const timesNsOf = new WeakMap<readonly number[], Float64Array>();

/** @param timesMs as of `TraceLinkRate` @returns the same in nanoseconds, not to be changed */
function toTimesNs(timesMs: readonly number[]): Float64Array {
  let timesNs = timesNsOf.get(timesMs);
  if (timesNs === undefined) {
    timesNs = new Float64Array(timesMs.length);
    for (let i = 0; i < timesNs.length; i++) timesNs[i] = timesMs[i]! * NANOS_PER_MILLI;
    timesNsOf.set(timesMs, timesNs);
  }
  return timesNs;
}

class TraceOpportunities implements Opportunities {
  readonly #timesNs: Float64Array;
  readonly #periodNs: Nanos;
  readonly #offsetNs: Nanos;
  readonly #stops: boolean;
  /** the lap of the last question: its first opportunity and its beginning */
  #lapFirst = 0;
  #lapNs: Nanos = 0;

  /**
   * @param timesMs non-decreasing, last > 0
   * @param offsetNs where in the trace the simulation begins, 0 <= offset < period
   */
  constructor(timesMs: readonly number[], offsetNs: Nanos, end: "loop" | "stop") {
    this.#timesNs = toTimesNs(timesMs);
    this.#periodNs = this.#timesNs[this.#timesNs.length - 1]!;
    this.#offsetNs = offsetNs;
    this.#stops = end === "stop";
  }

  atNs(index: number): Nanos {
    const { length } = this.#timesNs;
    let within = index - this.#lapFirst;
    if (within < 0 || within >= length) {
      if (this.#stops) return Number.POSITIVE_INFINITY;
      const lap = Math.floor(index / length);
      this.#lapFirst = lap * length;
      this.#lapNs = lap * this.#periodNs;
      within = index - this.#lapFirst;
    }
    return this.#lapNs + this.#timesNs[within]! - this.#offsetNs;
  }

  countUntil(ns: Nanos): number {
    const times = this.#timesNs;
    const traceNs = ns + this.#offsetNs;
    if (this.#stops && traceNs >= this.#periodNs) return times.length;
    const laps = Math.floor(traceNs / this.#periodNs);
    const withinNs = traceNs - laps * this.#periodNs;
    let count = laps * times.length + upperBound(times.length, (i) => times[i]!, withinNs);
    // An offset with fractions rounds: what counts is the times that `atNs` gives.
    while (this.atNs(count) <= ns) count++;
    while (count > 0 && this.atNs(count - 1) > ns) count--;
    return count;
  }
}

export const serveTrace: Serve<TraceLinkRate> = ({ opportunitiesMs, offsetNs, end = "loop" }, parts) =>
  serveOpportunities(new TraceOpportunities(opportunitiesMs, offsetNs, end), parts);
