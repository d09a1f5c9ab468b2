/** Fairness beyond one index, by numbers that a hand can check, and on links whose outcome is known. */
import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";
import { convergenceBins, harmOfLess, harmOfMore, maxMinAllocation } from "../../testbeds/fairness.ts";

describe("measures of sharing", () => {
  it("harm is the part that is gone, and never less than none", () => {
    expect(harmOfMore(10, 4)).toBeCloseTo(0.6, 12);
    expect(harmOfMore(10, 12)).toBe(0);
    expect(harmOfLess(20, 80)).toBeCloseTo(0.75, 12);
    expect(harmOfLess(20, 10)).toBe(0);
  });

  it("max-min gives who asks for little what it asks for, and the others equal parts of the rest", () => {
    expect(maxMinAllocation([2, 2.6, 4, 5], 10)).toEqual([2, 2.6, 2.7, 2.7]);
    const endless = Number.POSITIVE_INFINITY;
    expect(maxMinAllocation([endless, 1, endless], 9)).toEqual([4, 1, 4]);
    expect(maxMinAllocation([1, 2], 10)).toEqual([1, 2]);
  });

  it("convergence is the first of five fair bins in a row", () => {
    expect(convergenceBins([0.5, 0.95, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.2])).toBe(3);
    expect(convergenceBins([0.95, 0.95, 0.95, 0.95])).toBeNaN();
  });
});

describe("flows of a run", () => {
  const shared = (algorithm: string, other: string) => {
    const scenario = {
      ...resolveScenario("park-paper", { durationSec: 30 }),
      flows: [{ algorithm: other, startSec: 5 }],
    };
    const made = makeAlgorithm(resolveAlgorithm(algorithm));
    return runAlgorithm({ scenario, seed: 1, algorithm: made, rewardName: "score", seriesBinSec: 0.5 });
  };

  it("share from when both are there; shares of a bin add up to 1", () => {
    const { fairness, series, jainIndex } = shared("reno", "reno");
    const [first, second] = series.shares!;
    expect(first!.share).toHaveLength(second!.share.length);
    expect(first!.share.length).toBeGreaterThan(45);
    first!.share.forEach((share, bin) => {
      expect(share + second!.share[bin]!).toBeCloseTo(1, 9);
    });
    expect(fairness!.starvationRatio).toBeGreaterThan(0);
    expect(fairness!.starvationRatio).toBeLessThanOrEqual(1);
    expect(fairness!.maxMinShare).toBeLessThanOrEqual(1);
    expect(jainIndex).toBeGreaterThan(0.5);
  });

  it("starve where one of them yields: Vegas beside Cubic has less than half of what Cubic has", () => {
    const { fairness } = shared("vegas", "cubic");
    expect(fairness!.starvationRatio).toBeLessThan(0.5);
    expect(fairness!.maxMinShare).toBeLessThan(0.75);
  });

  it("alone have no such measure", () => {
    const scenario = resolveScenario("park-paper", { durationSec: 5 });
    const made = makeAlgorithm(resolveAlgorithm("reno"));
    const result = runAlgorithm({
      scenario,
      seed: 1,
      algorithm: made,
      rewardName: "score",
      seriesBinSec: 0.5,
    });
    expect(result).not.toHaveProperty("fairness");
    expect(result.series).not.toHaveProperty("shares");
  });
});
