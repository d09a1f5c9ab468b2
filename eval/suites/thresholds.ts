/** Thresholds of published test cases: what must hold of a measured quantity, and the verdict. */
import { judge, type Threshold } from "../experiments/experiment.ts";

export type Verdict = "pass" | "fail";

/** A quantity that a case measures, and what must hold of it. */
export interface Check {
  /** what is measured, as the source calls it */
  readonly name: string;
  /** `1`: none */
  readonly unit: string;
  readonly threshold: Threshold;
}

export interface Checked extends Check {
  /** NaN: there was nothing to measure, which passes no threshold */
  readonly value: number;
  readonly verdict: Verdict;
}

/** One line of `bench --suite NAME --json`: a case of a suite with thresholds. */
export interface CaseRecord {
  readonly suite: string;
  readonly scenario: string;
  readonly algorithm: string;
  readonly seed: number;
  readonly testbed: string;
  readonly durationSec: number;
  readonly goodputMbps: number;
  readonly lossRate: number;
  readonly meanQueueDelayMs: number;
  readonly checks: readonly Checked[];
  /** all of them in words */
  readonly threshold: string;
  /** pass: every check does */
  readonly verdict: Verdict;
}

export function check(made: Check, value: number): Checked {
  const { name: claim, unit, threshold } = made;
  return { ...made, value, verdict: judge({ claim, measured: value, unit, threshold }).verdict! };
}

/** `max_bw / link rate 0.98 to 1.02`, `states left >= 1 states` */
export function thresholdText({ name, unit, threshold: { low, high } }: Check): string {
  const of = unit === "1" ? "" : ` ${unit}`;
  if (low === high) return `${name} = ${low}${of}`;
  if (low === undefined) return `${name} <= ${high}${of}`;
  return high === undefined ? `${name} >= ${low}${of}` : `${name} ${low} to ${high}${of}`;
}

export function verdictOf(checks: readonly Checked[]): Verdict {
  return checks.length > 0 && checks.every(({ verdict }) => verdict === "pass") ? "pass" : "fail";
}
