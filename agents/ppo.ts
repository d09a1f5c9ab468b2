/**
 * Proximal policy optimisation: options, loss, update. Rollouts, advantages and the loop are those of every learner on policy
 * (nn/on-policy/on-policy.ts).
 *
 * Schulman et al. 2017, "Proximal Policy Optimization Algorithms" (arXiv:1707.06347), with the details that matter in
 * practice (Huang et al. 2022, "The 37 Implementation Details of PPO"), in the spirit of cleanrl. One thing differs from
 * most copies: an episode that ran out of time is worth V(last observation), one that ended is worth 0.
 *
 * Acting is a pass through a small network (nn/network-policy.ts): a Gaussian over a box, a softmax over choices. Gradients are
 * computed in vectors (nn/on-policy/fused-step.ts) or by TensorFlow.js, whichever is asked for.
 *
 * Memory: recurrent-ppo.ts. Left out: clipping of the value loss (no gain: Andrychowicz et al. 2021).
 */
import { exp } from "../core/math.ts";
import { type Checkpoint, restoreSpaces } from "./checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "./learner.ts";
import { gather, type Minibatch, shuffled } from "./nn/batch.ts";
import { COMMON_KINDS } from "./nn/learner-checks.ts";
import type { PolicySpec } from "./nn/network-policy.ts";
import {
  type Estimates,
  loadOnPolicy,
  ON_POLICY_KINDS,
  OnPolicyLearner,
  type OnPolicyOptions,
} from "./nn/on-policy/on-policy.ts";
import { type RatioMeasures, ratioMeasures } from "./nn/on-policy/ratios.ts";
import type { Surrogate } from "./nn/on-policy/tensor-step.ts";
import { type OptionKind, readOptions, real, whole } from "./nn/options.ts";
import { explainedVariance, Means } from "./nn/statistics.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

// ---------------------------------------------------------------------------------------------------------- options

/** What each means and may be: PPO_KINDS; `ccpark explain hyperparameters` prints it. */
export interface PpoOptions extends OnPolicyOptions {
  readonly epochs: number;
  readonly minibatchSize: number;
  readonly clipCoef: number;
  readonly targetKl: number;
}

export const PPO_DEFAULTS: PpoOptions = {
  hidden: [64, 64],
  rolloutSteps: 256,
  epochs: 5,
  minibatchSize: 512,
  learningRate: 1e-3,
  annealLearningRate: true,
  gamma: 0.98,
  gaeLambda: 0.95,
  clipCoef: 0.2,
  valueCoef: 0.5,
  entropyCoef: 0,
  maxGradNorm: 0.5,
  targetKl: 0.03,
  initialLogStd: -2,
  scaleRewards: true,
  normaliseValues: true,
  normaliseObservations: false,
  resetEvery: 20,
  backend: "auto",
};

export const PPO_KINDS: { readonly [Name in keyof PpoOptions]: OptionKind } = {
  ...ON_POLICY_KINDS,
  ...COMMON_KINDS,
  epochs: whole(1, 1000, "passes over a batch per update"),
  minibatchSize: whole(
    1,
    1e6,
    "rows per gradient step; the batch is cut into equal parts of about this size",
  ),
  clipCoef: real(0, 10, "epsilon of the clipped surrogate: how far the probability ratio may count"),
  targetKl: real(
    0,
    1e6,
    "ends the epochs of an update once the approximate KL divergence exceeds 1.5 times this; 0: never",
  ),
};

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function ppoOptions(given: Readonly<Record<string, unknown>> = {}): PpoOptions {
  return readOptions("ppo", PPO_KINDS, PPO_DEFAULTS, given);
}

// ------------------------------------------------------------------------------------------------------------ learner

/** Of one gradient step. */
type Losses = RatioMeasures & { readonly valueLoss: number };

export class Ppo extends OnPolicyLearner<PpoOptions> {
  protected override readonly hasManySteps: boolean = true;

  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range */
  constructor(setup: LearnerSetup, name = "ppo", network: Pick<PolicySpec, "central"> = {}) {
    super(name, ppoOptions(setup.options), setup, network);
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. Options replace stored ones, but not `hidden`. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): Ppo {
    return loadOnPolicy(checkpoint, setup, ppoOptions, (whole) => new Ppo(whole));
  }

  protected override descend(
    tf: Tf | undefined,
    { batch, values, advantages, targets, scaledTargets }: Estimates,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const { minibatchSize, epochs, targetKl } = this.options;
    const means = new Means();
    const rng = this.root.fork(`shuffle.${this.updates}`);
    for (const chosen of shuffled(batch.rows, { size: minibatchSize, epochs }, rng)) {
      const step = this.#clippedStep(tf, gather(batch, advantages, scaledTargets, chosen), learningRate);
      means.add(step);
      if (targetKl > 0 && step.approxKl > 1.5 * targetKl) break;
    }
    return {
      policyLoss: means.of("policyLoss"),
      valueLoss: means.of("valueLoss"),
      entropy: this.policy.entropy(batch.observations, batch.rows),
      approxKl: means.of("approxKl"),
      clipFraction: means.of("clipFraction"),
      explainedVariance: explainedVariance(targets, values),
    };
  }

  /** arXiv:1707.06347, equation 9 */
  #clippedStep(tf: Tf | undefined, minibatch: Minibatch, learningRate: number): Losses {
    const { clipCoef } = this.options;
    const surrogate = clippedSurrogate(minibatch, clipCoef);
    const { logProb, valueLoss } = this.gradientStep(tf, minibatch, learningRate, surrogate);
    const logRatio = logProb.map((now, row) => now - minibatch.logProbs[row]!);
    return { valueLoss, ...ratioMeasures(logRatio, minibatch.advantages, clipCoef) };
  }
}

/** L^CLIP, arXiv:1707.06347 equation 7. */
export function clippedSurrogate(
  { advantages, logProbs, rows }: Pick<Minibatch, "advantages" | "logProbs" | "rows">,
  clipCoef: number,
): Surrogate {
  const [low, high] = [1 - clipCoef, 1 + clipCoef];
  return {
    tensor(tf, logProb) {
      const advantage = tf.tensor1d(advantages);
      const ratio = tf.exp(tf.sub(logProb, tf.tensor1d(logProbs)));
      const clipped = tf.clipByValue(ratio, low, high);
      return tf.mean(tf.minimum(tf.mul(ratio, advantage), tf.mul(clipped, advantage)));
    },
    slopes(logProb, slopes) {
      let sum = 0;
      for (let r = 0; r < rows; r++) {
        const ratio = exp(logProb[r]! - logProbs[r]!);
        const whole = ratio * advantages[r]!;
        const clipped = Math.min(high, Math.max(low, ratio)) * advantages[r]!;
        // d ratio / d log pi = ratio; what is clipped has no slope
        slopes[r] = whole <= clipped ? whole / rows : 0;
        sum += Math.min(whole, clipped);
      }
      return sum / rows;
    },
  };
}

/**
 * Losses of its lines of progress:
 *
 * | name | unit | meaning |
 * | --- | --- | --- |
 * | policyLoss, valueLoss | 1 | clipped surrogate (negative: improvement), half squared error of scaled returns |
 * | entropy | nat | of the policy, per action; of choices the mean over the batch |
 * | approxKl | nat | divergence between the policies before and after, mean over gradient steps |
 * | clipFraction | 0-1 | share of rows whose probability ratio left the clip range |
 * | explainedVariance | 1 at best | 1 - Var(target - V) / Var(target) |
 */
export const PPO: LearnerSpec = {
  name: "ppo",
  title: "PPO",
  source: "Schulman et al. 2017, arXiv:1707.06347",
  summary: "proximal policy optimisation; a Gaussian policy over boxes, a categorical one over choices",
  actions: ["box", "discrete"],
  options: PPO_KINDS,
  defaults: { ...PPO_DEFAULTS },
  // A step is a round trip, and what an action does shows within a few: a short horizon has less noise. The entropy
  // bonus is negative: exploring by a few percent of the window costs more than a millisecond of queue, so a policy that
  // goes on exploring learns to stay below the full link. Layers of 32 learn the training range as well as layers of 64
  // do, in three quarters of the time.
  tuned: { hidden: [32, 32], rolloutSteps: 64, gamma: 0.95, entropyCoef: -0.005 },
  checkOptions: (given) => void ppoOptions(given),
  make: (setup) => new Ppo(setup),
  load: (checkpoint, setup) => Ppo.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Ppo.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
