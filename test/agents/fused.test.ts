/** Networks, gradients and Adam in vectors agree with TensorFlow.js, on networks and data drawn at random. */
import { describe, expect, it } from "vitest";
import { weighed } from "../../agents/a2c.ts";
import { valueDescent } from "../../agents/dqn.ts";
import { FusedMlp } from "../../agents/fused/fused-mlp.ts";
import { ActorCritic } from "../../agents/nn/actor-critic.ts";
import { Adam } from "../../agents/nn/adam.ts";
import { type Minibatch, withMemories } from "../../agents/nn/batch.ts";
import { DenseNetwork, type Descent } from "../../agents/nn/dense-network.ts";
import { makePolicy } from "../../agents/nn/make-policy.ts";
import { initialiseMlp, mlpLayout } from "../../agents/nn/mlp.ts";
import { mlpTensor, toTensors } from "../../agents/nn/mlp-tensors.ts";
import {
  type DensityPolicy,
  type NetworkPolicy,
  type PolicySpec,
  policySize,
} from "../../agents/nn/network-policy.ts";
import { TwinCritics } from "../../agents/nn/off-policy/critics.ts";
import type { NoisyPolicy } from "../../agents/nn/off-policy/noisy-policy.ts";
import type { SquashedGaussianPolicy } from "../../agents/nn/off-policy/squashed-gaussian-policy.ts";
import { imitation } from "../../agents/nn/offline/offline.ts";
import { fusedStep } from "../../agents/nn/on-policy/fused-step.ts";
import { type StepGiven, tensorStep } from "../../agents/nn/on-policy/tensor-step.ts";
import { GruNetwork } from "../../agents/nn/recurrent/gru-network.ts";
import {
  fusedSequenceStep,
  type SequencesGiven,
  tensorSequenceStep,
} from "../../agents/nn/recurrent/sequence-step.ts";
import { expectileDescent } from "../../agents/offline/iql.ts";
import { clippedSurrogate } from "../../agents/ppo.ts";
import { policyDescent as softPolicyDescent, softTargets } from "../../agents/sac.ts";
import { policyDescent } from "../../agents/td3.ts";
import { chooseBackend } from "../../agents/tfjs/tfjs-backend.ts";
import { drawNormal } from "../../core/distributions.ts";
import { tanh } from "../../core/math.ts";
import { Rng } from "../../core/random.ts";
import { makeToyEnv } from "./toy-env.ts";

const FIRST_SEED = Math.floor(Math.random() * 2 ** 32);
const TOLERANCE = 1e-5;

/** The largest difference, relative to the largest number of what is right, or to a larger one. */
function differenceOf(got: ArrayLike<number>, right: ArrayLike<number>, larger = 0): number {
  let difference = 0;
  let size = larger;
  for (let i = 0; i < right.length; i++) {
    difference = Math.max(difference, Math.abs(got[i]! - right[i]!));
    size = Math.max(size, Math.abs(right[i]!));
  }
  return difference / size;
}

const normals = (rng: Rng, length: number): Float32Array =>
  Float32Array.from({ length }, () => drawNormal(rng));

/** One to four layers, as wide as whole vectors or not. */
function drawLayout(rng: Rng) {
  const width = (): number => (rng.next() < 0.3 ? 4 * (1 + rng.integer(16)) : 1 + rng.integer(70));
  return mlpLayout(Array.from({ length: 2 + rng.integer(4) }, width));
}

describe("networks in vectors", () => {
  it("say what TensorFlow.js says, with the same gradients by weights and inputs", async () => {
    const { tf } = await chooseBackend("cpu");
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 25; seed++) {
      const rng = Rng.fromSeed(seed);
      const layout = drawLayout(rng);
      const rows = 1 + rng.integer(150);
      const [inputWidth, outputWidth] = [layout.layers[0]!.inputs, layout.layers.at(-1)!.outputs];
      const weights = new Float32Array(layout.size);
      initialiseMlp(
        layout,
        layout.layers.map(() => 1.4),
        rng,
        weights,
      );
      for (let i = 0; i < weights.length; i++) weights[i]! += 0.05 * drawNormal(rng);
      const [inputs, outputGradient] = [normals(rng, rows * inputWidth), normals(rng, rows * outputWidth)];
      const network = new FusedMlp(layout);
      network.load(weights);
      const outputs = network.forward(inputs, rows).slice(0, rows * outputWidth);
      const ofWeights = network.backward(outputGradient, rows);
      const ofInputs = network.inputGradient(outputGradient, rows).subarray(0, rows * inputWidth);
      const right = tf.tidy(() => {
        const wanted = tf.tensor2d(outputGradient, [rows, outputWidth]);
        const x = tf.tensor2d(inputs, [rows, inputWidth]);
        const lossOf = (...all: ReturnType<typeof toTensors>) =>
          tf.sum(tf.mul(mlpTensor(tf, all.slice(1), all[0]!), wanted)) as ReturnType<typeof tf.scalar>;
        const { grads } = tf.valueAndGrads(lossOf)([x, ...toTensors(tf, layout, weights)]);
        const [ofInputs, ...ofWeights] = grads.map((grad) => grad.dataSync());
        const said = mlpTensor(tf, toTensors(tf, layout, weights), x).dataSync();
        return { said, ofInputs: ofInputs!, ofWeights: ofWeights.flatMap((each) => Array.from(each)) };
      });
      const message = `seed ${seed}`;
      expect(differenceOf(outputs, right.said), message).toBeLessThan(TOLERANCE);
      expect(differenceOf(ofWeights, right.ofWeights), message).toBeLessThan(TOLERANCE);
      expect(differenceOf(ofInputs, right.ofInputs), message).toBeLessThan(TOLERANCE);
    }
  });

  it("give a row the same bits alone, among others, and after more rows than there was room for", () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 25; seed++) {
      const rng = Rng.fromSeed(seed);
      const layout = drawLayout(rng);
      const [inputWidth, outputWidth] = [layout.layers[0]!.inputs, layout.layers.at(-1)!.outputs];
      const network = new FusedMlp(layout);
      network.load(normals(rng, layout.size));
      const rows = 2 + rng.integer(140);
      const inputs = normals(rng, rows * inputWidth);
      const alone = Array.from({ length: rows }, (_, row) =>
        Array.from(
          network
            .forward(inputs.subarray(row * inputWidth, (row + 1) * inputWidth), 1)
            .subarray(0, outputWidth),
        ),
      ).flat();
      const together = Array.from(network.forward(inputs, rows).subarray(0, rows * outputWidth));
      expect(together, `seed ${seed}`).toEqual(alone);
    }
  });

  it("have a tanh that is good to the third place of a float32 everywhere, and lets NaN through", () => {
    const network = new FusedMlp(mlpLayout([1, 1, 1]));
    network.load(Float32Array.of(1, 0, 1, 0));
    const rng = Rng.fromSeed(FIRST_SEED);
    const sizes = normals(rng, 20_000).map((x, i) => (i % 2 === 0 ? 5 * x : x * 10 ** (-8 * rng.next())));
    const inputs = Float32Array.of(...sizes, 0, 20, -20, 1e30, Infinity, -Infinity);
    const outputs = network.forward(inputs, inputs.length);
    inputs.forEach((x, i) => {
      const right = tanh(x);
      expect(Math.abs(outputs[i]! - right), `tanh(${x})`).toBeLessThanOrEqual(3 * 2 ** -24 * Math.abs(right));
    });
    expect(network.forward(Float32Array.of(Number.NaN), 1)[0]).toBeNaN();
  });
});

/** Of one or two hidden layers, some updates from where it began. */
function randomNetworks(
  rng: Rng,
  {
    seed,
    width,
    choices,
    memory,
  }: { readonly seed: number; readonly width: number; readonly choices: boolean; readonly memory?: number },
): ActorCritic {
  const { observationSpace, actionSpace } = makeToyEnv({ observations: width, choices });
  const hidden = Array.from({ length: 1 + rng.integer(2) }, () => 1 + rng.integer(70));
  const networks = new ActorCritic(
    { observationSpace, actionSpace, hidden, ...(memory !== undefined && { memory }) },
    { rng, seed, name: "test", initialLogStd: -rng.next(), normalisesObservations: false },
  );
  const { policy } = networks;
  for (let i = 0; i < policy.layout.size; i++) policy.weights[i]! += 0.1 * drawNormal(rng);
  return networks;
}

/** What a policy does at these observations, some steps ago: some ratios are clipped. */
function sampledRows(
  rng: Rng,
  policy: ActorCritic["policy"],
  observations: Float32Array,
  rows: number,
): Minibatch {
  const [actions, raw] = [new Float32Array(rows), new Float32Array(rows)];
  const logProbs = new Float32Array(rows);
  policy.sample(observations, rows, policy.drawNoise(rng, rows), { actions, raw, logProbs });
  for (let r = 0; r < rows; r++) logProbs[r]! += 0.2 * drawNormal(rng);
  const [advantages, targets] = [normals(rng, rows), normals(rng, rows)];
  return { rows, observations, actions: raw, logProbs, advantages, targets };
}

describe("gradients on policy in vectors", () => {
  it("are those of TensorFlow.js, for PPO and A2C, over boxes and choices", async () => {
    const { tf } = await chooseBackend("cpu");
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 25; seed++) {
      for (const choices of [false, true]) {
        const rng = Rng.fromSeed(seed);
        const width = 1 + rng.integer(40);
        const rows = 2 + rng.integer(200);
        const networks = randomNetworks(rng, { seed, width, choices });
        const { policy } = networks;
        const observations = normals(rng, rows * width);
        const minibatch = sampledRows(rng, policy, observations, rows);
        for (const surrogate of [clippedSurrogate(minibatch, 0.2), weighed(minibatch)]) {
          const given: StepGiven = { minibatch, surrogate, valueCoef: 0.5, entropyCoef: 0.01 };
          const fused = fusedStep(networks, given);
          const right = tensorStep(tf, networks, given);
          const message = `seed ${seed}, ${choices ? "choices" : "a box"}`;
          expect(differenceOf(fused.gradient, right.gradient), message).toBeLessThan(TOLERANCE);
          expect(differenceOf(fused.logProb, right.logProb), message).toBeLessThan(TOLERANCE);
          expect(fused.loss, message).toBeCloseTo(right.loss, 4);
          expect(fused.valueLoss, message).toBeCloseTo(right.valueLoss, 4);
        }
      }
    }
  });
});

/** What learners learn from beside their policies, drawn at random: transitions, networks that are not as they were initialised. */
function drawLearning(seed: number, choices: boolean) {
  const rng = Rng.fromSeed(seed);
  const width = 1 + rng.integer(40);
  const rows = 2 + rng.integer(200);
  const { observationSpace, actionSpace } = makeToyEnv({ observations: width, choices });
  const hidden = Array.from({ length: 1 + rng.integer(2) }, () => 1 + rng.integer(70));
  const moved = (weights: Float32Array): void => {
    for (let i = 0; i < weights.length; i++) weights[i]! += 0.1 * drawNormal(rng);
  };
  const policyOf = (head?: PolicySpec["head"]): NetworkPolicy => {
    const spec: PolicySpec = { observationSpace, actionSpace, hidden, ...(head && { head }) };
    const policy = makePolicy(spec, { weights: new Float32Array(policySize(spec)), seed });
    initialiseMlp(
      policy.layout,
      policy.layout.layers.map(() => 1),
      rng,
      policy.weights,
    );
    moved(policy.weights);
    if (head === "squashed-gaussian") {
      // as a learner's: far from the ends of the box, where 1 - tanh^2 in float32 is what TensorFlow.js rounds it to
      const { weightsAt, biasesAt } = policy.layout.layers.at(-1)!;
      for (let i = weightsAt; i < biasesAt; i++) policy.weights[i]! *= 0.2;
      policy.weights.fill(-1, biasesAt + 1);
    }
    return policy;
  };
  const critics = new TwinCritics({ width, actionWidth: 1, hidden }, rng);
  for (const { weights } of [...critics.learning, ...critics.targets]) moved(weights);
  const minibatch = {
    rows,
    observations: normals(rng, rows * width),
    nextObservations: normals(rng, rows * width),
    actions: Float32Array.from({ length: rows }, () => (choices ? rng.integer(3) : 2 * rng.next() - 1)),
    rewards: Float64Array.from(normals(rng, rows)),
    terminated: Float32Array.from({ length: rows }, () => rng.integer(2)),
  };
  return { rng, rows, width, hidden, policyOf, critics, minibatch, moved };
}

function expectSame(got: Descent, right: Descent, message: string): void {
  expect(got.gradient.length, message).toBe(right.gradient.length);
  expect(differenceOf(got.gradient, right.gradient), message).toBeLessThan(TOLERANCE);
  expect(differenceOf([got.loss, 1], [right.loss, 1]), message).toBeLessThan(TOLERANCE);
}

describe("gradients back through time in vectors", () => {
  it("are those of TensorFlow.js, over boxes and choices, where episodes end on the way and where they do not", async () => {
    const { tf } = await chooseBackend("cpu");
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 25; seed++) {
      for (const choices of [false, true]) {
        const rng = Rng.fromSeed(seed);
        const width = 1 + rng.integer(40);
        const [steps, each, memory] = [1 + rng.integer(16), 1 + rng.integer(20), 1 + rng.integer(40)];
        const rows = steps * each;
        const networks = randomNetworks(rng, { seed, width, choices, memory });
        const { policy } = networks;
        const observations = normals(rng, rows * width);
        const remembered = normals(rng, rows * memory).map(tanh);
        policy.memory = remembered.slice();
        const sampled = sampledRows(rng, policy, observations, rows);
        const valueInputs = withMemories(observations, remembered, rows);
        const given: SequencesGiven = {
          minibatch: { ...sampled, valueInputs },
          sequences: {
            steps,
            each,
            started: remembered.slice(0, each * memory),
            goesOn: Float32Array.from({ length: rows }, () => (rng.next() < 0.2 ? 0 : 1)),
          },
          surrogateOf: (some) => clippedSurrogate(some, 0.2),
          valueCoef: 0.5,
          entropyCoef: 0.01,
        };
        const fused = fusedSequenceStep(networks, new GruNetwork(policy.layout), given);
        const right = tensorSequenceStep(tf, networks, given);
        const message = `seed ${seed}, ${choices ? "choices" : "a box"}`;
        expect(differenceOf(fused.gradient, right.gradient), message).toBeLessThan(TOLERANCE);
        expect(differenceOf(fused.logProb, right.logProb), message).toBeLessThan(TOLERANCE);
        expect(fused.loss, message).toBeCloseTo(right.loss, 4);
        expect(fused.valueLoss, message).toBeCloseTo(right.valueLoss, 4);
        expect(fused.entropy, message).toBeCloseTo(right.entropy, 4);
      }
    }
  });
});

describe("gradients off policy and from recorded runs in vectors", () => {
  it("are those of TensorFlow.js, for SAC and TD3: of critics, of policies through them, and their targets", async () => {
    const { tf } = await chooseBackend("cpu");
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 25; seed++) {
      const { rng, rows, policyOf, critics, minibatch } = drawLearning(seed, false);
      const message = `seed ${seed}`;
      const squashed = policyOf("squashed-gaussian") as SquashedGaussianPolicy;
      const next = { ...minibatch, observations: minibatch.nextObservations, noise: normals(rng, rows) };
      const [targets, rightTargets] = [undefined, tf].map((by) =>
        softTargets(by, squashed, critics, next, { gamma: 0.9, temperature: 0.3 }),
      );
      expect(differenceOf(targets!, rightTargets!), message).toBeLessThan(TOLERANCE);
      for (const critic of critics.learning) {
        const [got, right] = [undefined, tf].map((by) => critic.towards(by, minibatch, rightTargets!));
        expectSame(got!, right!, message);
      }
      const given = {
        rows,
        observations: minibatch.observations,
        noise: normals(rng, rows),
        temperature: 0.3,
      };
      const [soft, rightSoft] = [undefined, tf].map((by) => softPolicyDescent(by, squashed, critics, given));
      expectSame(soft!, rightSoft!, message);
      expect(soft!.entropy, message).toBeCloseTo(rightSoft!.entropy, 4);
      const noisy = policyOf("noisy") as NoisyPolicy;
      const [certain, rightCertain] = [undefined, tf].map((by) =>
        policyDescent(by, noisy, critics.learning[0], { ...minibatch, preactivationCost: 0.1 }),
      );
      expectSame(certain!, rightCertain!, message);
    }
  });

  it("are those of TensorFlow.js, for DQN, behaviour cloning and the expectiles of IQL", async () => {
    const { tf } = await chooseBackend("cpu");
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 25; seed++) {
      for (const choices of [false, true]) {
        const { rng, rows, width, hidden, policyOf, minibatch, moved } = drawLearning(seed, choices);
        const message = `seed ${seed}, ${choices ? "choices" : "a box"}`;
        const [weights, values] = [normals(rng, rows).map(Math.abs), normals(rng, rows)];
        const density = policyOf() as DensityPolicy;
        const [imitated, rightImitated] = [undefined, tf].map((by) =>
          imitation(by, density, minibatch, weights),
        );
        expectSame(imitated!, rightImitated!, message);
        const network = new DenseNetwork(mlpLayout([width, ...hidden, choices ? 3 : 1]));
        moved(network.weights);
        const [learnt, rightLearnt] = [undefined, tf].map((by) =>
          choices
            ? valueDescent(by, network, minibatch, values)
            : expectileDescent(by, network, minibatch, values, 0.8),
        );
        expectSame(learnt!, rightLearnt!, message);
      }
    }
  });
});

describe("Adam in vectors", () => {
  it("goes as the paper's algorithm goes", () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 25; seed++) {
      const rng = Rng.fromSeed(seed);
      const size = 1 + rng.integer(50);
      const parameters = normals(rng, size);
      const right = Float64Array.from(parameters);
      const [m, v] = [new Float64Array(size), new Float64Array(size)];
      const adam = new Adam(parameters);
      // a single number may come close to 0: what it is good to is a share of the largest that it has been
      const largest = { parameter: 0, m: 0, v: 0 };
      for (let t = 1; t <= 20; t++) {
        const gradient = normals(rng, size);
        adam.step(gradient, 0.5, 0.01);
        for (let i = 0; i < size; i++) {
          const g = 0.5 * gradient[i]!;
          largest.parameter = Math.max(largest.parameter, Math.abs(right[i]!));
          m[i] = 0.9 * m[i]! + 0.1 * g;
          v[i] = 0.999 * v[i]! + 0.001 * g * g;
          largest.m = Math.max(largest.m, Math.abs(m[i]!));
          largest.v = Math.max(largest.v, v[i]!);
          const step = 0.01 * Math.sqrt(1 - 0.999 ** t);
          right[i]! -= (step / (1 - 0.9 ** t)) * (m[i]! / (Math.sqrt(v[i]!) + 1e-5));
        }
      }
      expect(adam.steps).toBe(20);
      expect(differenceOf(parameters, right, largest.parameter), `seed ${seed}`).toBeLessThan(TOLERANCE);
      expect(differenceOf(adam.m, m, largest.m), `seed ${seed}`).toBeLessThan(TOLERANCE);
      expect(differenceOf(adam.v, v, largest.v), `seed ${seed}`).toBeLessThan(TOLERANCE);
    }
  });
});
