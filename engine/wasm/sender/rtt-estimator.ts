/** RTT estimator and retransmission timeout: RFC 6298 with Linux's floor under the variance term. Microseconds. */

/** RFC 6298 (2.1): before a sample RTO = 1 s. */
const INITIAL_RTO_US: f64 = 1_000_000;
/** Linux TCP_RTO_MAX; RFC 6298 (2.5) demands at least 60 s. */
const MAX_RTO_US: f64 = 120_000_000;

@unmanaged
export class RttEstimator {
  srttUs: f64;
  rttvarUs: f64;
  minRttUs: f64;
  backoff: f64;
  /** the floor lies under 4 rttvar, not under the whole RTO: RTO = srtt + max(floor, 4 rttvar) */
  minVarianceTermUs: f64;

  init(minVarianceTermUs: f64): void {
    this.minVarianceTermUs = minVarianceTermUs;
    this.minRttUs = Infinity;
    this.backoff = 1;
  }

  /** RFC 6298 (2.2), (2.3): alpha 1/8, beta 1/4. A sample also ends the backoff. */
  @inline
  onSample(rttUs: f64): void {
    if (rttUs < this.minRttUs) this.minRttUs = rttUs;
    if (this.srttUs === 0) {
      this.srttUs = rttUs;
      this.rttvarUs = rttUs / 2;
    } else {
      const error = rttUs - this.srttUs;
      this.rttvarUs += (abs<f64>(error) - this.rttvarUs) / 4;
      this.srttUs += error / 8;
    }
    this.backoff = 1;
  }

  /** RFC 6298 (5.5): back off the timer. */
  onTimeout(): void {
    this.backoff *= 2;
  }

  @inline
  rtoUs(): f64 {
    const rto =
      this.srttUs === 0 ? INITIAL_RTO_US : this.srttUs + max<f64>(this.minVarianceTermUs, 4 * this.rttvarUs);
    return min<f64>(rto * this.backoff, MAX_RTO_US);
  }
}
