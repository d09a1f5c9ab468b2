/**
 * SCReAM for media in its second version (draft-johansson-ccwg-rfc8298bis-screamv2, which obsoletes RFC 8298): a reference
 * window that shrinks in proportion to how far the smoothed queueing delay is beyond half of its target, and grows slowly near
 * where it last had to; the media rate is that window per RTT. The source here is a coder that always sends at that rate.
 * Left out: ECN, the compensation for competing flows (it may be turned off), and what only a coder has (frame sizes,
 * its queue). RTTs stand for one-way delays, which CCP has none of.
 */
import { MICROS_PER_MILLI, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "../parts/interval-flow.ts";
import { RoundMax } from "../parts/round-max.ts";

/** Section 4.1.1, "Constants", of this and the following. */
const REF_WND_OVERHEAD = 1.5;
const QDELAY_AVG_G: number = 1 / 4;
const POST_CONGESTION_DELAY_US: Micros = 4 * MICROS_PER_SEC;
const VIRTUAL_RTT_US: Micros = 25 * MICROS_PER_MILLI;
const BYTES_IN_FLIGHT_HEAD_ROOM = 2;
/** "Reference window update": the inflection point stays for so long, and near it growth is a tenth. */
const INFLECTION_US: Micros = 250 * MICROS_PER_MILLI;
const LEAST_GROWTH = 0.1;
/** RFC 6298 */
const SRTT_GAIN: number = 1 / 8;
/** MIN_REF_WND: 3000 bytes */
const MIN_PACKETS = 2;

class ScreamRules implements Rules {
  readonly #params: ParamValues;
  /** ref_wnd, packets; 0: not yet */
  #window = 0;
  /** ref_wnd_i */
  #inflection = 1;
  #inflectionUs: Micros = Number.NEGATIVE_INFINITY;
  #congestedUs: Micros = Number.NEGATIVE_INFINITY;
  #srttUs: Micros = 0;
  #queueUs: Micros = 0;
  #queueAtUs: Micros = Number.NEGATIVE_INFINITY;
  /** packets delivered in a round: what was in flight */
  readonly #inflight = new RoundMax(1);
  #inRound = 0;

  constructor(params: ParamValues) {
    this.#params = params;
  }

  onInterval(interval: Interval): Decision | undefined {
    const { nowUs, samples, meanRttUs, minRttUs, cwndPackets, deliveredPackets, endsRound } = interval;
    this.#inRound += deliveredPackets;
    if (endsRound) {
      this.#inflight.advance();
      this.#inflight.add(this.#inRound);
      this.#inRound = 0;
    }
    if (samples === 0) return undefined;
    if (this.#window === 0) {
      this.#window = cwndPackets;
      this.#srttUs = meanRttUs;
    }
    this.#srttUs += SRTT_GAIN * (meanRttUs - this.#srttUs);
    const queueUs = meanRttUs - minRttUs;
    if (nowUs - this.#queueAtUs >= this.#srttUs) {
      // a slow attack and a fast decay
      const gain = queueUs < this.#queueUs ? 1 : QDELAY_AVG_G;
      this.#queueUs += gain * (queueUs - this.#queueUs);
      this.#queueAtUs = nowUs;
    }
    const halfUs = (this.#params["targetMs"]! * MICROS_PER_MILLI) / 2;
    if (queueUs > halfUs && nowUs - this.#congestedUs >= Math.min(VIRTUAL_RTT_US, this.#srttUs)) {
      // l4s_alpha_v: as a share of marked packets would be, 0 at half of the target and 1 at the target
      const share = Math.min(1, Math.max(0, (this.#queueUs - halfUs) / halfUs));
      this.#congested(nowUs, 1 - share / 2);
    }
    this.#grow(nowUs, deliveredPackets);
    return this.#decision(Math.min(this.#srttUs, meanRttUs));
  }

  #congested(nowUs: Micros, left: number): void {
    if (nowUs - this.#inflectionUs > INFLECTION_US) {
      this.#inflectionUs = nowUs;
      this.#inflection = this.#window;
    }
    this.#congestedUs = nowUs;
    this.#window = Math.max(MIN_PACKETS, this.#window * left);
  }

  /** One packet per RTT and a share of the window, less near the inflection point and after congestion, and for short RTTs. */
  #grow(nowUs: Micros, deliveredPackets: number): void {
    const short = Math.min(1, this.#srttUs / VIRTUAL_RTT_US);
    const off = (4 * (this.#window - this.#inflection)) / this.#inflection;
    const near = Math.max(LEAST_GROWTH, Math.min(1, off * off));
    const sinceUs = nowUs - this.#congestedUs;
    const calm = Math.min(1, sinceUs / POST_CONGESTION_DELAY_US);
    const scale = 1 + this.#params["increase"]! * this.#window * calm * near;
    const grown = this.#window + (deliveredPackets / this.#window) * short * short * near * scale;
    const inflight = Math.max(this.#inflight.value, this.#inRound);
    if (grown <= 1 + BYTES_IN_FLIGHT_HEAD_ROOM * inflight) this.#window = grown;
  }

  /**
   * "Media rate control": the window per RTT, a little less where it is a few packets; the window has room for frames.
   * @param rttUs the less of the smoothed and the latest: after an outage the one is seconds, and few ACKs would come to mend it
   */
  #decision(rttUs: Micros): Decision {
    const small = 1 - Math.min(0.8, Math.max(0, 1 / this.#window - 0.1));
    return {
      ratePacketsPerSec: (small * this.#window * MICROS_PER_SEC) / rttUs,
      cwndPackets: REF_WND_OVERHEAD * this.#window,
    };
  }

  onLoss({ nowUs, cwndPackets }: Interval): number {
    if (this.#window === 0) this.#window = cwndPackets;
    this.#congested(nowUs, this.#params["betaLoss"]!);
    return REF_WND_OVERHEAD * this.#window;
  }
}

export const scream: AlgorithmSpec = {
  name: "scream",
  summary:
    "media: a window that shrinks as the queueing delay nears its target, and a media rate of that window per RTT",
  source: "draft-johansson-ccwg-rfc8298bis-screamv2 (SCReAMv2), after RFC 8298",
  reads: ["rtt", "loss", "timeout"],
  recovery:
    "single packets are acknowledged 40 ms late, which at 1 Mbit/s it takes for a queue beyond half of its target",
  params: [
    {
      name: "targetMs",
      unit: "ms",
      low: 1,
      high: 400,
      default: 60,
      why: "queueing delay that is never to be reached: it backs off from half of it on (QDELAY_TARGET_LO)",
    },
    {
      name: "betaLoss",
      unit: "1",
      low: 0.1,
      high: 0.95,
      default: 0.7,
      why: "what a loss leaves of the window (BETA_LOSS)",
    },
    {
      name: "increase",
      unit: "1/packets",
      low: 0,
      high: 1,
      default: 0.02,
      why: "growth per RTT as a part of the window, beside one packet (MUL_INCREASE_FACTOR)",
    },
  ],
  ccp: (params) =>
    intervalAlgorithm("scream", "quarter", () => ({ rules: new ScreamRules(params), slowStart: false })),
};
