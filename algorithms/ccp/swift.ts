/**
 * Swift (Kumar et al., "Swift: delay is simple and effective for congestion control in the datacenter", SIGCOMM 2020): AIMD
 * around a target delay, with a decrease in proportion to how far the delay is above it. The target is the path's own RTT
 * and a margin, which is larger for small windows (section 3.5): many flows then agree on one queue. Windows below two packets,
 * the endpoint's own delay and topology scaling (hop counts) need signals that CCP has none of.
 */
import { MICROS_PER_MILLI, type Micros } from "../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "./parts/interval-flow.ts";

/** Section 3.5: the margin for flow scaling is used up at the first window, and whole at the second. */
const SCALING_FROM_PACKETS = 100;
const SCALING_TO_PACKETS = 2;

class SwiftRules implements Rules {
  readonly #params: ParamValues;
  #lastCutUs: Micros = Number.NEGATIVE_INFINITY;

  constructor(params: ParamValues) {
    this.#params = params;
  }

  onInterval(interval: Interval): Decision | undefined {
    const { nowUs, samples, meanRttUs, cwndPackets, growing, slowStart } = interval;
    if (samples === 0) return undefined;
    const { ai, beta, maxDecrease } = this.#params as Record<string, number>;
    const targetUs = this.#targetUs(interval);
    if (meanRttUs < targetUs) return growing && !slowStart ? { growthPackets: ai! } : undefined;
    // once per RTT: cwnd *= max(1 - beta (delay - target) / delay, 1 - max_mdf)                    algorithm 1
    if (nowUs - this.#lastCutUs < meanRttUs) return { growthPackets: 0 };
    this.#lastCutUs = nowUs;
    const left = Math.max(1 - (beta! * (meanRttUs - targetUs)) / meanRttUs, 1 - maxDecrease!);
    return { cwndPackets: cwndPackets * left, growthPackets: 0 };
  }

  /** base + fs_range scaled by 1/sqrt(cwnd), between its bounds                                        equation (2) */
  #targetUs({ minRttUs, cwndPackets }: Interval): Micros {
    const { marginMs, scalingMs } = this.#params as Record<string, number>;
    const low = 1 / Math.sqrt(SCALING_FROM_PACKETS);
    const high = 1 / Math.sqrt(SCALING_TO_PACKETS);
    const share = Math.min(1, Math.max(0, (1 / Math.sqrt(cwndPackets) - low) / (high - low)));
    return minRttUs + (marginMs! + scalingMs! * share) * MICROS_PER_MILLI;
  }

  onLoss({ cwndPackets, nowUs }: Interval): number {
    this.#lastCutUs = nowUs;
    return cwndPackets * (1 - this.#params["maxDecrease"]!);
  }
}

export const swift: AlgorithmSpec = {
  name: "swift",
  summary: "AIMD around a target delay above the path's own, wider for small windows",
  source: "Kumar et al., SIGCOMM 2020",
  reads: ["rtt", "loss", "timeout"],
  recovery:
    "a packet of a slow link takes longer than the target: at 1 Mbit/s it never gets beyond two packets in flight",
  params: [
    {
      name: "marginMs",
      unit: "ms",
      low: 0.01,
      high: 100,
      default: 5,
      why: "queueing delay that a large window may cause: 5 ms here, for the Internet's RTTs (the paper's 25 us are a data centre's)",
    },
    {
      name: "scalingMs",
      unit: "ms",
      low: 0,
      high: 100,
      default: 10,
      why: "what the smallest windows may cause beyond (section 3.5, fs_range)",
    },
    {
      name: "ai",
      unit: "packets",
      low: 0.1,
      high: 10,
      default: 1,
      why: "added per RTT below the target: 1 (algorithm 1)",
    },
    {
      name: "beta",
      unit: "1",
      low: 0.1,
      high: 1,
      default: 0.8,
      why: "how strongly it decreases above the target: 0.8 (algorithm 1)",
    },
    {
      name: "maxDecrease",
      unit: "1",
      low: 0.1,
      high: 0.9,
      default: 0.5,
      why: "largest cut, also on loss: half (algorithm 1, max_mdf)",
    },
  ],
  ccp: (params) => intervalAlgorithm("swift", "quarter", () => ({ rules: new SwiftRules(params) })),
};
