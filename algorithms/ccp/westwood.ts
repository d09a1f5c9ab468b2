/**
 * Westwood+ (Grieco and Mascolo, "Performance evaluation and comparison of Westwood+, New Reno, and Vegas TCP congestion
 * control", ACM CCR 34(2), 2004): Reno whose cut leaves what the measured bandwidth holds at the least RTT. Losses that no
 * queue caused cost little, as the measured bandwidth did not fall.
 */
import { MICROS_PER_SEC } from "../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "./parts/interval-flow.ts";

/** Linux and the paper: bandwidth is taken over an RTT, but at least 50 ms: compressed ACKs look like more bandwidth. */
const MIN_SAMPLE_US = 50_000;

class WestwoodRules implements Rules {
  readonly #filter: number;
  /** low-passed once, and once more, packets/s; 0: not yet */
  #once = 0;
  #twice = 0;
  #sinceUs: number | undefined;
  #delivered = 0;

  constructor(params: ParamValues) {
    this.#filter = params["filter"]!;
  }

  onInterval(interval: Interval): Decision {
    this.#measure(interval);
    return { growthPackets: 1 };
  }

  #measure({ nowUs, deliveredPackets, meanRttUs }: Interval): void {
    this.#delivered += deliveredPackets;
    this.#sinceUs ??= nowUs;
    const tookUs = nowUs - this.#sinceUs;
    if (tookUs < Math.max(MIN_SAMPLE_US, Number.isFinite(meanRttUs) ? meanRttUs : 0)) return;
    const sample = (this.#delivered * MICROS_PER_SEC) / tookUs;
    this.#once = this.#once === 0 ? sample : this.#filter * this.#once + (1 - this.#filter) * sample;
    this.#twice = this.#twice === 0 ? sample : this.#filter * this.#twice + (1 - this.#filter) * this.#once;
    this.#sinceUs = nowUs;
    this.#delivered = 0;
  }

  /** ssthresh = BWE * RTTmin (section 2.1); before anything was measured, Reno's half. */
  onLoss(interval: Interval): number {
    this.#measure(interval);
    const { cwndPackets, minRttUs } = interval;
    if (this.#twice === 0) return cwndPackets / 2;
    return Math.min(cwndPackets, (this.#twice * minRttUs) / MICROS_PER_SEC);
  }
}

export const westwood: AlgorithmSpec = {
  name: "westwood",
  summary: "Reno whose cut leaves the measured bandwidth times the minimum RTT",
  source: "Westwood+: Grieco and Mascolo, ACM CCR 34(2), 2004",
  reads: ["loss", "timeout", "rtt", "delivery-rate"],
  params: [
    {
      name: "filter",
      unit: "1",
      low: 0,
      high: 0.99,
      default: 0.875,
      why: "weight of the past in both stages of the bandwidth's low-pass filter: 7/8 (Linux)",
    },
  ],
  ccp: (params) => intervalAlgorithm("westwood", "round", () => ({ rules: new WestwoodRules(params) })),
};
