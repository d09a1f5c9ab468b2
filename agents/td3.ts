/**
 * Twin delayed deep deterministic policy gradients over boxes: options, networks, gradient step. Memory and the loop are those
 * of every learner off policy (nn/off-policy/off-policy.ts).
 *
 * Fujimoto et al. 2018, "Addressing Function Approximation Error in Actor-Critic Methods" (arXiv:1802.09477): the smaller of two
 * target critics, targets smoothed by noise on the action, a policy that learns every second step. What differs: tanh networks,
 * small noise of exploring, as PPO's here and for the same reason, which falls over the run.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { drawNormal } from "../core/distributions.ts";
import { type Checkpoint, restoreSpaces } from "./checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "./learner.ts";
import { Adam } from "./nn/adam.ts";
import { COMMON_KINDS, expectActions } from "./nn/learner-checks.ts";
import { initialiseMlp } from "./nn/mlp.ts";
import { toTensors } from "./nn/mlp-tensors.ts";
import { Critic, type StepDown, TwinCritics } from "./nn/off-policy/critics.ts";
import { NoisyPolicy } from "./nn/off-policy/noisy-policy.ts";
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
}

const DEFAULTS: Td3Options = {
  ...OFF_POLICY_DEFAULTS,
  explorationNoise: 0.2,
  finalNoise: 0.05,
  targetNoise: 0.1,
  targetNoiseClip: 0.25,
  policyDelay: 2,
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
  readonly #target: Float32Array;
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
    this.#target = this.#online.slice();
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
      target: this.#target,
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
    tf: Tf,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const { gamma, tau, policyDelay } = this.options;
    const { layout } = this.policy;
    const { rows, observations, nextObservations, actions, rewards, terminated } = minibatch;
    const width = this.spec.observationSpace.shape[0];
    const count = this.spec.actionSpace.shape[0];
    const steps = this.gradientSteps;
    return tf.tidy(() => {
      const [now, next] = [observations, nextObservations].map((each) => tf.tensor2d(each, [rows, width]));
      // targets: r + gamma min Q'(s', pi'(s') + noise)
      const following = NoisyPolicy.actionsTensor(tf, toTensors(tf, layout, this.#target), next!);
      const smoothed = tf.clipByValue(tf.add(following, this.#targetNoise(tf, rows, count)), -1, 1);
      const values = TwinCritics.smaller(tf, this.#critics.targets, next!, smoothed);
      const targets = values.map((value, row) => rewards[row]! + gamma * (1 - terminated[row]!) * value);
      const stepsDown =
        (done: number): StepDown =>
        (lossOf, parameters, adam) =>
          this.stepDown(tf, lossOf, parameters, adam, { steps: done, learningRate });
      const criticLoss = this.#critics.learn(
        tf,
        now!,
        tf.tensor2d(actions, [rows, count]),
        tf.tensor2d(targets, [rows, 1]),
        stepsDown(steps),
      );
      this.gradientSteps += 1;
      const losses = { criticLoss, meanValue: meanOf(Array.from(targets)) };
      if (this.gradientSteps % policyDelay !== 0) return losses;

      const critic = this.#critics.learning[0]!.toTensors(tf);
      const policyLossOf = (...parameters: Tensor[]): Tensor =>
        tf.neg(tf.mean(Critic.value(tf, critic, now!, NoisyPolicy.actionsTensor(tf, parameters, now!))));
      const parameters = toTensors(tf, layout, this.#online);
      const policyLoss = stepsDown(Math.floor(steps / policyDelay))(policyLossOf, parameters, this.#adam);
      this.#critics.follow(tau);
      follow(this.#target, this.#online, tau);
      return { ...losses, policyLoss };
    });
  }

  /** [rows x action], clipped */
  #targetNoise(tf: Tf, rows: number, count: number): Tensor {
    const { targetNoise, targetNoiseClip: most } = this.options;
    const rng = this.root.fork(`target.${this.gradientSteps}`);
    const noise = Float32Array.from({ length: rows * count }, () =>
      Math.min(most, Math.max(-most, targetNoise * drawNormal(rng))),
    );
    return tf.tensor2d(noise, [rows, count]);
  }
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
  tuned: {},
  checkOptions: (given) => void td3Options(given),
  make: (setup) => new Td3(setup),
  load: (checkpoint, setup) => Td3.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Td3.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
