/**
 * What learners off policy have in common: transitions that are remembered, the loop of collecting some and learning from many,
 * and their checkpoints, memory included. A learner adds its options, its networks and what a gradient step is.
 *
 * All randomness comes from named forks of the seed and of the number of the update, so a checkpoint needs no generator
 * state.
 */
import { z } from "zod";
import { CcparkError } from "../../../core/errors.ts";
import { Rng } from "../../../core/random.ts";
import type { AnyVectorEnv } from "../../../envs/env.ts";
import {
  type Checkpoint,
  checkSpaces,
  type EnvDescription,
  NO_DESCRIPTION,
  readArray,
  readState,
  storeBox,
  storeSpace,
} from "../../checkpoint.ts";
import type { CommonOptions, Learner, LearnerSetup, Progress } from "../../learner.ts";
import { type BackendRequest, chooseBackend } from "../../tfjs/tfjs-backend.ts";
import type { Tf } from "../../tfjs/tfjs-patches.ts";
import { episodeMeans } from "../batch.ts";
import { expectSameHidden, expectSquares } from "../learner-checks.ts";
import { makePolicy } from "../make-policy.ts";
import { type NetworkPolicy, type PolicySpec, policySize } from "../network-policy.ts";
import { flag, type OptionKind, real, whole, widths } from "../options.ts";
import { collect } from "../rollout.ts";
import { EPSILON, Means, observe, STATISTICS, type Statistics } from "../statistics.ts";
import { Replay, readReplay, type Transitions } from "./replay.ts";

/** What each means and may be: OFF_POLICY_KINDS; `ccpark explain hyperparameters` prints it. */
export interface OffPolicyOptions extends CommonOptions {
  readonly hidden: readonly number[];
  readonly rolloutSteps: number;
  readonly gradientSteps: number;
  readonly minibatchSize: number;
  readonly replayCapacity: number;
  readonly learningStarts: number;
  readonly learningRate: number;
  readonly annealLearningRate: boolean;
  readonly gamma: number;
  readonly tau: number;
  readonly maxGradNorm: number;
  readonly normaliseRewards: boolean;
  readonly backend: BackendRequest;
}

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

type Arrays = Readonly<Record<string, Float32Array | Float64Array>>;

/** What a checkpoint keeps beside options and arrays. */
const STATE = z.object({
  /** transitions that are kept, and where in the ring the next one goes */
  replayCount: z.number().int().nonnegative(),
  replayAt: z.number().int().nonnegative(),
  /** of all rewards so far */
  rewardStatistics: STATISTICS,
  /** Adam's count of steps, the same for all networks */
  gradientSteps: z.number().int().nonnegative(),
});

/** Normalised rewards are clipped here: ten standard deviations are an accident. */
const REWARD_CLIP = 10;

export abstract class OffPolicyLearner<Options extends OffPolicyOptions> implements Learner {
  readonly name: string;
  readonly options: Options;
  readonly seed: number;
  readonly env: EnvDescription;
  readonly spec: PolicySpec;
  /** acts with the current parameters */
  readonly policy: NetworkPolicy;
  backendDetail = "";

  protected readonly root: Rng;
  /** over all updates */
  protected gradientSteps = 0;
  readonly #replay: Replay;
  #rewards: Statistics = { count: 0, mean: 0, squares: 0 };
  #steps = 0;
  #updates = 0;
  #episodes = 0;

  constructor(name: string, options: Options, setup: LearnerSetup, head: PolicySpec["head"]) {
    this.name = name;
    this.options = options;
    this.seed = setup.seed;
    this.env = setup.env ?? NO_DESCRIPTION;
    this.root = Rng.fromSeed(setup.seed).fork(name);
    const { observationSpace, actionSpace } = setup;
    this.spec = { observationSpace, actionSpace, hidden: options.hidden, ...(head && { head }) };
    const weights = new Float32Array(policySize(this.spec));
    this.policy = makePolicy(this.spec, { weights, seed: setup.seed, name });
    this.#replay = new Replay(options.replayCapacity, this.spec);
  }

  get steps(): number {
    return this.#steps;
  }

  get updates(): number {
    return this.#updates;
  }

  begin(): void {}

  act(obs: Float32Array, mode: "explore" | "greedy"): Float32Array {
    return this.policy.act(obs, mode);
  }

  dispose(): void {}

  /** Acts by the parameters as they are now, without the learner. @param seed for `explore` */
  frozenPolicy(seed: number): NetworkPolicy {
    return makePolicy(this.spec, { weights: this.policy.weights, seed, name: this.name });
  }

  /** The learner's networks and what their optimisers keep, by the names that a checkpoint has for them; shared. */
  protected abstract networks(): Readonly<Record<string, Float32Array>>;

  /** Called before each rollout. @param progress share of the run that is over, 0 to 1 */
  protected explore(_progress: number): void {}

  /** One gradient step of every network. @returns measures of it, which a line of progress has the means of */
  protected abstract descend(
    tf: Tf,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>>;

  /** Names of what `descend` measures. */
  protected abstract readonly measures: readonly string[];

  checkpoint(): Checkpoint {
    const { backend: _backend, ...options } = this.options; // a matter of the machine, not of the run
    const state: z.infer<typeof STATE> = {
      replayCount: this.#replay.count,
      replayAt: this.#replay.at,
      rewardStatistics: { ...this.#rewards },
      gradientSteps: this.gradientSteps,
    };
    const networks = Object.entries(this.networks()).map(([name, weights]) => [name, weights.slice()]);
    return {
      header: {
        learner: this.name,
        env: this.env,
        observationSpace: storeBox(this.spec.observationSpace),
        actionSpace: storeSpace(this.spec.actionSpace),
        options: { ...options, hidden: [...options.hidden] },
        seed: this.seed,
        steps: this.#steps,
        updates: this.#updates,
        episodes: this.#episodes,
        state,
      },
      arrays: { ...Object.fromEntries(networks), ...this.#replay.arrays() } as Arrays,
    };
  }

  /**
   * Goes on where a checkpoint was taken.
   * @throws CcparkError (invalid-argument) where state or arrays do not fit
   */
  restore(checkpoint: Checkpoint): void {
    const { header } = checkpoint;
    const { replayCount, replayAt, rewardStatistics, gradientSteps } = readState(header, STATE);
    const { replayCapacity } = this.options;
    // a ring that is not full yet goes on behind its last; one that is full anywhere
    const fits = replayCount < replayCapacity ? replayAt === replayCount : replayAt < replayCapacity;
    if (replayCount > replayCapacity || !fits) {
      throw new CcparkError(
        "invalid-argument",
        `[checkpoint] state of \`${this.name}\`, replay: got ${replayCount} transitions, the next at ${replayAt}, expected what a ring of replayCapacity ${replayCapacity} can have`,
      );
    }
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
    this.#steps = header.steps;
    this.#updates = header.updates;
    this.#episodes = header.episodes;
  }

  /** Losses are means over the update's gradient steps; NaN before there were any. */
  async *learn(envs: AnyVectorEnv, totalSteps: number): AsyncGenerator<Progress, void, undefined> {
    checkSpaces(this.spec, envs);
    const { options } = this;
    const backend = await chooseBackend(options.backend);
    this.backendDetail = `${backend.name}: ${backend.detail}`;
    const totalUpdates = Math.ceil(totalSteps / (envs.numEnvs * options.rolloutSteps));
    let started = false;
    while (this.#updates < totalUpdates) {
      if (!started || this.#updates % options.resetEvery === 0) await this.#resetEnvs(envs);
      started = true;
      const progress = this.#updates / totalUpdates;
      this.explore(progress);
      const rng = this.root.fork(`noise.${this.#updates}`);
      const batch = await collect(envs, this.policy, { steps: options.rolloutSteps, rng });
      this.#replay.add(batch, envs.numEnvs);
      for (const reward of batch.rewards) observe(this.#rewards, reward);
      const learningRate = options.learningRate * (options.annealLearningRate ? 1 - progress : 1);
      const losses = this.#learnFromReplay(backend.tf, learningRate);
      this.#steps += batch.rows;
      this.#updates += 1;
      this.#episodes += batch.episodes.length;
      yield { steps: this.#steps, totalSteps, episodes: this.#episodes, ...episodeMeans(batch), losses };
    }
  }

  async #resetEnvs(envs: AnyVectorEnv): Promise<void> {
    const rng = this.root.fork(`envs.${this.#updates}`);
    await envs.reset(rng.integer(2 ** 20) * 2 ** 32 + rng.integer(2 ** 32));
  }

  #learnFromReplay(tf: Tf, learningRate: number): Readonly<Record<string, number>> {
    const { gradientSteps, minibatchSize, learningStarts, normaliseRewards } = this.options;
    const means = new Means();
    const rng = this.root.fork(`sample.${this.#updates}`);
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
