import { describe, expect, it } from "vitest";
import type { BenchmarkRun } from "../../../eval/benchmark.ts";
import { compareWorlds } from "../../../eval/comparison/comparison.ts";
import { kolmogorovSmirnov, wasserstein } from "../../../eval/comparison/distance.ts";

describe("distances of two samples", () => {
  it("are 0 of a sample and itself, in any order and however often", () => {
    expect(kolmogorovSmirnov([3, 1, 2], [1, 2, 3, 1, 2, 3])).toBe(0);
    expect(wasserstein([3, 1, 2], [1, 2, 3, 1, 2, 3])).toBeCloseTo(0, 12);
  });

  it("are the largest gap of the distribution functions, and how far values have to be moved", () => {
    // F1(2) = 2/4, F2(2) = 0
    expect(kolmogorovSmirnov([1, 2, 3, 4], [3, 4, 5, 6])).toBe(0.5);
    expect(wasserstein([1, 2, 3, 4], [3, 4, 5, 6])).toBe(2);
    expect(kolmogorovSmirnov([1, 1], [9])).toBe(1);
    expect(wasserstein([1, 1], [9])).toBe(8);
    // half of the mass moves by 1, half by 3
    expect(wasserstein([0, 0], [1, 3])).toBe(2);
  });

  it("are symmetric, and NaN where there is nothing", () => {
    const [a, b] = [
      [1, 5, 2, 8, 3],
      [4, 4, 7],
    ] as const;
    expect(kolmogorovSmirnov(a, b)).toBe(kolmogorovSmirnov(b, a));
    expect(wasserstein(a, b)).toBeCloseTo(wasserstein(b, a), 12);
    expect(kolmogorovSmirnov([], b)).toBeNaN();
    expect(wasserstein(a, [])).toBeNaN();
  });
});

function run(testbed: string, seed: number, goodputMbps: number, meanQueueDelayMs: number): BenchmarkRun {
  const record = {
    scenario: "s",
    link: "l",
    algorithm: "cubic",
    testbed,
    seed,
    goodputMbps,
    utilisation: 0.9,
    meanQueueDelayMs,
    p95QueueDelayMs: 2 * meanQueueDelayMs,
    lossRate: 0,
    score: 1,
  };
  const series = { throughputMbps: [goodputMbps, goodputMbps], queueDelayMs: [Number.NaN, meanQueueDelayMs] };
  return { record, series } as unknown as BenchmarkRun;
}

describe("a comparison of worlds", () => {
  it("gives means over seeds, and of the other worlds what they differ by from the first", () => {
    const runs = [run("a", 1, 10, 20), run("a", 2, 12, 22), run("b", 1, 11, 25), run("b", 2, 11, 26)];
    const [reference, other] = compareWorlds(runs, "a");
    expect(reference).toMatchObject({ testbed: "a", seeds: 2, goodputMbps: 11, meanQueueDelayMs: 21 });
    expect(reference!.difference).toBeUndefined();
    expect(other!.difference).toMatchObject({
      goodputShare: 0,
      meanQueueDelayMs: 4.5,
      isGoodputWithin: true,
    });
    // 4.5 ms are more than a fifth of 21 ms, and than 2 ms
    expect(other!.difference!.isDelayWithin).toBe(false);
    expect(other!.difference!.throughput).toEqual({ kolmogorovSmirnov: 0.5, wasserstein: 1 });
    expect(other!.difference!.queueDelay).toEqual({ kolmogorovSmirnov: 1, wasserstein: 4.5 });
  });

  it("takes the larger of share and milliseconds as the bound of delay", () => {
    const within = (delayMs: number): boolean =>
      compareWorlds([run("a", 1, 10, 3), run("b", 1, 9.6, delayMs)], "a")[1]!.difference!.isDelayWithin;
    expect([within(4.9), within(5.1)]).toEqual([true, false]);
  });
});
