/** What a link of the general network tells of each packet, where somebody listens. */
import type { Bytes, Nanos } from "../../core/units.ts";

/** Told of the data packets of flows: of those that leave a link, and of where they arrive whose way leads over it. */
export interface WayTap {
  /** @param flow counts flows in the order of coming; @param number of the transmission; @param atNs when, now or ahead */
  onLeave(flow: number, number: number, bytes: Bytes, atNs: Nanos): void;
  onArrival(flow: number, number: number, bytes: Bytes, atNs: Nanos): void;
}

export interface LinkTracer {
  /** A packet arrives at the queue; what comes of it is told next. */
  onArrival(nowNs: Nanos, bytes: Bytes): void;
  /** A packet is given up, on arrival (before or in the queue) or later in the queue. */
  onDrop(nowNs: Nanos, bytes: Bytes): void;
  /** A packet's departure is known: it leaves at `departNs`, which may lie ahead, `delayNs` after it arrived. */
  onDeparture(departNs: Nanos, bytes: Bytes, delayNs: Nanos): void;
}
