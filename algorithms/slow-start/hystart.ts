/**
 * HyStart (Ha and Rhee, Computer Networks 55(9), 2011) with Linux's thresholds: from 16 packets on, slow start ends when 8 RTT samples
 * of a round all exceed the minimum RTT by an eighth of it (4 to 16 ms), or when a train of ACKs at most 2 ms apart spans half of
 * the minimum RTT plus 1 ms (Linux's allowance for offload bursts). An agent sees no trains: there the delay alone counts.
 */
import { LOW_WINDOW_PACKETS } from "../native/hystart.ts";
import type { SlowStart, SlowStartRules, SlowStartSample } from "./slow-start.ts";

/** Ha and Rhee: enough to tell a queue from jitter. */
export const MIN_RTT_SAMPLES = 8;
const MIN_THRESHOLD_US = 4_000;
const MAX_THRESHOLD_US = 16_000;

/** By how much the RTT must grow, as in Linux and RFC 9406: an eighth, 4 to 16 ms. */
export function delayThresholdUs(rttUs: number): number {
  return Math.max(MIN_THRESHOLD_US, Math.min(rttUs / 8, MAX_THRESHOLD_US));
}

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

export const HYSTART: SlowStart = {
  name: "hystart",
  source: "Ha and Rhee, Computer Networks 55(9), 2011, as in Linux",
  rules: () => new HyStartDelay(),
  program: {
    controls: "(roundEnd 0) (roundStart 0) (lastAck 0) (roundRtt +infinity) (samples 0)",
    events: `
(when (&& (&& starting (> (+ Report.cwnd 1) (* 16 mss))) (> una roundEnd))
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
  (:= leave (&& (== lastAck now) (> (* 2 (- now roundStart)) (+ Report.minRtt 1000))))
  (:= ssthresh (if leave Cwnd))
  (:= leave (&& (> samples 8) (> roundRtt (+ Report.minRtt (max 4000 (min 16000 (/ Report.minRtt 8)))))))
  (:= ssthresh (if leave (min ssthresh Cwnd)))
)`,
  },
};
