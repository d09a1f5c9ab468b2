/** Statistics of whole benchmarks by numbers that a hand can check. */
import { describe, expect, it } from "vitest";
import {
  aggregate,
  cliffsDelta,
  interquartileMean,
  powerOf,
  probabilityOfImprovement,
  shareAbove,
  stratifiedBootstrap,
} from "../../../eval/aggregate/aggregate.ts";
import { moreSeeds, parseUntil, widestInterval } from "../../../eval/aggregate/until.ts";
import type { BenchmarkRecord } from "../../../eval/benchmark.ts";

const record = (scenario: string, algorithm: string, seed: number, utilisation: number): BenchmarkRecord =>
  ({
    scenario,
    algorithm,
    link: scenario,
    seed,
    utilisation,
    lossRate: 0,
    meanOneWayDelayMs: 20,
    meanQueueDelayMs: 10,
    goodputMbps: 10 * utilisation,
  }) as unknown as BenchmarkRecord;

describe("aggregates", () => {
  it("the interquartile mean leaves a quarter out at each end", () => {
    expect(interquartileMean([100, 1, 2, 3, 4, 5, 6, -50])).toBe(3.5);
    expect(interquartileMean([1, 2, 6])).toBe(3);
  });

  it("a profile is the share above a level", () => {
    expect(shareAbove([0.1, 0.5, 0.7, 0.9], 0.5)).toBe(0.5);
  });

  it("the probability of improvement counts ties half, and Cliff's delta is it on a scale from -1 to 1", () => {
    expect(probabilityOfImprovement([1, 2, 3], [2, 2])).toBe(3 / 6);
    expect(cliffsDelta([4, 5], [1, 2])).toBe(1);
    expect(cliffsDelta([1, 2, 3], [2, 2])).toBe(0);
  });

  it("power is utilisation without losses over the inflation of the delay", () => {
    expect(powerOf(record("a", "x", 1, 0.8))).toBeCloseTo(0.4, 12);
  });

  it("a stratified interval holds the statistic, and resamples links apart", () => {
    const strata = [
      [0.1, 0.1, 0.1],
      [0.9, 0.9, 0.9],
    ];
    const mean = (groups: readonly (readonly (readonly number[])[])[]): number =>
      groups[0]!.flat().reduce((sum, value) => sum + value, 0) / 6;
    // each link is one outcome: drawing links together would spread
    expect(stratifiedBootstrap([strata], mean).ci95).toBeNull();
    const { low, high, mean: centre } = stratifiedBootstrap([[[1, 2, 3, 4, 5, 6]]], mean);
    expect(low).toBeLessThan(centre);
    expect(high).toBeGreaterThan(centre);
  });

  it("of a benchmark compare each contender with the first, link by link", () => {
    const records = ["a", "b"].flatMap((scenario) =>
      [1, 2, 3].flatMap((seed) => [
        record(scenario, "x", seed, 0.5 + seed / 100),
        record(scenario, "y", seed, 0.9),
      ]),
    );
    const [x, y] = aggregate(records);
    expect(x).not.toHaveProperty("against");
    expect(x!.interquartileMean.mean).toBeCloseTo(0.26, 12);
    expect(y!.against!.probabilityOfImprovement.mean).toBe(1);
    expect(y!.profile).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0]);
  });
});

describe("seeds until intervals are narrow", () => {
  it("reads the quantity and the width, and refuses others in one sentence", () => {
    expect(parseUntil("ci=0.05")).toEqual({ quantity: "goodputMbps", relativeWidth: 0.05 });
    expect(parseUntil("score:ci=0.1")).toEqual({ quantity: "score", relativeWidth: 0.1 });
    for (const text of ["ci", "ci=", "ci=2", "ci=-1", "speed:ci=0.1", "0.05"])
      expect(() => parseUntil(text)).toThrow("[bench] --until: got");
  });

  it("takes the widest row, and asks for as many as the square of the ratio says, at most twice as many", () => {
    const until = parseUntil("ci=0.05");
    const records = [1, 2].map((seed) => record("a", "x", seed, 0.5 + seed / 10));
    // 6 and 7: half width 12.7062 x 0.5, mean 6.5
    expect(widestInterval(records, until)).toBeCloseTo((12.7062 * 0.5) / 6.5, 4);
    expect(widestInterval([record("a", "x", 1, 0.5)], until)).toBe(0);
    expect(moreSeeds(10, 0.06, until, 100)).toBe(5);
    expect(moreSeeds(10, 0.5, until, 100)).toBe(10);
    expect(moreSeeds(10, 0.5, until, 12)).toBe(2);
    expect(moreSeeds(10, 0.0501, until, 100)).toBe(1);
  });
});
