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
import { type Descent, matrix, tensorDescent } from "./nn/dense-network.ts";
import { COMMON_KINDS, expectActions } from "./nn/learner-checks.ts";
import { initialiseMlp } from "./nn/mlp.ts";
import { toTensors } from "./nn/mlp-tensors.ts";
import { Critic, joined, type StepDown, TwinCritics } from "./nn/off-policy/critics.ts";
import {
  loadOffPolicy,
  OFF_POLICY_DEFAULTS,
  OFF_POLICY_KINDS,
  OffPolicyLearner,
  type OffPolicyOptions,
} from "./nn/off-policy/off-policy.ts";
import type { Transitions } from "./nn/off-policy/replay.ts";
import type { DrawnActions, SquashedGaussianPolicy } from "./nn/off-policy/squashed-gaussian-policy.ts";
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
    tf: Tf | undefined,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const { gamma, tau, targetEntropy } = this.options;
    const policy = this.policy as SquashedGaussianPolicy;
    const { rows, observations, nextObservations } = minibatch;
    const count = this.spec.actionSpace.shape[0];
    const temperature = exp(this.#logTemperature[0]!);
    const rng = this.root.fork(`policy.${this.gradientSteps}`);
    const [nextNoise, noise] = [0, 1].map(() => Float32Array.from(policy.drawNoise(rng, rows)));

    const stepDown: StepDown = (descent, adam) =>
      this.stepDown(descent, adam, { steps: this.gradientSteps, learningRate });
    const following = { ...minibatch, observations: nextObservations, noise: nextNoise! };
    const targets = softTargets(tf, policy, this.#critics, following, { gamma, temperature });
    const criticLoss = this.#critics.learn(tf, minibatch, targets, stepDown);
    const wanted = policyDescent(tf, policy, this.#critics, {
      rows,
      observations,
      noise: noise!,
      temperature,
    });
    const policyLoss = stepDown(wanted, this.#adams.policy);

    // d/d(log temperature) of temperature x (entropy - its target)
    const { entropy } = wanted;
    const ofTemperature = Float32Array.of(temperature * (entropy - targetEntropy * count));
    this.#adams.temperature.steps = this.gradientSteps;
    this.#adams.temperature.step(ofTemperature, 1, learningRate);
    this.gradientSteps += 1;
    this.#critics.follow(tau);
    return { criticLoss, policyLoss, entropy, temperature, meanValue: meanOf(Array.from(targets)) };
  }
}

// ---------------------------------------------------------------------------------------------------------- gradients

/** Where a policy is to draw actions, by which noise. */
interface Draws {
  readonly rows: number;
  /** [rows x observation] */
  readonly observations: Float32Array;
  /** [rows x action] */
  readonly noise: Float32Array;
}

/**
 * r + gamma (min Q(s', a') - temperature log pi(a'|s')), [rows]; r where the task ended.
 * @param tf undefined: without TensorFlow.js
 * @param next draws at what followed
 */
export function softTargets(
  tf: Tf | undefined,
  policy: SquashedGaussianPolicy,
  critics: TwinCritics,
  next: Draws & Pick<Transitions, "rewards" | "terminated">,
  { gamma, temperature }: { readonly gamma: number; readonly temperature: number },
): Float32Array {
  const { actions, logProb } = tf === undefined ? drawIn(policy, next) : drawTensors(tf, policy, next);
  const values = critics.smaller(tf, { ...next, actions });
  const { rewards, terminated } = next;
  return values.map((value, row) => {
    const soft = value - temperature * logProb[row]!;
    return rewards[row]! + gamma * (1 - terminated[row]!) * soft;
  });
}

const drawIn = (policy: SquashedGaussianPolicy, { observations, noise, rows }: Draws): DrawnActions =>
  policy.drawn(observations, noise, rows);

function drawTensors(
  tf: Tf,
  policy: SquashedGaussianPolicy,
  { observations, noise, rows }: Draws,
): { readonly actions: Float32Array; readonly logProb: Float32Array } {
  return tf.tidy(() => {
    const parameters = toTensors(tf, policy.layout, policy.weights);
    const drawn = [matrix(tf, observations, rows), matrix(tf, noise, rows)] as const;
    const { actions, logProb } = policy.reparameterised(tf, parameters, ...drawn);
    return { actions: actions.dataSync(), logProb: logProb.dataSync() };
  }) as { readonly actions: Float32Array; readonly logProb: Float32Array };
}

/**
 * Down the mean of temperature x log pi(a|s) - min Q(s, a), with the entropy that the policy has there.
 * @param tf undefined: without TensorFlow.js
 */
export function policyDescent(
  tf: Tf | undefined,
  policy: SquashedGaussianPolicy,
  { learning }: TwinCritics,
  given: Draws & { readonly temperature: number },
): Descent & { readonly entropy: number } {
  const { rows, observations, noise, temperature } = given;
  if (tf === undefined) {
    const drawn = drawIn(policy, given);
    const inputs = joined({ ...drawn, rows, observations });
    const [q0, q1] = learning.map((critic) => critic.forward(inputs, rows)) as [Float32Array, Float32Array];
    const slopes = [new Float32Array(rows), new Float32Array(rows)];
    let loss = 0;
    for (let r = 0; r < rows; r++) {
      slopes[q0[r]! <= q1[r]! ? 0 : 1]![r] = -1 / rows;
      loss += (temperature * drawn.logProb[r]! - Math.min(q0[r]!, q1[r]!)) / rows;
    }
    const ofActions = new Float32Array(drawn.actions.length);
    learning.forEach((critic, i) => {
      critic.addActionGradient(slopes[i]!, rows, ofActions);
    });
    const gradient = policy.gradientThrough(drawn, ofActions, temperature / rows);
    return { loss, gradient, entropy: -meanOf(Array.from(drawn.logProb)) };
  }
  return tf.tidy(() => {
    const critics = learning.map((critic) => critic.toTensors(tf));
    const [now, drawn] = [matrix(tf, observations, rows), matrix(tf, noise, rows)];
    let logProbNow: Tensor | undefined;
    const lossOf = (...parameters: Tensor[]): Tensor => {
      const { actions, logProb } = policy.reparameterised(tf, parameters, now, drawn);
      logProbNow = tf.keep(logProb);
      const [v0, v1] = critics.map((each) => tf.sum(Critic.value(tf, each, now, actions), 1));
      return tf.mean(tf.sub(tf.mul(logProb, temperature), tf.minimum(v0!, v1!)));
    };
    const descent = tensorDescent(tf, lossOf, toTensors(tf, policy.layout, policy.weights));
    const entropy = -meanOf(Array.from(logProbNow!.dataSync()));
    logProbNow!.dispose();
    return { ...descent, entropy };
  });
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
  // begins with as little noise as PPO. A few links after each other are a small sample, so it learns quickly and often from what
  // it remembers, and its targets follow soon
  tuned: { hidden: [32, 32], initialLogStd: -2, learningRate: 3e-3, gradientSteps: 16, tau: 0.02 },
  checkOptions: (given) => void sacOptions(given),
  make: (setup) => new Sac(setup),
  load: (checkpoint, setup) => Sac.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Sac.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
