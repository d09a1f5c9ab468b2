/**
 * One number from less than best effort to more than one TCP's share, which may change while a flow lives (Reale, Roverso,
 * El-Ansary and Haridi, "DTL: Dynamic Transport Library for Peer-to-Peer Applications", ICDCN 2012):
 *
 *   priority 0   DTL's LEDBAT (`ledbat-dtl.ts`)
 *   priority N   MulTCP (Crowcroft and Oechslin, CCR 28(3), 1998) as N TCPs: N packets per round, smooth slow start, and the
 *                decrease of Nabeshima's MulTCP2 (IEICE Trans. Commun. E88-B(1), 2005)
 *
 * Both rules see every interval, so that a change finds the path's delay known and leaves the window as it is.
 */

import type { FlowInfo } from "../../../ccp-bridge/agent/algorithm.ts";
import { log, pow } from "../../../core/math.ts";
import type { AlgorithmSpec, ParamValues } from "../../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "../parts/interval-flow.ts";
import { DTL_PARAMS, DtlLedbatRules } from "./ledbat-dtl.ts";

/**
 * What a loss takes of the window. By the response function of AIMD (Floyd, Handley and Padhye, 2000) a flow that adds N
 * packets per round and gives up b of its window sends sqrt(N (2 - b) / (2 b p)) packets per round; N times Reno's sqrt(1.5 / p)
 * asks for b = 2 / (3 N + 1): Reno's half for N = 1. MulTCP's own 1 / (2 N) would send more.
 */
export function multcpDecrease(priority: number): number {
  return 2 / (3 * priority + 1);
}

/**
 * Where slow start goes on as that of one TCP. N TCPs would have N initial windows at once; MulTCP begins with one, triples it
 * each round instead of doubling it, and meets them after log N / log 1.5 rounds (Crowcroft and Oechslin, section 3.1).
 */
export function smoothStartPackets(priority: number, initialPackets: number): number {
  return initialPackets * pow(3, log(priority) / log(1.5));
}

class PriorityRules implements Rules {
  readonly #ledbat: DtlLedbatRules;
  readonly #initialPackets: number;
  #priority: number;

  constructor(params: ParamValues, { initCwndBytes, mssBytes }: FlowInfo) {
    this.#ledbat = new DtlLedbatRules(params);
    this.#initialPackets = initCwndBytes / mssBytes;
    this.#priority = params["priority"]!;
  }

  onParams(params: Readonly<Record<string, number>>): void {
    this.#priority = params["priority"] ?? this.#priority;
    this.#ledbat.restart();
  }

  onInterval(interval: Interval): Decision | undefined {
    const priority = this.#priority;
    // the growth that a higher priority had set ends with it
    if (priority === 0) return { ...this.#ledbat.onInterval(interval), growthPackets: 0 };
    this.#ledbat.observe(interval);
    const { cwndPackets, deliveredPackets, growing, slowStart } = interval;
    if (!slowStart) return { growthPackets: priority };
    const below = smoothStartPackets(priority, this.#initialPackets) - cwndPackets;
    if (priority === 1 || below <= 0 || !growing) return { growthPackets: priority };
    // the program has added what was delivered once
    const more = Math.min(below, deliveredPackets);
    return {
      cwndPackets: cwndPackets + more,
      ssthreshPackets: Number.POSITIVE_INFINITY,
      growthPackets: priority,
    };
  }

  onLoss(interval: Interval): number {
    const priority = this.#priority;
    if (priority === 0) return this.#ledbat.onLoss(interval);
    return interval.cwndPackets * (1 - multcpDecrease(priority));
  }
}

export const dtl: AlgorithmSpec = {
  name: "dtl",
  summary:
    "one number: 0 yields to everybody (LEDBAT), N takes the share of N TCPs (MulTCP2), also on a live flow",
  source: "Reale et al., ICDCN 2012 (DTL); Crowcroft and Oechslin, CCR 1998; Nabeshima, IEICE 2005",
  reads: ["rtt", "loss", "timeout"],
  params: [
    {
      name: "priority",
      unit: "TCPs",
      low: 0,
      high: 64,
      default: 1,
      whole: true,
      live: true,
      why: "0: less than best effort; N: as N TCPs together, 1 as Reno",
    },
    ...DTL_PARAMS,
  ],
  ccp: (values) =>
    intervalAlgorithm("dtl", "quarter", (info) => ({ rules: new PriorityRules(values, info) })),
};
