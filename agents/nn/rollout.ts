/**
 * Collecting a batch on policy. Every thread that has environments acts in them by a copy of the policy, and none waits for
 * another before the last step: steps take from microseconds to milliseconds of computing, and a step of all is as slow as
 * the slowest. Noise is drawn beforehand, so the bytes do not depend on who draws first, nor on the number of threads.
 */
import type { Rng } from "../../core/random.ts";
import type { AnyVectorEnv, EndedEpisode, RowsPart, RowTask } from "../../envs/env.ts";
import { boundsOf } from "../../envs/spaces.ts";
import { type Batch, makeRolloutArrays, type RolloutArrays } from "./batch.ts";
import { makePolicy } from "./make-policy.ts";
import type { NetworkPolicy, PolicySpec } from "./network-policy.ts";
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

/** What a part leaves beside the arrays, in the order of its steps. */
interface Ends {
  /** rows of the batch that were truncated, with the observation that each led to */
  readonly truncated: readonly Truncated[];
  readonly episodes: readonly { readonly row: number; readonly episode: EndedEpisode }[];
}

/** @param from the first row of the part, in the whole */
async function rollOut(part: Omit<RowsPart, "from">, from: number, plan: Plan): Promise<Ends> {
  const { spec, weights, statistics, steps, numEnvs, noise, memory, arrays } = plan;
  const count = part.numEnvs;
  const policy = makePolicy(spec, { weights, areFinal: true, ...(statistics && { statistics }) });
  const units = spec.memory ?? 0;
  const isCentral = spec.central !== undefined;
  if (memory !== undefined) policy.memory = memory.subarray(from * units, (from + count) * units);
  const width = spec.observationSpace.shape[0];
  const actionWidth = spec.actionSpace.shape[0];
  const { low } = boundsOf(spec.actionSpace);
  const noiseWidth = noise.length / (steps * numEnvs);
  const normalised = new Float32Array(count * width);
  const actions = new Float32Array(count * actionWidth);
  const truncated: Truncated[] = [];
  const episodes: { row: number; episode: EndedEpisode }[] = [];
  for (let step = 0; step < steps; step++) {
    const row = step * numEnvs + from;
    arrays.observations.set(part.observations, row * width);
    if (part.states !== undefined) arrays.states?.set(part.states, row * (part.states.length / count));
    arrays.memories?.set(policy.memory, row * units);
    policy.normalise(part.observations, normalised);
    policy.sample(normalised, count, noise.subarray(row * noiseWidth, (row + count) * noiseWidth), {
      actions,
      raw: arrays.actions.subarray(row * actionWidth, (row + count) * actionWidth),
      logProbs: arrays.logProbs.subarray(row, row + count),
    });
    // a form that refuses what lies below its box would refuse a draw from the tail of a Gaussian
    for (let i = 0; i < actions.length; i++) actions[i] = Math.max(actions[i]!, low[i % actionWidth]!);
    const statesBefore = isCentral ? part.states?.slice() : undefined;
    await part.step(actions);
    for (let i = 0; i < count; i++) {
      const isTerminated = part.terminated[i]!;
      const isTruncated = isTerminated ? 0 : part.truncated[i]!;
      arrays.rewards[row + i] = part.rewards[i]!;
      arrays.terminated[row + i] = isTerminated;
      arrays.truncated[row + i] = isTruncated;
      if (isTruncated) {
        const observation = part.finalObservations.slice(i * width, (i + 1) * width);
        const remembered = memory && policy.memory.slice(i * units, (i + 1) * units);
        const stateWidth = (statesBefore?.length ?? 0) / count;
        const state = statesBefore?.slice(i * stateWidth, (i + 1) * stateWidth);
        truncated.push({ row: row + i, observation, memory: remembered, state });
      }
      if (isTerminated + isTruncated > 0) policy.memory.fill(0, i * units, (i + 1) * units);
    }
    for (const episode of part.endedEpisodes) episodes.push({ row: row - from + episode.env, episode });
  }
  arrays.last.set(part.observations, from * width);
  if (arrays.lastStates !== undefined && part.states !== undefined)
    arrays.lastStates.set(part.states, from * (part.states.length / count));
  return { truncated, episodes };
}

/** Threads of a training must know it. */
export const ROLLOUT: RowTask<Plan, Ends> = {
  name: "rollout",
  run: (part, plan) => rollOut(part, part.from, plan),
};

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
      : [await rollOut(envs, 0, plan)];
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
