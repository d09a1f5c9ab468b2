/** RTT estimator and retransmission timeout: RFC 6298 with Linux's floor under the variance term. */
import type { Micros } from "../../core/units.ts";
import { MICROS_PER_MILLI } from "../../core/units.ts";

/** RFC 6298 (2.1): before a sample RTO = 1 s. */
const INITIAL_RTO_US = 1_000_000;
/** Linux TCP_RTO_MIN: the floor lies under 4 rttvar, not under the whole RTO, so RTO = srtt + max(200 ms, 4 rttvar). */
const MIN_RTO_MS = 200;
/** Linux TCP_RTO_MAX; RFC 6298 (2.5) demands at least 60 s. */
const MAX_RTO_US = 120_000_000;

export class RttEstimator {
  srttUs: Micros = 0;
  rttvarUs: Micros = 0;
  minRttUs: Micros = Number.POSITIVE_INFINITY;
  #backoff = 1;
  readonly #minVarianceTermUs: Micros = 0;

  /** @param minRtoMs floor of the RTO's variance term */
  constructor(minRtoMs: number = MIN_RTO_MS) {
    this.#minVarianceTermUs = minRtoMs * MICROS_PER_MILLI;
  }

  /** RFC 6298 (2.2), (2.3): alpha 1/8, beta 1/4. A sample also ends the backoff. */
  onSample(rttUs: Micros): void {
    if (rttUs < this.minRttUs) this.minRttUs = rttUs;
    if (this.srttUs === 0) {
      this.srttUs = rttUs;
      this.rttvarUs = rttUs / 2;
    } else {
      const error = rttUs - this.srttUs;
      this.rttvarUs += (Math.abs(error) - this.rttvarUs) / 4;
      this.srttUs += error / 8;
    }
    this.#backoff = 1;
  }

  /** RFC 6298 (5.5): back off the timer. */
  onTimeout(): void {
    this.#backoff *= 2;
  }

  get rtoUs(): Micros {
    const rto =
      this.srttUs === 0 ? INITIAL_RTO_US : this.srttUs + Math.max(this.#minVarianceTermUs, 4 * this.rttvarUs);
    return Math.min(rto * this.#backoff, MAX_RTO_US);
  }
}
