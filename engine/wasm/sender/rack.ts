/**
 * RACK's clock and its reordering window (RFC 8985 6.2): a transmission is lost once one sent later has arrived and the
 * latter's RTT plus the window has passed. The scoreboard is the sender's, and so are the timers.
 */

import { MICRO } from "../units";
import { RttEstimator } from "./rtt-estimator";

/** RFC 8985 6.2 step 4: so many SACKed packets without reordering before end the wait, as RFC 6675 would. */
const DUP_THRESH: i64 = 3;
/** RFC 8985 3.3.2: the window widens by quarters of the minimum RTT. */
const WINDOW_SHARE: f64 = 0.25;
/** RFC 8985 3.3.2: a widened window is kept for 16 recoveries. */
const PERSIST_RECOVERIES: i32 = 16;

@unmanaged
export class Rack {
  /** RTT of the latest sent transmission that has arrived */
  rttNs: f64;
  /** RACK.reo_wnd_mult, RACK.reo_wnd_persist */
  multiplier: f64;
  /** RACK.dsack_round: no second step before the cumulative ACK reaches this sequence; -1: none */
  dsackRound: i64;
  persist: i32;
  reorderingSeen: bool;

  init(): void {
    this.multiplier = 1;
    this.dsackRound = -1;
    this.persist = PERSIST_RECOVERIES;
  }

  /** Copies arrived: something was retransmitted in vain. At most one step per round. */
  onDuplicates(cumulative: i64, nextSequence: i64): void {
    if (cumulative < this.dsackRound) return;
    this.dsackRound = nextSequence;
    this.multiplier += 1;
    this.persist = PERSIST_RECOVERIES;
  }

  onRecoveryEnd(): void {
    this.persist--;
    if (this.persist <= 0) this.multiplier = 1;
  }

  /** How long after it was sent a transmission that others have overtaken counts as lost. */
  deadlineNs(rtt: RttEstimator, inRecovery: bool, sackedPackets: i64): f64 {
    return this.rttNs + this.windowUs(rtt, inRecovery, sackedPackets) * MICRO;
  }

  private windowUs(rtt: RttEstimator, inRecovery: bool, sackedPackets: i64): f64 {
    if (!this.reorderingSeen && (inRecovery || sackedPackets >= DUP_THRESH)) return 0;
    return min<f64>(this.multiplier * rtt.minRttUs * WINDOW_SHARE, rtt.srttUs);
  }
}
