/** The tail loss probe (RFC 8985 7): one per tail, its time and its outcome. */
import { RttEstimator } from "./rtt-estimator";

/** RFC 8985 7.2: without an RTT sample a probe goes after 1 s; a lone packet's ACK may be delayed by 200 ms. */
const INITIAL_TIMEOUT_US: f64 = 1_000_000;
const MAX_ACK_DELAY_US: f64 = 200_000;

@unmanaged
export class TailProbe {
  /** Infinity: none is planned */
  atNs: f64;
  /** the probe that was sent has an outcome once the cumulative ACK reaches this sequence; -1: none is out */
  end: i64;
  /** its time has come: it is the next packet */
  isDue: bool;
  /** the probe, a retransmission, arrived before the original */
  hasRepaired: bool;

  init(): void {
    this.atNs = Infinity;
    this.end = -1;
  }

  /** RFC 8985 7.2: two round trips after the last sign of progress. */
  @inline
  timeoutUs(rtt: RttEstimator, inflight: i64): f64 {
    const srttUs = rtt.srttUs;
    if (srttUs === 0) return INITIAL_TIMEOUT_US;
    return 2 * srttUs + (inflight === 1 ? MAX_ACK_DELAY_US : 0);
  }

  /** It leaves. */
  onSent(nextSequence: i64): void {
    this.isDue = false;
    this.end = nextSequence;
  }

  /** Recovery takes its place. */
  cancel(): void {
    this.atNs = Infinity;
    this.end = -1;
  }
}
