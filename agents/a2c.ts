/**
 * Advantage actor-critic: options, loss, update. Rollouts, advantages and the loop are those of every learner on policy
 * (nn/on-policy/on-policy.ts).
 *
 * The synchronous form of A3C (Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement Learning", arXiv:1602.01783)
 * with which Park's authors trained their congestion control (Mao et al. 2019, NeurIPS): short rollouts of all environments,
 * one gradient step of each, after which the batch is thrown away. Three things differ from the paper, for what PPO here has
 * them for: Adam instead of RMSprop, generalised advantages instead of n-step ones (`gaeLambda` 1 makes them so), and
 * advantages of mean 0 and standard deviation 1 over the batch, without which links of large rewards drown the others.
 */
import { type Checkpoint, restoreSpaces } from "./checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "./learner.ts";
import { gather, type Minibatch } from "./nn/batch.ts";
import { COMMON_KINDS } from "./nn/learner-checks.ts";
import {
  type Estimates,
  loadOnPolicy,
  ON_POLICY_KINDS,
  OnPolicyLearner,
  type OnPolicyOptions,
} from "./nn/on-policy/on-policy.ts";
import type { Surrogate } from "./nn/on-policy/tensor-step.ts";
import { type OptionKind, readOptions } from "./nn/options.ts";
import { explainedVariance } from "./nn/statistics.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

export type A2cOptions = OnPolicyOptions;

const DEFAULTS: A2cOptions = {
  hidden: [64, 64],
  rolloutSteps: 8,
  learningRate: 1e-3,
  annealLearningRate: true,
  gamma: 0.98,
  gaeLambda: 0.95,
  valueCoef: 0.5,
  entropyCoef: 0,
  maxGradNorm: 0.5,
  initialLogStd: -2,
  scaleRewards: true,
  normaliseValues: true,
  normaliseObservations: false,
  resetEvery: 160,
  backend: "auto",
};

const KINDS: { readonly [Name in keyof A2cOptions]: OptionKind } = { ...ON_POLICY_KINDS, ...COMMON_KINDS };

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function a2cOptions(given: Readonly<Record<string, unknown>> = {}): A2cOptions {
  return readOptions("a2c", KINDS, DEFAULTS, given);
}

export class A2c extends OnPolicyLearner<A2cOptions> {
  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range */
  constructor(setup: LearnerSetup) {
    super("a2c", a2cOptions(setup.options), setup);
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. Options replace stored ones, but not `hidden`. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): A2c {
    return loadOnPolicy(checkpoint, setup, a2cOptions, (whole) => new A2c(whole));
  }

  /** One step up the gradient of E[log pi(a|s) A], arXiv:1602.01783 section 4. */
  protected override descend(
    tf: Tf | undefined,
    { batch, values, advantages, targets, scaledTargets }: Estimates,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const all = gather(
      batch,
      advantages,
      scaledTargets,
      Uint32Array.from({ length: batch.rows }, (_, row) => row),
    );
    const { logProb, valueLoss } = this.gradientStep(tf, all, learningRate, weighed(all));
    return {
      policyLoss: logProb.reduce((sum, each, row) => sum - (each * all.advantages[row]!) / batch.rows, 0),
      valueLoss,
      entropy: this.policy.entropy(batch.observations, batch.rows),
      explainedVariance: explainedVariance(targets, values),
    };
  }
}

/** mean(log pi(a|s) A) */
export function weighed({ advantages, rows }: Pick<Minibatch, "advantages" | "rows">): Surrogate {
  return {
    tensor: (tf, logProb) => tf.mean(tf.mul(logProb, tf.tensor1d(advantages))),
    slopes(logProb, slopes) {
      let sum = 0;
      for (let r = 0; r < rows; r++) {
        slopes[r] = advantages[r]! / rows;
        sum += logProb[r]! * advantages[r]!;
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
 * | policyLoss, valueLoss | 1 | -log pi(a|s) A, half squared error of scaled returns |
 * | entropy | nat | of the policy, per action; of choices the mean over the batch |
 * | explainedVariance | 1 at best | 1 - Var(target - V) / Var(target) |
 */
export const A2C: LearnerSpec = {
  name: "a2c",
  title: "A2C",
  source: "Mnih et al. 2016, arXiv:1602.01783; Park (Mao et al. 2019)",
  summary:
    "advantage actor-critic: one gradient step per short rollout; a Gaussian policy over boxes, a categorical one over choices",
  actions: ["box", "discrete"],
  options: KINDS,
  defaults: { ...DEFAULTS },
  // horizon and entropy as for PPO, for the same reasons
  tuned: { gamma: 0.95, entropyCoef: -0.005 },
  checkOptions: (given) => void a2cOptions(given),
  make: (setup) => new A2c(setup),
  load: (checkpoint, setup) => A2c.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => A2c.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
