/**
 * Implicit Q-learning from recorded runs: options, networks, gradient step. Data, loop and checkpoints are those of every learner
 * from recorded runs (nn/offline/offline.ts).
 *
 * Kostrikov et al. 2022, "Offline Reinforcement Learning with Implicit Q-Learning" (arXiv:2110.06169): V is an upper expectile of
 * Q over the actions that were recorded, so no action is ever valued that nobody took; Q learns from V of what followed; the policy
 * imitates the recorded actions, those with an advantage the more. What differs: tanh networks, rewards normalised over the data.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { exp } from "../../core/math.ts";
import { type Checkpoint, restoreSpaces } from "../checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "../learner.ts";
import { Adam } from "../nn/adam.ts";
import { COMMON_KINDS } from "../nn/learner-checks.ts";
import { initialiseMlp, type MlpLayout, mlpLayout } from "../nn/mlp.ts";
import { mlpTensor, toTensors } from "../nn/mlp-tensors.ts";
import { TwinCritics } from "../nn/off-policy/critics.ts";
import type { Transitions } from "../nn/off-policy/replay.ts";
import {
  loadOffline,
  OFFLINE_DEFAULTS,
  OFFLINE_KINDS,
  OfflineLearner,
  type OfflineOptions,
} from "../nn/offline/offline.ts";
import { type OptionKind, readOptions, real } from "../nn/options.ts";
import { EPSILON, meanOf, observe, type Statistics } from "../nn/statistics.ts";
import type { Tf } from "../tfjs/tfjs-patches.ts";

/** What each means and may be: KINDS; `ccpark explain hyperparameters` prints it. */
export interface IqlOptions extends OfflineOptions {
  readonly gamma: number;
  readonly tau: number;
  readonly expectile: number;
  readonly inverseTemperature: number;
  readonly maxWeight: number;
}

const DEFAULTS: IqlOptions = {
  ...OFFLINE_DEFAULTS,
  gamma: 0.95,
  tau: 0.005,
  expectile: 0.8,
  inverseTemperature: 3,
  maxWeight: 100,
  resetEvery: 80,
  backend: "auto",
};

const KINDS: { readonly [Name in keyof IqlOptions]: OptionKind } = {
  ...OFFLINE_KINDS,
  ...COMMON_KINDS,
  gamma: real(0, 1, "discount per step, gamma"),
  tau: real(0, 1, "share of the way to the learnt weights that target networks go with each gradient step"),
  expectile: real(
    0.5,
    0.999,
    "which expectile of Q over the recorded actions V is: 0.5 is their mean, towards 1 the best of them",
  ),
  inverseTemperature: real(
    0,
    1e3,
    "how much more an action of advantage counts for the policy, exp(this x advantage): 0 is behaviour cloning",
  ),
  maxWeight: real(1, 1e9, "largest such weight"),
};

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function iqlOptions(given: Readonly<Record<string, unknown>> = {}): IqlOptions {
  return readOptions("iql", KINDS, DEFAULTS, given);
}

/** Normalised rewards are clipped here: ten standard deviations are an accident. */
const REWARD_CLIP = 10;

export class Iql extends OfflineLearner<IqlOptions> {
  protected override readonly measures: readonly string[] = [
    "criticLoss",
    "valueLoss",
    "policyLoss",
    "meanValue",
    "meanWeight",
  ];
  readonly #critics: TwinCritics;
  readonly #valueLayout: MlpLayout;
  readonly #value: Float32Array;
  readonly #valueAdam: Adam;
  /** of the recorded rewards */
  readonly #rewards: Statistics = { count: 0, mean: 0, squares: 0 };

  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range or data that do not fit */
  constructor(setup: LearnerSetup) {
    const options = iqlOptions(setup.options);
    super("iql", options, setup);
    const { hidden } = options;
    const width = setup.observationSpace.shape[0];
    const { actionSpace } = setup;
    const actionWidth = actionSpace.kind === "box" ? actionSpace.shape[0] : actionSpace.n;
    this.#critics = new TwinCritics({ width, actionWidth, hidden }, this.root);
    this.#valueLayout = mlpLayout([width, ...hidden, 1]);
    this.#value = new Float32Array(this.#valueLayout.size);
    const gains = [...hidden.map(() => Math.SQRT2), 1];
    initialiseMlp(this.#valueLayout, gains, this.root.fork("init.value"), this.#value);
    this.#valueAdam = new Adam(this.#value);
    for (const reward of this.recorded?.rewards ?? []) observe(this.#rewards, reward);
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): Iql {
    return loadOffline(checkpoint, setup, iqlOptions, (whole) => new Iql(whole));
  }

  protected override networks(): Readonly<Record<string, Float32Array>> {
    return {
      value: this.#value,
      "value.adamM": this.#valueAdam.m,
      "value.adamV": this.#valueAdam.v,
      ...this.#critics.networks(),
    };
  }

  protected override descend(
    tf: Tf,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const { gamma, tau, expectile, inverseTemperature, maxWeight } = this.options;
    const { rows, observations, nextObservations, actions, rewards, terminated } = minibatch;
    const width = this.spec.observationSpace.shape[0];
    return tf.tidy(() => {
      const [now, next] = [observations, nextObservations].map((each) => tf.tensor2d(each, [rows, width]));
      const done = this.policy.actionTensor(tf, actions, rows);
      const valuesAt = (inputs: Tensor): Float32Array =>
        mlpTensor(tf, toTensors(tf, this.#valueLayout, this.#value), inputs).dataSync() as Float32Array;

      // V towards the expectile of Q: equation 5
      const q = TwinCritics.smaller(tf, this.#critics.targets, now!, done);
      const advantages = valuesAt(now!).map((value, row) => q[row]! - value);
      const sides = tf.tensor2d(
        advantages.map((advantage) => (advantage > 0 ? expectile : 1 - expectile)),
        [rows, 1],
      );
      const wanted = tf.tensor2d(q, [rows, 1]);
      const valueLossOf = (...parameters: Tensor[]): Tensor =>
        tf.mean(tf.mul(sides, tf.square(tf.sub(mlpTensor(tf, parameters, now!), wanted))));
      const valueParameters = toTensors(tf, this.#valueLayout, this.#value);
      const valueLoss = this.stepDown(tf, valueLossOf, valueParameters, this.#valueAdam, learningRate);

      // the policy towards actions of advantage: equation 7
      const weights = advantages.map((advantage) =>
        Math.min(maxWeight, exp(Math.min(50, inverseTemperature * advantage))),
      );
      const policyLoss = this.imitate(tf, minibatch, learningRate, weights);

      // Q towards r + gamma V(s'): equation 6
      const nextValues = valuesAt(next!);
      const targets = nextValues.map(
        (value, row) => this.#normalised(rewards[row]!) + gamma * (1 - terminated[row]!) * value,
      );
      const criticLoss = this.#critics.learn(
        tf,
        now!,
        done,
        tf.tensor2d(targets, [rows, 1]),
        (lossOf, parameters, adam) => this.stepDown(tf, lossOf, parameters, adam, learningRate),
      );
      this.#critics.follow(tau);
      this.gradientSteps += 1;
      return {
        criticLoss,
        valueLoss,
        policyLoss,
        meanValue: meanOf(Array.from(targets)),
        meanWeight: meanOf(Array.from(weights)),
      };
    });
  }

  #normalised(reward: number): number {
    const { mean, squares, count } = this.#rewards;
    const z = (reward - mean) / Math.sqrt(squares / count + EPSILON);
    return Math.min(REWARD_CLIP, Math.max(-REWARD_CLIP, z));
  }
}

/**
 * Losses of its lines of progress:
 *
 * | name | unit | meaning |
 * | --- | --- | --- |
 * | criticLoss, valueLoss | 1 | half squared error of Q, expectile loss of V, of normalised rewards |
 * | policyLoss | nat | -log pi of the recorded actions, weighted by their advantage |
 * | meanValue | 1 | mean of the targets of Q, of normalised rewards |
 * | meanWeight | 1 | mean weight of the recorded actions |
 */
export const IQL: LearnerSpec = {
  name: "iql",
  title: "IQL",
  source: "Kostrikov et al. 2022, arXiv:2110.06169",
  summary:
    "implicit Q-learning, offline: does of what was done in recorded runs what was worth it (`--dataset DIR` of `ccpark dataset`)",
  actions: ["box", "discrete"],
  needs: { dataset: "required" },
  options: KINDS,
  defaults: { ...DEFAULTS },
  // recordings of Cubic and BBR hold few steps as good as a policy can be: the best of them count
  tuned: { expectile: 0.9, inverseTemperature: 10 },
  checkOptions: (given) => void iqlOptions(given),
  make: (setup) => new Iql(setup),
  load: (checkpoint, setup) => Iql.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Iql.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
