/** Opportunities to deliver, which come from a trace or at random. */
import type { Bytes, Nanos } from "../../core/units.ts";
import { PACKET_BYTES, TUN_HEADER_BYTES } from "../../core/units.ts";

/** mm-link: one line of a trace is one opportunity to deliver so many bytes (1500 + TUN header). */
export const OPPORTUNITY_BYTES: Bytes = PACKET_BYTES + TUN_HEADER_BYTES;

/** Numbered from 0, in time order. */
export interface Opportunities {
  /** Infinity: there is none with this number. */
  atNs(index: number): Nanos;
  /** How many lie at or before `ns`, which is the number of the first one after it. */
  countUntil(ns: Nanos): number;
}
