/** LEDBAT (RFC 6817), less than best effort: holds the queueing delay at a target, so that whoever needs the link gets it. */

import { MICROS_PER_MILLI } from "../../../core/units.ts";
import type { AlgorithmParam, AlgorithmSpec, ParamValues } from "../../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "../parts/interval-flow.ts";
import { QueueDelay } from "../parts/queue-delay.ts";

class LedbatRules implements Rules {
  readonly #params: ParamValues;
  readonly #queue: QueueDelay;

  constructor(params: ParamValues) {
    this.#params = params;
    this.#queue = new QueueDelay(params["historyMinutes"]!, params["filter"]!);
  }

  onInterval(interval: Interval): Decision | undefined {
    const { nowUs, samples, lowRttUs, cwndPackets, deliveredPackets, growing } = interval;
    if (samples === 0) return undefined;
    const { targetMs, gain } = this.#params as Record<"targetMs" | "gain", number>;
    this.#queue.add(nowUs, lowRttUs);
    const targetUs = targetMs * MICROS_PER_MILLI;
    const offTarget = (targetUs - this.#queue.delayUs) / targetUs;
    if (offTarget > 0 && !growing) return undefined;
    // cwnd += GAIN * off_target * bytes_newly_acked * MSS / cwnd                              RFC 6817 2.4.2
    return { cwndPackets: cwndPackets + (gain * offTarget * deliveredPackets) / cwndPackets };
  }

  onLoss({ cwndPackets }: Interval): number {
    return cwndPackets / 2;
  }
}

/** Of the estimate of the queue, and its target. */
export function queueParams(historyMinutes: number, filter: number): AlgorithmParam[] {
  return [
    {
      name: "targetMs",
      unit: "ms",
      low: 1,
      high: 1000,
      default: 100,
      why: "queueing delay that it holds: at most 100 ms (RFC 6817 3.3)",
    },
    {
      name: "historyMinutes",
      unit: "min",
      low: 1,
      high: 60,
      default: historyMinutes,
      whole: true,
      why: "over which the least RTT is the path's own: RFC 6817 10, DTL 13",
    },
    {
      name: "filter",
      unit: "quarters of an RTT",
      low: 1,
      high: 32,
      default: filter,
      whole: true,
      why: "the least RTT of so many counts as the present one (CURRENT_FILTER)",
    },
  ];
}

export const ledbat: AlgorithmSpec = {
  name: "ledbat",
  summary: "less than best effort: holds the queueing delay at a target and yields to others",
  source: "RFC 6817",
  reads: ["rtt", "loss", "timeout"],
  params: [
    ...queueParams(10, 4),
    {
      name: "gain",
      unit: "1",
      low: 0.01,
      high: 1,
      default: 1,
      why: "packets added per RTT where there is no queue: at most 1, as Reno (RFC 6817 2.4.2)",
    },
  ],
  ccp: (values) =>
    intervalAlgorithm("ledbat", "quarter", () => ({ rules: new LedbatRules(values), slowStart: false })),
};
