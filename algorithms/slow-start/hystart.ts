/**
 * HyStart: leaves slow start before it overflows the queue (Ha and Rhee, "Taming the elephants: new TCP slow start",
 * Computer Networks 55(9), 2011), with the thresholds that Linux uses. Two signs, either ends slow start:
 *   ACK train  the ACKs of a round, each close behind the last, span more than half the minimum RTT: a window sent
 *              back to back fills the path one way. Paced, a window spreads over a whole round trip by itself, so that
 *              they must span all of it (Linux: hystart_update where the socket is paced);
 *   delay      the least RTT of a round's ACKs exceeds the minimum RTT by a threshold: a queue is building.
 * A round ends when the cumulative ACK passes what was next to be sent at its start; the first one begins with the first ACK, so that
 * each begins with a burst. An agent sees no trains: there the delay alone counts.
 */
import type { AckEvent } from "../../ccp-bridge/congestion-control.ts";
import type { Micros } from "../../core/units.ts";
import type { PerAckRules, SlowStart, SlowStartRules, SlowStartSample } from "./slow-start.ts";

/** Linux hystart_low_window: below 16 packets the signs are noise and slow start is harmless. */
const LOW_WINDOW_PACKETS = 16;
/** Linux: ACKs at most 2 ms apart belong to one train. */
const TRAIN_SPACING_US = 2_000;
/**
 * Linux adds the time of four largest segmentation-offload bursts at the pacing rate, at most 1 ms. Offload bursts reach
 * 64 KiB, so below 2 Gbit/s the bound is what counts.
 */
const OFFLOAD_ALLOWANCE_US = 1_000;
/** Ha and Rhee: 8 RTT samples are enough to tell a queue from jitter. */
export const MIN_RTT_SAMPLES = 8;
/** Ha and Rhee, RFC 9406: an eighth of the minimum RTT, not below 4 ms (jitter) nor above 16 ms. */
const DELAY_SHARE = 1 / 8;
const MIN_DELAY_THRESHOLD_US = 4_000;
const MAX_DELAY_THRESHOLD_US = 16_000;

/** By how much the RTT must grow. */
export function delayThresholdUs(rttUs: Micros): Micros {
  return Math.max(MIN_DELAY_THRESHOLD_US, Math.min(rttUs * DELAY_SHARE, MAX_DELAY_THRESHOLD_US));
}

/** In the datapath, of a flow that is not paced. */
export class HyStart implements PerAckRules {
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
   * Call for each ACK of slow start.
   * @param cwndPackets window that the ACK met
   * @returns whether slow start should end now
   */
  onAck(ack: AckEvent, cwndPackets: number): boolean {
    // of a small window too: rounds that began in the midst of a burst would not see the path without the queue before them
    if (ack.cumulativeSequence > this.#roundEnd) this.#startRound(ack);
    if (cwndPackets < LOW_WINDOW_PACKETS) return false;
    if (ack.rttUs === 0) return false;
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
    if (this.#samples < MIN_RTT_SAMPLES) {
      this.#samples += 1;
      return false;
    }
    return this.#roundMinRttUs > minRttUs + delayThresholdUs(minRttUs);
  }
}

/** In an agent. */
class HyStartDelay implements SlowStartRules {
  #lowRttUs = Infinity;
  #samples = 0;

  onSample({ lowRttUs, samples, minRttUs, cwndPackets, endsRound }: SlowStartSample): number {
    this.#lowRttUs = Math.min(this.#lowRttUs, lowRttUs);
    this.#samples += samples;
    const isLong =
      cwndPackets >= LOW_WINDOW_PACKETS &&
      this.#samples >= MIN_RTT_SAMPLES &&
      this.#lowRttUs > minRttUs + delayThresholdUs(minRttUs);
    if (endsRound) {
      this.#lowRttUs = Infinity;
      this.#samples = 0;
    }
    return isLong ? 0 : 1;
  }
}

/** @param train whether the ACKs of a round, `now - roundStart` long, are such a train */
function events(train: string): string {
  return `
(when (> una roundEnd)
  (:= roundEnd (+ una (+ sacked Flow.bytes_in_flight)))
  (:= roundStart now)
  (:= lastAck now)
  (:= roundRtt +infinity)
  (:= samples 0)
)
(when (&& starting (> (+ Report.cwnd 1) (* 16 mss)))
  (:= roundRtt (min roundRtt Flow.rtt_sample_us))
  (:= samples (+ samples 1))
  (:= lastAck (if (< now (+ lastAck 2001)) now))
  (:= leave (&& (== lastAck now) ${train}))
  (:= ssthresh (if leave Cwnd))
  (:= leave (&& (> samples 8) (> roundRtt (+ Report.minRtt (max 4000 (min 16000 (/ Report.minRtt 8)))))))
  (:= ssthresh (if leave (min ssthresh Cwnd)))
)`;
}

export const HYSTART: SlowStart = {
  name: "hystart",
  source: "Ha and Rhee, Computer Networks 55(9), 2011, as in Linux",
  rules: () => new HyStartDelay(),
  perAck: (nowUs) => new HyStart(nowUs),
  program: {
    controls: "(roundEnd 0) (roundStart 0) (lastAck 0) (roundRtt +infinity) (samples 0)",
    events: events("(> (* 2 (- now roundStart)) (+ Report.minRtt 1000))"),
    pacedEvents: events("(> (- now roundStart) (+ Report.minRtt 1000))"),
  },
};
