/** Mean and 95 % confidence interval over seeds, by Student's t distribution. */
import jstat from "jstat";

/** Two-sided level of every interval of this project. */
export const CONFIDENCE = 0.95;

export interface Estimate {
  readonly mean: number;
  /** half width of the 95 % confidence interval of the mean; null with fewer than two samples */
  readonly ci95: number | null;
  readonly samples: number;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Half width of the 95 % interval: t(0.975, n - 1) s / sqrt(n), with the sample standard deviation s. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const centre = mean(values);
  if (n < 2) return { mean: centre, ci95: null, samples: n };
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n - 1);
  const t = jstat.studentt.inv(0.5 + CONFIDENCE / 2, n - 1);
  return { mean: centre, ci95: t * Math.sqrt(variance / n), samples: n };
}
