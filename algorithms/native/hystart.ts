/**
 * HyStart: leaves slow start before it overflows the queue (Ha and Rhee, "Taming the elephants: new TCP slow start",
 * Computer Networks 55(9), 2011), with the thresholds that Linux uses. Two signs, either ends slow start:
 *   ACK train  the ACKs of a round, each close behind the last, span more than half the minimum RTT: a window sent
 *              back to back fills the path one way;
 *   delay      the least RTT of a round's ACKs exceeds the minimum RTT by a threshold: a queue is building.
 * A round ends when the cumulative ACK passes what was next to be sent at its start.
 */

import type { AckEvent } from "../../ccp-bridge/congestion-control.ts";
import type { Micros } from "../../core/units.ts";

/** Linux hystart_low_window: below 16 packets the signs are noise and slow start is harmless. */
export const LOW_WINDOW_PACKETS = 16;
/** Linux: ACKs at most 2 ms apart belong to one train. */
const TRAIN_SPACING_US = 2_000;
/**
 * Linux adds the time of four largest segmentation-offload bursts at the pacing rate, at most 1 ms. Offload bursts reach
 * 64 KiB, so below 2 Gbit/s the bound is what counts.
 */
const OFFLOAD_ALLOWANCE_US = 1_000;
/** Ha and Rhee: 8 RTT samples are enough to tell a queue from jitter. */
const MIN_SAMPLES = 8;
/** Ha and Rhee, RFC 9406: an eighth of the minimum RTT, not below 4 ms (jitter) nor above 16 ms. */
const DELAY_SHARE = 1 / 8;
const MIN_DELAY_THRESHOLD_US = 4_000;
const MAX_DELAY_THRESHOLD_US = 16_000;

export class HyStart {
  #roundStartUs: Micros;
  #lastAckUs: Micros;
  /** first sequence beyond the round, in packets */
  #roundEnd = 0;
  #roundMinRttUs: Micros = Infinity;
  #samples = 0;

  constructor(nowUs: Micros) {
    this.#roundStartUs = nowUs;
    this.#lastAckUs = nowUs;
  }

  /**
   * Call for each ACK of slow start from `LOW_WINDOW_PACKETS` on.
   * @returns whether slow start should end now
   */
  onAck(ack: AckEvent): boolean {
    if (ack.rttUs === 0) return false;
    if (ack.cumulativeSequence > this.#roundEnd) this.#startRound(ack);
    return this.#trainIsLong(ack.nowUs, ack.minRttUs) || this.#delayGrew(ack.rttUs, ack.minRttUs);
  }

  #startRound(ack: AckEvent): void {
    this.#roundStartUs = ack.nowUs;
    this.#lastAckUs = ack.nowUs;
    this.#roundEnd = ack.nextSequence;
    this.#roundMinRttUs = Infinity;
    this.#samples = 0;
  }

  #trainIsLong(nowUs: Micros, minRttUs: Micros): boolean {
    if (nowUs - this.#lastAckUs > TRAIN_SPACING_US) return false;
    this.#lastAckUs = nowUs;
    return nowUs - this.#roundStartUs > (minRttUs + OFFLOAD_ALLOWANCE_US) / 2;
  }

  #delayGrew(rttUs: Micros, minRttUs: Micros): boolean {
    this.#roundMinRttUs = Math.min(this.#roundMinRttUs, rttUs);
    if (this.#samples < MIN_SAMPLES) {
      this.#samples += 1;
      return false;
    }
    const threshold = Math.min(
      Math.max(minRttUs * DELAY_SHARE, MIN_DELAY_THRESHOLD_US),
      MAX_DELAY_THRESHOLD_US,
    );
    return this.#roundMinRttUs > minRttUs + threshold;
  }
}
