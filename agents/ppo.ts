/**
 * Proximal policy optimisation in one file: options, networks, advantages, update rule, loop.
 *
 * Schulman et al. 2017, "Proximal Policy Optimization Algorithms" (arXiv:1707.06347), with the details that matter in
 * practice (Huang et al. 2022, "The 37 Implementation Details of PPO"), in the spirit of cleanrl. One thing differs from
 * most copies: an episode that ran out of time is worth V(last observation), one that ended is worth 0.
 *
 * Acting is a pass over typed arrays (policy.ts); TensorFlow.js computes values and gradients; Adam runs on flat arrays,
 * since a tensor operation costs microseconds however small it is. All randomness comes from named forks of the seed
 * and of the number of the update, so a checkpoint needs no generator state.
 *
 * Left out: recurrent policies, discrete actions, clipping of the value loss (no gain: Andrychowicz et al. 2021).
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { CcparkError, unknownName } from "../core/errors.ts";
import { exp, log, pow } from "../core/math.ts";
import { Rng } from "../core/random.ts";
import type { AnyVectorEnv, EndedEpisode } from "../envs/env.ts";
import type { Box } from "../envs/spaces.ts";
import type { Learner, Progress } from "./agent.ts";
import {
  type Checkpoint,
  type CheckpointHeader,
  checkSpaces,
  type EnvDescription,
  restoreSpace,
  storeSpace,
} from "./checkpoint.ts";
import {
  GaussianPolicy,
  initialiseMlp,
  type MlpLayout,
  mlpLayout,
  type ObservationStatistics,
  type PolicySpec,
  policyLayout,
  policySize,
} from "./policy.ts";
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

/** Ranges of the numeric options, bounds included. */
const RANGES: Readonly<
  Partial<Record<keyof PpoOptions, readonly [low: number, high: number, whole?: "whole"]>>
> = {
  rolloutSteps: [1, 1e6, "whole"],
  epochs: [1, 1000, "whole"],
  minibatchSize: [1, 1e6, "whole"],
  learningRate: [0, 1e9],
  gamma: [0, 1],
  gaeLambda: [0, 1],
  clipCoef: [0, 10],
  valueCoef: [0, 1e6],
  entropyCoef: [-1e6, 1e6],
  maxGradNorm: [1e-9, 1e9],
  targetKl: [0, 1e6],
  initialLogStd: [-10, 3],
  resetEvery: [1, 1e9, "whole"],
};

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function ppoOptions(given: Partial<PpoOptions> = {}): PpoOptions {
  const options: PpoOptions = { ...PPO_DEFAULTS };
  for (const [name, value] of Object.entries(given)) {
    if (!(name in PPO_DEFAULTS)) throw unknownName("ppo", "option", name, Object.keys(PPO_DEFAULTS));
    if (value === undefined) continue;
    const refuse = (expected: string): CcparkError =>
      new CcparkError(
        "invalid-argument",
        `[ppo] option \`${name}\`: got ${JSON.stringify(value)}, expected ${expected}`,
      );
    const range = RANGES[name as keyof PpoOptions];
    if (range !== undefined) {
      const [low, high, whole] = range;
      const fits =
        typeof value === "number" && value >= low && value <= high && (!whole || Number.isInteger(value));
      if (!fits) throw refuse(`a ${whole ?? "real"} number, ${low} to ${high}`);
    } else if (name === "hidden") {
      const widths: unknown = value;
      const fits = Array.isArray(widths) && widths.every((w) => Number.isInteger(w) && w >= 1 && w <= 4096);
      if (!fits) throw refuse("a list of whole numbers, 1 to 4096 each");
    } else if (name === "backend") {
      if (!BACKEND_REQUESTS.some((known) => known === value)) {
        throw unknownName("ppo", "backend", String(value), BACKEND_REQUESTS);
      }
    } else if (typeof value !== "boolean") throw refuse("true or false");
    Object.assign(options, { [name]: value });
  }
  return options;
}

// ------------------------------------------------------------------------------------------------------- advantages

/** One batch in the order of time: row t * numEnvs + env. */
export interface GaeInput {
  readonly numEnvs: number;
  /** [steps x numEnvs] */
  readonly rewards: ArrayLike<number>;
  /** V of the observation that the step started from, [steps x numEnvs] */
  readonly values: ArrayLike<number>;
  /** V of the observation that the step led to: the last one of its episode, never the first of the next; same shape */
  readonly nextValues: ArrayLike<number>;
  /** 0 or 1, [steps x numEnvs] */
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  readonly gamma: number;
  readonly lambda: number;
}

/**
 * Generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438, equation 16):
 *
 *   delta_t = r_t + gamma V(s_t+1) - V(s_t),   A_t = delta_t + gamma lambda A_t+1
 *
 * V(s_t+1) is 0 where the task ended (terminated); where only time ran out (truncated) it counts, but A_t+1, which
 * belongs to another episode, does not.
 * @returns advantages and value targets A + V, float32 [steps x numEnvs]
 */
export function computeGae(input: GaeInput): { advantages: Float32Array; targets: Float32Array } {
  const { numEnvs, rewards, values, nextValues, terminated, truncated, gamma, lambda } = input;
  const advantages = new Float32Array(values.length);
  const targets = new Float32Array(values.length);
  for (let env = 0; env < numEnvs; env++) {
    let advantage = 0;
    for (let i = values.length - numEnvs + env; i >= 0; i -= numEnvs) {
      const nextValue = terminated[i] ? 0 : nextValues[i]!;
      const delta = rewards[i]! + gamma * nextValue - values[i]!;
      advantage = delta + (terminated[i] || truncated[i] ? 0 : gamma * lambda * advantage);
      advantages[i] = advantage;
      targets[i] = advantage + values[i]!;
    }
  }
  return { advantages, targets };
}

// ------------------------------------------------------------------------------------------------ running statistics

/** Mean and sum of squared deviations by Welford's method. */
interface Statistics {
  count: number;
  mean: number;
  squares: number;
}

function observe(statistics: Statistics, x: number): void {
  statistics.count += 1;
  const before = x - statistics.mean;
  statistics.mean += before / statistics.count;
  statistics.squares += before * (x - statistics.mean);
}

interface ValueScale {
  readonly mean: number;
  readonly std: number;
}

/** Share of the old scale that an update keeps: fast enough to follow a policy that learns, slow enough to be steady. */
const VALUE_SCALE_KEPT = 0.9;

/** Rewards are clipped here after scaling: ten standard deviations of a return in one step is an accident. */
const REWARD_CLIP = 10;
const EPSILON = 1e-8;

// ---------------------------------------------------------------------------------------------------------- networks

/** TensorFlow.js needs the parameters as separate tensors; this cuts them out of the flat array. */
function toTensors(tf: Tf, layout: MlpLayout, weights: Float32Array): Tensor[] {
  return layout.layers.flatMap(({ inputs, outputs, weightsAt, biasesAt }) => [
    tf.tensor2d(weights.slice(weightsAt, biasesAt), [inputs, outputs]),
    tf.tensor1d(weights.slice(biasesAt, biasesAt + outputs)),
  ]);
}

/** tanh after every layer but the last; [rows x inputs] -> [rows x outputs]. */
export function mlpTensor(tf: Tf, parameters: readonly Tensor[], input: Tensor): Tensor {
  let x = input;
  for (let i = 0; i < parameters.length; i += 2) {
    x = tf.add(tf.matMul(x, parameters[i]!), parameters[i + 1]!);
    if (i + 2 < parameters.length) x = tf.tanh(x);
  }
  return x;
}

const LOG_2_PI = log(2 * Math.PI);

/** What one gradient step looks at. */
interface Minibatch {
  readonly rows: number;
  /** [rows x observation], as the network wants them */
  readonly observations: Float32Array;
  /** [rows x action], in units of the box */
  readonly actions: Float32Array;
  /** [rows] each */
  readonly logProbs: Float32Array;
  readonly advantages: Float32Array;
  readonly targets: Float32Array;
}

// ------------------------------------------------------------------------------------------------------------- batch

/** Everything one rollout leaves behind. */
interface Batch {
  readonly rows: number;
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly logProbs: Float32Array;
  readonly rewards: Float64Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** observations after the last step, [numEnvs x observation] */
  readonly last: Float32Array;
  /** rows that were truncated, and the observation that each led to */
  readonly truncatedRows: number[];
  readonly truncatedObservations: Float32Array[];
  readonly episodes: EndedEpisode[];
}

function makeBatch(steps: number, numEnvs: number, observationSize: number, actionSize: number): Batch {
  const rows = steps * numEnvs;
  return {
    rows,
    observations: new Float32Array(rows * observationSize),
    actions: new Float32Array(rows * actionSize),
    logProbs: new Float32Array(rows),
    rewards: new Float64Array(rows),
    terminated: new Uint8Array(rows),
    truncated: new Uint8Array(rows),
    last: new Float32Array(numEnvs * observationSize),
    truncatedRows: [],
    truncatedObservations: [],
    episodes: [],
  };
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, x) => sum + x, 0) / values.length;
}

function variance(values: ArrayLike<number>): number {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i]! / values.length;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - mean) ** 2;
  return sum / values.length;
}

// ------------------------------------------------------------------------------------------------------------ learner

export interface PpoSetup {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly options?: Partial<PpoOptions>;
  /** whole number, 0 to 2^53 - 1 */
  readonly seed: number;
  /** goes into checkpoints */
  readonly env?: EnvDescription;
}

const NO_DESCRIPTION: EnvDescription = { observation: "", action: "", reward: "", description: "" };

/** Adam (Kingma and Ba 2015); epsilon as in the PPO of OpenAI baselines. */
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-5 };

export class Ppo implements Learner {
  readonly name: string = "ppo";
  readonly options: PpoOptions;
  readonly seed: number;
  readonly env: EnvDescription;
  readonly spec: PolicySpec;
  /** acts with the current parameters */
  readonly policy: GaussianPolicy;
  /** what TensorFlow.js runs on, known after the first step of `learn` */
  backendDetail = "";

  readonly #root: Rng;
  readonly #valueLayout: MlpLayout;
  /** policy and value parameters in one array; the policy sees its part of it */
  readonly #parameters: Float32Array;
  readonly #value: Float32Array;
  readonly #adamM: Float32Array;
  readonly #adamV: Float32Array;
  #adamSteps = 0;
  #steps = 0;
  #updates = 0;
  #episodes = 0;
  #returns: Statistics = { count: 0, mean: 0, squares: 0 };
  /** V = mean + std x (what the value network says) */
  #valueScale: ValueScale = { mean: 0, std: 1 };
  /** discounted return so far of each environment's episode */
  #running: Float64Array = new Float64Array(0);
  readonly #observationMean: Float64Array;
  readonly #observationSquares: Float64Array;
  #observationCount = 0;

  constructor(setup: PpoSetup) {
    this.options = ppoOptions(setup.options);
    this.seed = setup.seed;
    this.env = setup.env ?? NO_DESCRIPTION;
    this.#root = Rng.fromSeed(setup.seed).fork("ppo");
    const { observationSpace, actionSpace } = setup;
    const { hidden } = this.options;
    this.spec = { observationSpace, actionSpace, hidden };
    this.#valueLayout = mlpLayout([observationSpace.shape[0], ...hidden, 1]);
    const policyParameters = policySize(this.spec);
    this.#parameters = new Float32Array(policyParameters + this.#valueLayout.size);
    const weights = this.#parameters.subarray(0, policyParameters);
    this.#value = this.#parameters.subarray(policyParameters);
    this.#adamM = new Float32Array(this.#parameters.length);
    this.#adamV = new Float32Array(this.#parameters.length);
    this.#observationMean = new Float64Array(observationSpace.shape[0]);
    this.#observationSquares = new Float64Array(observationSpace.shape[0]);

    const layout = policyLayout(this.spec);
    const hiddenGains = hidden.map(() => Math.SQRT2);
    initialiseMlp(layout, [...hiddenGains, 0.01], this.#root.fork("init.policy"), weights);
    weights.fill(this.options.initialLogStd, layout.size);
    initialiseMlp(this.#valueLayout, [...hiddenGains, 1], this.#root.fork("init.value"), this.#value);
    this.policy = new GaussianPolicy(this.spec, { weights, seed: setup.seed, name: this.name });
    if (this.options.normaliseObservations) this.policy.statistics = this.#observationStatistics();
  }

  /**
   * A learner that goes on where the checkpoint was taken.
   * @param setup spaces to check against; options that replace stored ones (not `hidden`); a new description
   * @throws CcparkError (invalid-argument) where the shapes do not fit
   */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<PpoSetup, "seed"> = spacesOf(checkpoint.header),
  ): Ppo {
    const { header, arrays } = checkpoint;
    checkSpaces(header, setup);
    const options = { ...header.options, ...setup.options } as Partial<PpoOptions>;
    if (JSON.stringify(options.hidden) !== JSON.stringify(header.hidden)) {
      throw new CcparkError(
        "invalid-argument",
        `[checkpoint] other hidden layers than the checkpoint: got [${options.hidden}], expected [${header.hidden}]`,
      );
    }
    const ppo = new Ppo({ ...setup, options, seed: header.seed, env: setup.env ?? header.env });
    const restore = (name: string, into: Float32Array | Float64Array): void => {
      const array = arrays[name];
      if (array === undefined || array.length !== into.length) {
        throw new CcparkError(
          "invalid-argument",
          `[checkpoint] array \`${name}\`: got ${array?.length ?? "no"} numbers, expected ${into.length}`,
        );
      }
      into.set(array);
    };
    restore("policy", ppo.policy.weights);
    restore("value", ppo.#value);
    restore("adamM", ppo.#adamM);
    restore("adamV", ppo.#adamV);
    restore("observationMean", ppo.#observationMean);
    restore("observationSquares", ppo.#observationSquares);
    ppo.#adamSteps = header.adamSteps;
    ppo.#steps = header.steps;
    ppo.#updates = header.updates;
    ppo.#episodes = header.episodes;
    ppo.#returns = { ...header.returnStatistics };
    ppo.#valueScale = { ...header.valueScale };
    ppo.#observationCount = header.observationCount;
    if (ppo.options.normaliseObservations) ppo.policy.statistics = ppo.#observationStatistics();
    return ppo;
  }

  /** environment steps so far, over all environments */
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

  /** A copy of the whole state; valid between two updates. */
  checkpoint(): Checkpoint {
    const { backend: _backend, ...options } = this.options; // a matter of the machine, not of the run
    return {
      header: {
        env: this.env,
        observationSpace: storeSpace(this.spec.observationSpace),
        actionSpace: storeSpace(this.spec.actionSpace),
        hidden: [...this.spec.hidden],
        options: { ...options, hidden: [...options.hidden] },
        seed: this.seed,
        steps: this.#steps,
        updates: this.#updates,
        episodes: this.#episodes,
        adamSteps: this.#adamSteps,
        returnStatistics: { ...this.#returns },
        valueScale: { ...this.#valueScale },
        observationCount: this.#observationCount,
      },
      arrays: {
        policy: this.policy.weights.slice(),
        value: this.#value.slice(),
        adamM: this.#adamM.slice(),
        adamV: this.#adamV.slice(),
        observationMean: this.#observationMean.slice(),
        observationSquares: this.#observationSquares.slice(),
      },
    };
  }

  /**
   * Trains until `totalSteps` environment steps are done, counted from the very first start; the last batch may go
   * beyond. One Progress per update, whose losses are means over the update's gradient steps. Stopping the iteration
   * after any update leaves a learner that can be saved.
   *
   * The environments are reset at the start and every `resetEvery` updates, with a seed that follows from the learner's
   * seed and the number of the update. So a run that is resumed from a checkpoint taken at a multiple of `resetEvery`,
   * with the same options, number of environments and `totalSteps`, ends with the same bytes as one that never stopped.
   * @throws CcparkError (invalid-argument) where the environments do not fit; (failed-precondition) on divergence;
   *   (unavailable) where the backend does not work here
   */
  async *learn(envs: AnyVectorEnv, totalSteps: number): AsyncGenerator<Progress, void, undefined> {
    checkSpaces(this.checkpoint().header, envs);
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
      if (this.options.normaliseObservations) this.#observeObservations(envs.observations);
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

  #observeObservations(observations: Float32Array): void {
    const width = this.#observationMean.length;
    for (let row = 0; row < observations.length; row += width) {
      this.#observationCount += 1;
      for (let i = 0; i < width; i++) {
        const x = observations[row + i]!;
        const before = x - this.#observationMean[i]!;
        this.#observationMean[i]! += before / this.#observationCount;
        this.#observationSquares[i]! += before * (x - this.#observationMean[i]!);
      }
    }
  }

  #observationStatistics(): ObservationStatistics {
    const count = this.#observationCount;
    return {
      mean: this.#observationMean.slice(),
      std: this.#observationSquares.map((squares) => (count > 1 ? Math.sqrt(squares / count + EPSILON) : 1)),
    };
  }

  // --------------------------------------------------------------------------------------------------------- update

  #update(tf: Tf, batch: Batch, numEnvs: number, learningRate: number, totalSteps: number): Progress {
    const { options } = this;
    const { values, nextValues } = this.#values(tf, batch, numEnvs);
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

    if (options.normaliseValues) this.#rescaleValues(targets);
    const { mean, std } = this.#valueScale;
    const scaledTargets = targets.map((target) => (target - mean) / std);

    const shuffles = this.#root.fork(`shuffle.${this.#updates}`);
    const order = Uint32Array.from({ length: batch.rows }, (_, i) => i);
    const parts = Math.max(1, Math.round(batch.rows / options.minibatchSize));
    const sums = { policyLoss: 0, valueLoss: 0, approxKl: 0, clipFraction: 0 };
    let gradientSteps = 0;
    epochs: for (let epoch = 0; epoch < options.epochs; epoch++) {
      for (let i = order.length - 1; i > 0; i--) {
        const j = shuffles.integer(i + 1);
        const kept = order[i]!;
        order[i] = order[j]!;
        order[j] = kept;
      }
      for (let part = 0; part < parts; part++) {
        const from = Math.floor((part * batch.rows) / parts);
        const to = Math.floor(((part + 1) * batch.rows) / parts);
        const minibatch = this.#gather(batch, advantages, scaledTargets, order.subarray(from, to));
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
    if (options.normaliseObservations) this.policy.statistics = this.#observationStatistics();
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
      policyLoss: sums.policyLoss / gradientSteps,
      valueLoss: sums.valueLoss / gradientSteps,
      entropy: this.#entropy(),
      approxKl: sums.approxKl / gradientSteps,
      clipFraction: sums.clipFraction / gradientSteps,
      explainedVariance: targetVariance === 0 ? Number.NaN : 1 - variance(residuals) / targetVariance,
    };
  }

  /** V of every observation of the batch and of every observation that a step led to, in one pass. */
  #values(tf: Tf, batch: Batch, numEnvs: number): { values: Float32Array; nextValues: Float32Array } {
    const width = this.spec.observationSpace.shape[0];
    const extra = batch.truncatedRows.length;
    const rows = batch.rows + numEnvs + extra;
    const all = new Float32Array(rows * width);
    all.set(batch.observations);
    all.set(batch.last, batch.rows * width);
    batch.truncatedObservations.forEach((final, i) => {
      all.set(final, (batch.rows + numEnvs + i) * width);
    });
    const out = tf.tidy(() => {
      const parameters = toTensors(tf, this.#valueLayout, this.#value);
      return mlpTensor(tf, parameters, tf.tensor2d(all, [rows, width])).dataSync();
    }) as Float32Array;
    const { mean, std } = this.#valueScale;
    for (let i = 0; i < out.length; i++) out[i] = mean + std * out[i]!;
    const nextValues = out.slice(numEnvs, batch.rows + numEnvs);
    batch.truncatedRows.forEach((row, i) => {
      nextValues[row] = out[batch.rows + numEnvs + i]!;
    });
    return { values: out.slice(0, batch.rows), nextValues };
  }

  /**
   * PopArt (van Hasselt et al. 2016, arXiv:1602.07714): the value network learns targets of mean 0 and standard deviation
   * 1, and its last layer is corrected so that V stays what it was. Rewards of congestion control are a large offset,
   * other for each link, and a small difference that matters; unscaled, the network spends itself on the offset.
   */
  #rescaleValues(targets: Float32Array): void {
    const old = this.#valueScale;
    let batchMean = 0;
    for (let i = 0; i < targets.length; i++) batchMean += targets[i]! / targets.length;
    const batchStd = Math.sqrt(variance(targets));
    const kept = this.#updates === 0 ? 0 : VALUE_SCALE_KEPT;
    const mean = kept * old.mean + (1 - kept) * batchMean;
    const std = Math.max(1e-4, kept * old.std + (1 - kept) * batchStd);
    const last = this.#valueLayout.layers.at(-1)!;
    for (let i = last.weightsAt; i < last.biasesAt; i++) this.#value[i]! *= old.std / std;
    // At the very start there is nothing to preserve: V starts at the mean of the first targets.
    const bias = this.#value[last.biasesAt]!;
    this.#value[last.biasesAt] = this.#updates === 0 ? 0 : (old.std * bias + old.mean - mean) / std;
    this.#valueScale = { mean, std };
  }

  /** The chosen rows as contiguous arrays; advantages with mean 0 and standard deviation 1 over the minibatch. */
  #gather(batch: Batch, advantages: Float32Array, targets: Float32Array, chosen: Uint32Array): Minibatch {
    const rows = chosen.length;
    const width = this.spec.observationSpace.shape[0];
    const count = this.spec.actionSpace.shape[0];
    const minibatch: Minibatch = {
      rows,
      observations: new Float32Array(rows * width),
      actions: new Float32Array(rows * count),
      logProbs: new Float32Array(rows),
      advantages: new Float32Array(rows),
      targets: new Float32Array(rows),
    };
    let mean = 0;
    for (let r = 0; r < rows; r++) {
      const from = chosen[r]!;
      for (let i = 0; i < width; i++)
        minibatch.observations[r * width + i] = batch.observations[from * width + i]!;
      for (let a = 0; a < count; a++) minibatch.actions[r * count + a] = batch.actions[from * count + a]!;
      minibatch.logProbs[r] = batch.logProbs[from]!;
      minibatch.advantages[r] = advantages[from]!;
      minibatch.targets[r] = targets[from]!;
      mean += advantages[from]! / rows;
    }
    const std = Math.sqrt(variance(minibatch.advantages));
    for (let r = 0; r < rows; r++)
      minibatch.advantages[r] = (minibatch.advantages[r]! - mean) / (std + EPSILON);
    return minibatch;
  }

  /** Entropy of the policy, the same for every state: sum of log std + (1 + log 2 pi) / 2. */
  #entropy(): number {
    const count = this.spec.actionSpace.shape[0];
    const { weights } = this.policy;
    let sum = 0;
    for (let a = 0; a < count; a++) sum += weights[weights.length - count + a]! + 0.5 * (1 + LOG_2_PI);
    return sum;
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
      const { value, grads } = tf.valueAndGrads(lossOf)(parameters);
      let at = 0;
      for (const grad of grads) {
        gradient.set(grad.dataSync() as Float32Array, at);
        at += grad.size;
      }
      const result = {
        loss: value.dataSync()[0]!,
        logRatio: logRatioTensor!.dataSync() as Float32Array,
        valueLoss: valueLossTensor!.dataSync()[0]!,
      };
      logRatioTensor!.dispose();
      valueLossTensor!.dispose();
      return result;
    });

    let squares = 0;
    for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!;
    const norm = Math.sqrt(squares);
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      throw new CcparkError(
        "failed-precondition",
        `[ppo] training diverged in update ${this.#updates + 1}, after ${this.#steps} steps: got a loss of ${loss} and a gradient of norm ${norm}, expected finite numbers; try a smaller learning rate`,
      );
    }
    this.#adam(gradient, Math.min(1, this.options.maxGradNorm / (norm + 1e-6)), learningRate);

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

  /** One step of Adam on all parameters; `shrink` scales the gradient (clipping of its norm). */
  #adam(gradient: Float32Array, shrink: number, learningRate: number): void {
    const { beta1, beta2, epsilon } = ADAM;
    this.#adamSteps += 1;
    const rate =
      (learningRate * Math.sqrt(1 - pow(beta2, this.#adamSteps))) / (1 - pow(beta1, this.#adamSteps));
    const m = this.#adamM;
    const v = this.#adamV;
    for (let i = 0; i < gradient.length; i++) {
      const g = gradient[i]! * shrink;
      m[i] = beta1 * m[i]! + (1 - beta1) * g;
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
      this.#parameters[i]! -= (rate * m[i]!) / (Math.sqrt(v[i]!) + epsilon);
    }
  }
}

function spacesOf(header: CheckpointHeader): { observationSpace: Box; actionSpace: Box } {
  return {
    observationSpace: restoreSpace(header.observationSpace),
    actionSpace: restoreSpace(header.actionSpace),
  };
}

/**
 * The policy of a checkpoint, ready to act; TensorFlow.js is not needed.
 * @param spaces what it must fit; the stored ones unless given
 * @param seed for `explore`
 * @throws CcparkError (invalid-argument) with both shapes where it does not fit
 */
export function policyFromCheckpoint(
  checkpoint: Checkpoint,
  spaces: { readonly observationSpace: Box; readonly actionSpace: Box } = spacesOf(checkpoint.header),
  seed = 0,
): GaussianPolicy {
  const learner = Ppo.fromCheckpoint(checkpoint, spaces);
  const { spec, policy } = learner;
  return new GaussianPolicy(spec, {
    weights: policy.weights,
    statistics: policy.statistics,
    seed,
    name: "ppo",
  });
}
