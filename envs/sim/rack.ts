/**
 * RACK's clock and its reordering window (RFC 8985 6.2): a transmission is lost once one sent later has arrived and the
 * latter's RTT plus the window has passed. The scoreboard is the sender's, and so are the timers.
 */
import type { Micros, Nanos } from "../../core/units.ts";
import { NANOS_PER_MICRO } from "../../core/units.ts";
import type { RttEstimator } from "./rtt-estimator.ts";

/** RFC 8985 6.2 step 4: so many SACKed packets without reordering before end the wait, as RFC 6675 would. */
const DUP_THRESH = 3;
/** RFC 8985 3.3.2: the window widens by quarters of the minimum RTT. */
const WINDOW_SHARE = 1 / 4;
/** RFC 8985 3.3.2: a widened window is kept for 16 recoveries. */
const PERSIST_RECOVERIES = 16;

export class Rack {
  /** RTT of the latest sent transmission that has arrived */
  rttNs: Nanos = 0;
  reorderingSeen = false;
  /** RACK.reo_wnd_mult, RACK.reo_wnd_persist */
  #multiplier = 1;
  #persist = PERSIST_RECOVERIES;
  /** RACK.dsack_round: no second step before the cumulative ACK reaches this sequence; -1: none */
  #dsackRound = -1;

  /** Copies arrived: something was retransmitted in vain. At most one step per round. */
  onDuplicates(cumulative: number, nextSequence: number): void {
    if (cumulative < this.#dsackRound) return;
    this.#dsackRound = nextSequence;
    this.#multiplier++;
    this.#persist = PERSIST_RECOVERIES;
  }

  onRecoveryEnd(): void {
    this.#persist--;
    if (this.#persist <= 0) this.#multiplier = 1;
  }

  /** How long after it was sent a transmission that others have overtaken counts as lost. */
  deadlineNs(rtt: RttEstimator, inRecovery: boolean, sackedPackets: number): Nanos {
    return this.rttNs + this.#windowUs(rtt, inRecovery, sackedPackets) * NANOS_PER_MICRO;
  }

  #windowUs(rtt: RttEstimator, inRecovery: boolean, sackedPackets: number): Micros {
    if (!this.reorderingSeen && (inRecovery || sackedPackets >= DUP_THRESH)) return 0;
    return Math.min(this.#multiplier * rtt.minRttUs * WINDOW_SHARE, rtt.srttUs);
  }
}
