/**
 * Counterfactuals of a run: the same scenario, seed, losses and cross traffic, forked at a time with another controller; and
 * per decision, what the best of a few alternatives would have given. The simulator is deterministic, so all that differs
 * comes from the decision.
 */
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { type FlowAlgorithm, runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { CcparkError } from "../../core/errors.ts";
import { NANOS_PER_MICRO, NANOS_PER_SEC } from "../../core/units.ts";
import { beginRun } from "../../envs/measured-run.ts";
import { DEFAULT_REWARD } from "../../envs/signals/rewards.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { RunResult } from "../../testbeds/results.ts";
import type { VirtualRun } from "../../testbeds/testbed.ts";
import { niceBinSec } from "../benchmark.ts";
import { HandOver, Perturbed } from "./forked-control.ts";
import { type Mark, markOf, type Span, spanOf } from "./span.ts";

/** Makes a fresh algorithm for each run, so that no state passes from one to the next. */
export type MakeAlgorithm = () => FlowAlgorithm;

export interface ForkOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly original: MakeAlgorithm;
  /** seconds from the flow's start */
  readonly atSec: number;
}

function factoryOf(algorithm: FlowAlgorithm): CongestionControlFactory {
  return typeof algorithm === "function" ? algorithm : runCcpAlgorithm(algorithm);
}

function begin({ scenario, seed }: Pick<ForkOptions, "scenario" | "seed">, algorithm: FlowAlgorithm) {
  return beginRun({
    scenario,
    seed,
    algorithm,
    rewardName: DEFAULT_REWARD,
    seriesBinSec: niceBinSec(scenario.durationSec),
    algorithms: crossTrafficAlgorithm,
  });
}

/** A run with what it was at the fork. */
export interface Branch {
  readonly atFork: Mark;
  readonly before: Span;
  readonly after: Span;
  readonly result: RunResult;
}

function expectInRun({ scenario, atSec }: Pick<ForkOptions, "scenario" | "atSec">): void {
  if (atSec > 0 && atSec < scenario.durationSec) return;
  const message = `[fork] --at: got ${atSec}, expected a time within the run, between 0 and ${scenario.durationSec} s`;
  throw new CcparkError("invalid-argument", message);
}

/** @param change at the time of the fork */
function branch(options: ForkOptions, algorithm: FlowAlgorithm, change: (nowUs: number) => void): Branch {
  const { run, result } = begin(options, algorithm);
  run.runUntil(run.startNs);
  const start = markOf(run);
  const atNs = Math.round(run.startNs + options.atSec * NANOS_PER_SEC);
  run.runUntil(atNs);
  const atFork = markOf(run);
  change(atNs / NANOS_PER_MICRO);
  run.runUntil(run.endNs);
  const end = markOf(run);
  return { atFork, before: spanOf(run, start, atFork), after: spanOf(run, atFork, end), result: result() };
}

export interface ForkResult {
  readonly original: Branch;
  readonly forked: Branch;
}

/** @throws CcparkError invalid-argument for a time outside of the run */
export function forkRun(options: ForkOptions & { readonly other: MakeAlgorithm }): ForkResult {
  expectInRun(options);
  const handOver = new HandOver(factoryOf(options.original()), factoryOf(options.other()));
  return {
    original: branch(options, options.original(), () => {}),
    forked: branch(options, handOver.factory, (nowUs) => handOver.fork(nowUs)),
  };
}

/** Windows and rates that are tried in place of the decision, relative to it. */
export const ALTERNATIVES: readonly number[] = [0.5, 0.75, 1.25, 1.5, 2];

/** One decision of the original controller, and what others in its place would have given. */
export interface Decision {
  readonly atSec: number;
  readonly cwndPackets: number;
  /** over the horizon, with the decision as it was */
  readonly score: number;
  /** dropped / sent over the horizon, with the decision as it was; the score has no losses in it. NaN: nothing was sent */
  readonly lossRate: number;
  /** score with each alternative, in the order of `ALTERNATIVES` */
  readonly alternatives: readonly number[];
  readonly alternativeLossRates: readonly number[];
  /** the best of all; 1: the decision as it was */
  readonly best: number;
  /** score of the best less its own, >= 0 */
  readonly regret: number;
}

export interface RegretOptions extends ForkOptions {
  /** decisions that are looked at, evenly from `atSec` on */
  readonly decisions: number;
  /** how long a decision holds, seconds */
  readonly holdSec: number;
  /** over which it is judged, seconds from the decision on */
  readonly horizonSec: number;
}

/** @throws CcparkError invalid-argument where no decision has its horizon within the run */
export function regretOf(options: RegretOptions): Decision[] {
  expectInRun(options);
  const { scenario, atSec, decisions, holdSec, horizonSec } = options;
  const lastSec = scenario.durationSec - horizonSec;
  if (lastSec < atSec) {
    const message = `[fork] --horizon: got ${horizonSec}, expected at most the ${+(scenario.durationSec - atSec).toFixed(6)} s from --at to the end (eight round trips unless given)`;
    throw new CcparkError("invalid-argument", message);
  }
  if (holdSec > horizonSec) {
    const message = `[fork] --hold: got ${holdSec}, expected at most the --horizon, ${horizonSec} s: what comes after it is not judged`;
    throw new CcparkError("invalid-argument", message);
  }
  const everySec = decisions > 1 ? (lastSec - atSec) / (decisions - 1) : 0;
  return Array.from({ length: decisions }, (_, i) => {
    const decisionSec = atSec + i * everySec;
    const judged = (factor: number): { span: Span; atFork: Mark } => {
      const perturbed = new Perturbed(factoryOf(options.original()));
      const { run } = begin(options, perturbed.factory);
      const at = (sec: number): number => Math.round(run.startNs + (decisionSec + sec) * NANOS_PER_SEC);
      const reach = (run: VirtualRun, sec: number): Mark => {
        run.runUntil(at(sec));
        return markOf(run);
      };
      const atFork = reach(run, 0);
      perturbed.scale(factor);
      run.runUntil(at(holdSec));
      perturbed.scale(1);
      return { span: spanOf(run, atFork, reach(run, horizonSec)), atFork };
    };
    const own = judged(1);
    const spans = ALTERNATIVES.map((factor) => judged(factor).span);
    const alternatives = spans.map(({ score }) => score);
    const highest = Math.max(own.span.score, ...alternatives);
    const better = ALTERNATIVES[alternatives.indexOf(highest)];
    return {
      atSec: decisionSec,
      cwndPackets: own.atFork.cwndPackets,
      score: own.span.score,
      lossRate: own.span.lossRate,
      alternatives,
      alternativeLossRates: spans.map(({ lossRate }) => lossRate),
      best: highest > own.span.score ? better! : 1,
      regret: highest - own.span.score,
    };
  });
}
