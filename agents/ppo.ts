/**
 * Proximal policy optimisation in one file: options, loss, rollout, update, loop.
 *
 * Schulman et al. 2017, "Proximal Policy Optimization Algorithms" (arXiv:1707.06347), with the details that matter in
 * practice (Huang et al. 2022, "The 37 Implementation Details of PPO"), in the spirit of cleanrl. One thing differs from
 * most copies: an episode that ran out of time is worth V(last observation), one that ended is worth 0.
 *
 * Acting is a pass over typed arrays (nn/gaussian-policy.ts); TensorFlow.js computes values and gradients. All randomness
 * comes from named forks of the seed and of the number of the update, so a checkpoint needs no generator state.
 *
 * Left out: recurrent policies, discrete actions, clipping of the value loss (no gain: Andrychowicz et al. 2021).
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { CcparkError } from "../core/errors.ts";
import { exp } from "../core/math.ts";
import { Rng } from "../core/random.ts";
import type { AnyVectorEnv } from "../envs/env.ts";
import {
  type Checkpoint,
  checkSpaces,
  type EnvDescription,
  NO_DESCRIPTION,
  readArray,
  readState,
  restoreSpaces,
  storeSpace,
} from "./checkpoint.ts";
import type { Learner, LearnerSetup, LearnerSpec, Progress } from "./learner.ts";
import { Adam } from "./nn/adam.ts";
import { type Batch, gather, type Minibatch, makeBatch, shuffle, valuesOf } from "./nn/batch.ts";
import { computeGae } from "./nn/gae.ts";
import { GaussianPolicy, LOG_2_PI, type PolicySpec, policyLayout, policySize } from "./nn/gaussian-policy.ts";
import { initialiseMlp, type MlpLayout, mlpLayout } from "./nn/mlp.ts";
import { lossAndGradient, mlpTensor, normOf, toTensors } from "./nn/mlp-tensors.ts";
import { choice, FLAG, type OptionKind, readOptions, real, WIDTHS, whole } from "./nn/options.ts";
import { EPSILON, meanOf, observe, RunningObservations, type Statistics, variance } from "./nn/statistics.ts";
import { rescaleValues, type ValueScale } from "./nn/value-scale.ts";
import { BACKEND_REQUESTS, type BackendRequest, chooseBackend } from "./tfjs/tfjs-backend.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

// ---------------------------------------------------------------------------------------------------------- options

export interface PpoOptions {
  /** widths of the hidden tanh layers, the same for policy and value */
  readonly hidden: readonly number[];
  /** steps per environment between two updates; a batch is this times the number of environments */
  readonly rolloutSteps: number;
  /** passes over a batch per update */
  readonly epochs: number;
  /** rows per gradient step; the batch is cut into equal parts of about this size */
  readonly minibatchSize: number;
  /** Adam's step size at the start */
  readonly learningRate: number;
  /** whether the step size falls linearly to 0 over the run */
  readonly annealLearningRate: boolean;
  /** discount per step, gamma */
  readonly gamma: number;
  /** lambda of generalised advantage estimation */
  readonly gaeLambda: number;
  /** epsilon of the clipped surrogate: how far the probability ratio may count */
  readonly clipCoef: number;
  /** weight of the value loss */
  readonly valueCoef: number;
  /** weight of the entropy bonus */
  readonly entropyCoef: number;
  /** largest norm of the gradient over all parameters */
  readonly maxGradNorm: number;
  /** ends the epochs of an update once the approximate KL divergence exceeds 1.5 times this; 0: never */
  readonly targetKl: number;
  /**
   * log of the standard deviation at the start, in units of half the action box; e^-2 changes a window by 10 % per step
   * where the action doubles or halves it at most. Measured: with e^-0.7 the noise itself fills the queue and little is
   * learnt in 150 000 steps
   */
  readonly initialLogStd: number;
  /** divides rewards by the running standard deviation of discounted returns */
  readonly scaleRewards: boolean;
  /** lets the value network learn targets of mean 0 and standard deviation 1 (PopArt) */
  readonly normaliseValues: boolean;
  /** subtracts the running mean of each observation and divides by its running standard deviation */
  readonly normaliseObservations: boolean;
  /** updates between two resets of the environments with a fresh seed; a checkpoint there resumes to the same bytes */
  readonly resetEvery: number;
  /** TensorFlow.js backend */
  readonly backend: BackendRequest;
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

const KINDS: { readonly [Name in keyof PpoOptions]: OptionKind } = {
  hidden: WIDTHS,
  rolloutSteps: whole(1, 1e6),
  epochs: whole(1, 1000),
  minibatchSize: whole(1, 1e6),
  learningRate: real(0, 1e9),
  annealLearningRate: FLAG,
  gamma: real(0, 1),
  gaeLambda: real(0, 1),
  clipCoef: real(0, 10),
  valueCoef: real(0, 1e6),
  entropyCoef: real(-1e6, 1e6),
  maxGradNorm: real(1e-9, 1e9),
  targetKl: real(0, 1e6),
  initialLogStd: real(-10, 3),
  scaleRewards: FLAG,
  normaliseValues: FLAG,
  normaliseObservations: FLAG,
  resetEvery: whole(1, 1e9),
  backend: choice(BACKEND_REQUESTS),
};

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function ppoOptions(given: Readonly<Record<string, unknown>> = {}): PpoOptions {
  return readOptions("ppo", KINDS, PPO_DEFAULTS, given);
}

/** Rewards are clipped here after scaling: ten standard deviations of a return in one step is an accident. */
const REWARD_CLIP = 10;

// ------------------------------------------------------------------------------------------------------------ learner

/** What a checkpoint keeps beside options and arrays. */
const STATE = z.object({
  /** Adam's count of steps */
  adamSteps: z.number().int().nonnegative(),
  /** running statistics of discounted returns, for the scaling of rewards */
  returnStatistics: z.object({
    count: z.number().int().nonnegative(),
    mean: z.number(),
    squares: z.number().nonnegative(),
  }),
  /** V = mean + std x (what the value network says) */
  valueScale: z.object({ mean: z.number(), std: z.number().positive() }),
  /** observations that went into `observationMean` and `observationSquares` */
  observationCount: z.number().int().nonnegative(),
});

const valueLayoutOf = ({ observationSpace, hidden }: PolicySpec): MlpLayout =>
  mlpLayout([observationSpace.shape[0], ...hidden, 1]);

export class Ppo implements Learner {
  readonly name: string = "ppo";
  readonly options: PpoOptions;
  readonly seed: number;
  readonly env: EnvDescription;
  readonly spec: PolicySpec;
  /** acts with the current parameters */
  readonly policy: GaussianPolicy;
  backendDetail = "";

  readonly #root: Rng;
  readonly #valueLayout: MlpLayout;
  /** policy and value parameters in one array; the policy sees its part of it */
  readonly #parameters: Float32Array;
  readonly #value: Float32Array;
  readonly #adam: Adam;
  #steps = 0;
  #updates = 0;
  #episodes = 0;
  #returns: Statistics = { count: 0, mean: 0, squares: 0 };
  #valueScale: ValueScale = { mean: 0, std: 1 };
  /** discounted return so far of each environment's episode */
  #running: Float64Array = new Float64Array(0);
  readonly #observations: RunningObservations;

  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range */
  constructor(setup: LearnerSetup) {
    this.options = ppoOptions(setup.options);
    this.seed = setup.seed;
    this.env = setup.env ?? NO_DESCRIPTION;
    this.#root = Rng.fromSeed(setup.seed).fork("ppo");
    const { observationSpace, actionSpace } = setup;
    const { hidden } = this.options;
    this.spec = { observationSpace, actionSpace, hidden };
    this.#valueLayout = valueLayoutOf(this.spec);
    const policyParameters = policySize(this.spec);
    this.#parameters = new Float32Array(policyParameters + this.#valueLayout.size);
    const weights = this.#parameters.subarray(0, policyParameters);
    this.#value = this.#parameters.subarray(policyParameters);
    this.#adam = new Adam(this.#parameters);
    this.#observations = new RunningObservations(observationSpace.shape[0]);

    const layout = policyLayout(this.spec);
    const hiddenGains = hidden.map(() => Math.SQRT2);
    initialiseMlp(layout, [...hiddenGains, 0.01], this.#root.fork("init.policy"), weights);
    weights.fill(this.options.initialLogStd, layout.size);
    initialiseMlp(this.#valueLayout, [...hiddenGains, 1], this.#root.fork("init.value"), this.#value);
    this.policy = new GaussianPolicy(this.spec, { weights, seed: setup.seed, name: this.name });
    if (this.options.normaliseObservations) this.policy.statistics = this.#observations.frozen();
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. Options replace stored ones, but not `hidden`. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): Ppo {
    const { header } = checkpoint;
    checkSpaces(header, setup);
    const options = ppoOptions({ ...header.options, ...setup.options });
    const stored = ppoOptions(header.options).hidden;
    if (options.hidden.join() !== stored.join()) {
      throw new CcparkError(
        "invalid-argument",
        `[checkpoint] other hidden layers than the checkpoint: got [${options.hidden}], expected [${stored}]`,
      );
    }
    const state = readState(header, STATE);
    // Lengths come first: a header may ask for networks that the arrays do not fill.
    const spec: PolicySpec = { ...setup, hidden: stored };
    const width = spec.observationSpace.shape[0];
    const [policyParameters, valueParameters] = [policySize(spec), valueLayoutOf(spec).size];
    const policy = readArray(checkpoint, "policy", policyParameters);
    const value = readArray(checkpoint, "value", valueParameters);
    const adamM = readArray(checkpoint, "adamM", policyParameters + valueParameters);
    const adamV = readArray(checkpoint, "adamV", policyParameters + valueParameters);
    const observationMean = readArray(checkpoint, "observationMean", width);
    const observationSquares = readArray(checkpoint, "observationSquares", width);

    const ppo = new Ppo({
      ...setup,
      options: { ...options },
      seed: header.seed,
      env: setup.env ?? header.env,
    });
    ppo.policy.weights.set(policy);
    ppo.#value.set(value);
    ppo.#adam.m.set(adamM);
    ppo.#adam.v.set(adamV);
    ppo.#adam.steps = state.adamSteps;
    ppo.#observations.mean.set(observationMean);
    ppo.#observations.squares.set(observationSquares);
    ppo.#observations.count = state.observationCount;
    ppo.#steps = header.steps;
    ppo.#updates = header.updates;
    ppo.#episodes = header.episodes;
    ppo.#returns = state.returnStatistics;
    ppo.#valueScale = state.valueScale;
    if (ppo.options.normaliseObservations) ppo.policy.statistics = ppo.#observations.frozen();
    return ppo;
  }

  get steps(): number {
    return this.#steps;
  }

  get updates(): number {
    return this.#updates;
  }

  act(obs: Float32Array, mode: "explore" | "greedy"): Float32Array {
    return this.policy.act(obs, mode);
  }

  dispose(): void {}

  checkpoint(): Checkpoint {
    const { backend: _backend, ...options } = this.options; // a matter of the machine, not of the run
    const state: z.infer<typeof STATE> = {
      adamSteps: this.#adam.steps,
      returnStatistics: { ...this.#returns },
      valueScale: { ...this.#valueScale },
      observationCount: this.#observations.count,
    };
    return {
      header: {
        learner: this.name,
        env: this.env,
        observationSpace: storeSpace(this.spec.observationSpace),
        actionSpace: storeSpace(this.spec.actionSpace),
        options: { ...options, hidden: [...options.hidden] },
        seed: this.seed,
        steps: this.#steps,
        updates: this.#updates,
        episodes: this.#episodes,
        state,
      },
      arrays: {
        policy: this.policy.weights.slice(),
        value: this.#value.slice(),
        adamM: this.#adam.m.slice(),
        adamV: this.#adam.v.slice(),
        observationMean: this.#observations.mean.slice(),
        observationSquares: this.#observations.squares.slice(),
      },
    };
  }

  // ----------------------------------------------------------------------------------------------------------- loop

  /** Losses are means over the update's gradient steps, see PPO below. */
  async *learn(envs: AnyVectorEnv, totalSteps: number): AsyncGenerator<Progress, void, undefined> {
    checkSpaces(this.spec, envs);
    const backend = await chooseBackend(this.options.backend);
    this.backendDetail = `${backend.name}: ${backend.detail}`;
    const batchRows = envs.numEnvs * this.options.rolloutSteps;
    const totalUpdates = Math.ceil(totalSteps / batchRows);
    let started = false;
    while (this.#updates < totalUpdates) {
      if (!started || this.#updates % this.options.resetEvery === 0) await this.#resetEnvs(envs);
      started = true;
      const batch = await this.#rollout(envs);
      const fraction = this.options.annealLearningRate ? 1 - this.#updates / totalUpdates : 1;
      const progress = this.#update(
        backend.tf,
        batch,
        envs.numEnvs,
        this.options.learningRate * fraction,
        totalSteps,
      );
      yield progress;
    }
  }

  async #resetEnvs(envs: AnyVectorEnv): Promise<void> {
    const rng = this.#root.fork(`envs.${this.#updates}`);
    await envs.reset(rng.integer(2 ** 20) * 2 ** 32 + rng.integer(2 ** 32));
    this.#running = new Float64Array(envs.numEnvs);
  }

  // -------------------------------------------------------------------------------------------------------- rollout

  async #rollout(envs: AnyVectorEnv): Promise<Batch> {
    const { rolloutSteps, gamma } = this.options;
    const { numEnvs } = envs;
    const width = this.spec.observationSpace.shape[0];
    const count = this.spec.actionSpace.shape[0];
    const batch = makeBatch(rolloutSteps, numEnvs, width, count);
    const noise = this.#root.fork(`noise.${this.#updates}`);
    const actions = new Float32Array(numEnvs * count);
    for (let t = 0; t < rolloutSteps; t++) {
      const row = t * numEnvs;
      const observations = batch.observations.subarray(row * width, (row + numEnvs) * width);
      if (this.options.normaliseObservations) this.#observations.observe(envs.observations);
      this.policy.normalise(envs.observations, observations);
      this.policy.sample(observations, numEnvs, noise, {
        actions,
        raw: batch.actions.subarray(row * count, (row + numEnvs) * count),
        logProbs: batch.logProbs.subarray(row, row + numEnvs),
      });
      await envs.step(actions);
      for (let env = 0; env < numEnvs; env++) {
        const reward = envs.rewards[env]!;
        const terminated = envs.terminated[env]!;
        const truncated = terminated ? 0 : envs.truncated[env]!;
        batch.rewards[row + env] = reward;
        batch.terminated[row + env] = terminated;
        batch.truncated[row + env] = truncated;
        if (truncated) {
          const final = new Float32Array(width);
          this.policy.normalise(envs.finalObservations.subarray(env * width, (env + 1) * width), final);
          batch.truncatedRows.push(row + env);
          batch.truncatedObservations.push(final);
        }
        this.#running[env] = this.#running[env]! * gamma + reward;
        observe(this.#returns, this.#running[env]!);
        if (terminated || truncated) this.#running[env] = 0;
      }
      if (envs.endedEpisodes.length > 0) batch.episodes.push(...envs.endedEpisodes);
    }
    this.policy.normalise(envs.observations, batch.last);
    return batch;
  }

  // --------------------------------------------------------------------------------------------------------- update

  #update(tf: Tf, batch: Batch, numEnvs: number, learningRate: number, totalSteps: number): Progress {
    const { options } = this;
    const { values, nextValues } = valuesOf(
      tf,
      { layout: this.#valueLayout, weights: this.#value, scale: this.#valueScale },
      batch,
      numEnvs,
    );
    const scale = options.scaleRewards
      ? 1 / Math.sqrt(this.#returns.squares / this.#returns.count + EPSILON)
      : 1;
    const rewards = options.scaleRewards
      ? batch.rewards.map((r) => Math.min(REWARD_CLIP, Math.max(-REWARD_CLIP, r * scale)))
      : batch.rewards;
    const { advantages, targets } = computeGae({
      numEnvs,
      rewards,
      values,
      nextValues,
      terminated: batch.terminated,
      truncated: batch.truncated,
      gamma: options.gamma,
      lambda: options.gaeLambda,
    });

    if (options.normaliseValues) {
      const first = this.#updates === 0;
      this.#valueScale = rescaleValues(this.#valueScale, targets, this.#valueLayout, this.#value, first);
    }
    const { mean, std } = this.#valueScale;
    const scaledTargets = targets.map((target) => (target - mean) / std);

    const shuffles = this.#root.fork(`shuffle.${this.#updates}`);
    const order = Uint32Array.from({ length: batch.rows }, (_, i) => i);
    const parts = Math.max(1, Math.round(batch.rows / options.minibatchSize));
    const sums = { policyLoss: 0, valueLoss: 0, approxKl: 0, clipFraction: 0 };
    let gradientSteps = 0;
    epochs: for (let epoch = 0; epoch < options.epochs; epoch++) {
      shuffle(order, shuffles);
      for (let part = 0; part < parts; part++) {
        const from = Math.floor((part * batch.rows) / parts);
        const to = Math.floor(((part + 1) * batch.rows) / parts);
        const minibatch = gather(batch, advantages, scaledTargets, order.subarray(from, to));
        const step = this.#gradientStep(tf, minibatch, learningRate);
        sums.policyLoss += step.policyLoss;
        sums.valueLoss += step.valueLoss;
        sums.approxKl += step.approxKl;
        sums.clipFraction += step.clipFraction;
        gradientSteps += 1;
        if (options.targetKl > 0 && step.approxKl > 1.5 * options.targetKl) break epochs;
      }
    }

    this.#steps += batch.rows;
    this.#updates += 1;
    this.#episodes += batch.episodes.length;
    if (options.normaliseObservations) this.policy.statistics = this.#observations.frozen();
    const residuals = targets.map((target, i) => target - values[i]!);
    const targetVariance = variance(targets);
    return {
      steps: this.#steps,
      totalSteps,
      episodes: this.#episodes,
      meanEpisodeReturn: meanOf(batch.episodes.map((e) => e.episodeReturn)),
      meanScore: meanOf(batch.episodes.map((e) => e.score)),
      meanUtilisation: meanOf(batch.episodes.map((e) => e.utilisation)),
      meanQueueDelayMs: meanOf(batch.episodes.map((e) => e.meanQueueDelayMs)),
      losses: {
        policyLoss: sums.policyLoss / gradientSteps,
        valueLoss: sums.valueLoss / gradientSteps,
        entropy: this.policy.entropy(),
        approxKl: sums.approxKl / gradientSteps,
        clipFraction: sums.clipFraction / gradientSteps,
        explainedVariance: targetVariance === 0 ? Number.NaN : 1 - variance(residuals) / targetVariance,
      },
    };
  }

  #gradientStep(
    tf: Tf,
    minibatch: Minibatch,
    learningRate: number,
  ): { policyLoss: number; valueLoss: number; approxKl: number; clipFraction: number } {
    const { clipCoef, valueCoef, entropyCoef } = this.options;
    const { rows } = minibatch;
    const layout = policyLayout(this.spec);
    const gradient = new Float32Array(this.#parameters.length);
    const policyTensors = 2 * layout.layers.length;
    const { loss, logRatio, valueLoss } = tf.tidy(() => {
      const parameters = [
        ...toTensors(tf, layout, this.policy.weights),
        tf.tensor1d(this.policy.weights.slice(layout.size)),
        ...toTensors(tf, this.#valueLayout, this.#value),
      ];
      const observations = tf.tensor2d(minibatch.observations, [rows, this.spec.observationSpace.shape[0]]);
      const actions = tf.tensor2d(minibatch.actions, [rows, this.spec.actionSpace.shape[0]]);
      const logProbs = tf.tensor1d(minibatch.logProbs);
      const advantages = tf.tensor1d(minibatch.advantages);
      const targets = tf.tensor2d(minibatch.targets, [rows, 1]);
      let logRatioTensor: Tensor | undefined;
      let valueLossTensor: Tensor | undefined;
      const lossOf = (...p: Tensor[]): Tensor => {
        // log pi(a|s) = -1/2 sum((a - mu)^2 / sigma^2 + log 2 pi) - sum(log sigma)
        const logStd = p[policyTensors]!;
        const mean = mlpTensor(tf, p.slice(0, policyTensors), observations);
        const z = tf.mul(tf.sub(actions, mean), tf.exp(tf.neg(logStd)));
        const sumLogStd = tf.sum(logStd);
        const squares = tf.mul(tf.sum(tf.square(z), 1), -0.5);
        const logProb = tf.sub(tf.sub(squares, sumLogStd), 0.5 * LOG_2_PI * this.spec.actionSpace.shape[0]);
        const ratioLog = tf.sub(logProb, logProbs);
        // L^CLIP, arXiv:1707.06347 equation 7
        const ratio = tf.exp(ratioLog);
        const clipped = tf.clipByValue(ratio, 1 - clipCoef, 1 + clipCoef);
        const surrogate = tf.mean(tf.minimum(tf.mul(ratio, advantages), tf.mul(clipped, advantages)));
        // 1/2 (V - target)^2
        const value = mlpTensor(tf, p.slice(policyTensors + 1), observations);
        const halfSquares = tf.mul(tf.mean(tf.square(tf.sub(value, targets))), 0.5);
        logRatioTensor = tf.keep(ratioLog);
        valueLossTensor = tf.keep(halfSquares);
        // equation 9; the entropy is sum(log sigma) and a constant
        return tf.sub(tf.sub(tf.mul(halfSquares, valueCoef), surrogate), tf.mul(sumLogStd, entropyCoef));
      };
      const result = {
        loss: lossAndGradient(tf, lossOf, parameters, gradient),
        logRatio: logRatioTensor!.dataSync() as Float32Array,
        valueLoss: valueLossTensor!.dataSync()[0]!,
      };
      logRatioTensor!.dispose();
      valueLossTensor!.dispose();
      return result;
    });

    const norm = normOf(gradient);
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      throw new CcparkError(
        "failed-precondition",
        `[ppo] training diverged in update ${this.#updates + 1}, after ${this.#steps} steps: got a loss of ${loss} and a gradient of norm ${norm}, expected finite numbers; try a smaller learning rate`,
      );
    }
    this.#adam.step(gradient, Math.min(1, this.options.maxGradNorm / (norm + 1e-6)), learningRate);

    // KL(old || new) by the low-variance estimator (r - 1) - log r, http://joschu.net/blog/kl-approx.html
    let approxKl = 0;
    let outside = 0;
    let surrogate = 0;
    for (let r = 0; r < rows; r++) {
      const ratio = exp(logRatio[r]!);
      approxKl += ratio - 1 - logRatio[r]!;
      if (Math.abs(ratio - 1) > clipCoef) outside += 1;
      const advantage = minibatch.advantages[r]!;
      surrogate += Math.min(
        ratio * advantage,
        Math.min(1 + clipCoef, Math.max(1 - clipCoef, ratio)) * advantage,
      );
    }
    return {
      policyLoss: -surrogate / rows,
      valueLoss,
      approxKl: approxKl / rows,
      clipFraction: outside / rows,
    };
  }
}

/**
 * Losses of its lines of progress:
 *
 * | name | unit | meaning |
 * | --- | --- | --- |
 * | policyLoss, valueLoss | 1 | clipped surrogate (negative: improvement), half squared error of scaled returns |
 * | entropy | nat | of the policy's Gaussian, per action vector |
 * | approxKl | nat | divergence between the policies before and after, mean over gradient steps |
 * | clipFraction | 0-1 | share of rows whose probability ratio left the clip range |
 * | explainedVariance | 1 at best | 1 - Var(target - V) / Var(target) |
 */
export const PPO: LearnerSpec = {
  name: "ppo",
  title: "PPO",
  source: "Schulman et al. 2017, arXiv:1707.06347",
  summary: "proximal policy optimisation with a Gaussian policy",
  options: KINDS,
  defaults: { ...PPO_DEFAULTS },
  // A step is a round trip, and what an action does shows within a few: a short horizon has less noise. The entropy
  // bonus is negative: exploring by a few percent of the window costs more than a millisecond of queue, so a policy that
  // goes on exploring learns to stay below the full link.
  tuned: { rolloutSteps: 64, gamma: 0.95, entropyCoef: -0.005 },
  checkOptions: (given) => void ppoOptions(given),
  make: (setup) => new Ppo(setup),
  load: (checkpoint, setup) => Ppo.fromCheckpoint(checkpoint, setup),
  policy(checkpoint, spaces, seed) {
    const { spec, policy } = Ppo.fromCheckpoint(checkpoint, spaces);
    const { weights, statistics } = policy;
    return new GaussianPolicy(spec, { weights, ...(statistics && { statistics }), seed, name: "ppo" });
  },
};
