/**
 * Collecting a batch on policy. Every thread that has environments acts in them by a copy of the policy, and none waits for
 * another before the last step: steps take from microseconds to milliseconds of computing, and a step of all is as slow as
 * the slowest. Noise is drawn beforehand, so the bytes do not depend on who draws first, nor on the number of threads.
 */
import type { Rng } from "../../core/random.ts";
import type { AnyVectorEnv, EndedEpisode, RowTask, ThreadRows, VectorRows } from "../../envs/env.ts";
import { boundsOf } from "../../envs/spaces.ts";
import { type Batch, makeRolloutArrays, type RolloutArrays } from "./batch.ts";
import { makePolicy } from "./make-policy.ts";
import type { NetworkPolicy, PolicySpec, Samples } from "./network-policy.ts";
import type { ObservationStatistics } from "./statistics.ts";

/** What a thread needs; data, with arrays that all threads fill. */
interface Plan {
  readonly spec: PolicySpec;
  readonly weights: Float32Array;
  readonly statistics: ObservationStatistics | undefined;
  readonly steps: number;
  /** of all rows together */
  readonly numEnvs: number;
  /** [steps x numEnvs x noise] */
  readonly noise: Float64Array;
  /** [numEnvs x memory], of a policy that remembers: at the first step, and then at the last */
  readonly memory: Float32Array | undefined;
  readonly arrays: RolloutArrays;
}

interface Truncated {
  readonly row: number;
  readonly observation: Float32Array;
  /** what was remembered then */
  readonly memory: Float32Array | undefined;
  readonly state: Float32Array | undefined;
}

interface Ended {
  readonly row: number;
  readonly episode: EndedEpisode;
}

/** What a thread leaves beside the arrays. */
interface Ends {
  /** rows of the batch that were truncated, with the observation that each led to */
  readonly truncated: readonly Truncated[];
  readonly episodes: readonly Ended[];
}

/** Acts by the plan's policy in rows that take their steps together, and writes into the plan's arrays what came of it. */
class Actor {
  readonly ends: { readonly truncated: Truncated[]; readonly episodes: Ended[] } = {
    truncated: [],
    episodes: [],
  };
  readonly #plan: Plan;
  readonly #count: number;
  readonly #policy: NetworkPolicy;
  readonly #low: ArrayLike<number>;
  readonly #normalised: Float32Array;
  readonly #noise: Float64Array;
  readonly #samples: Required<Samples>;
  /** before the step at hand, for a central value network */
  #states: Float32Array | undefined;

  /** @param count of rows together */
  constructor(plan: Plan, count: number) {
    const { spec, weights, statistics, steps, numEnvs, noise } = plan;
    const actions = (): Float32Array => new Float32Array(count * spec.actionSpace.shape[0]);
    this.#plan = plan;
    this.#count = count;
    this.#policy = makePolicy(spec, { weights, areFinal: true, ...(statistics && { statistics }) });
    this.#low = boundsOf(spec.actionSpace).low;
    this.#normalised = new Float32Array(count * spec.observationSpace.shape[0]);
    this.#noise = new Float64Array((count * noise.length) / (steps * numEnvs));
    this.#samples = { actions: actions(), raw: actions(), logProbs: new Float32Array(count) };
  }

  /** Goes on with these rows. @param from the first of them, in the whole */
  turnTo(from: number): void {
    const { memory, spec } = this.#plan;
    const units = spec.memory ?? 0;
    if (memory !== undefined) {
      this.#policy.memory = memory.subarray(from * units, (from + this.#count) * units);
    }
  }

  /** @returns actions of the step; overwritten by the next call. @param row of the batch, that of the first of the rows */
  act(rows: VectorRows, row: number): Float32Array {
    const { arrays, spec, noise } = this.#plan;
    const policy = this.#policy;
    const { actions, raw, logProbs } = this.#samples;
    arrays.observations.set(rows.observations, row * spec.observationSpace.shape[0]);
    if (rows.states !== undefined) {
      arrays.states?.set(rows.states, row * (rows.states.length / this.#count));
      if (spec.central !== undefined) this.#states = rows.states.slice();
    }
    arrays.memories?.set(policy.memory, row * spec.memory!);
    const noiseAt = (row * this.#noise.length) / this.#count;
    for (let i = 0; i < this.#noise.length; i++) this.#noise[i] = noise[noiseAt + i]!;
    policy.normalise(rows.observations, this.#normalised);
    policy.sample(this.#normalised, this.#count, this.#noise, this.#samples);
    arrays.actions.set(raw, row * spec.actionSpace.shape[0]);
    arrays.logProbs.set(logProbs, row);
    // a form that refuses what lies below its box would refuse a draw from the tail of a Gaussian
    for (let i = 0; i < actions.length; i++) {
      actions[i] = Math.max(actions[i]!, this.#low[i % this.#low.length]!);
    }
    return actions;
  }

  /** What the step has come to. @param row as of `act` */
  record(rows: VectorRows, row: number): void {
    const { arrays, spec } = this.#plan;
    const policy = this.#policy;
    const units = spec.memory ?? 0;
    const part = <T extends Float32Array | undefined>(all: T, i: number): T =>
      all?.slice((i * all.length) / this.#count, ((i + 1) * all.length) / this.#count) as T;
    for (let i = 0; i < this.#count; i++) {
      const isTerminated = rows.terminated[i]!;
      const isTruncated = isTerminated ? 0 : rows.truncated[i]!;
      arrays.rewards[row + i] = rows.rewards[i]!;
      arrays.terminated[row + i] = isTerminated;
      arrays.truncated[row + i] = isTruncated;
      if (isTruncated) {
        this.ends.truncated.push({
          row: row + i,
          observation: part(rows.finalObservations, i),
          memory: units > 0 ? part(policy.memory, i) : undefined,
          state: part(this.#states, i),
        });
      }
      if (isTerminated + isTruncated > 0) policy.memory.fill(0, i * units, (i + 1) * units);
    }
    const first = row % this.#plan.numEnvs;
    for (const episode of rows.endedEpisodes) {
      this.ends.episodes.push({ row: row - first + episode.env, episode });
    }
  }

  /** After the last step. @param from the first of the rows, in the whole */
  finish(rows: VectorRows, from: number): void {
    const { arrays, spec } = this.#plan;
    arrays.last.set(rows.observations, from * spec.observationSpace.shape[0]);
    if (rows.states !== undefined) {
      arrays.lastStates?.set(rows.states, from * (rows.states.length / this.#count));
    }
  }
}

/** All rows step by step, on the calling thread. */
async function rollOutTogether(envs: AnyVectorEnv, plan: Plan): Promise<Ends> {
  const actor = new Actor(plan, plan.numEnvs);
  actor.turnTo(0);
  for (let step = 0; step < plan.steps; step++) {
    const row = step * plan.numEnvs;
    await envs.step(actor.act(envs, row));
    actor.record(envs, row);
  }
  actor.finish(envs, 0);
  return actor.ends;
}

/** One row after the other, as far as they are this thread's. */
async function rollOut(rows: ThreadRows, plan: Plan): Promise<Ends> {
  const actor = new Actor(plan, 1);
  for await (const stretch of rows.stretches(plan.steps)) {
    actor.turnTo(stretch.row);
    while (!stretch.isOver) {
      const row = stretch.taken * plan.numEnvs + stretch.row;
      const later = stretch.step(actor.act(stretch, row));
      if (later instanceof Promise) await later; // waiting for nothing costs, too
      actor.record(stretch, row);
    }
    actor.finish(stretch, stretch.row); // once more where an episode has ended: whoever begins the next one comes later
  }
  return actor.ends;
}

/** Threads of a training must know it. */
export const ROLLOUT: RowTask<Plan, Ends> = { name: "rollout", run: rollOut };

const byRow = (a: { readonly row: number }, b: { readonly row: number }): number => a.row - b.row;

/**
 * @param steps of each environment
 * @param rng of the policy's noise
 * @param memory [numEnvs x memory] in memory that threads share, of a policy that remembers; goes on to the state after the last step
 * @returns a batch whose observations are as the environments gave them
 */
export async function collect(
  envs: AnyVectorEnv,
  policy: NetworkPolicy,
  { steps, rng, memory }: { readonly steps: number; readonly rng: Rng; readonly memory?: Float32Array },
): Promise<Batch> {
  const { spec, weights, statistics } = policy;
  const { numEnvs } = envs;
  const arrays = makeRolloutArrays(steps * numEnvs, numEnvs, spec, {
    state: (envs.states?.length ?? 0) / numEnvs,
    memory: memory === undefined ? 0 : spec.memory,
    central: spec.central,
  });
  const noise = shared(policy.drawNoise(rng, steps * numEnvs));
  const plan: Plan = { spec, weights, statistics, steps, numEnvs, noise, memory, arrays };
  const ends =
    "perform" in envs && envs.perform !== undefined
      ? await envs.perform(ROLLOUT, plan)
      : [await rollOutTogether(envs, plan)];
  const truncated = ends.flatMap((part) => part.truncated).sort(byRow);
  const episodes = ends.flatMap((part) => part.episodes).sort(byRow);
  return {
    ...arrays,
    rows: steps * numEnvs,
    truncatedRows: truncated.map(({ row }) => row),
    truncatedObservations: truncated.map(({ observation }) => observation),
    ...(spec.central !== undefined && { truncatedStates: truncated.map(({ state }) => state!) }),
    ...(memory !== undefined && {
      truncatedMemories: truncated.map((each) => each.memory!),
      lastMemories: memory.slice(),
    }),
    episodes: episodes.map(({ episode }) => episode),
  };
}

function shared(values: Float64Array): Float64Array {
  const copy = new Float64Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}
