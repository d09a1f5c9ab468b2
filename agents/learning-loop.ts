/**
 * What every learner here has in common: spaces, counts and generator, the loop of collecting a batch and learning, and the
 * header of its checkpoints. Learners on policy (nn/on-policy) and off policy (nn/off-policy) add what they keep and what they
 * make of a batch.
 *
 * All randomness comes from named forks of the seed and of the number of the update, so a checkpoint needs no generator
 * state.
 */
import { Rng } from "../core/random.ts";
import type { AnyVectorEnv } from "../envs/env.ts";
import {
  type Checkpoint,
  type CheckpointHeader,
  checkSpaces,
  type EnvDescription,
  NO_DESCRIPTION,
  storeBox,
  storeSpace,
} from "./checkpoint.ts";
import { chooseGradients, type GradientsRequest } from "./gradients.ts";
import type { CommonOptions, Learner, LearnerSetup, Progress } from "./learner.ts";
import { type Batch, episodeMeans } from "./nn/batch.ts";
import type { NetworkPolicy, PolicySpec } from "./nn/network-policy.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

export interface LoopOptions extends CommonOptions {
  readonly hidden: readonly number[];
  readonly rolloutSteps: number;
  readonly learningRate: number;
  readonly annealLearningRate: boolean;
  readonly backend: GradientsRequest;
}

/** Where in a training an update is. */
export interface UpdatePlace {
  /** share of the run that is over, 0 to 1 */
  readonly progress: number;
  readonly learningRate: number;
}

/** What a checkpoint has beside the header's facts. */
export type CheckpointParts = Pick<Checkpoint, "arrays"> & Pick<CheckpointHeader, "state">;

/** What an update was made of, and the line's losses. */
export interface Update {
  readonly batch: Batch;
  readonly losses: Readonly<Record<string, number>>;
}

export abstract class LoopLearner<Options extends LoopOptions> implements Learner {
  readonly name: string;
  readonly options: Options;
  readonly seed: number;
  readonly env: EnvDescription;
  readonly spec: PolicySpec;
  backendDetail = "";

  protected readonly root: Rng;
  #steps = 0;
  #updates = 0;
  #episodes = 0;

  /** @param network of the policy: its head, where it has one of its own, and its memory */
  constructor(
    name: string,
    options: Options,
    setup: LearnerSetup,
    network: Pick<PolicySpec, "head" | "memory" | "central"> = {},
  ) {
    this.name = name;
    this.options = options;
    this.seed = setup.seed;
    this.env = setup.env ?? NO_DESCRIPTION;
    this.root = Rng.fromSeed(setup.seed).fork(name);
    const { observationSpace, actionSpace } = setup;
    this.spec = { observationSpace, actionSpace, hidden: options.hidden, ...network };
  }

  /** Acts with the current parameters. */
  abstract get policy(): NetworkPolicy;

  get steps(): number {
    return this.#steps;
  }

  get updates(): number {
    return this.#updates;
  }

  begin(row: number): void {
    this.policy.begin(row);
  }

  act(obs: Float32Array, mode: "explore" | "greedy", row = 0): Float32Array {
    return this.policy.act(obs, mode, row);
  }

  dispose(): void {}

  /** Copies. */
  protected abstract stored(): CheckpointParts;

  checkpoint(): Checkpoint {
    const { backend: _backend, ...options } = this.options; // a matter of the machine, not of the run
    const { state, arrays } = this.stored();
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
      arrays,
    };
  }

  /** Goes on with the counts of a checkpoint. */
  protected restoreCounts({ steps, updates, episodes }: CheckpointHeader): void {
    this.#steps = steps;
    this.#updates = updates;
    this.#episodes = episodes;
  }

  /** Losses are means over the update's gradient steps; NaN where there were none. */
  async *learn(envs: AnyVectorEnv, totalSteps: number): AsyncGenerator<Progress, void, undefined> {
    checkSpaces(this.spec, envs);
    const { rolloutSteps, resetEvery, learningRate, annealLearningRate, backend: wanted } = this.options;
    const { tf, detail } = await chooseGradients(wanted);
    this.backendDetail = detail;
    const totalUpdates = Math.ceil(totalSteps / (envs.numEnvs * rolloutSteps));
    let started = false;
    while (this.#updates < totalUpdates) {
      if (!started || this.#updates % resetEvery === 0) await this.#resetEnvs(envs);
      started = true;
      const progress = this.#updates / totalUpdates;
      const place = { progress, learningRate: learningRate * (annealLearningRate ? 1 - progress : 1) };
      const { batch, losses } = await this.update(tf, envs, place);
      this.#steps += batch.rows;
      this.#updates += 1;
      this.#episodes += batch.episodes.length;
      yield { steps: this.#steps, totalSteps, episodes: this.#episodes, ...episodeMeans(batch), losses };
    }
  }

  /** Collects a batch and learns. @param tf undefined: without TensorFlow.js */
  protected abstract update(tf: Tf | undefined, envs: AnyVectorEnv, place: UpdatePlace): Promise<Update>;

  /** The environments were reset. */
  protected onReset(_numEnvs: number): void {}

  async #resetEnvs(envs: AnyVectorEnv): Promise<void> {
    const rng = this.root.fork(`envs.${this.#updates}`);
    await envs.reset(rng.integer(2 ** 20) * 2 ** 32 + rng.integer(2 ** 32));
    this.onReset(envs.numEnvs);
  }
}
