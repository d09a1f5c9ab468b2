/** What learners off policy are made of: the memory of transitions, and exploring by chance. */
import { describe, expect, it } from "vitest";
import type { Batch } from "../../agents/nn/batch.ts";
import { toTensors } from "../../agents/nn/mlp-tensors.ts";
import { EpsilonGreedyPolicy } from "../../agents/nn/off-policy/epsilon-greedy-policy.ts";
import { follow, Replay, readReplay } from "../../agents/nn/off-policy/replay.ts";
import { SquashedGaussianPolicy } from "../../agents/nn/off-policy/squashed-gaussian-policy.ts";
import { getLearner } from "../../agents/registry.ts";
import { chooseBackend } from "../../agents/tfjs/tfjs-backend.ts";
import { Rng } from "../../core/random.ts";
import { makeBox, makeDiscrete } from "../../envs/spaces.ts";
import { makeToyEnv } from "./toy-env.ts";

const observationSpace = makeBox([{ name: "o", unit: "1", low: 0, high: 1e9, definition: "" }]);
const actionSpace = makeDiscrete(["a", "b", "c"].map((name) => ({ name, definition: "" })));
const SPACES = { observationSpace, actionSpace };

/** Two environments, two steps; row 1 was truncated, and led to 99. */
function batchFrom(first: number, terminated: readonly number[] = [0, 0, 0, 0]): Batch {
  const values = [0, 1, 2, 3].map((i) => first + i);
  return {
    rows: 4,
    observations: Float32Array.from(values),
    actions: Float32Array.of(0, 1, 2, 0),
    logProbs: new Float32Array(4),
    rewards: Float64Array.from(values, (x) => -x),
    terminated: Uint8Array.from(terminated),
    truncated: Uint8Array.of(0, 1, 0, 0),
    last: Float32Array.of(first + 4, first + 5),
    truncatedRows: [1],
    truncatedObservations: [Float32Array.of(99)],
    episodes: [],
  };
}

describe("Replay", () => {
  it("keeps what each step led to: the same environment's next row, the last of an episode, the end of the batch", () => {
    const replay = new Replay(10, SPACES);
    replay.add(batchFrom(10, [0, 0, 1, 0]), 2);
    const arrays = replay.arrays();
    expect(replay.count).toBe(4);
    expect([...arrays["replay.observations"]!]).toEqual([10, 11, 12, 13]);
    expect([...arrays["replay.nextObservations"]!]).toEqual([12, 99, 14, 15]);
    expect([...arrays["replay.terminated"]!]).toEqual([0, 0, 1, 0]);
  });

  it("puts the newest in place of the oldest, and draws what is kept", () => {
    const replay = new Replay(6, SPACES);
    replay.add(batchFrom(10), 2);
    replay.add(batchFrom(20), 2);
    expect([...replay.arrays()["replay.observations"]!]).toEqual([22, 23, 12, 13, 20, 21]);
    expect(replay.at).toBe(2);
    const drawn = replay.sample(500, Rng.fromSeed(1));
    expect([...new Set(drawn.observations)].sort()).toEqual([12, 13, 20, 21, 22, 23]);
    drawn.observations.forEach((x, row) => {
      expect(drawn.rewards[row]).toBe(-x);
    });
  });

  it("grows beyond what it has room for at first", () => {
    const replay = new Replay(10_000, SPACES);
    for (let i = 0; i < 2000; i++) replay.add(batchFrom(10 * i), 2);
    expect(replay.count).toBe(8000);
    expect(replay.arrays()["replay.observations"]![7999]).toBe(19_993);
  });

  it("refuses stored actions that are no choices", () => {
    const replay = new Replay(10, SPACES);
    replay.add(batchFrom(10), 2);
    const arrays = replay.arrays();
    const { header } = getLearner("dqn")
      .make({ ...makeToyEnv({ choices: true }), seed: 1 })
      .checkpoint();
    arrays["replay.actions"]![2] = 3;
    expect(() => readReplay({ header, arrays }, SPACES, 4)).toThrow("got 3, expected whole numbers, 0 to 2");
  });
});

describe("EpsilonGreedyPolicy", () => {
  const policy = (epsilon: number): EpsilonGreedyPolicy =>
    new EpsilonGreedyPolicy(
      { ...SPACES, hidden: [], head: "epsilon-greedy" },
      { weights: Float32Array.of(0, 0, 0, 1, 3, 2, epsilon), seed: 5 },
    );

  it("draws the stated share at random, evenly, and else the choice of the highest value", () => {
    const rows = 20_000;
    const actions = new Float32Array(rows);
    const acting = policy(0.3);
    acting.sample(new Float32Array(rows), rows, acting.drawNoise(Rng.fromSeed(2), rows), { actions });
    [0.1, 0.8, 0.1].forEach((share, choice) => {
      expect(actions.filter((a) => a === choice).length / rows).toBeCloseTo(share, 2);
    });
  });

  it("never explores at 0 and greedily at no epsilon", () => {
    for (let i = 0; i < 50; i++) {
      expect(policy(0).act(Float32Array.of(1), "explore")[0]).toBe(1);
      expect(policy(1).act(Float32Array.of(1), "greedy")[0]).toBe(1);
    }
  });
});

describe("SquashedGaussianPolicy", () => {
  it("says to TensorFlow.js what it does itself, and the density of it", async () => {
    const box = makeBox([{ name: "a", unit: "1", low: 10, high: 30, definition: "" }]);
    const spec = { observationSpace, actionSpace: box, hidden: [], head: "squashed-gaussian" } as const;
    // mean 0.5 x, log std -0.4
    const policy = new SquashedGaussianPolicy(spec, { weights: Float32Array.of(0.5, 0, 0, -0.4) });
    const observations = Float32Array.of(-2, 0, 0.3, 1);
    const noise = Float64Array.of(0.5, -1, 0, 1.5);
    const [actions, raw] = [new Float32Array(4), new Float32Array(4)];
    policy.sample(observations, 4, noise, { actions, raw });
    const { tf } = await chooseBackend("wasm");
    const said = tf.tidy(() => {
      const [inputs, noises] = [
        tf.tensor2d(observations, [4, 1]),
        tf.tensor2d(Float32Array.from(noise), [4, 1]),
      ];
      const parameters = toTensors(tf, policy.layout, policy.weights);
      const { actions: ofTf, logProb } = policy.reparameterised(tf, parameters, inputs, noises);
      return { actions: ofTf.dataSync(), logProb: logProb.dataSync() };
    });
    observations.forEach((x, row) => {
      const u = 0.5 * x + Math.exp(-0.4) * noise[row]!;
      expect(raw[row]).toBeCloseTo(Math.tanh(u), 5);
      expect(actions[row]).toBeCloseTo(20 + 10 * Math.tanh(u), 4);
      expect(said.actions[row]).toBeCloseTo(Math.tanh(u), 5);
      const density = -0.5 * noise[row]! ** 2 + 0.4 - 0.5 * Math.log(2 * Math.PI);
      expect(said.logProb[row]).toBeCloseTo(density - Math.log(1 - Math.tanh(u) ** 2), 3);
    });
    expect(policy.act(Float32Array.of(1), "greedy")[0]).toBeCloseTo(20 + 10 * Math.tanh(0.5), 4);
  });
});

describe("follow", () => {
  it("goes a share of the way", () => {
    const target = Float32Array.of(0, 4);
    follow(target, Float32Array.of(4, 0), 0.25);
    expect([...target]).toEqual([1, 3]);
  });
});
