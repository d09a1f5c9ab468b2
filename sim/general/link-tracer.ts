/** What a link of the general network tells of each packet, where somebody listens. */
import type { Bytes, Nanos } from "../../core/units.ts";

export interface LinkTracer {
  /** A packet arrives at the queue; what comes of it is told next. */
  onArrival(nowNs: Nanos, bytes: Bytes): void;
  /** A packet is given up, on arrival (before or in the queue) or later in the queue. */
  onDrop(nowNs: Nanos, bytes: Bytes): void;
  /** A packet's departure is known: it leaves at `departNs`, which may lie ahead, `delayNs` after it arrived. */
  onDeparture(departNs: Nanos, bytes: Bytes, delayNs: Nanos): void;
}
