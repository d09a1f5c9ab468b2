/**
 * Soft actor-critic over boxes: options, networks, gradient step. Memory and the loop are those of every learner off policy
 * (nn/off-policy/off-policy.ts).
 *
 * Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications" (arXiv:1812.05905): two critics, of whose targets the
 * smaller counts, a policy that maximises value plus entropy, and a temperature that holds the entropy at a target. What
 * differs: tanh networks, and the policy begins with little noise (`initialLogStd`), as PPO's does and for the same reason.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { exp, log } from "../core/math.ts";
import { type Checkpoint, restoreSpaces } from "./checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "./learner.ts";
import { Adam } from "./nn/adam.ts";
import { COMMON_KINDS, expectActions } from "./nn/learner-checks.ts";
import { initialiseMlp } from "./nn/mlp.ts";
import { toTensors } from "./nn/mlp-tensors.ts";
import { Critic, type StepDown, TwinCritics } from "./nn/off-policy/critics.ts";
import {
  loadOffPolicy,
  OFF_POLICY_DEFAULTS,
  OFF_POLICY_KINDS,
  OffPolicyLearner,
  type OffPolicyOptions,
} from "./nn/off-policy/off-policy.ts";
import type { Transitions } from "./nn/off-policy/replay.ts";
import type { SquashedGaussianPolicy } from "./nn/off-policy/squashed-gaussian-policy.ts";
import { type OptionKind, readOptions, real } from "./nn/options.ts";
import { meanOf } from "./nn/statistics.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

/** What each means and may be: KINDS; `ccpark explain hyperparameters` prints it. */
export interface SacOptions extends OffPolicyOptions {
  readonly targetEntropy: number;
  readonly initialTemperature: number;
  readonly initialLogStd: number;
}

const DEFAULTS: SacOptions = {
  ...OFF_POLICY_DEFAULTS,
  targetEntropy: -1,
  initialTemperature: 0.1,
  initialLogStd: -1,
  resetEvery: 320,
  backend: "auto",
};

const KINDS: { readonly [Name in keyof SacOptions]: OptionKind } = {
  ...OFF_POLICY_KINDS,
  ...COMMON_KINDS,
  targetEntropy: real(
    -100,
    100,
    "entropy per number of the action that the temperature holds, nat, of actions in units of half the box; -1 is a standard deviation of 0.09",
  ),
  initialTemperature: real(1e-9, 1e3, "weight of the entropy at the start"),
  initialLogStd: real(-5, 2, "log of the policy's standard deviation at the start, before the tanh"),
};

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function sacOptions(given: Readonly<Record<string, unknown>> = {}): SacOptions {
  return readOptions("sac", KINDS, DEFAULTS, given);
}

const HEAD = "squashed-gaussian";

export class Sac extends OffPolicyLearner<SacOptions> {
  protected override readonly measures: readonly string[] = [
    "criticLoss",
    "policyLoss",
    "entropy",
    "temperature",
    "meanValue",
  ];
  readonly #critics: TwinCritics;
  /** [1], log of the weight of the entropy */
  readonly #logTemperature: Float32Array;
  readonly #adams: Readonly<Record<"policy" | "temperature", Adam>>;

  /**
   * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range and for an action that
   *   is a choice
   */
  constructor(setup: LearnerSetup) {
    const options = sacOptions(setup.options);
    expectActions("sac", "box", setup.actionSpace);
    super("sac", options, setup, HEAD);
    const { layout, weights } = this.policy;
    const gains = options.hidden.map(() => Math.SQRT2);
    initialiseMlp(layout, [...gains, 0.01], this.root.fork("init.policy"), weights);
    const width = setup.observationSpace.shape[0];
    const count = setup.actionSpace.shape[0];
    const { biasesAt } = layout.layers.at(-1)!;
    weights.fill(options.initialLogStd, biasesAt + count, biasesAt + 2 * count);
    this.#critics = new TwinCritics({ width, actionWidth: count, hidden: options.hidden }, this.root);
    this.#logTemperature = Float32Array.of(log(options.initialTemperature));
    this.#adams = {
      policy: new Adam(weights),
      temperature: new Adam(this.#logTemperature),
    };
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): Sac {
    return loadOffPolicy(checkpoint, setup, {
      head: HEAD,
      readOptions: sacOptions,
      make: (whole) => new Sac(whole),
    });
  }

  protected override networks(): Readonly<Record<string, Float32Array>> {
    const moments = Object.entries(this.#adams).flatMap(([name, { m, v }]): [string, Float32Array][] => [
      [`${name}.adamM`, m],
      [`${name}.adamV`, v],
    ]);
    return {
      policy: this.policy.weights,
      ...this.#critics.networks(),
      logTemperature: this.#logTemperature,
      ...Object.fromEntries(moments),
    };
  }

  protected override descend(
    tf: Tf,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const { tau, targetEntropy } = this.options;
    const policy = this.policy as SquashedGaussianPolicy;
    const { rows, observations, nextObservations, actions, rewards, terminated } = minibatch;
    const width = this.spec.observationSpace.shape[0];
    const count = this.spec.actionSpace.shape[0];
    const temperature = exp(this.#logTemperature[0]!);
    const rng = this.root.fork(`policy.${this.gradientSteps}`);
    const noise = (): Float32Array => Float32Array.from(policy.drawNoise(rng, rows));
    const [nextNoise, noiseNow] = [noise(), noise()];

    return tf.tidy(() => {
      const [now, next] = [observations, nextObservations].map((each) => tf.tensor2d(each, [rows, width]));
      const parametersOf = (): Tensor[] => toTensors(tf, policy.layout, policy.weights);
      // targets: r + gamma (min Q(s', a') - temperature log pi(a'|s'))
      const following = policy.reparameterised(
        tf,
        parametersOf(),
        next!,
        tf.tensor2d(nextNoise, [rows, count]),
      );
      const values = TwinCritics.smaller(tf, this.#critics.targets, next!, following.actions);
      const logProbs = following.logProb.dataSync();
      const targets = Float32Array.from({ length: rows }, (_, row) => {
        const soft = values[row]! - temperature * logProbs[row]!;
        return rewards[row]! + this.options.gamma * (1 - terminated[row]!) * soft;
      });
      const wanted = tf.tensor2d(targets, [rows, 1]);
      const done = tf.tensor2d(actions, [rows, count]);
      const stepDown: StepDown = (lossOf, parameters, adam) =>
        this.stepDown(tf, lossOf, parameters, adam, { steps: this.gradientSteps, learningRate });
      const criticLoss = this.#critics.learn(tf, now!, done, wanted, stepDown);

      const critics = this.#critics.learning.map((critic) => critic.toTensors(tf));
      const drawn = tf.tensor2d(noiseNow, [rows, count]);
      let logProbNow: Tensor | undefined;
      const policyLossOf = (...parameters: Tensor[]): Tensor => {
        const { actions: chosen, logProb } = policy.reparameterised(tf, parameters, now!, drawn);
        logProbNow = tf.keep(logProb);
        const [v0, v1] = critics.map((each) => tf.sum(Critic.value(tf, each, now!, chosen), 1));
        return tf.mean(tf.sub(tf.mul(logProb, temperature), tf.minimum(v0!, v1!)));
      };
      const policyLoss = stepDown(policyLossOf, parametersOf(), this.#adams.policy);
      const entropy = -meanOf(Array.from(logProbNow!.dataSync()));
      logProbNow!.dispose();

      // d/d(log temperature) of temperature x (entropy - its target)
      const ofTemperature = Float32Array.of(temperature * (entropy - targetEntropy * count));
      this.#adams.temperature.steps = this.gradientSteps;
      this.#adams.temperature.step(ofTemperature, 1, learningRate);
      this.gradientSteps += 1;
      this.#critics.follow(tau);
      return { criticLoss, policyLoss, entropy, temperature, meanValue: meanOf(Array.from(targets)) };
    });
  }
}

/**
 * Losses of its lines of progress; NaN until learning starts:
 *
 * | name | unit | meaning |
 * | --- | --- | --- |
 * | criticLoss | 1 | half squared error of Q, mean of both critics, of normalised rewards |
 * | policyLoss | 1 | temperature x log pi - Q |
 * | entropy | nat | of the policy, of actions in units of half the box |
 * | temperature | 1 | weight of the entropy |
 * | meanValue | 1 | mean of the targets, of normalised rewards |
 */
export const SAC: LearnerSpec = {
  name: "sac",
  title: "SAC",
  source: "Haarnoja et al. 2018, arXiv:1812.05905",
  summary: "soft actor-critic with replay, twin critics and a temperature that tunes itself; over boxes only",
  actions: ["box"],
  options: KINDS,
  defaults: { ...DEFAULTS },
  // begins with as little noise as PPO. A few links after each other are a small sample, so it learns quickly from what it
  // remembers, and its targets follow soon
  tuned: { initialLogStd: -2, learningRate: 3e-3, tau: 0.02 },
  checkOptions: (given) => void sacOptions(given),
  make: (setup) => new Sac(setup),
  load: (checkpoint, setup) => Sac.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Sac.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
