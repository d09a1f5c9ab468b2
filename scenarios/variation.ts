/**
 * What differs from run to run of a real link although nothing was changed, drawn by the run's seed. On a constant link
 * without it every seed gives the same numbers, and an interval over seeds would claim a certainty that nobody has.
 */
import * as z from "zod";
import { fields, type Schema } from "./schema/shapes.ts";

export interface Variation {
  /** each packet leaves its host later by U(0, this), microseconds; absent: as without variation */
  readonly sendJitterUs?: number;
  /** each packet of the reverse link, in order, comes later by U(0, this times the round trip); absent: 0 */
  readonly ackJitterRtt?: number;
  /** flows and datagrams beside the flow under test start later by U(0, this times the round trip); absent: 0 */
  readonly crossPhaseRtt?: number;
  /**
   * the flow under test finds packets of others in the queue when it starts: U(0, this times the queue's limit, at most a
   * bandwidth-delay product); absent: 0
   */
  readonly startQueue?: number;
}

export const VARIATION_SCHEMA: Schema = fields<Variation>({
  sendJitterUs: z.number().min(0).max(1_000_000).optional(),
  ackJitterRtt: z.number().min(0).max(1).optional(),
  crossPhaseRtt: z.number().min(0).max(1_000).optional(),
  startQueue: z.number().min(0).max(1).optional(),
});

/**
 * What suites draw. Hosts: interrupt coalescing and scheduling take up to some 100 us a packet (Linux's usual rx-usecs lie
 * between 3 and 250). ACKs: half a percent of the round trip, 0.25 ms of 50 ms. Others: anywhere within a round trip, and a
 * quarter of the queue may be theirs. Small enough that means stay where they are, large enough that losses fall elsewhere.
 */
export const TYPICAL_VARIATION: Variation = {
  sendJitterUs: 100,
  ackJitterRtt: 0.005,
  crossPhaseRtt: 1,
  startQueue: 0.25,
};
