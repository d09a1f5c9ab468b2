/**
 * How fast a link serves: constant, scheduled, random or from a trace. A server serves one packet after the other; it does
 * not know the queue. All spans of time are nanoseconds with fractions, from the simulation's beginning.
 *
 * A link with a first-in-first-out queue calls `serve` when a packet arrives and so knows its departure ahead. Other links
 * ask `readyNs` when the next packet could start, and call `serve` then.
 */
import type { Bytes, Nanos } from "../../core/units.ts";

export interface Server {
  /** of the last `serve`: when its service began and when its last byte left */
  readonly startNs: Nanos;
  readonly departNs: Nanos;
  /**
   * When the service of a packet could start that has waited since `sinceNs`, behind everything served so far; Infinity:
   * never. An opportunity of a trace at `sinceNs` itself is too early (departures come before arrivals), one that the
   * last packet left partly unused still serves packets that waited before it.
   */
  readyNs(sinceNs: Nanos): Nanos;
  /** Serves a packet of `bytes` that has waited since `sinceNs`; sets `startNs` (= `readyNs(sinceNs)`) and `departNs`. */
  serve(sinceNs: Nanos, bytes: Bytes): void;
  /** Bytes that could have been served in (fromNs, toNs]; Infinity where the rate is unlimited. */
  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes;
}
