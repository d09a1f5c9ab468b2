/**
 * HyStart++ (RFC 9406): when a round's least RTT exceeds that of the round before by an eighth of it (4 to 16 ms), growth falls to a
 * quarter ("conservative slow start"); after five rounds of that slow start is over. If the RTT falls below what it was at the
 * beginning of the conservative phase, the sign was false, and growth is as before. For the first slow start of a flow. It wants
 * pacing (section 4.3): in bursts, a round's first ACKs, which its least RTT is of, see none of the queue that the rest of them fills.
 *
 *   slow start ── RTT grew ──▶ conservative ── five rounds ──▶ congestion avoidance
 *       ▲──── RTT fell below ──────┘
 */
import { delayThresholdUs, MIN_RTT_SAMPLES } from "./hystart.ts";
import type { SlowStart, SlowStartRules, SlowStartSample } from "./slow-start.ts";

/** CSS_GROWTH_DIVISOR, CSS_ROUNDS */
const CONSERVATIVE_SHARE = 1 / 4;
const CONSERVATIVE_ROUNDS = 5;

class HyStartPlusPlus implements SlowStartRules {
  #roundRttUs = Infinity;
  #lastRoundRttUs = Infinity;
  #samples = 0;
  /** cssBaselineMinRtt; Infinity: not in conservative slow start */
  #baselineUs = Infinity;
  #rounds = 0;

  onSample({ lowRttUs, samples, endsRound }: SlowStartSample): number {
    this.#roundRttUs = Math.min(this.#roundRttUs, lowRttUs);
    this.#samples += samples;
    if (this.#samples >= MIN_RTT_SAMPLES) this.#look();
    if (endsRound) {
      this.#lastRoundRttUs = this.#roundRttUs;
      this.#roundRttUs = Infinity;
      this.#samples = 0;
      if (this.#baselineUs !== Infinity) this.#rounds += 1;
    }
    if (this.#baselineUs === Infinity) return 1;
    return this.#rounds >= CONSERVATIVE_ROUNDS ? 0 : CONSERVATIVE_SHARE;
  }

  #look(): void {
    if (this.#baselineUs !== Infinity) {
      if (this.#roundRttUs < this.#baselineUs) this.#baselineUs = Infinity;
      return;
    }
    const last = this.#lastRoundRttUs;
    if (last === Infinity || this.#roundRttUs < last + delayThresholdUs(last)) return;
    this.#baselineUs = this.#roundRttUs;
    this.#rounds = 0;
  }
}

export const HYSTART_PLUS_PLUS: SlowStart = {
  name: "hystart++",
  source: "RFC 9406",
  paces: true,
  rules: () => new HyStartPlusPlus(),
  program: {
    controls:
      "(roundEnd 0) (roundRtt +infinity) (lastRtt +infinity) (samples 0) (baseline +infinity) (cssRounds 0) (divisor 1)",
    events: `
(when (&& starting (> una roundEnd))
  (:= roundEnd (+ una (+ sacked Flow.bytes_in_flight)))
  (:= lastRtt roundRtt)
  (:= roundRtt +infinity)
  (:= samples 0)
  (:= cssRounds (if (< baseline +infinity) (+ cssRounds 1)))
  (:= ssthresh (if (&& (== ssthresh +infinity) (> cssRounds 4)) Cwnd))
)
(when (&& starting (< Flow.rtt_sample_us +infinity))
  (:= roundRtt (min roundRtt Flow.rtt_sample_us))
  (:= samples (+ samples 1))
  (:= leave (&& (> samples 7) (&& (< baseline +infinity) (< roundRtt baseline))))
  (:= baseline (if leave +infinity))
  (:= divisor (if leave 1))
  (:= leave (> (+ roundRtt 1) (+ lastRtt (max 4000 (min 16000 (/ lastRtt 8))))))
  (:= leave (&& leave (&& (> samples 7) (&& (== baseline +infinity) (== ssthresh +infinity)))))
  (:= cssRounds (if leave 0))
  (:= divisor (if leave 4))
  (:= baseline (if leave roundRtt))
)`,
    growth: "(/ newly divisor)",
  },
};
