/**
 * H-TCP (Leith and Shorten, "H-TCP: TCP for high-speed and long-distance networks", PFLDnet 2004; draft-leith-tcp-htcp-06):
 * the longer ago the last congestion, the more packets are added per round; a cut leaves the ratio of the least to the
 * largest RTT, which just empties the queue.
 */
import { MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "./parts/interval-flow.ts";

/** Draft 3.1: where throughput before two cuts differs by more, the path has changed, and half is cut. */
const THROUGHPUT_CHANGE = 0.2;
const BETA_MIN = 0.5;

class HtcpRules implements Rules {
  readonly #betaMax: number;
  readonly #lowSpeedSec: number;
  #lastCutUs: Micros | undefined;
  /** since the last cut */
  #highRttUs: Micros = 0;
  #beta = BETA_MIN;
  #bestRate = 0;
  #lastRate = 0;

  constructor(params: ParamValues) {
    this.#betaMax = params["betaMax"]!;
    this.#lowSpeedSec = params["lowSpeedSec"]!;
  }

  onInterval(interval: Interval): Decision {
    const { nowUs, highRttUs, deliveredPackets, meanRttUs } = interval;
    this.#lastCutUs ??= nowUs;
    if (interval.samples > 0) {
      this.#highRttUs = Math.max(this.#highRttUs, highRttUs);
      this.#bestRate = Math.max(this.#bestRate, deliveredPackets / meanRttUs);
    }
    const beyondSec = (nowUs - this.#lastCutUs) / MICROS_PER_SEC - this.#lowSpeedSec;
    // alpha = 1 + 10 (D - D_L) + 0.25 (D - D_L)^2, times 2 (1 - beta) so that beta has no part in fairness     equation (1), (3)
    const high = beyondSec <= 0 ? 1 : 1 + 10 * beyondSec + 0.25 * beyondSec * beyondSec;
    return { growthPackets: Math.max(1, 2 * (1 - this.#beta) * high) };
  }

  onLoss({ nowUs, cwndPackets, minRttUs }: Interval, kind: "loss" | "timeout"): number {
    const changed = Math.abs(this.#bestRate - this.#lastRate) > THROUGHPUT_CHANGE * this.#lastRate;
    // beta = RTT_min / RTT_max, 0.5 to 0.8                                                        equation (2)
    const ratio = this.#highRttUs === 0 ? BETA_MIN : minRttUs / this.#highRttUs;
    this.#beta =
      changed || kind === "timeout" ? BETA_MIN : Math.min(this.#betaMax, Math.max(BETA_MIN, ratio));
    this.#lastRate = this.#bestRate;
    this.#bestRate = 0;
    this.#highRttUs = 0;
    this.#lastCutUs = nowUs;
    return cwndPackets * this.#beta;
  }
}

export const htcp: AlgorithmSpec = {
  name: "htcp",
  summary: "adds more per round the longer ago the last loss, and cuts by the ratio of least to largest RTT",
  source: "draft-leith-tcp-htcp-06",
  reads: ["loss", "timeout", "rtt", "delivery-rate"],
  params: [
    {
      name: "betaMax",
      unit: "1",
      low: 0.5,
      high: 0.9,
      default: 0.8,
      why: "what a cut leaves at most: 0.8, or flows would converge too slowly (draft 3.1)",
    },
    {
      name: "lowSpeedSec",
      unit: "s",
      low: 0.1,
      high: 10,
      default: 1,
      why: "until so long after a cut it is Reno: 1 s (draft 3)",
    },
  ],
  ccp: (params) => intervalAlgorithm("htcp", "round", () => ({ rules: new HtcpRules(params) })),
};
