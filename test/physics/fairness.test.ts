import { describe, expect, it } from "vitest";
import { jainIndex } from "../../envs/measured-run.ts";
import { fairnessTable, fittedExponent, runFairness } from "../../eval/experiments/fairness.ts";

describe("fairness", () => {
  it("Reno flows share a link with a median Jain index above 0.95, and longer RTTs cost an exponent from -2.2 to -0.9", () => {
    const outcome = runFairness();
    console.log(`seeds 1 to 10, and 1 to 3 for the exponent\n${fairnessTable(outcome)}`);
    expect(outcome.jain.map(({ flows }) => flows)).toEqual([2, 4, 10]);
    for (const { median } of outcome.jain) expect(median).toBeGreaterThan(0.95);
    expect(outcome.exponent).toBeGreaterThan(-2.2);
    expect(outcome.exponent).toBeLessThan(-0.9);
  });

  it("Jain's index is 1 for equal shares and 1 / n if one flow has everything", () => {
    expect(jainIndex([3, 3, 3])).toBeCloseTo(1, 12);
    expect(jainIndex([5, 0, 0, 0])).toBeCloseTo(0.25, 12);
  });

  it("a power law's exponent is found", () => {
    const points = [1, 2, 4, 8].map((x) => ({ x, y: 3 * x ** -1.5 }));
    expect(fittedExponent(points)).toBeCloseTo(-1.5, 9);
  });
});
