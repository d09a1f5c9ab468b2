/**
 * What learners on policy have in common beside the loop: networks, rollouts of the policy as it is, advantages, the scale of
 * rewards and values. A learner adds its options and what an update makes of a batch.
 */
import type { z } from "zod";
import { CcparkError } from "../../../core/errors.ts";
import type { AnyVectorEnv } from "../../../envs/env.ts";
import { type Checkpoint, checkSpaces, readState } from "../../checkpoint.ts";
import type { CommonOptions, LearnerSetup } from "../../learner.ts";
import {
  type CheckpointParts,
  LoopLearner,
  type LoopOptions,
  type Update,
  type UpdatePlace,
} from "../../learning-loop.ts";
import type { Tf } from "../../tfjs/tfjs-patches.ts";
import {
  ActorCritic,
  makeDensity,
  NETWORK_STATE,
  type NetworkState,
  readNetworkArrays,
} from "../actor-critic.ts";
import { type Batch, type Minibatch, normaliseBatch, valuesOf } from "../batch.ts";
import { expectFinite, expectSameHidden } from "../learner-checks.ts";
import { normOf } from "../mlp-tensors.ts";
import type { DensityPolicy, PolicySpec } from "../network-policy.ts";
import { flag, type OptionKind, real, whole, widths } from "../options.ts";
import { collect } from "../rollout.ts";
import { RewardScale, STATISTICS, type Statistics } from "../statistics.ts";
import { fusedStep } from "./fused-step.ts";
import { computeGae } from "./gae.ts";
import { type Step, type Surrogate, tensorStep } from "./tensor-step.ts";
import { rescaleValues } from "./value-scale.ts";
import { ValueThread } from "./value-thread.ts";

/** What each means and may be: ON_POLICY_KINDS; `ccpark explain hyperparameters` prints it. */
export interface OnPolicyOptions extends LoopOptions {
  readonly gamma: number;
  readonly gaeLambda: number;
  readonly valueCoef: number;
  readonly entropyCoef: number;
  readonly maxGradNorm: number;
  readonly initialLogStd: number;
  readonly scaleRewards: boolean;
  readonly normaliseValues: boolean;
  readonly normaliseObservations: boolean;
}

export const ON_POLICY_KINDS: {
  readonly [Name in Exclude<keyof OnPolicyOptions, keyof CommonOptions>]: OptionKind;
} = {
  hidden: widths("widths of the hidden tanh layers, the same for policy and value"),
  rolloutSteps: whole(
    1,
    1e6,
    "steps per environment between two updates; a batch is this times the number of environments",
  ),
  learningRate: real(0, 1e9, "Adam's step size at the start"),
  annealLearningRate: flag("whether the step size falls linearly to 0 over the run"),
  gamma: real(0, 1, "discount per step, gamma"),
  gaeLambda: real(0, 1, "lambda of generalised advantage estimation"),
  valueCoef: real(0, 1e6, "weight of the value loss"),
  entropyCoef: real(-1e6, 1e6, "weight of the entropy bonus"),
  maxGradNorm: real(1e-9, 1e9, "largest norm of the gradient over all parameters"),
  initialLogStd: real(
    -10,
    3,
    "log of the standard deviation at the start, in units of half the action box; e^-2 changes a window by 10 % per step where the action doubles or halves it at most. Measured: with e^-0.7 the noise itself fills the queue and little is learnt in 150 000 steps. Choices have none: they begin about equally likely",
  ),
  scaleRewards: flag("divides rewards by the running standard deviation of discounted returns"),
  normaliseValues: flag("lets the value network learn targets of mean 0 and standard deviation 1 (PopArt)"),
  normaliseObservations: flag(
    "subtracts the running mean of each observation and divides by its running standard deviation",
  ),
};

/** What a checkpoint keeps beside options and arrays. */
type State = NetworkState & { readonly returnStatistics: Statistics };
const STATE: z.ZodType<State> = NETWORK_STATE.extend({ returnStatistics: STATISTICS });

/** A batch and what it says of the value of each row. */
export interface Estimates {
  readonly batch: Batch;
  /** V before the update, in the unit of rewards; [rows], as the rest */
  readonly values: Float32Array;
  readonly advantages: Float32Array;
  /** of the value network, in the unit of rewards */
  readonly targets: Float32Array;
  /** the same, as the value network is to say them */
  readonly scaledTargets: Float32Array;
}

export abstract class OnPolicyLearner<Options extends OnPolicyOptions> extends LoopLearner<Options> {
  protected readonly networks: ActorCritic;
  /** whether an update has gradient steps enough for a second thread to be worth its message */
  protected readonly hasManySteps: boolean = false;
  readonly #rewardScale: RewardScale;
  /** that computes half of the update's gradients */
  #valueThread: ValueThread | undefined;
  /** [numEnvs x memory], of a policy that remembers: what it does between two rollouts. Resets of the environments empty it */
  #memory: Float32Array | undefined;

  /** @param network what the policy remembers of a row, and what the value network sees of states; absent: nothing */
  constructor(
    name: string,
    options: Options,
    setup: LearnerSetup,
    network: Pick<PolicySpec, "memory" | "central"> = {},
  ) {
    super(name, options, setup, network);
    const { initialLogStd, normaliseObservations } = options;
    this.networks = new ActorCritic(this.spec, {
      rng: this.root,
      seed: setup.seed,
      name,
      initialLogStd,
      normalisesObservations: normaliseObservations,
    });
    this.#rewardScale = new RewardScale(options.gamma);
  }

  override get policy(): DensityPolicy {
    return this.networks.policy;
  }

  /** Acts by the parameters as they are now, without the learner. @param seed for `explore` */
  frozenPolicy(seed: number): DensityPolicy {
    const { weights, statistics } = this.policy;
    const given = { weights: weights.slice(), areFinal: true, ...(statistics && { statistics }) };
    return makeDensity(this.spec, { ...given, seed, name: this.name });
  }

  protected override stored(): CheckpointParts {
    const { adamSteps, valueScale, observationCount } = this.networks.state();
    const returnStatistics = { ...this.#rewardScale.statistics };
    const state: State = { adamSteps, returnStatistics, valueScale, observationCount };
    return { state, arrays: { ...this.networks.arrays() } };
  }

  /** Of a learner that was made with the options of the checkpoint. */
  restore({ header }: Checkpoint, { arrays, state }: Stored): void {
    this.networks.restore(arrays, state);
    this.#rewardScale.statistics = state.returnStatistics;
    this.restoreCounts(header);
  }

  protected override async update(
    tf: Tf | undefined,
    envs: AnyVectorEnv,
    { learningRate }: UpdatePlace,
  ): Promise<Update> {
    const batch = await this.#rollout(envs);
    const estimates = this.#estimate(tf, batch, envs.numEnvs);
    const isShared = tf === undefined && this.hasManySteps && "perform" in envs && envs.perform !== undefined;
    this.#valueThread = isShared ? new ValueThread(envs, this.networks.valueLayout, batch.rows) : undefined;
    try {
      const losses = this.descend(tf, estimates, learningRate);
      this.networks.freezeObservations();
      return { batch, losses };
    } finally {
      await this.#valueThread?.end();
    }
  }

  /**
   * The gradient steps of an update.
   * @returns the line's losses
   */
  protected abstract descend(
    tf: Tf | undefined,
    estimates: Estimates,
    learningRate: number,
  ): Readonly<Record<string, number>>;

  protected override onReset(numEnvs: number): void {
    const { memory } = this.spec;
    if (memory !== undefined) {
      this.#memory = new Float32Array(new SharedArrayBuffer(4 * numEnvs * memory));
    }
    this.#rewardScale.begin(numEnvs);
  }

  async #rollout(envs: AnyVectorEnv): Promise<Batch> {
    const { rolloutSteps, normaliseObservations } = this.options;
    const { policy, observations: known } = this.networks;
    const rng = this.root.fork(`noise.${this.updates}`);
    const batch = await collect(envs, policy, { steps: rolloutSteps, rng, memory: this.#memory });
    if (normaliseObservations) known.observe(batch.observations);
    normaliseBatch(batch, policy);
    for (let row = 0; row < batch.rows; row++) {
      const isOver = batch.terminated[row]! + batch.truncated[row]! > 0;
      this.#rewardScale.observe(row % envs.numEnvs, batch.rewards[row]!, isOver);
    }
    return batch;
  }

  #estimate(tf: Tf | undefined, batch: Batch, numEnvs: number): Estimates {
    const { options, networks } = this;
    const { valueLayout: layout, value: weights } = networks;
    const valuesBy = (observations: Float32Array, rows: number) => networks.values(tf, observations, rows);
    const { values, nextValues } = valuesOf(valuesBy, networks.valueScale, batch, numEnvs);
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
      const first = this.updates === 0;
      networks.valueScale = rescaleValues(networks.valueScale, targets, layout, weights, first);
    }
    const { mean, std } = networks.valueScale;
    const scaledTargets = targets.map((target) => (target - mean) / std);
    return { batch, values, advantages, targets, scaledTargets };
  }

  /**
   * One step of Adam on value loss, entropy bonus and what the learner wants of the policy.
   * @param surrogate what to maximise
   * @returns log pi(a|s) and half the mean squared error of values, before the step
   * @throws CcparkError (failed-precondition) where the numbers are not finite
   */
  protected gradientStep(
    tf: Tf | undefined,
    minibatch: Minibatch,
    learningRate: number,
    surrogate: Surrogate,
  ): Pick<Step, "logProb" | "valueLoss"> {
    const given = { minibatch, surrogate, ...this.options };
    const { networks } = this;
    const step =
      tf === undefined ? fusedStep(networks, given, this.#valueThread) : tensorStep(tf, networks, given);
    const { loss, gradient, logProb, valueLoss } = step;
    const norm = normOf(gradient);
    expectFinite(this, { loss, norm });
    networks.adam.step(gradient, Math.min(1, this.options.maxGradNorm / (norm + 1e-6)), learningRate);
    return { logProb, valueLoss };
  }
}

/** What a checkpoint has of a learner on policy, checked. */
interface Stored {
  readonly arrays: ReturnType<typeof readNetworkArrays>;
  readonly state: State;
}

/**
 * As `LearnerSpec.load`; options replace stored ones, but not `hidden` and `memory`.
 * @param readOptions fills in defaults and checks
 * @param central of the learner's `PolicySpec`
 * @throws CcparkError (invalid-argument) where spaces, layers, state or arrays do not fit
 */
export function loadOnPolicy<
  Options extends OnPolicyOptions & { readonly memory?: number },
  Loaded extends OnPolicyLearner<Options>,
>(
  checkpoint: Checkpoint,
  setup: Omit<LearnerSetup, "seed">,
  readOptions: (given: Readonly<Record<string, unknown>>) => Options,
  make: (setup: LearnerSetup) => Loaded,
  central?: number,
): Loaded {
  const { header } = checkpoint;
  checkSpaces(header, setup);
  const options = readOptions({ ...header.options, ...setup.options });
  const { hidden, memory } = readOptions(header.options);
  expectSameHidden(hidden, options.hidden);
  if (memory !== options.memory) {
    throw new CcparkError(
      "invalid-argument",
      `[checkpoint] memory: got ${options.memory}, expected the checkpoint's ${memory}`,
    );
  }
  const state = readState(header, STATE);
  const arrays = readNetworkArrays(checkpoint, {
    ...setup,
    hidden,
    ...(memory && { memory }),
    ...(central && { central }),
  });
  const env = setup.env ?? header.env;
  const learner = make({
    ...setup,
    options: { ...header.options, ...setup.options },
    seed: header.seed,
    env,
  });
  learner.restore(checkpoint, { arrays, state });
  return learner;
}
