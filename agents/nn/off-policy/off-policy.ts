/**
 * What learners off policy have in common beside the loop: transitions that are remembered, of which they collect some and learn
 * from many, and which their checkpoints hold. A learner adds its options, its networks and what a gradient step is.
 */
import * as z from "zod";
import { CcparkError } from "../../../core/errors.ts";
import type { AnyVectorEnv } from "../../../envs/env.ts";
import { type Checkpoint, checkSpaces, readArray, readState } from "../../checkpoint.ts";
import type { CommonOptions, LearnerSetup } from "../../learner.ts";
import {
  type CheckpointParts,
  LoopLearner,
  type LoopOptions,
  type Update,
  type UpdatePlace,
} from "../../learning-loop.ts";
import type { Tf } from "../../tfjs/tfjs-patches.ts";
import type { Adam } from "../adam.ts";
import type { Descent } from "../dense-network.ts";
import { expectFinite, expectSameHidden, expectSquares } from "../learner-checks.ts";
import { makePolicy } from "../make-policy.ts";
import { normOf } from "../mlp-tensors.ts";
import { type NetworkPolicy, type PolicySpec, policySize } from "../network-policy.ts";
import { flag, type OptionKind, real, whole, widths } from "../options.ts";
import { collect } from "../rollout.ts";
import { EPSILON, Means, observe, STATISTICS, type Statistics } from "../statistics.ts";
import { REPLAY_STATE, Replay, readReplay, type Transitions } from "./replay.ts";

/** What each means and may be: OFF_POLICY_KINDS; `ccpark explain hyperparameters` prints it. */
export interface OffPolicyOptions extends LoopOptions {
  readonly gradientSteps: number;
  readonly minibatchSize: number;
  readonly replayCapacity: number;
  readonly learningStarts: number;
  readonly gamma: number;
  readonly tau: number;
  readonly maxGradNorm: number;
  readonly normaliseRewards: boolean;
}

export const OFF_POLICY_DEFAULTS: Omit<OffPolicyOptions, keyof CommonOptions> = {
  hidden: [64, 64],
  rolloutSteps: 4,
  gradientSteps: 4,
  minibatchSize: 128,
  replayCapacity: 50_000,
  learningStarts: 1000,
  learningRate: 1e-3,
  annealLearningRate: true,
  gamma: 0.95,
  tau: 0.01,
  maxGradNorm: 10,
  normaliseRewards: true,
};

export const OFF_POLICY_KINDS: {
  readonly [Name in Exclude<keyof OffPolicyOptions, keyof CommonOptions>]: OptionKind;
} = {
  hidden: widths("widths of the hidden tanh layers of every network"),
  rolloutSteps: whole(1, 1e6, "steps per environment between two updates"),
  gradientSteps: whole(1, 1e6, "gradient steps per update"),
  minibatchSize: whole(1, 1e6, "transitions per gradient step, drawn evenly from those that are kept"),
  replayCapacity: whole(
    1,
    1e8,
    "most transitions that are kept, over all environments; a checkpoint holds them all",
  ),
  learningStarts: whole(0, 1e8, "transitions that are collected before the first gradient step"),
  learningRate: real(0, 1e9, "Adam's step size at the start"),
  annealLearningRate: flag("whether the step size falls linearly to 0 over the run"),
  gamma: real(0, 1, "discount per step, gamma"),
  tau: real(0, 1, "share of the way to the learnt weights that target networks go with each gradient step"),
  maxGradNorm: real(1e-9, 1e9, "largest norm of a gradient"),
  normaliseRewards: flag(
    "learns from rewards less their running mean, divided by their running standard deviation. Of a task that only runs out of time the mean says nothing about what to do, and it is the most of every value",
  ),
};

/** What a checkpoint keeps beside options and arrays. */
const STATE = REPLAY_STATE.extend({
  /** of all rewards so far */
  rewardStatistics: STATISTICS,
  /** Adam's count of steps, the same for all networks */
  gradientSteps: z.number().int().nonnegative(),
});

/** Normalised rewards are clipped here: ten standard deviations are an accident. */
const REWARD_CLIP = 10;

export abstract class OffPolicyLearner<Options extends OffPolicyOptions> extends LoopLearner<Options> {
  override readonly policy: NetworkPolicy;

  /** over all updates */
  protected gradientSteps = 0;
  readonly #replay: Replay;
  #rewards: Statistics = { count: 0, mean: 0, squares: 0 };

  constructor(name: string, options: Options, setup: LearnerSetup, head: PolicySpec["head"]) {
    super(name, options, setup, head && { head });
    const weights = new Float32Array(policySize(this.spec));
    this.policy = makePolicy(this.spec, { weights, seed: setup.seed, name });
    this.#replay = new Replay(options.replayCapacity, this.spec);
  }

  /** Acts by the parameters as they are now, without the learner. @param seed for `explore` */
  frozenPolicy(seed: number): NetworkPolicy {
    const weights = this.policy.weights.slice();
    return makePolicy(this.spec, { weights, areFinal: true, seed, name: this.name });
  }

  /** The learner's networks and what their optimisers keep, by the names that a checkpoint has for them; shared. */
  protected abstract networks(): Readonly<Record<string, Float32Array>>;

  /** Called before each rollout. @param progress share of the run that is over, 0 to 1 */
  protected explore(_progress: number): void {}

  /**
   * One gradient step of every network.
   * @param tf undefined: without TensorFlow.js
   * @returns measures of it, which a line of progress has the means of
   */
  protected abstract descend(
    tf: Tf | undefined,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>>;

  /**
   * One step of an optimiser, its gradient shortened to `maxGradNorm`.
   * @param at steps that the optimiser has done, which no checkpoint keeps beside `gradientSteps`
   * @returns the loss before it
   * @throws CcparkError (failed-precondition) where the numbers are not finite
   */
  protected stepDown(
    { loss, gradient }: Descent,
    adam: Adam,
    at: { readonly steps: number; readonly learningRate: number },
  ): number {
    const norm = normOf(gradient);
    expectFinite(this, { loss, norm });
    adam.steps = at.steps;
    adam.step(gradient, Math.min(1, this.options.maxGradNorm / (norm + 1e-6)), at.learningRate);
    return loss;
  }

  /** Names of what `descend` measures. */
  protected abstract readonly measures: readonly string[];

  protected override stored(): CheckpointParts {
    const networks = Object.entries(this.networks()).map(([name, weights]) => [name, weights.slice()]);
    const state: z.infer<typeof STATE> = {
      replayCount: this.#replay.count,
      replayAt: this.#replay.at,
      rewardStatistics: { ...this.#rewards },
      gradientSteps: this.gradientSteps,
    };
    return {
      state,
      arrays: { ...Object.fromEntries(networks), ...this.#replay.arrays() } as Checkpoint["arrays"],
    };
  }

  /**
   * Goes on where a checkpoint was taken.
   * @throws CcparkError (invalid-argument) where state or arrays do not fit
   */
  restore(checkpoint: Checkpoint): void {
    const { header } = checkpoint;
    const state = readState(header, STATE);
    const { replayCount, replayAt, rewardStatistics, gradientSteps } = state;
    this.#replay.expectFits(this.name, state);
    const networks = Object.entries(this.networks());
    const stored = networks.map(([name, weights]) => readArray(checkpoint, name, weights.length));
    networks.forEach(([name], i) => {
      if (name.endsWith("adamV")) expectSquares(name, stored[i]!);
    });
    const replay = readReplay(checkpoint, this.spec, replayCount);
    networks.forEach(([, weights], i) => {
      weights.set(stored[i]!);
    });
    this.#replay.restore(replay, replayCount, replayAt);
    this.#rewards = rewardStatistics;
    this.gradientSteps = gradientSteps;
    this.restoreCounts(header);
  }

  protected override async update(
    tf: Tf | undefined,
    envs: AnyVectorEnv,
    { progress, learningRate }: UpdatePlace,
  ): Promise<Update> {
    this.explore(progress);
    const rng = this.root.fork(`noise.${this.updates}`);
    const batch = await collect(envs, this.policy, { steps: this.options.rolloutSteps, rng });
    this.#replay.add(batch, envs.numEnvs);
    for (const reward of batch.rewards) observe(this.#rewards, reward);
    return { batch, losses: this.#learnFromReplay(tf, learningRate) };
  }

  #learnFromReplay(tf: Tf | undefined, learningRate: number): Readonly<Record<string, number>> {
    const { gradientSteps, minibatchSize, learningStarts, normaliseRewards } = this.options;
    const means = new Means();
    const rng = this.root.fork(`sample.${this.updates}`);
    const steps = this.#replay.count >= learningStarts ? gradientSteps : 0;
    for (let step = 0; step < steps; step++) {
      const minibatch = this.#replay.sample(minibatchSize, rng);
      if (normaliseRewards) this.#normalise(minibatch.rewards);
      means.add(this.descend(tf, minibatch, learningRate));
    }
    return Object.fromEntries(this.measures.map((name) => [name, means.of(name)]));
  }

  #normalise(rewards: Float64Array): void {
    const { mean, squares, count } = this.#rewards;
    const std = Math.sqrt(squares / count + EPSILON);
    for (let i = 0; i < rewards.length; i++) {
      rewards[i] = Math.min(REWARD_CLIP, Math.max(-REWARD_CLIP, (rewards[i]! - mean) / std));
    }
  }
}

/**
 * As `LearnerSpec.load`; options replace stored ones, but not `hidden` and `replayCapacity`.
 * @param about.readOptions fills in defaults and checks
 * @param about.head of the learner's policy
 * @throws CcparkError (invalid-argument) where spaces, layers, state or arrays do not fit
 */
export function loadOffPolicy<Options extends OffPolicyOptions, Loaded extends OffPolicyLearner<Options>>(
  checkpoint: Checkpoint,
  setup: Omit<LearnerSetup, "seed">,
  about: {
    readonly head: PolicySpec["head"];
    readonly readOptions: (given: Readonly<Record<string, unknown>>) => Options;
    readonly make: (setup: LearnerSetup) => Loaded;
  },
): Loaded {
  const { head, readOptions, make } = about;
  const { header } = checkpoint;
  checkSpaces(header, setup);
  const given = { ...header.options, ...setup.options };
  const stored = readOptions(header.options);
  const wanted = readOptions(given);
  expectSameHidden(stored.hidden, wanted.hidden);
  if (wanted.replayCapacity !== stored.replayCapacity) {
    throw new CcparkError(
      "invalid-argument",
      `[checkpoint] replayCapacity: got ${wanted.replayCapacity}, expected the checkpoint's ${stored.replayCapacity}`,
    );
  }
  // before any network is made: the header may ask for networks that the file does not fill
  readArray(checkpoint, "policy", policySize({ ...setup, hidden: stored.hidden, ...(head && { head }) }));
  const learner = make({ ...setup, options: given, seed: header.seed, env: setup.env ?? header.env });
  learner.restore(checkpoint);
  return learner;
}
