import { describe, expect, it } from "vitest";
import { drawExponential } from "../../core/distributions.ts";
import { Rng } from "../../core/random.ts";
import { bootstrap, type Estimate, estimate } from "../../eval/statistics.ts";

const bootstrapOfMean = (values: readonly number[]): Estimate =>
  bootstrap(values.length, (picked) => picked.reduce((sum, i) => sum + values[i]!, 0) / picked.length);

describe("95 % confidence interval", () => {
  it("uses Student's t: quantiles of NIST's table (e-Handbook 1.3.6.7.2)", () => {
    // s = 1 for {-1, 1, ...} scaled: the half width of n samples with sample deviation s is t s / sqrt(n)
    for (const [values, t] of [
      [[0, 2], 12.706],
      [[0, 1, 2], 4.303],
      [[0, 1, 2, 3, 4], 2.776],
      [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 2.228],
    ] as const) {
      const n = values.length;
      const centre = values.reduce<number>((a, b) => a + b, 0) / n;
      const deviation = Math.sqrt(values.reduce<number>((a, b) => a + (b - centre) ** 2, 0) / (n - 1));
      const { mean, ci95, samples } = estimate(values);
      expect(mean).toBeCloseTo(centre, 12);
      expect(ci95! / (deviation / Math.sqrt(n))).toBeCloseTo(t, 3);
      expect(samples).toBe(n);
    }
  });

  it("is unknown with one sample, and with many that are one outcome", () => {
    for (const of of [estimate, bootstrapOfMean]) {
      for (const values of [[3], [3, 3, 3]]) {
        expect(of(values)).toEqual({ mean: 3, ci95: null, samples: values.length });
      }
    }
  });

  it("by the bootstrap lies within few samples, and covers the mean of skewed ones about as often as it says", () => {
    const few = bootstrapOfMean([0.9, 0.95, 1]);
    expect([few.low, few.high]).toEqual([0.9, 1]);
    expect(few.ci95).toBeCloseTo(0.05, 12);
    const rng = Rng.fromSeed(7);
    let covered = 0;
    for (let trial = 0; trial < 400; trial++) {
      const { low, high } = bootstrapOfMean(Array.from({ length: 30 }, () => drawExponential(rng)));
      if (low! <= 1 && 1 <= high!) covered++;
    }
    // of 30 exponential samples the percentile bootstrap is known to cover a little less than 95 %
    expect(covered / 400).toBeGreaterThan(0.88);
    expect(covered / 400).toBeLessThan(0.98);
  });

  it("of any statistic is the same whenever it is asked for", () => {
    const ratio = (): unknown => bootstrap(4, (picked) => picked[0]! / (1 + picked[1]!));
    expect(ratio()).toEqual(ratio());
  });
});
