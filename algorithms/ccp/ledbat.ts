/**
 * LEDBAT (RFC 6817), less than best effort: holds the queueing delay at a target, so that whoever needs the link gets it.
 * And the variant of Reale and Dowling ("DTL: Dynamic Transport Library for peer-to-peer applications", ICDCN 2012), where
 * a latecomer, who takes the first one's queue for the path's delay, does not get all of it: slow start, a multiplicative
 * decrease above the target, a longer history and a filter of the delay. RTTs stand for one-way delays, which CCP has none of.
 */

import { pow } from "../../core/math.ts";
import { MICROS_PER_MILLI, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { AlgorithmParam, AlgorithmSpec, ParamValues } from "../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "./parts/interval-flow.ts";
import { WindowedMin } from "./parts/windowed-min.ts";

const MICROS_PER_MINUTE = 60 * MICROS_PER_SEC;

class LedbatRules implements Rules {
  readonly #params: ParamValues;
  readonly #base: WindowedMin;
  /** the latest delays, whose least counts */
  readonly #recent: Micros[] = [];

  constructor(params: ParamValues) {
    this.#params = params;
    this.#base = new WindowedMin(params["historyMinutes"]! * MICROS_PER_MINUTE, params["historyMinutes"]!);
  }

  onInterval(interval: Interval): Decision | undefined {
    const { nowUs, samples, lowRttUs, cwndPackets, deliveredPackets, growing, slowStart } = interval;
    if (samples === 0) return undefined;
    const { filter, targetMs, gain, decrease } = this.#params as Record<string, number>;
    this.#base.add(nowUs, lowRttUs);
    this.#recent.push(lowRttUs);
    if (this.#recent.length > filter!) this.#recent.shift();
    const queueUs = Math.min(...this.#recent) - this.#base.value;
    const targetUs = targetMs! * MICROS_PER_MILLI;
    const offTarget = (targetUs - queueUs) / targetUs;
    if (slowStart && offTarget > 0) return undefined;
    if (offTarget < 0 && decrease! < 1)
      return { cwndPackets: cwndPackets * pow(decrease!, deliveredPackets) };
    if (offTarget > 0 && !growing) return undefined;
    // cwnd += GAIN * off_target * bytes_newly_acked * MSS / cwnd                              RFC 6817 2.4.2
    return { cwndPackets: cwndPackets + (gain! * offTarget * deliveredPackets) / cwndPackets };
  }

  onLoss({ cwndPackets }: Interval): number {
    return cwndPackets / 2;
  }
}

function params(
  over: Readonly<Record<"targetMs" | "decrease" | "historyMinutes" | "filter", number>>,
): AlgorithmParam[] {
  return [
    {
      name: "targetMs",
      unit: "ms",
      low: 1,
      high: 1000,
      default: over.targetMs,
      why: "queueing delay that it holds: at most 100 ms (RFC 6817 3.3)",
    },
    {
      name: "gain",
      unit: "1",
      low: 0.01,
      high: 1,
      default: 1,
      why: "packets added per RTT where there is no queue: at most 1, as Reno (RFC 6817 2.4.2)",
    },
    {
      name: "decrease",
      unit: "1",
      low: 0.5,
      high: 1,
      default: over.decrease,
      why: "what each acknowledged packet leaves of the window above the target; 1: linear, by how far it is (RFC 6817)",
    },
    {
      name: "historyMinutes",
      unit: "min",
      low: 1,
      high: 60,
      default: over.historyMinutes,
      whole: true,
      why: "over which the least RTT is the path's own: RFC 6817 10, DTL 13",
    },
    {
      name: "filter",
      unit: "quarters of an RTT",
      low: 1,
      high: 32,
      default: over.filter,
      whole: true,
      why: "the least RTT of so many counts as the present one (CURRENT_FILTER)",
    },
  ];
}

const LEDBAT_PARAMS = params({ targetMs: 100, decrease: 1, historyMinutes: 10, filter: 4 });
const DTL_PARAMS = params({ targetMs: 100, decrease: 0.99, historyMinutes: 13, filter: 3 });

export const ledbat: AlgorithmSpec = {
  name: "ledbat",
  summary: "less than best effort: holds the queueing delay at a target and yields to others",
  source: "RFC 6817",
  reads: ["rtt", "loss", "timeout"],
  params: LEDBAT_PARAMS,
  ccp: (values) =>
    intervalAlgorithm("ledbat", "quarter", () => ({ rules: new LedbatRules(values), slowStart: false })),
};

export const dtlLedbat: AlgorithmSpec = {
  name: "ledbat-dtl",
  summary:
    "LEDBAT with slow start and a multiplicative decrease, so that a latecomer takes no more than its share",
  source: "Reale and Dowling, ICDCN 2012 (DTL)",
  reads: ["rtt", "loss", "timeout"],
  params: DTL_PARAMS,
  ccp: (values) => intervalAlgorithm("ledbat-dtl", "quarter", () => ({ rules: new LedbatRules(values) })),
};
