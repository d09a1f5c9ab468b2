import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../agents/checkpoint.ts";
import type { Progress } from "../../agents/learner.ts";
import { computeGae } from "../../agents/nn/on-policy/gae.ts";
import { Ppo, type PpoOptions, ppoOptions } from "../../agents/ppo.ts";
import { policyFromCheckpoint } from "../../agents/registry.ts";
import { chooseBackend } from "../../agents/tfjs/tfjs-backend.ts";
import { packPolicy } from "../../agents/zoo-files.ts";
import { CcparkError } from "../../core/errors.ts";
import { greedyReturn, makeToyEnv, type ToyOptions } from "./toy-env.ts";

const SMALL: Partial<PpoOptions> = {
  hidden: [16],
  rolloutSteps: 32,
  minibatchSize: 64,
  epochs: 2,
  backend: "wasm",
};

interface Trained {
  readonly ppo: Ppo;
  readonly lines: Progress[];
}

async function learn(
  totalSteps: number,
  options: Partial<PpoOptions>,
  toy: ToyOptions = {},
  seed = 1,
): Promise<Trained> {
  const env = makeToyEnv(toy);
  const ppo = new Ppo({
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    options,
    seed,
  });
  const lines: Progress[] = [];
  for await (const line of ppo.learn(env, totalSteps)) lines.push(line);
  return { ppo, lines };
}

describe("computeGae", () => {
  // gamma 0.5, lambda 0.5, rewards 1; V = 2, 4, 6, 8 and V(next) = 4, 6, 8, 10 unless an episode ends
  const table = { numEnvs: 1, rewards: [1, 1, 1, 1], values: [2, 4, 6, 8], gamma: 0.5, lambda: 0.5 };
  const none = new Uint8Array(4);

  it("follows the equation while an episode goes on, and bootstraps at the end of the batch", () => {
    const nextValues = [4, 6, 8, 10];
    // delta = 1, 0, -1, -2; A3 = -2, A2 = -1 - 0.5, A1 = 0 - 0.375, A0 = 1 - 0.09375
    const { advantages, targets } = computeGae({ ...table, nextValues, terminated: none, truncated: none });
    expect(Array.from(advantages)).toEqual([0.90625, -0.375, -1.5, -2]);
    expect(Array.from(targets)).toEqual([2.90625, 3.625, 4.5, 6]);
  });

  it("counts nothing after a terminated step", () => {
    const terminated = Uint8Array.of(0, 1, 0, 0);
    // delta1 = 1 - 4 = -3 whatever V(next) says; A0 = 1 + 0.25 (-3)
    const { advantages } = computeGae({ ...table, nextValues: [4, 1e9, 8, 10], terminated, truncated: none });
    expect(Array.from(advantages)).toEqual([0.25, -3, -1.5, -2]);
  });

  it("counts V of the last observation after a truncated step, but not the next episode's advantage", () => {
    const truncated = Uint8Array.of(0, 1, 0, 0);
    // V(final) = 7: delta1 = 1 + 3.5 - 4 = 0.5 = A1; A0 = 1 + 0.25 x 0.5
    const { advantages } = computeGae({ ...table, nextValues: [4, 7, 8, 10], terminated: none, truncated });
    expect(Array.from(advantages)).toEqual([1.125, 0.5, -1.5, -2]);
  });

  it("keeps environments apart", () => {
    const two = computeGae({
      ...table,
      numEnvs: 2,
      rewards: [1, 5, 1, 5],
      values: [2, 0, 4, 0],
      nextValues: [4, 0, 6, 0],
      terminated: Uint8Array.of(0, 1, 0, 1),
      truncated: none,
    });
    expect(Array.from(two.advantages)).toEqual([1, 5, 0, 5]);
  });
});

describe("ppoOptions", () => {
  it("fills in defaults", () => {
    expect(ppoOptions({ gamma: 0.9 })).toMatchObject({ gamma: 0.9, gaeLambda: 0.95 });
  });
  it("refuses with the option, the value and the range", () => {
    expect(() => ppoOptions({ gamma: 1.5 })).toThrow(
      "[ppo] option `gamma`: got 1.5, expected a real number, 0 to 1",
    );
    expect(() => ppoOptions({ epochs: 2.5 })).toThrow("option `epochs`: got 2.5, expected a whole number");
    expect(() => ppoOptions({ hidden: [0] })).toThrow("option `hidden`");
    expect(() => ppoOptions({ scaleRewards: 1 as never })).toThrow("expected true or false");
    expect(() => ppoOptions({ backend: "wasn" as never })).toThrow("did you mean `wasm`?");
    expect(() => ppoOptions({ gama: 0.9 } as never)).toThrow("did you mean `gamma`?");
  });
});

/** The toy's force acts slowly, so it wants more exploration than a window that is multiplied every few milliseconds. */
const TOY: Partial<PpoOptions> = { hidden: [32, 32], initialLogStd: -0.7, backend: "wasm" };

describe("learning", () => {
  // An untrained policy gets about -40; a proportional-derivative controller tuned by hand about -0.8.
  it("brings the double integrator to rest with three seeds of three", async () => {
    for (const seed of [1, 2, 3]) {
      const { ppo, lines } = await learn(30_720, TOY, {}, seed);
      expect(greedyReturn((o) => ppo.act(o, "greedy"))).toBeGreaterThan(-1.2);
      expect(lines.at(-1)!.meanEpisodeReturn).toBeGreaterThan(lines[0]!.meanEpisodeReturn + 10);
    }
  });

  it("learns where each environment pays another offset on rewards of another scale", async () => {
    const { ppo } = await learn(61_440, TOY, { rewardScale: 100, rewardOffset: 0.3 });
    expect(greedyReturn((o) => ppo.act(o, "greedy"))).toBeGreaterThan(-2.5);
  });

  it("learns with normalised observations, and the checkpoint's policy acts the same", async () => {
    const { ppo } = await learn(30_720, { ...TOY, normaliseObservations: true });
    const stored = policyFromCheckpoint(decodeCheckpoint(encodeCheckpoint(ppo.checkpoint()), "memory"));
    const value = greedyReturn((o) => ppo.act(o, "greedy"));
    expect(value).toBeGreaterThan(-3);
    expect(greedyReturn((o) => stored.act(o, "greedy", 0))).toBe(value);
  });

  it("counts steps, updates and episodes", async () => {
    const { ppo, lines } = await learn(1000, SMALL);
    expect(lines.map((line) => line.steps)).toEqual([256, 512, 768, 1024]);
    expect(ppo.updates).toBe(4);
    expect(lines.at(-1)!.episodes).toBe(16); // 128 steps of 8 environments, episodes of 64
    expect(lines[0]!.meanEpisodeReturn).toBeNaN();
    expect(lines[1]!.meanEpisodeReturn).toBeLessThan(0);
  });

  it("gives the same bytes for the same seed, others for another", async () => {
    const bytes = async (seed: number): Promise<Uint8Array> =>
      encodeCheckpoint((await learn(1024, SMALL, {}, seed)).ppo.checkpoint());
    const first = await bytes(1);
    expect(await bytes(1)).toEqual(first);
    expect(await bytes(2)).not.toEqual(first);
  });

  it("leaks no tensors", async () => {
    const { tf } = await chooseBackend("wasm");
    await learn(256, SMALL);
    const before = tf.memory();
    await learn(2048, { ...SMALL, targetKl: 1e-9 });
    await learn(2048, SMALL);
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
  });

  it("stops an update early at the target divergence", async () => {
    const loose = await learn(256, { ...SMALL, learningRate: 0.05, epochs: 20, targetKl: 0 });
    const tight = await learn(256, { ...SMALL, learningRate: 0.05, epochs: 20, targetKl: 0.001 });
    const gradientSteps = ({ ppo }: Trained): number => Number(ppo.checkpoint().header.state["adamSteps"]);
    expect(gradientSteps(tight)).toBeLessThan(gradientSteps(loose));
  });

  it("anneals the step size to the end of the run", async () => {
    const annealed = await learn(2048, SMALL);
    const constant = await learn(2048, { ...SMALL, annealLearningRate: false });
    expect(annealed.lines.at(-1)!.losses["approxKl"]!).toBeLessThan(
      constant.lines.at(-1)!.losses["approxKl"]!,
    );
  });
});

describe("failure", () => {
  it("names the update in which training diverged", async () => {
    const error = await learn(2048, SMALL, { nanAfter: 40 }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CcparkError);
    expect((error as CcparkError).message).toMatch(
      /^\[ppo\] training diverged in update 2, after 256 steps: got a loss of NaN/,
    );
  });

  it("also when the step size is absurd", async () => {
    await expect(
      learn(20_480, { ...SMALL, learningRate: 1e9, maxGradNorm: 1e9, targetKl: 0 }),
    ).rejects.toThrow("training diverged in update");
  });

  it("refuses environments of other shapes with both shapes", async () => {
    const { observationSpace, actionSpace } = makeToyEnv();
    const ppo = new Ppo({ observationSpace, actionSpace, seed: 1, options: SMALL });
    const learning = ppo.learn(makeToyEnv({ observations: 10 }), 1000).next();
    await expect(learning).rejects.toThrow(
      "got observation shape [32] and action shape [1] in the checkpoint, expected observation shape [10] and action shape [1]",
    );
  });
});

it("packed for the zoo it acts as it did, by the statistics of the observations that it saw", async () => {
  const { ppo } = await learn(256, { ...SMALL, backend: "simd", normaliseObservations: true });
  const whole = ppo.checkpoint();
  const packed = decodeCheckpoint(gunzipSync(packPolicy(whole)), "packed");
  const observation = new Float32Array(whole.header.observationSpace.shape[0]).fill(0.3);
  const [own, shipped] = [whole, packed].map((each) => [
    ...policyFromCheckpoint(each).act(observation, "greedy", 0),
  ]);
  expect(shipped).toEqual(own);
});
