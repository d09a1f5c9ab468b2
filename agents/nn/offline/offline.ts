/**
 * What learners from recorded runs have in common beside the loop: a policy with a density, transitions of others that never
 * change, gradient steps on minibatches of them. Each update also lets the policy act in the environments, only to say how it does:
 * nothing is learnt from that, unless the learner says so (DAgger).
 */
import type { Tensor } from "@tensorflow/tfjs-core";
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
import { makeDensity } from "../actor-critic.ts";
import { Adam } from "../adam.ts";
import type { Batch } from "../batch.ts";
import { type Descent, matrix, tensorDescent } from "../dense-network.ts";
import { expectFinite, expectSameHidden, expectSquares } from "../learner-checks.ts";
import { initialiseMlp } from "../mlp.ts";
import { normOf } from "../mlp-tensors.ts";
import { type DensityPolicy, policySize } from "../network-policy.ts";
import { drawTransitions, type Transitions } from "../off-policy/replay.ts";
import { flag, type OptionKind, real, whole, widths } from "../options.ts";
import { collect } from "../rollout.ts";
import { Means } from "../statistics.ts";
import { readRecorded } from "./recorded.ts";

/** What each means and may be: OFFLINE_KINDS; `ccpark explain hyperparameters` prints it. */
export interface OfflineOptions extends LoopOptions {
  readonly gradientSteps: number;
  readonly minibatchSize: number;
  readonly maxGradNorm: number;
  readonly initialLogStd: number;
}

export const OFFLINE_DEFAULTS: Omit<OfflineOptions, keyof CommonOptions> = {
  hidden: [64, 64],
  rolloutSteps: 4,
  gradientSteps: 16,
  minibatchSize: 256,
  learningRate: 1e-3,
  annealLearningRate: true,
  maxGradNorm: 10,
  initialLogStd: -1,
};

export const OFFLINE_KINDS: {
  readonly [Name in Exclude<keyof OfflineOptions, keyof CommonOptions>]: OptionKind;
} = {
  hidden: widths("widths of the hidden tanh layers of every network"),
  rolloutSteps: whole(
    1,
    1e6,
    "steps per environment between two updates, in which the policy shows what it has learnt",
  ),
  gradientSteps: whole(1, 1e6, "gradient steps per update"),
  minibatchSize: whole(1, 1e6, "transitions per gradient step, drawn evenly from those that there are"),
  learningRate: real(0, 1e9, "Adam's step size at the start"),
  annealLearningRate: flag("whether the step size falls linearly to 0 over the run"),
  maxGradNorm: real(1e-9, 1e9, "largest norm of a gradient"),
  initialLogStd: real(
    -10,
    3,
    "log of the standard deviation at the start, in units of half the action box; it is learnt. Choices have none",
  ),
};

/** What a checkpoint keeps beside options and arrays; learners may have more. */
export const OFFLINE_STATE: z.ZodObject<{ datasetSha256: z.ZodString; gradientSteps: z.ZodNumber }> =
  z.object({
    /** of the recorded runs; empty: there are none */
    datasetSha256: z.string().regex(/^([0-9a-f]{64})?$/, "expected a SHA-256 in hexadecimal, or nothing"),
    /** Adam's count of steps, the same for all networks */
    gradientSteps: z.number().int().nonnegative(),
  });

export abstract class OfflineLearner<Options extends OfflineOptions> extends LoopLearner<Options> {
  override readonly policy: DensityPolicy;

  /** over all updates */
  protected gradientSteps = 0;
  protected readonly adam: Adam;
  /** undefined: none was given */
  protected readonly recorded: Transitions | undefined;
  #datasetSha256: string;

  constructor(name: string, options: Options, setup: LearnerSetup) {
    super(name, options, setup);
    const weights = new Float32Array(policySize(this.spec));
    this.policy = makeDensity(this.spec, { weights, seed: setup.seed, name });
    const { layout } = this.policy;
    const gains = [...options.hidden.map(() => Math.SQRT2), 0.01];
    initialiseMlp(layout, gains, this.root.fork("init.policy"), weights);
    weights.fill(options.initialLogStd, layout.size);
    this.adam = new Adam(weights);
    const { dataset } = setup;
    this.recorded = dataset && readRecorded(name, dataset, setup);
    this.#datasetSha256 = dataset?.sha256 ?? "";
  }

  /** Acts by the parameters as they are now, without the learner. @param seed for `explore` */
  frozenPolicy(seed: number): DensityPolicy {
    return makeDensity(this.spec, { weights: this.policy.weights, seed, name: this.name });
  }

  /** Further networks and what their optimisers keep, by the names that a checkpoint has for them; shared. */
  protected networks(): Readonly<Record<string, Float32Array>> {
    return {};
  }

  /**
   * One gradient step of every network: of a policy alone, unless a learner has more.
   * @param tf undefined: without TensorFlow.js
   * @returns measures of it, which a line of progress has the means of
   */
  protected descend(
    tf: Tf | undefined,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const policyLoss = this.imitate(tf, minibatch, learningRate);
    this.gradientSteps += 1;
    return { policyLoss };
  }

  /** Names of what `descend` measures. */
  protected readonly measures: readonly string[] = ["policyLoss"];

  /** What minibatches are drawn from. @throws CcparkError (failed-precondition) where there is nothing */
  protected source(): { readonly kept: Transitions; readonly count: number } {
    if (this.recorded !== undefined) return { kept: this.recorded, count: this.recorded.rows };
    throw new CcparkError(
      "failed-precondition",
      `[${this.name}] dataset: got none, expected recorded runs to learn from (\`ccpark dataset\`, then --dataset DIR)`,
    );
  }

  /** The policy has acted in the environments. */
  protected watched(_batch: Batch, _numEnvs: number): void {}

  #shared(): Readonly<Record<string, Float32Array>> {
    return {
      policy: this.policy.weights,
      "policy.adamM": this.adam.m,
      "policy.adamV": this.adam.v,
      ...this.networks(),
    };
  }

  protected override stored(): CheckpointParts {
    const arrays = Object.entries(this.#shared()).map(([name, array]) => [name, array.slice()]);
    return {
      state: { datasetSha256: this.#datasetSha256, gradientSteps: this.gradientSteps },
      arrays: Object.fromEntries(arrays) as Checkpoint["arrays"],
    };
  }

  /**
   * Goes on where a checkpoint was taken.
   * @throws CcparkError (invalid-argument) where state, arrays or recorded runs do not fit
   */
  restore(checkpoint: Checkpoint): void {
    const { header } = checkpoint;
    const { datasetSha256, gradientSteps } = readState(header, OFFLINE_STATE.loose());
    if (this.recorded !== undefined && datasetSha256 !== this.#datasetSha256) {
      throw new CcparkError(
        "invalid-argument",
        `[${this.name}] dataset: got other recorded runs (sha256 ${this.#datasetSha256.slice(0, 12)}) than the run began with (${datasetSha256.slice(0, 12) || "none"})`,
      );
    }
    const shared = Object.entries(this.#shared());
    const stored = shared.map(([name, array]) => readArray(checkpoint, name, array.length));
    shared.forEach(([name], i) => {
      if (name.endsWith("adamV")) expectSquares(name, stored[i]!);
    });
    shared.forEach(([, array], i) => {
      array.set(stored[i]!);
    });
    this.#datasetSha256 = datasetSha256;
    this.gradientSteps = gradientSteps;
    this.restoreCounts(header);
  }

  protected override async update(
    tf: Tf | undefined,
    envs: AnyVectorEnv,
    { learningRate }: UpdatePlace,
  ): Promise<Update> {
    const { rolloutSteps, gradientSteps, minibatchSize } = this.options;
    const rng = this.root.fork(`noise.${this.updates}`);
    const batch = await collect(envs, this.policy, { steps: rolloutSteps, rng });
    this.watched(batch, envs.numEnvs);
    const { kept, count } = this.source();
    const means = new Means();
    const draws = this.root.fork(`sample.${this.updates}`);
    for (let step = 0; step < gradientSteps; step++) {
      means.add(this.descend(tf, drawTransitions(kept, count, minibatchSize, draws), learningRate));
    }
    return { batch, losses: Object.fromEntries(this.measures.map((name) => [name, means.of(name)])) };
  }

  /**
   * One step of an optimiser, its gradient shortened to `maxGradNorm`.
   * @returns the loss before it
   * @throws CcparkError (failed-precondition) where the numbers are not finite
   */
  protected stepDown({ loss, gradient }: Descent, adam: Adam, learningRate: number): number {
    const norm = normOf(gradient);
    expectFinite(this, { loss, norm });
    adam.steps = this.gradientSteps;
    adam.step(gradient, Math.min(1, this.options.maxGradNorm / (norm + 1e-6)), learningRate);
    return loss;
  }

  /** One step of the policy towards actions. @param weights of the rows, [rows]; absent: all count alike */
  protected imitate(
    tf: Tf | undefined,
    minibatch: Pick<Transitions, "rows" | "observations" | "actions">,
    learningRate: number,
    weights?: Float32Array,
  ): number {
    const all = weights ?? new Float32Array(minibatch.rows).fill(1);
    return this.stepDown(imitation(tf, this.policy, minibatch, all), this.adam, learningRate);
  }
}

/**
 * Down the mean of -weight x log pi(a|s).
 * @param tf undefined: without TensorFlow.js
 * @param weights of the rows, [rows]
 */
export function imitation(
  tf: Tf | undefined,
  policy: DensityPolicy,
  { rows, observations, actions }: Pick<Transitions, "rows" | "observations" | "actions">,
  weights: Float32Array,
): Descent {
  if (tf === undefined) {
    const outputs = policy.outputs(observations, rows);
    const logProbs = policy.logProbs(outputs, actions, rows);
    const slopes = weights.map((weight) => -weight / rows);
    const loss = logProbs.reduce((sum, logProb, row) => sum + slopes[row]! * logProb, 0);
    const { outputs: ofOutputs, own } = policy.densityGradient(outputs, actions, slopes, 0);
    const gradient = new Float32Array(policy.weights.length);
    gradient.set(policy.backward(ofOutputs, rows));
    gradient.set(own, policy.layout.size);
    return { loss, gradient };
  }
  return tf.tidy(() => {
    const [inputs, wanted] = [matrix(tf, observations, rows), policy.actionTensor(tf, actions, rows)];
    const ofRows = tf.tensor1d(weights);
    const lossOf = (...parameters: Tensor[]): Tensor =>
      tf.neg(tf.mean(tf.mul(policy.evaluate(tf, parameters, inputs, wanted).logProb, ofRows)));
    return tensorDescent(tf, lossOf, policy.toTensors(tf));
  });
}

/**
 * As `LearnerSpec.load`; options replace stored ones, but not `hidden`. The recorded runs have to be given again to learn on, not
 * to act.
 * @throws CcparkError (invalid-argument) where spaces, layers, state, arrays or recorded runs do not fit
 */
export function loadOffline<Options extends OfflineOptions, Loaded extends OfflineLearner<Options>>(
  checkpoint: Checkpoint,
  setup: Omit<LearnerSetup, "seed">,
  readOptions: (given: Readonly<Record<string, unknown>>) => Options,
  make: (setup: LearnerSetup) => Loaded,
): Loaded {
  const { header } = checkpoint;
  checkSpaces(header, setup);
  const given = { ...header.options, ...setup.options };
  const { hidden } = readOptions(header.options);
  expectSameHidden(hidden, readOptions(given).hidden);
  // before any network is made: the header may ask for networks that the file does not fill
  readArray(checkpoint, "policy", policySize({ ...setup, hidden }));
  const learner = make({ ...setup, options: given, seed: header.seed, env: setup.env ?? header.env });
  learner.restore(checkpoint);
  return learner;
}
