import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../agents/checkpoint.ts";
import { loadCheckpoint } from "../../agents/checkpoint-files.ts";
import { checkpointContender } from "../../cli/policies.ts";
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

describe("a trained policy", () => {
  /** `ccpark train --steps 400000 --seed 1`, on the training range */
  const FILE = fileURLToPath(new URL("../golden/checkpoints/ppo-trained.ccpark", import.meta.url));

  it("is refused where its features are not those of the environment, or its weights not finite, by name", () => {
    const checkpoint = loadCheckpoint(FILE);
    const { header, arrays } = checkpoint;
    const names = [...header.observationSpace.names];
    [names[3], names[4]] = [names[4]!, names[3]!];
    const foreign = {
      ...checkpoint,
      header: { ...header, observationSpace: { ...header.observationSpace, names } },
    };
    expect(() => checkpointContender("agent", FILE, foreign)).toThrow(
      "number 3 of the observation: got `cwndBdpLog[-2]` in the checkpoint, expected `deliveryRatio[-2]`",
    );
    expect(() => checkpointContender("agent", FILE, foreign)).toThrow(FILE);
    const other = { ...checkpoint, header: { ...header, env: { ...header.env, observation: "park-14" } } };
    expect(() => checkpointContender("agent", FILE, other)).toThrow("got observation shape [30]");
    const bytes = encodeCheckpoint({ header, arrays });
    const view = new DataView(bytes.buffer);
    view.setFloat64(bytes.length - 8, Number.NaN, true);
    view.setUint32(12, crc32(bytes.subarray(16)), true);
    expect(() => decodeCheckpoint(bytes, FILE)).toThrow(/ppo-trained.*got NaN in array/);
  });

  it("loses at most 5 % of its score where each number that it sees is off by up to 10 %", async () => {
    const { contender } = checkpointContender("agent", FILE, loadCheckpoint(FILE));
    const names = ["park-paper", "link-24mbps-80ms-2bdp", "link-96mbps-20ms-1bdp"];
    const scoreWith = async (observationNoise: number | undefined): Promise<number> => {
      const scores: number[] = [];
      const plan = {
        scenarios: names.map((name) => ({ ...resolveScenario(name), durationSec: 15 })),
        contenders: [contender],
        seeds: [1, 2],
        rewardName: DEFAULT_ENV_OPTIONS.reward,
        observationNoise,
      };
      for await (const { record } of runBenchmark(plan)) scores.push(record.score);
      return scores.reduce((sum, score) => sum + score, 0) / scores.length;
    };
    const plain = await scoreWith(undefined);
    expect(plain).toBeGreaterThan(16);
    expect(await scoreWith(0.1)).toBeGreaterThan(0.95 * plain);
  });
});
