/** A policy with memory: what it says to itself and to TensorFlow.js, row by row and episode by episode. */
import { describe, expect, it } from "vitest";
import { GaussianPolicy } from "../../agents/nn/gaussian-policy.ts";
import { initialiseMlp } from "../../agents/nn/mlp.ts";
import { mlpTensor, toTensors } from "../../agents/nn/mlp-tensors.ts";
import { type PolicySpec, policyLayout, policySize } from "../../agents/nn/network-policy.ts";
import { GRU_TENSORS, gruTensor } from "../../agents/nn/recurrent/gru.ts";
import { collect } from "../../agents/nn/rollout.ts";
import { chooseBackend } from "../../agents/tfjs/tfjs-backend.ts";
import { Rng } from "../../core/random.ts";
import { makeBox } from "../../envs/spaces.ts";
import { makeToyEnv } from "./toy-env.ts";

const box = (size: number) =>
  makeBox(
    Array.from({ length: size }, (_, i) => ({ name: `n${i}`, unit: "1", low: -1, high: 1, definition: "" })),
  );
const SPEC: PolicySpec = { observationSpace: box(3), actionSpace: box(1), hidden: [4], memory: 5 };

function made(spec: PolicySpec = SPEC): GaussianPolicy {
  const weights = new Float32Array(policySize(spec));
  initialiseMlp(policyLayout(spec), new Array<number>(8).fill(1), Rng.fromSeed(4), weights);
  // biases, too
  const rng = Rng.fromSeed(5);
  for (let i = 0; i < weights.length; i++) weights[i]! += rng.uniform(-0.1, 0.1);
  return new GaussianPolicy(spec, { weights });
}

const observation = (i: number): Float32Array => Float32Array.of(Math.sin(i), Math.cos(2 * i), 0.1 * i);

describe("a recurrent policy", () => {
  it("counts its parameters: three gates of observations, three of its memory, then the network", () => {
    expect(policySize(SPEC)).toBe(3 * (3 * 5 + 5) + 3 * (5 * 5 + 5) + (5 * 4 + 4) + (4 + 1) + 1);
  });

  it("remembers each row apart, until its episode begins", () => {
    const policy = made();
    const said = (row: number, steps: number): number[] => {
      policy.begin(row);
      return Array.from({ length: steps }, (_, i) => policy.act(observation(i), "greedy", row)[0]!);
    };
    const alone = said(0, 6);
    expect(new Set(alone).size).toBe(6);
    expect(said(0, 6)).toEqual(alone);
    policy.begin(0);
    policy.begin(7);
    const mixed = Array.from({ length: 6 }, (_, i) => {
      policy.act(observation(i + 50), "greedy", 7);
      return policy.act(observation(i), "greedy", 0)[0]!;
    });
    expect(mixed).toEqual(alone);
    // the same observation says something else later
    policy.begin(0);
    const [first, second] = [0, 0].map(() => policy.act(observation(1), "greedy", 0)[0]!);
    expect(first).not.toBe(second);
  });

  it("says to TensorFlow.js what it does itself, over a sequence", async () => {
    const { tf } = await chooseBackend("wasm");
    const policy = made();
    const own = Array.from({ length: 8 }, (_, i) => policy.act(observation(i), "greedy")[0]!);
    const theirs = tf.tidy(() => {
      const parameters = toTensors(tf, policy.layout, policy.weights);
      let h = tf.zeros([1, 5]);
      return own.map((_, i) => {
        h = gruTensor(tf, parameters.slice(0, GRU_TENSORS), tf.tensor2d(observation(i), [1, 3]), h);
        return mlpTensor(tf, parameters.slice(GRU_TENSORS), h).dataSync()[0]!;
      });
    });
    theirs.forEach((x, i) => {
      expect(x).toBeCloseTo(own[i]!, 5);
    });
  });

  it("is collected with what it remembered before each step, and begins anew after the end of an episode", async () => {
    const envs = makeToyEnv({ numEnvs: 2, episodeSteps: 5, observations: 3 });
    const policy = made();
    envs.reset(1);
    const memory = new Float32Array(new SharedArrayBuffer(4 * 2 * 5));
    const batch = await collect(envs, policy, { steps: 8, rng: Rng.fromSeed(1), memory });
    const at = (row: number): number[] => [...batch.memories!.subarray(row * 5, (row + 1) * 5)];
    const none = [0, 0, 0, 0, 0];
    for (const env of [0, 1]) {
      expect(at(env)).toEqual(none);
      expect(at(2 + env)).not.toEqual(none);
      // its sixth step is the first of the next episode
      expect(at(2 * 5 + env)).toEqual(none);
      expect(at(2 * 6 + env)).not.toEqual(none);
    }
    expect(batch.truncatedRows).toEqual([8, 9]);
    expect([...batch.truncatedMemories![0]!]).not.toEqual(none);
    expect(batch.lastMemories).toEqual(Float32Array.from(memory));
    // and goes on where it stopped
    const next = await collect(envs, policy, { steps: 1, rng: Rng.fromSeed(2), memory });
    expect([...next.memories!]).toEqual([...batch.lastMemories!]);
  });
});
