/**
 * What an attack maximises: the gap of a utility between a reference and its target, after AdvNet (Ahmed et al., CoNEXT
 * 2026): w min(throughput / t_ref, 1) + (1 - w) min(l_ref / latency, 1).
 */
import type { Scenario } from "../../scenarios/scenario.ts";
import type { RunResult } from "../../testbeds/results.ts";
import { mean } from "../statistics.ts";

/** Weight of throughput: most of it, since a flow that sends nothing has no delay. */
export const DEFAULT_WEIGHT = 0.9;

export interface Utility {
  /** 0 to 1 */
  readonly utility: number;
  /** goodput of the flow under test / payload that the link could have carried, at most 1 */
  readonly throughputShare: number;
  /** one-way delay without queue / mean one-way delay, at most 1; 0: nothing arrived */
  readonly latencyShare: number;
  /** what the two are shares of */
  readonly capacityMbps: number;
  readonly leastDelayMs: number;
}

/** The delay of an empty path; where it changes, the smallest. */
function leastDelayOf({ delay, propagationDelayMs }: Scenario): number {
  return delay?.forward?.kind === "steps"
    ? Math.min(...delay.forward.points.map(({ delayMs }) => delayMs))
    : propagationDelayMs;
}

/** @param weight of throughput, 0 to 1 @param result of a run with a time series */
export function utilityOf(scenario: Scenario, { metrics, series }: RunResult, weight: number): Utility {
  const capacityMbps = mean(series.capacityMbps);
  const throughputShare = capacityMbps > 0 ? Math.min(metrics.goodputMbps / capacityMbps, 1) : 0;
  const { meanOneWayDelayMs } = metrics;
  const leastDelayMs = leastDelayOf(scenario);
  const latencyShare = meanOneWayDelayMs > 0 ? Math.min(leastDelayMs / meanOneWayDelayMs, 1) : 0;
  const utility = weight * throughputShare + (1 - weight) * latencyShare;
  return { utility, throughputShare, latencyShare, capacityMbps, leastDelayMs };
}

const short = (value: number): number => +value.toPrecision(6);

/** The utility as a column of a replay: its score goes by other things and may say otherwise. */
export function utilityMetric({ capacityMbps, leastDelayMs }: Utility, weight: number): string {
  return `--metric 'utility = ${weight} * min(goodputMbps / ${short(capacityMbps)}, 1) + ${short(1 - weight)} * min(${short(leastDelayMs)} / meanOneWayDelayMs, 1)'`;
}

/** Both contenders in one environment. */
export interface Duel {
  readonly target: Utility;
  readonly reference: Utility;
  /** utility of the reference less the target's, -1 to 1: what the search maximises */
  readonly gap: number;
}

export function duelOf(target: Utility, reference: Utility): Duel {
  return { target, reference, gap: reference.utility - target.utility };
}
