/**
 * How fast a link is, in the simulator's units: bytes per second, nanoseconds from the simulation's beginning.
 * `make-server.ts` builds servers of it.
 */
import type { BytesPerSec, Nanos } from "../../core/units.ts";

export type LinkRate =
  | { readonly kind: "constant"; readonly rateBytesPerSec: BytesPerSec }
  /**
   * mm-link replay: one opportunity of 1504 bytes per entry, the last entry is the period (non-decreasing, last > 0).
   * `offsetNs`: where in the trace the simulation begins, 0 <= offset < period. `end`: absent: loop.
   */
  | {
      readonly kind: "trace";
      readonly opportunitiesMs: readonly number[];
      readonly offsetNs: Nanos;
      readonly end?: "loop" | "stop";
    }
  | { readonly kind: "unlimited" }
  /** Constant from each point to the next; the first holds before its time too. Rate 0 is an outage. */
  | ({ readonly kind: "steps" } & PointSchedule)
  /** Linear between the points, constant before the first and after the last; two points at one time are a jump. */
  | ({ readonly kind: "ramp" } & PointSchedule)
  /** Dwells in a state for an exponential time, then goes to one of the others with equal probability. */
  | { readonly kind: "markov"; readonly states: readonly RateState[] }
  /** A new rate, uniform between the two, after each span, which is uniform between the two as well (both > 0). */
  | {
      readonly kind: "random-steps";
      readonly minBytesPerSec: BytesPerSec;
      readonly maxBytesPerSec: BytesPerSec;
      readonly minEveryNs: Nanos;
      readonly maxEveryNs: Nanos;
    }
  /** Opportunities of 1504 bytes as a Poisson process of this mean rate; used like a trace's. */
  | { readonly kind: "poisson"; readonly rateBytesPerSec: BytesPerSec };

export interface PointSchedule {
  /** at least one, in time order */
  readonly points: readonly ScheduledRate[];
  /** laps of this length begin at the origin, forwards and backwards, and points lie within 0 to it; absent: one lap */
  readonly periodNs?: Nanos;
  /** the points' time 0; absent: the simulation's beginning */
  readonly originNs?: Nanos;
}

export interface ScheduledRate {
  readonly atNs: Nanos;
  readonly rateBytesPerSec: BytesPerSec;
}

export interface RateState {
  readonly rateBytesPerSec: BytesPerSec;
  /** > 0 */
  readonly meanNs: Nanos;
}

/** A span of time in which a server does nothing. */
export interface Outage {
  readonly fromNs: Nanos;
  /** Infinity: for good */
  readonly toNs: Nanos;
}
