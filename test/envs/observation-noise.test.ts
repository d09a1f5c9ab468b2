import { describe, expect, it } from "vitest";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { ObservationNoise } from "../../envs/signals/observation-noise.ts";
import { runBenchmark } from "../../eval/benchmark.ts";
import { agentContender } from "../../eval/contenders/policy-contender.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";

describe("ObservationNoise", () => {
  const observation = Float32Array.from({ length: 500 }, (_, i) => i - 250);

  it("moves each number by at most the share, and each by its own", () => {
    const noisy = new ObservationNoise(0.1, 7).of(observation);
    const factors = observation.map((x, i) => (x === 0 ? 1 : noisy[i]! / x));
    expect(Math.min(...factors)).toBeGreaterThan(0.8999);
    expect(Math.max(...factors)).toBeLessThan(1.1001);
    expect(Math.max(...factors) - Math.min(...factors)).toBeGreaterThan(0.18);
    expect(noisy[250]).toBe(0);
  });

  it("draws the same for the same seed, and leaves the observation as it was", () => {
    const [a, b, c] = [7, 7, 8].map((seed) => new ObservationNoise(0.1, seed).of(observation).slice());
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect(observation[0]).toBe(-250);
  });
});

describe("a benchmark with noise on observations", () => {
  it("shows policies what is a little wrong, reproducibly, and leaves them alone without", async () => {
    const seen = async (observationNoise: number | undefined): Promise<number[]> => {
      const first: number[] = [];
      const agent = {
        act(observation: Float32Array): Float32Array {
          first.push(...observation);
          return Float32Array.of(0);
        },
      };
      const plan = {
        scenarios: [{ ...resolveScenario("park-paper"), durationSec: 1 }],
        contenders: [agentContender("still", "keeps its window", agent, DEFAULT_ENV_OPTIONS)],
        seeds: [1],
        rewardName: DEFAULT_ENV_OPTIONS.reward,
        observationNoise,
      };
      for await (const _ of runBenchmark(plan));
      return first;
    };
    const plain = await seen(undefined);
    const noisy = await seen(0.1);
    expect(await seen(0.1)).toEqual(noisy);
    expect(noisy).not.toEqual(plain);
    // its window never moves, so it sees the same run
    expect(noisy).toHaveLength(plain.length);
    noisy.forEach((x, i) => {
      expect(Math.abs(x - plain[i]!)).toBeLessThanOrEqual(0.1001 * Math.abs(plain[i]!));
    });
  });
});
