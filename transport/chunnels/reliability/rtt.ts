/** RTT of a path and the timeout that follows from it: RFC 6298, with RFC 9002's correction for the peer's delay. */
import type { Micros } from "../../../core/units.ts";

/** RFC 9002 6.2.2: before the first sample. */
const INITIAL_RTT_US: Micros = 333_000;
/** Linux: what lies below is taken for the peer's scheduling. */
const MIN_RTO_US: Micros = 200_000;
const MAX_RTO_US: Micros = 60_000_000;
const MIN_VARIANCE_US: Micros = 1_000;

export class RttEstimator {
  srttUs: Micros = 0;
  rttvarUs: Micros = INITIAL_RTT_US / 2;
  minRttUs: Micros = Number.POSITIVE_INFINITY;
  latestUs: Micros = 0;

  /** @param ackDelayUs what the peer says it waited before it answered */
  sample(rttUs: Micros, ackDelayUs: Micros): void {
    this.minRttUs = Math.min(this.minRttUs, rttUs);
    const adjustedUs = rttUs - ackDelayUs >= this.minRttUs ? rttUs - ackDelayUs : rttUs;
    this.latestUs = adjustedUs;
    if (this.srttUs === 0) {
      this.srttUs = adjustedUs;
      this.rttvarUs = adjustedUs / 2;
      return;
    }
    this.rttvarUs = 0.75 * this.rttvarUs + 0.25 * Math.abs(this.srttUs - adjustedUs);
    this.srttUs = 0.875 * this.srttUs + 0.125 * adjustedUs;
  }

  /** After so long without any answer a probe goes out. */
  probeUs(maxAckDelayUs: Micros): Micros {
    const srttUs = this.srttUs === 0 ? INITIAL_RTT_US : this.srttUs;
    return srttUs + Math.max(4 * this.rttvarUs, MIN_VARIANCE_US) + maxAckDelayUs;
  }

  /** After so long all in flight is taken for lost. */
  rtoUs(maxAckDelayUs: Micros, backoff: number): Micros {
    return Math.min(
      MAX_RTO_US,
      Math.max(MIN_RTO_US, this.probeUs(maxAckDelayUs)) * 2 ** Math.min(backoff, 16),
    );
  }
}
