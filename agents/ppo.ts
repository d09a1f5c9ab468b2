/**
 * Proximal policy optimisation in one file: options, loss, rollout, update, loop.
 *
 * Schulman et al. 2017, "Proximal Policy Optimization Algorithms" (arXiv:1707.06347), with the details that matter in
 * practice (Huang et al. 2022, "The 37 Implementation Details of PPO"), in the spirit of cleanrl. One thing differs from
 * most copies: an episode that ran out of time is worth V(last observation), one that ended is worth 0.
 *
 * Acting is a pass over typed arrays (nn/network-policy.ts): a Gaussian over a box, a softmax over choices. TensorFlow.js
 * computes values and gradients. All randomness comes from named forks of the seed and of the number of the update, so a
 * checkpoint needs no generator state.
 *
 * Left out: recurrent policies, clipping of the value loss (no gain: Andrychowicz et al. 2021).
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { z } from "zod";
import { CcparkError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import type { AnyVectorEnv } from "../envs/env.ts";
import {
  type Checkpoint,
  checkSpaces,
  type EnvDescription,
  NO_DESCRIPTION,
  readState,
  restoreSpaces,
  storeBox,
  storeSpace,
} from "./checkpoint.ts";
import type { Learner, LearnerSetup, LearnerSpec, Progress } from "./learner.ts";
import { ActorCritic, makePolicy, NETWORK_STATE, readNetworkArrays } from "./nn/actor-critic.ts";
import {
  type Batch,
  episodeMeans,
  gather,
  type Minibatch,
  normaliseBatch,
  shuffled,
  valuesOf,
} from "./nn/batch.ts";
import { computeGae } from "./nn/gae.ts";
import { mlpTensor } from "./nn/mlp-tensors.ts";
import type { NetworkPolicy, PolicySpec } from "./nn/network-policy.ts";
import { choice, FLAG, type OptionKind, readOptions, real, WIDTHS, whole } from "./nn/options.ts";
import { type Surrogate, surrogateOf } from "./nn/ratios.ts";
import { collect } from "./nn/rollout.ts";
import { explainedVariance, Means, RewardScale, STATISTICS } from "./nn/statistics.ts";
import { rescaleValues } from "./nn/value-scale.ts";
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
   * learnt in 150 000 steps. Choices have none: they begin about equally likely
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

// ------------------------------------------------------------------------------------------------------------ learner

/** What a checkpoint keeps beside options and arrays. */
const STATE = NETWORK_STATE.extend({ returnStatistics: STATISTICS });

/** Of one gradient step. */
type Losses = Surrogate & { readonly valueLoss: number };

export class Ppo implements Learner {
  readonly name: string = "ppo";
  readonly options: PpoOptions;
  readonly seed: number;
  readonly env: EnvDescription;
  readonly spec: PolicySpec;
  backendDetail = "";

  readonly #root: Rng;
  readonly #networks: ActorCritic;
  readonly #rewardScale: RewardScale;
  #steps = 0;
  #updates = 0;
  #episodes = 0;

  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range */
  constructor(setup: LearnerSetup) {
    this.options = ppoOptions(setup.options);
    this.seed = setup.seed;
    this.env = setup.env ?? NO_DESCRIPTION;
    this.#root = Rng.fromSeed(setup.seed).fork("ppo");
    const { observationSpace, actionSpace } = setup;
    const { hidden, initialLogStd, normaliseObservations } = this.options;
    this.spec = { observationSpace, actionSpace, hidden };
    this.#networks = new ActorCritic(this.spec, {
      rng: this.#root,
      seed: setup.seed,
      name: this.name,
      initialLogStd,
      normalisesObservations: normaliseObservations,
    });
    this.#rewardScale = new RewardScale(this.options.gamma);
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
    const arrays = readNetworkArrays(checkpoint, { ...setup, hidden: stored });
    const env = setup.env ?? header.env;
    const ppo = new Ppo({ ...setup, options: { ...options }, seed: header.seed, env });
    ppo.#networks.restore(arrays, state);
    ppo.#rewardScale.statistics = state.returnStatistics;
    ppo.#steps = header.steps;
    ppo.#updates = header.updates;
    ppo.#episodes = header.episodes;
    return ppo;
  }

  /** Acts with the current parameters. */
  get policy(): NetworkPolicy {
    return this.#networks.policy;
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

  checkpoint(): Checkpoint {
    const { backend: _backend, ...options } = this.options; // a matter of the machine, not of the run
    const { adamSteps, valueScale, observationCount } = this.#networks.state();
    const returnStatistics = { ...this.#rewardScale.statistics };
    const state: z.infer<typeof STATE> = { adamSteps, returnStatistics, valueScale, observationCount };
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
      arrays: { ...this.#networks.arrays() },
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
      const { learningRate, annealLearningRate } = this.options;
      const fraction = annealLearningRate ? 1 - this.#updates / totalUpdates : 1;
      const losses = this.#update(backend.tf, batch, envs.numEnvs, learningRate * fraction);
      yield { steps: this.#steps, totalSteps, episodes: this.#episodes, ...episodeMeans(batch), losses };
    }
  }

  async #resetEnvs(envs: AnyVectorEnv): Promise<void> {
    const rng = this.#root.fork(`envs.${this.#updates}`);
    await envs.reset(rng.integer(2 ** 20) * 2 ** 32 + rng.integer(2 ** 32));
    this.#rewardScale.begin(envs.numEnvs);
  }

  // -------------------------------------------------------------------------------------------------------- rollout

  async #rollout(envs: AnyVectorEnv): Promise<Batch> {
    const { rolloutSteps, normaliseObservations } = this.options;
    const { policy, observations: known } = this.#networks;
    const rng = this.#root.fork(`noise.${this.#updates}`);
    const batch = await collect(envs, policy, { steps: rolloutSteps, rng });
    if (normaliseObservations) known.observe(batch.observations);
    normaliseBatch(batch, policy);
    for (let row = 0; row < batch.rows; row++) {
      const isOver = batch.terminated[row]! + batch.truncated[row]! > 0;
      this.#rewardScale.observe(row % envs.numEnvs, batch.rewards[row]!, isOver);
    }
    return batch;
  }

  // --------------------------------------------------------------------------------------------------------- update

  #update(tf: Tf, batch: Batch, numEnvs: number, learningRate: number): Readonly<Record<string, number>> {
    const { options } = this;
    const networks = this.#networks;
    const { valueLayout: layout, value: weights } = networks;
    const network = { layout, weights, scale: networks.valueScale };
    const { values, nextValues } = valuesOf(tf, network, batch, numEnvs);
    const { advantages, targets } = computeGae({
      numEnvs,
      rewards: options.scaleRewards ? this.#rewardScale.scaled(batch.rewards) : batch.rewards,
      values,
      nextValues,
      terminated: batch.terminated,
      truncated: batch.truncated,
      gamma: options.gamma,
      lambda: options.gaeLambda,
    });

    if (options.normaliseValues) {
      const first = this.#updates === 0;
      networks.valueScale = rescaleValues(networks.valueScale, targets, layout, weights, first);
    }
    const { mean, std } = networks.valueScale;
    const scaledTargets = targets.map((target) => (target - mean) / std);

    const parts = { size: options.minibatchSize, epochs: options.epochs };
    const means = new Means();
    for (const chosen of shuffled(batch.rows, parts, this.#root.fork(`shuffle.${this.#updates}`))) {
      const minibatch = gather(batch, advantages, scaledTargets, chosen);
      const step = this.#gradientStep(tf, minibatch, learningRate);
      means.add(step);
      if (options.targetKl > 0 && step.approxKl > 1.5 * options.targetKl) break;
    }

    this.#steps += batch.rows;
    this.#updates += 1;
    this.#episodes += batch.episodes.length;
    networks.freezeObservations();
    return {
      policyLoss: means.of("policyLoss"),
      valueLoss: means.of("valueLoss"),
      entropy: networks.policy.entropy(batch.observations, batch.rows),
      approxKl: means.of("approxKl"),
      clipFraction: means.of("clipFraction"),
      explainedVariance: explainedVariance(targets, values),
    };
  }

  #gradientStep(tf: Tf, minibatch: Minibatch, learningRate: number): Losses {
    const { clipCoef, valueCoef, entropyCoef, maxGradNorm } = this.options;
    const { rows } = minibatch;
    const { policy } = this.#networks;
    const { loss, gradient, norm, logRatio, valueLoss } = tf.tidy(() => {
      const observations = tf.tensor2d(minibatch.observations, [rows, this.spec.observationSpace.shape[0]]);
      const actions = policy.actionTensor(tf, minibatch.actions, rows);
      const logProbs = tf.tensor1d(minibatch.logProbs);
      const advantages = tf.tensor1d(minibatch.advantages);
      const targets = tf.tensor2d(minibatch.targets, [rows, 1]);
      let logRatioTensor: Tensor | undefined;
      let valueLossTensor: Tensor | undefined;
      const result = this.#networks.gradient(tf, (ofPolicy, ofValue) => {
        const { logProb, entropy } = policy.evaluate(tf, ofPolicy, observations, actions);
        const ratioLog = tf.sub(logProb, logProbs);
        // L^CLIP, arXiv:1707.06347 equation 7
        const ratio = tf.exp(ratioLog);
        const clipped = tf.clipByValue(ratio, 1 - clipCoef, 1 + clipCoef);
        const surrogate = tf.mean(tf.minimum(tf.mul(ratio, advantages), tf.mul(clipped, advantages)));
        // 1/2 (V - target)^2
        const value = mlpTensor(tf, ofValue, observations);
        const halfSquares = tf.mul(tf.mean(tf.square(tf.sub(value, targets))), 0.5);
        logRatioTensor = tf.keep(ratioLog);
        valueLossTensor = tf.keep(halfSquares);
        // equation 9
        return tf.sub(tf.sub(tf.mul(halfSquares, valueCoef), surrogate), tf.mul(entropy, entropyCoef));
      });
      const read = {
        ...result,
        logRatio: logRatioTensor!.dataSync() as Float32Array,
        valueLoss: valueLossTensor!.dataSync()[0]!,
      };
      logRatioTensor!.dispose();
      valueLossTensor!.dispose();
      return read;
    });
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      throw new CcparkError(
        "failed-precondition",
        `[ppo] training diverged in update ${this.#updates + 1}, after ${this.#steps} steps: got a loss of ${loss} and a gradient of norm ${norm}, expected finite numbers; try a smaller learning rate`,
      );
    }
    this.#networks.adam.step(gradient, Math.min(1, maxGradNorm / (norm + 1e-6)), learningRate);
    return { valueLoss, ...surrogateOf(logRatio, minibatch.advantages, clipCoef) };
  }
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
    const { spec, policy, name } = Ppo.fromCheckpoint(checkpoint, spaces);
    const { weights, statistics } = policy;
    return makePolicy(spec, { weights, ...(statistics && { statistics }), seed, name });
  },
};
