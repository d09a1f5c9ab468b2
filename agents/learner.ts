/** What acts in an environment, and what also learns from it. */
import type { AnyVectorEnv } from "../envs/env.ts";
import type { Space } from "../envs/spaces.ts";
import type { Checkpoint, EnvDescription, Spaces } from "./checkpoint.ts";
import type { RecordedData } from "./nn/offline/recorded.ts";
import type { OptionKind, OptionValues } from "./nn/options.ts";

export interface Agent {
  readonly name: string;
  /**
   * An episode begins in a row: an agent with memory forgets what it knew of that row. Comes before the first `act` of
   * every episode, and only then.
   * @param row of whoever asks: an environment of several, a flow; 0 where there is one only
   */
  begin(row: number): void;
  /**
   * @param obs one observation, float32 [observationSpace.shape[0]]
   * @param mode explore: sampled from the agent's own generator; greedy: the mode of the policy
   * @param row whose episode it is; an agent without memory need not look at it
   * @returns one action, float32 [actionSpace.shape[0]]; overwritten by the next call
   */
  act(obs: Float32Array, mode: "explore" | "greedy", row: number): Float32Array;
  dispose(): void;
}

/** Facts about a training so far that every learner has. */
export interface TrainingFacts {
  /** environment steps over all environments */
  readonly steps: number;
  readonly totalSteps: number;
  readonly episodes: number;
  /** mean over the episodes that ended since the last line; NaN where none did */
  readonly meanEpisodeReturn: number;
  readonly meanScore: number;
  readonly meanUtilisation: number;
  readonly meanQueueDelayMs: number;
}

/** One line of a learning curve: after each update. */
export interface Progress extends TrainingFacts {
  /** the learner's own measures by name, such as `policyLoss`; NaN where one does not exist */
  readonly losses: Readonly<Record<string, number>>;
}

/** As it is written and printed: the losses beside the facts. */
export function flatProgress<Line extends Progress>({
  losses,
  ...facts
}: Line): Omit<Line, "losses"> & Readonly<Record<string, number>> {
  return { ...facts, ...losses } as Omit<Line, "losses"> & Readonly<Record<string, number>>;
}

/** Options that every learner has beside its own. */
export interface CommonOptions {
  readonly resetEvery: number;
  readonly backend: string;
}

export interface Learner extends Agent {
  readonly options: Readonly<CommonOptions>;
  readonly seed: number;
  readonly env: EnvDescription;
  /** environment steps so far, over all environments */
  readonly steps: number;
  readonly updates: number;
  /** who computes gradients, known after the first step of `learn` */
  readonly backendDetail: string;
  /**
   * Trains until `totalSteps` environment steps are done, counted from the very first start; the last batch may go
   * beyond. One Progress per update. Stopping the iteration after any update leaves a learner that can be saved.
   *
   * The environments are reset at the start and every `resetEvery` updates, with a seed that follows from the learner's
   * seed and the number of the update. So a run that is resumed from a checkpoint taken at a multiple of `resetEvery`,
   * with the same options, number of environments and `totalSteps`, ends with the same bytes as one that never stopped.
   * @throws CcparkError (invalid-argument) where the environments do not fit; (failed-precondition) on divergence;
   *   (unavailable) where the backend does not work here
   */
  learn(envs: AnyVectorEnv, totalSteps: number): AsyncGenerator<Progress, void, undefined>;
  /** A copy of the whole state; valid between two updates. */
  checkpoint(): Checkpoint;
}

export interface LearnerSetup extends Spaces {
  readonly options?: Readonly<Record<string, unknown>>;
  /** whole number, 0 to 2^53 - 1 */
  readonly seed: number;
  /** goes into checkpoints */
  readonly env?: EnvDescription;
  /** recorded runs, for learners that learn from them */
  readonly dataset?: RecordedData;
}

export interface LearnerNeeds {
  /** recorded runs */
  readonly dataset?: "required" | "optional";
  /** environments whose `states` are what a teacher would do */
  readonly teacher?: true;
  /** environments whose rows are the flows of a network, and whose `states` are the network's */
  readonly flows?: true;
}

/** A learner as data: everything that training, checkpoints and the command line need to know of it. */
export interface LearnerSpec {
  /** in checkpoints and after `--learner` */
  readonly name: string;
  /** in sentences */
  readonly title: string;
  readonly source: string;
  /** one sentence */
  readonly summary: string;
  /** kinds of action spaces that it learns over; it refuses others */
  readonly actions: readonly Space["kind"][];
  /** what it learns from beside rewards of one flow's steps; absent: nothing */
  readonly needs?: LearnerNeeds;
  readonly options: Readonly<Record<string, OptionKind>>;
  readonly defaults: OptionValues;
  /** what `train` sets beside the defaults: tuned for our environments */
  readonly tuned: OptionValues;
  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range */
  checkOptions(given: Readonly<Record<string, unknown>>): void;
  make(setup: LearnerSetup): Learner;
  /**
   * A learner that goes on where the checkpoint was taken.
   * @param setup spaces to check against; options that replace stored ones (not the shape of networks); a new description
   * @throws CcparkError (invalid-argument) where spaces, state or arrays do not fit
   */
  load(checkpoint: Checkpoint, setup: Omit<LearnerSetup, "seed">): Learner;
  /**
   * What acts by the checkpoint, ready without TensorFlow.js.
   * @param seed for `explore`
   * @throws CcparkError (invalid-argument) where spaces, state or arrays do not fit
   */
  policy(checkpoint: Checkpoint, spaces: Spaces, seed: number): Agent;
}
