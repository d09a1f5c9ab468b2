/**
 * 95 % confidence intervals. Means over seeds by Student's t, since there are few of them: of three, a bootstrap lies within
 * the three. Statistics over links, or that are no means, by the percentile bootstrap (Efron 1979; Agarwal et al., "Deep
 * Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021), whose resamples are the same on every machine.
 */
import jstat from "jstat";
import { Rng } from "../core/random.ts";

/** Two-sided level of every interval of this project. */
export const CONFIDENCE = 0.95;

/** rliable draws 2,000 by default: the ends of an interval are steady to a few percent of its width. */
const RESAMPLES = 2000;
const BOOTSTRAP_SEED = 1;

export interface Estimate {
  readonly mean: number;
  /** half width of the 95 % confidence interval; null where there is none: one sample, or all the same */
  readonly ci95: number | null;
  /** ends of the interval, where there is one */
  readonly low?: number;
  readonly high?: number;
  readonly samples: number;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Between the two in the middle where their number is even; NaN of none, and where one is NaN. */
export function median(values: readonly number[]): number {
  if (values.length === 0 || values.some(Number.isNaN)) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** Samples that are all the same are one outcome, however many there are: they say nothing about another. */
function isOneOutcome(values: readonly number[]): boolean {
  return values.every((value) => value === values[0]);
}

/** Of Student's t, by degrees of freedom: a table has hundreds of intervals of as many seeds. */
const QUANTILES = new Map<number, number>();

function quantileOfT(degreesOfFreedom: number): number {
  let t = QUANTILES.get(degreesOfFreedom);
  if (t === undefined) {
    t = jstat.studentt.inv(0.5 + CONFIDENCE / 2, degreesOfFreedom);
    QUANTILES.set(degreesOfFreedom, t);
  }
  return t;
}

/** Half width of the 95 % interval: t(0.975, n - 1) s / sqrt(n), with the sample standard deviation s. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const centre = mean(values);
  if (isOneOutcome(values)) return { mean: values[0]!, ci95: null, samples: n };
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n - 1);
  const ci95 = quantileOfT(n - 1) * Math.sqrt(variance / n);
  return { mean: centre, ci95, low: centre - ci95, high: centre + ci95, samples: n };
}

/**
 * Any statistic of `n` samples with the interval of the percentile bootstrap.
 * @param of the statistic of the samples with these numbers; some come twice, some not at all
 */
export function bootstrap(n: number, of: (picked: Uint32Array) => number): Estimate {
  const centre = of(Uint32Array.from({ length: n }, (_, i) => i));
  if (n < 2) return { mean: centre, ci95: null, samples: n };
  const statistics = Float64Array.from(resamplesOf(n), of).sort();
  const low = quantile(statistics, 0.5 - CONFIDENCE / 2);
  const high = quantile(statistics, 0.5 + CONFIDENCE / 2);
  if (low === high) return { mean: centre, ci95: null, samples: n };
  return { mean: centre, ci95: (high - low) / 2, low, high, samples: n };
}

/** @param sorted from the least on; of nothing it is NaN */
export function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Numbers of samples, drawn once for each size: every statistic of a table is over the same resamples. */
const resamples = new Map<number, readonly Uint32Array[]>();

function resamplesOf(n: number): readonly Uint32Array[] {
  let known = resamples.get(n);
  if (known === undefined) {
    const rng = Rng.fromSeed(BOOTSTRAP_SEED).fork(`bootstrap.${n}`);
    known = Array.from({ length: RESAMPLES }, () => Uint32Array.from({ length: n }, () => rng.integer(n)));
    resamples.set(n, known);
  }
  return known;
}
