import { describe, expect, it } from "vitest";
import { estimate } from "../../eval/statistics.ts";

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

  it("is unknown with one sample and zero without spread", () => {
    expect(estimate([3]).ci95).toBeNull();
    expect(estimate([3, 3, 3]).ci95).toBe(0);
  });
});
