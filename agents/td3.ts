/**
 * Twin delayed deep deterministic policy gradients over boxes: options, networks, gradient step. Memory and the loop are those
 * of every learner off policy (nn/off-policy/off-policy.ts).
 *
 * Fujimoto et al. 2018, "Addressing Function Approximation Error in Actor-Critic Methods" (arXiv:1802.09477): the smaller of two
 * target critics, targets smoothed by noise on the action, a policy that learns every second step. What differs: tanh networks,
 * small noise of exploring, as PPO's here and for the same reason, which falls over the run, and a cost that keeps the tanh from
 * saturating (`preactivationCost`; 0 is the paper's).
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { drawNormal } from "../core/distributions.ts";
import { tanh } from "../core/math.ts";
import { type Checkpoint, restoreSpaces } from "./checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "./learner.ts";
import { Adam } from "./nn/adam.ts";
import { DenseNetwork, type Descent, matrix, tensorDescent } from "./nn/dense-network.ts";
import { COMMON_KINDS, expectActions } from "./nn/learner-checks.ts";
import { initialiseMlp } from "./nn/mlp.ts";
import { mlpTensor, toTensors } from "./nn/mlp-tensors.ts";
import { Critic, joined, type StepDown, TwinCritics } from "./nn/off-policy/critics.ts";
import type { NoisyPolicy } from "./nn/off-policy/noisy-policy.ts";
import {
  loadOffPolicy,
  OFF_POLICY_DEFAULTS,
  OFF_POLICY_KINDS,
  OffPolicyLearner,
  type OffPolicyOptions,
} from "./nn/off-policy/off-policy.ts";
import { follow, type Transitions } from "./nn/off-policy/replay.ts";
import { type OptionKind, readOptions, real, whole } from "./nn/options.ts";
import { meanOf } from "./nn/statistics.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

/** What each means and may be: KINDS; `ccpark explain hyperparameters` prints it. */
export interface Td3Options extends OffPolicyOptions {
  readonly explorationNoise: number;
  readonly finalNoise: number;
  readonly targetNoise: number;
  readonly targetNoiseClip: number;
  readonly policyDelay: number;
  readonly preactivationCost: number;
}

const DEFAULTS: Td3Options = {
  ...OFF_POLICY_DEFAULTS,
  explorationNoise: 0.2,
  finalNoise: 0.05,
  targetNoise: 0.1,
  targetNoiseClip: 0.25,
  policyDelay: 2,
  preactivationCost: 0,
  resetEvery: 320,
  backend: "auto",
};

const KINDS: { readonly [Name in keyof Td3Options]: OptionKind } = {
  ...OFF_POLICY_KINDS,
  ...COMMON_KINDS,
  explorationNoise: real(
    0,
    1,
    "standard deviation of the noise on actions at the start, in units of half the box; it falls linearly over the run",
  ),
  finalNoise: real(0, 1, "the same at the end"),
  targetNoise: real(
    0,
    1,
    "standard deviation of the noise on the next action of a target, in units of half the box",
  ),
  targetNoiseClip: real(0, 1, "largest such noise"),
  policyDelay: whole(1, 100, "gradient steps of the critics for one of the policy"),
  preactivationCost: real(
    0,
    1e3,
    "weight of the mean square of what the policy says before the tanh, in the policy's loss. Measured on the training range: at 0 it learns in its first updates that a larger window pays, saturates, and never sees anything else",
  ),
};

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function td3Options(given: Readonly<Record<string, unknown>> = {}): Td3Options {
  return readOptions("td3", KINDS, DEFAULTS, given);
}

const HEAD = "noisy";

export class Td3 extends OffPolicyLearner<Td3Options> {
  protected override readonly measures: readonly string[] = ["criticLoss", "policyLoss", "meanValue"];
  readonly #critics: TwinCritics;
  /** what the policy's network is, without the noise, and what follows it */
  readonly #online: Float32Array;
  readonly #target: DenseNetwork;
  readonly #adam: Adam;

  /**
   * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range and for an action that
   *   is a choice
   */
  constructor(setup: LearnerSetup) {
    const options = td3Options(setup.options);
    expectActions("td3", "box", setup.actionSpace);
    super("td3", options, setup, HEAD);
    const { layout, weights } = this.policy;
    const { hidden } = options;
    this.#online = weights.subarray(0, layout.size);
    initialiseMlp(
      layout,
      [...hidden.map(() => Math.SQRT2), 0.01],
      this.root.fork("init.policy"),
      this.#online,
    );
    this.#target = new DenseNetwork(layout, this.#online.slice());
    this.#adam = new Adam(this.#online);
    const width = setup.observationSpace.shape[0];
    this.#critics = new TwinCritics({ width, actionWidth: setup.actionSpace.shape[0], hidden }, this.root);
    this.explore(0);
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): Td3 {
    return loadOffPolicy(checkpoint, setup, {
      head: HEAD,
      readOptions: td3Options,
      make: (whole) => new Td3(whole),
    });
  }

  protected override networks(): Readonly<Record<string, Float32Array>> {
    return {
      policy: this.policy.weights,
      target: this.#target.weights,
      "policy.adamM": this.#adam.m,
      "policy.adamV": this.#adam.v,
      ...this.#critics.networks(),
    };
  }

  protected override explore(progress: number): void {
    const { explorationNoise, finalNoise } = this.options;
    (this.policy as NoisyPolicy).noiseStd = explorationNoise + progress * (finalNoise - explorationNoise);
  }

  protected override descend(
    tf: Tf | undefined,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const { gamma, tau, policyDelay } = this.options;
    const { rows, nextObservations, rewards, terminated } = minibatch;
    const steps = this.gradientSteps;
    const stepsDown =
      (done: number): StepDown =>
      (descent, adam) =>
        this.stepDown(descent, adam, { steps: done, learningRate });
    // targets: r + gamma min Q'(s', pi'(s') + noise)
    const actions = this.#smoothed(tf, nextObservations, rows);
    const values = this.#critics.smaller(tf, { rows, observations: nextObservations, actions });
    const targets = values.map((value, row) => rewards[row]! + gamma * (1 - terminated[row]!) * value);
    const criticLoss = this.#critics.learn(tf, minibatch, targets, stepsDown(steps));
    this.gradientSteps += 1;
    const losses = { criticLoss, meanValue: meanOf(Array.from(targets)) };
    if (this.gradientSteps % policyDelay !== 0) return losses;

    const descent = policyDescent(tf, this.policy as NoisyPolicy, this.#critics.learning[0], {
      ...minibatch,
      preactivationCost: this.options.preactivationCost,
    });
    const policyLoss = stepsDown(Math.floor(steps / policyDelay))(descent, this.#adam);
    this.#critics.follow(tau);
    follow(this.#target.weights, this.#online, tau);
    return { ...losses, policyLoss };
  }

  /** What the target policy would do, with clipped noise, [rows x action]. */
  #smoothed(tf: Tf | undefined, observations: Float32Array, rows: number): Float32Array {
    const { targetNoise, targetNoiseClip: most } = this.options;
    const rng = this.root.fork(`target.${this.gradientSteps}`);
    return this.#target.outputs(tf, observations, rows).map((output) => {
      const noise = Math.min(most, Math.max(-most, targetNoise * drawNormal(rng)));
      return Math.min(1, Math.max(-1, tanh(output) + noise));
    });
  }
}

/**
 * Down the mean of -Q of the policy's own actions, and of the squares of what it says before the tanh (Andrychowicz et al. 2017,
 * arXiv:1707.01495, appendix A: against saturation, out of which no gradient leads).
 * @param tf undefined: without TensorFlow.js
 * @param given observations are [rows x observation]
 */
export function policyDescent(
  tf: Tf | undefined,
  policy: NoisyPolicy,
  critic: Critic,
  given: Pick<Transitions, "rows" | "observations"> & Pick<Td3Options, "preactivationCost">,
): Descent {
  const { rows, observations, preactivationCost } = given;
  const { layout } = policy;
  if (tf === undefined) {
    const said = policy.outputs(observations, rows).slice(0, rows * layout.layers.at(-1)!.outputs);
    const actions = said.map(tanh);
    const values = critic.forward(joined({ rows, observations, actions }), rows);
    let loss = 0;
    for (let r = 0; r < rows; r++) loss -= values[r]! / rows;
    const slopes = new Float32Array(said.length);
    critic.addActionGradient(new Float32Array(rows).fill(-1 / rows), rows, slopes);
    for (let i = 0; i < said.length; i++) {
      loss += (preactivationCost * said[i]! * said[i]!) / said.length;
      slopes[i] =
        slopes[i]! * (1 - actions[i]! * actions[i]!) + (2 * preactivationCost * said[i]!) / said.length;
    }
    return { loss, gradient: policy.backward(slopes, rows) };
  }
  return tf.tidy(() => {
    const [now, weights] = [matrix(tf, observations, rows), critic.toTensors(tf)];
    const lossOf = (...parameters: Tensor[]): Tensor => {
      const said = mlpTensor(tf, parameters, now);
      const costs = tf.mul(tf.mean(tf.square(said)), preactivationCost);
      return tf.sub(costs, tf.mean(Critic.value(tf, weights, now, tf.tanh(said))));
    };
    return tensorDescent(tf, lossOf, toTensors(tf, layout, policy.weights));
  });
}

/**
 * Losses of its lines of progress; NaN until learning starts:
 *
 * | name | unit | meaning |
 * | --- | --- | --- |
 * | criticLoss | 1 | half squared error of Q, mean of both critics, of normalised rewards |
 * | policyLoss | 1 | -Q of the policy's actions; of the steps in which it learns |
 * | meanValue | 1 | mean of the targets, of normalised rewards |
 */
export const TD3: LearnerSpec = {
  name: "td3",
  title: "TD3",
  source: "Fujimoto et al. 2018, arXiv:1802.09477",
  summary: "twin delayed deterministic policy gradients with replay and noise on actions; over boxes only",
  actions: ["box"],
  options: KINDS,
  defaults: { ...DEFAULTS },
  // many gradient steps on the links that 32 environments see; the cost keeps the policy out of the corner where a window that
  // only grows fills every queue
  tuned: { hidden: [32, 32], learningRate: 3e-3, gradientSteps: 16, preactivationCost: 0.5 },
  checkOptions: (given) => void td3Options(given),
  make: (setup) => new Td3(setup),
  load: (checkpoint, setup) => Td3.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Td3.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
