/**
 * The environment contract. The vector form is the fast one (synchronous, typed arrays, N environments at once);
 * the single form is a view of it; both give the same bytes for the same seed. gRPC clients implement `Env` too.
 *
 * Life of an env: reset -> step ... step(truncated or terminated) -> reset. A step before the first reset or after the
 * end throws CcparkError "failed-precondition". Only `reset` takes a seed.
 */
import type { Scenario } from "../scenarios/scenario.ts";
import type { Box, Space } from "./spaces.ts";

/** Facts about a step, not for learning; the keys are fixed. */
export interface StepInfo {
  /** whether a CCP report ended the step (false: the time limit of a step did) */
  readonly report: boolean;
  /** virtual time since the flow's start, at the end of the step */
  readonly timeUs: number;
  /** virtual time that the step took */
  readonly stepUs: number;
  /** payload bytes acknowledged in the step */
  readonly deliveredBytes: number;
  readonly lostPackets: number;
  readonly rttUs: number;
  readonly cwndBytes: number;
  /** 0: ACK-clocked */
  readonly pacingRateBytesPerSec: number;
  /** 1 when the action of this step lay outside the box and was clipped */
  readonly clippedActions: number;
  /** from the end of the step before (or the flow's start) to the action of this one; 0 in virtual time */
  readonly actionLateUs: number;
  /** reports that came while the agent was deciding on the action of this step, counted into it; 0 in virtual time */
  readonly missedReports: number;
}

export interface TimeStep {
  readonly observation: Float32Array;
  readonly reward: number;
  readonly info: StepInfo;
  /** the task ended: the next state is worth 0 */
  readonly terminated: boolean;
  /** time ran out: bootstrap from `observation` */
  readonly truncated: boolean;
}

export interface ResetOptions {
  /** whole number, 0 to 2^53 - 1 */
  readonly seed: number;
  readonly scenario?: Scenario;
}

export interface Env {
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  reset(options: ResetOptions): Promise<TimeStep>;
  step(action: Float32Array): Promise<TimeStep>;
  close(): Promise<void>;
}

/**
 * N environments stepped together; every array has one row per environment, row-major, and is overwritten by the next
 * call. Autoreset is SAME_STEP: a row that ended has `terminated` or `truncated` set, its last observation in
 * `finalObservations`, and already the first observation of the next episode in `observations`.
 */
export interface VectorEnv extends VectorRows {
  /** Env i starts with seed + i; later episodes continue that env's own stream. */
  reset(seed: number): void;
  /** @param actions [numEnvs x actionSpace.shape[0]], row-major */
  step(actions: Float32Array): void;
}

/** `VectorEnv` whose answers have to be waited for, such as one in another process; the arrays are filled by then. */
export interface AsyncVectorEnv extends VectorRows {
  reset(seed: number): Promise<void>;
  step(actions: Float32Array): Promise<void>;
  /**
   * Carries out a task on all threads that have rows; none waits for another meanwhile. Absent: the caller has to step.
   * Afterwards the arrays are filled as by a step; `endedEpisodes` is the business of the task.
   * @returns what the task came to on each thread
   */
  perform?<Given, Result>(task: RowTask<Given, Result>, given: Given): Promise<Result[]>;
  close(): Promise<void>;
}

/** The rows of a vector form, as a task sees them on one of its threads. */
export interface ThreadRows {
  /** whether this is the thread that asked for the task */
  readonly isCaller: boolean;
  /**
   * Rows for this thread to go on with, one after the other, until all have taken their steps: first those whose episodes run on it,
   * then whichever await their next episode. Each is to be stepped until it is over before the next is asked for. Which thread
   * gets a row is left to chance, and no answer may depend on it.
   * @param steps of every row, on all threads together
   */
  stretches(steps: number): AsyncIterable<RowStretch>;
}

/** A row on its way through a task, from one end of an episode to the next at most; the arrays are those of this row. */
export interface RowStretch extends VectorRows {
  readonly numEnvs: 1;
  /** in the whole; `endedEpisodes` have rows of the whole, too */
  readonly row: number;
  /** steps of the task that lie behind it */
  readonly taken: number;
  /** its episode has ended, or all steps are taken; it may be so from the beginning, where the last step was the last of an episode */
  readonly isOver: boolean;
  /**
   * The next episode does not begin by this: the last observation of one that ended is in both arrays.
   * @param actions [actionSpace.shape[0]]
   */
  step(actions: Float32Array): void | Promise<void>;
}

/** What takes many steps of rows by itself. All threads know it by its name, since functions cannot be sent. */
export interface RowTask<Given, Result> {
  readonly name: string;
  /** @param given data that can be sent; arrays in shared memory are the same ones on all threads */
  run(rows: ThreadRows, given: Given): Promise<Result>;
}

/** Either form, for who awaits whatever it answers: a learner. */
export type AnyVectorEnv = VectorEnv | AsyncVectorEnv;

/** What the last reset or step of a vector form has filled. */
export interface VectorRows {
  readonly numEnvs: number;
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  /** [numEnvs x observationSpace.shape[0]] */
  readonly observations: Float32Array;
  /** [numEnvs] */
  readonly rewards: Float64Array;
  /** [numEnvs], 0 or 1 */
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** [numEnvs x observationSpace.shape[0]]; only rows that ended in this step are meaningful */
  readonly finalObservations: Float32Array;
  /**
   * [numEnvs x stateSpace.shape[0]]: what only a critic or an imitator may see in training, such as what a teacher would do now; absent:
   * there is nothing
   */
  readonly states?: Float32Array;
  /** episodes that ended in the last step */
  readonly endedEpisodes: readonly EndedEpisode[];
}

export interface EndedEpisode {
  readonly env: number;
  readonly seed: number;
  /** sum of rewards */
  readonly episodeReturn: number;
  readonly steps: number;
  readonly goodputMbps: number;
  readonly utilisation: number;
  readonly meanQueueDelayMs: number;
  readonly lossRate: number;
  readonly score: number;
}
