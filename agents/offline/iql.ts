/**
 * Implicit Q-learning from recorded runs: options, networks, gradient step. Data, loop and checkpoints are those of every learner
 * from recorded runs (nn/offline/offline.ts).
 *
 * Kostrikov et al. 2022, "Offline Reinforcement Learning with Implicit Q-Learning" (arXiv:2110.06169): V is an upper expectile of
 * Q over the actions that were recorded, so no action is ever valued that nobody took; Q learns from V of what followed; the policy
 * imitates the recorded actions, those with an advantage the more. What differs: tanh networks, rewards normalised over the data.
 */
import { exp } from "../../core/math.ts";
import { type Checkpoint, restoreSpaces } from "../checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "../learner.ts";
import { Adam } from "../nn/adam.ts";
import { DenseNetwork, type Descent, matrix } from "../nn/dense-network.ts";
import { COMMON_KINDS } from "../nn/learner-checks.ts";
import { initialiseMlp, mlpLayout } from "../nn/mlp.ts";
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
  readonly #value: DenseNetwork;
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
    const layout = mlpLayout([width, ...hidden, 1]);
    this.#value = new DenseNetwork(layout);
    const gains = [...hidden.map(() => Math.SQRT2), 1];
    initialiseMlp(layout, gains, this.root.fork("init.value"), this.#value.weights);
    this.#valueAdam = new Adam(this.#value.weights);
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
      value: this.#value.weights,
      "value.adamM": this.#valueAdam.m,
      "value.adamV": this.#valueAdam.v,
      ...this.#critics.networks(),
    };
  }

  protected override descend(
    tf: Tf | undefined,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const { gamma, tau, expectile, inverseTemperature, maxWeight } = this.options;
    const { rows, observations, nextObservations, rewards, terminated } = minibatch;
    const deeds = { rows, observations, actions: this.#seenByCritics(minibatch) };

    // V towards the expectile of Q: equation 5
    const q = this.#critics.smaller(tf, deeds);
    const values = this.#value.outputs(tf, observations, rows);
    const nextValues = this.#value.outputs(tf, nextObservations, rows);
    const towards = expectileDescent(tf, this.#value, { rows, observations }, q, expectile);
    const valueLoss = this.stepDown(towards, this.#valueAdam, learningRate);

    // the policy towards actions of advantage: equation 7
    const weights = q.map((each, row) =>
      Math.min(maxWeight, exp(Math.min(50, inverseTemperature * (each - values[row]!)))),
    );
    const policyLoss = this.imitate(tf, minibatch, learningRate, weights);

    // Q towards r + gamma V(s'): equation 6
    const targets = nextValues.map(
      (value, row) => this.#normalised(rewards[row]!) + gamma * (1 - terminated[row]!) * value,
    );
    const criticLoss = this.#critics.learn(tf, deeds, targets, (descent, adam) =>
      this.stepDown(descent, adam, learningRate),
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
  }

  /** Numbers as they are, choices one-hot. */
  #seenByCritics({ rows, actions }: Transitions): Float32Array {
    const { actionSpace } = this.spec;
    if (actionSpace.kind === "box") return actions;
    const oneHot = new Float32Array(rows * actionSpace.n);
    for (let row = 0; row < rows; row++) oneHot[row * actionSpace.n + actions[row]!] = 1;
    return oneHot;
  }

  #normalised(reward: number): number {
    const { mean, squares, count } = this.#rewards;
    const z = (reward - mean) / Math.sqrt(squares / count + EPSILON);
    return Math.min(REWARD_CLIP, Math.max(-REWARD_CLIP, z));
  }
}

/**
 * Down the mean of |side - 1(V > Q)| (Q - V)^2, whose lowest point is an expectile of Q.
 * @param tf undefined: without TensorFlow.js
 * @param q [rows]
 */
export function expectileDescent(
  tf: Tf | undefined,
  network: DenseNetwork,
  { rows, observations }: Pick<Transitions, "rows" | "observations">,
  q: Float32Array,
  expectile: number,
): Descent {
  const sideOf = (advantage: number): number => (advantage > 0 ? expectile : 1 - expectile);
  if (tf === undefined) {
    return network.descent(observations, rows, (values, slopes) => {
      let loss = 0;
      for (let r = 0; r < rows; r++) {
        const advantage = q[r]! - values[r]!;
        const side = sideOf(advantage) / rows;
        loss += side * advantage * advantage;
        slopes[r] = -2 * side * advantage;
      }
      return loss;
    });
  }
  const values = network.outputs(tf, observations, rows);
  const sides = q.map((each, row) => sideOf(each - values[row]!));
  return tf.tidy(() => {
    const [of, wanted] = [matrix(tf, sides, rows), matrix(tf, q, rows)];
    return network.tensorDescent(tf, observations, rows, (said) =>
      tf.mean(tf.mul(of, tf.square(tf.sub(said, wanted)))),
    );
  });
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
  // Recordings of Cubic and BBR hold few steps as good as a policy can be: the best of them count. What an action does shows within a few
  // round trips, and over a short horizon the differences between actions are larger than what critics get wrong of links. Small minibatches
  // keep critics from learning the recorded runs by heart: with larger ones, or more steps, queues get longer.
  tuned: { hidden: [64, 64], minibatchSize: 128, gamma: 0.8, expectile: 0.95, inverseTemperature: 100 },
  checkOptions: (given) => void iqlOptions(given),
  make: (setup) => new Iql(setup),
  load: (checkpoint, setup) => Iql.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Iql.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
