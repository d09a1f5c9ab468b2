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
  /** of a case with trials: how many, and how many of them pass; the record is that of the worst one */
  readonly trials?: number;
  readonly passed?: number;
  /** what the source's text leaves out or cannot mean, and what runs instead */
  readonly erratum?: string;
}

export function check(made: Check, value: number): Checked {
  const { name: claim, unit, threshold } = made;
  return { ...made, value, verdict: judge({ claim, measured: value, unit, threshold }).verdict! };
}

/** `max_bw / link rate within 0.98 to 1.02`, `states left >= 1 states` */
export function thresholdText({ name, unit, threshold: { low, high } }: Check): string {
  const of = unit === "1" ? "" : ` ${unit}`;
  if (low === high) return `${name} = ${low}${of}`;
  if (low === undefined) return `${name} <= ${high}${of}`;
  return high === undefined ? `${name} >= ${low}${of}` : `${name} within ${low} to ${high}${of}`;
}

/** How far a value is beyond its threshold, as a part of it: the greater the worse; nothing measured is worst. */
export function excess({
  value,
  threshold: { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY },
}: Pick<Checked, "value" | "threshold">): number {
  if (Number.isNaN(value)) return Number.POSITIVE_INFINITY;
  const over = Number.isFinite(high)
    ? (value - high) / Math.max(Math.abs(high), Number.MIN_VALUE)
    : Number.NEGATIVE_INFINITY;
  const under = Number.isFinite(low)
    ? (low - value) / Math.max(Math.abs(low), Number.MIN_VALUE)
    : Number.NEGATIVE_INFINITY;
  return Math.max(over, under);
}

/** Of the trials of one case and algorithm: the worst, whose checks hold the worst value of any trial. */
export function worstOf(trials: readonly CaseRecord[]): CaseRecord {
  const worse = (a: Checked, b: Checked): Checked => (excess(b) > excess(a) ? b : a);
  const worstExcess = ({ checks }: CaseRecord): number => Math.max(...checks.map(excess));
  const worst = trials.reduce((a, b) => (worstExcess(b) > worstExcess(a) ? b : a));
  const checks = worst.checks.map((_, i) => trials.map((trial) => trial.checks[i]!).reduce(worse));
  return {
    ...worst,
    checks,
    verdict: verdictOf(checks),
    trials: trials.length,
    passed: trials.filter(({ verdict }) => verdict === "pass").length,
  };
}

export function verdictOf(checks: readonly Checked[]): Verdict {
  return checks.length > 0 && checks.every(({ verdict }) => verdict === "pass") ? "pass" : "fail";
}
