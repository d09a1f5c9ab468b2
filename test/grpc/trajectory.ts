/**
 * One number for what a trajectory of many steps is: the SHA-256 of all bytes that a learner would see. Run it for the
 * local environment:
 *
 *   npx tsx test/grpc/trajectory.ts '{"kwargs": {...}, "numEnvs": 2, "seed": 7, "mode": "next-step", "steps": 10000}'
 *
 * so that clients in other languages can compare. The recipe, exactly:
 *
 * - Actions. One generator for all rows: x starts as seed mod 2^32; each draw is x = (1664525 x + 1013904223) mod 2^32 and
 *   u = x / 2^32. Each step draws numEnvs x width numbers in row order, also for rows whose action will be ignored; the
 *   action is float32(low + (high - low) u), calculated in float64 from the float32 bounds of its dimension.
 * - Reset with `seed`, so environment i has seed + i. Then `steps` steps. Under "disabled" a step in which rows ended is
 *   followed by a reset of those rows (mask) without a seed.
 * - Hashed, in order: of the first reset and of each masked one the observations of all rows; of a step the observations
 *   of all rows, the rewards, the flags terminated, the flags truncated, and under "same-step" the final observations of
 *   the rows that ended, in row order. Observations are float32, rewards float64, little-endian, flags one byte.
 */
import { createHash, type Hash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { singleFlowEnv } from "../../cli/served-env.ts";
import type { Env, TimeStep } from "../../envs/env.ts";
import type { Autoreset, RemoteVectorEnv } from "../../envs/grpc/client.ts";
import { pack } from "../../envs/grpc/wire.ts";
import { boundsOf, type Space } from "../../envs/spaces.ts";
import { EpisodeSeeds } from "../../envs/vector/episode-seeds.ts";

export interface TrajectoryPlan {
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly numEnvs: number;
  readonly seed: number;
  readonly mode: Autoreset;
  readonly steps: number;
}

/** What came of it; `ends` guards against plans that never reach one. */
export interface Trajectory {
  readonly sha256: string;
  readonly ends: number;
}

function actionSource(space: Space, { seed, numEnvs }: TrajectoryPlan): () => Float32Array {
  const { low, high } = boundsOf(space);
  let x = seed >>> 0;
  return () =>
    Float32Array.from({ length: numEnvs * low.length }, (_, k) => {
      x = (Math.imul(1664525, x) + 1013904223) >>> 0;
      const [lo, hi] = [low[k % low.length]!, high[k % low.length]!];
      const value = lo + (hi - lo) * (x / 2 ** 32);
      return space.kind === "discrete" ? Math.round(value) : value;
    });
}

interface Rows {
  readonly observations: Float32Array;
  readonly rewards: Float64Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
}

function hashStep(hash: Hash, { observations, rewards, terminated, truncated }: Rows): void {
  hash.update(pack(observations)).update(pack(rewards)).update(terminated).update(truncated);
}

/** The rows that ended, in order. */
function endedRows({ terminated, truncated }: Rows): number[] {
  return [...terminated.keys()].filter((i) => terminated[i] === 1 || truncated[i] === 1);
}

/**
 * By single environments, whose autoreset is done here: the reference.
 * @param envs plan.numEnvs of them
 * @param onStep told the number of each step that is about to be taken
 */
export async function trajectoryOfSingles(
  envs: readonly Env[],
  plan: TrajectoryPlan,
  onStep: (step: number) => void = () => undefined,
): Promise<Trajectory> {
  const { mode, seed, steps, numEnvs } = plan;
  const { observationSpace, actionSpace } = envs[0]!;
  const [width, actionWidth] = [observationSpace.shape[0], actionSpace.shape[0]];
  const draw = actionSource(actionSpace, plan);
  const seeds = envs.map((_, i) => new EpisodeSeeds(seed + i));
  const rows: Rows = {
    observations: new Float32Array(numEnvs * width),
    rewards: new Float64Array(numEnvs),
    terminated: new Uint8Array(numEnvs),
    truncated: new Uint8Array(numEnvs),
  };
  const begin = async (i: number): Promise<TimeStep> => {
    const first = await envs[i]!.reset({ seed: seeds[i]!.upcoming });
    seeds[i]!.advance();
    rows.observations.set(first.observation, i * width);
    return first;
  };
  const hash = createHash("sha256");
  let ends = 0;
  let ended: number[] = [];
  for (let i = 0; i < numEnvs; i++) await begin(i);
  hash.update(pack(rows.observations));
  for (let step = 0; step < steps; step++) {
    onStep(step);
    const actions = draw();
    const finals: Float32Array[] = [];
    const show = (i: number, { reward, terminated, truncated }: TimeStep): void => {
      rows.rewards[i] = reward;
      rows.terminated[i] = terminated ? 1 : 0;
      rows.truncated[i] = truncated ? 1 : 0;
    };
    for (let i = 0; i < numEnvs; i++) {
      if (mode === "next-step" && ended.includes(i)) {
        show(i, await begin(i));
        continue;
      }
      const taken = await envs[i]!.step(actions.slice(i * actionWidth, (i + 1) * actionWidth));
      show(i, taken);
      rows.observations.set(taken.observation, i * width);
      if (mode === "same-step" && (taken.terminated || taken.truncated)) {
        finals.push(taken.observation);
        await begin(i);
      }
    }
    hashStep(hash, rows);
    for (const final of finals) hash.update(pack(final));
    ended = endedRows(rows);
    ends += ended.length;
    if (mode === "disabled" && ended.length > 0) {
      for (const i of ended) await begin(i);
      hash.update(pack(rows.observations));
    }
  }
  return { sha256: hash.digest("hex"), ends };
}

/** By a vector form whose autoreset the server does. */
export async function trajectoryOfVector(
  env: RemoteVectorEnv,
  plan: TrajectoryPlan,
  onStep: (step: number) => void = () => undefined,
): Promise<Trajectory> {
  const width = env.observationSpace.shape[0];
  const draw = actionSource(env.actionSpace, plan);
  const hash = createHash("sha256");
  let ends = 0;
  await env.reset(plan.seed);
  hash.update(pack(env.observations));
  for (let step = 0; step < plan.steps; step++) {
    onStep(step);
    await env.step(draw());
    hashStep(hash, env);
    const ended = endedRows(env);
    ends += ended.length;
    if (plan.mode === "same-step") {
      for (const i of ended) hash.update(pack(env.finalObservations.slice(i * width, (i + 1) * width)));
    }
    if (plan.mode === "disabled" && ended.length > 0) {
      await env.reset(undefined, {
        mask: Uint8Array.from({ length: plan.numEnvs }, (_, i) => (ended.includes(i) ? 1 : 0)),
      });
      hash.update(pack(env.observations));
    }
  }
  return { sha256: hash.digest("hex"), ends };
}

/** By the environment in this process, made from `plan.kwargs` as the server makes it. */
export function trajectoryHere(plan: TrajectoryPlan): Promise<Trajectory> {
  const envs = Array.from({ length: plan.numEnvs }, (): Env => {
    const env = singleFlowEnv(plan.kwargs);
    return {
      observationSpace: env.observationSpace,
      actionSpace: env.actionSpace,
      reset: async ({ seed }) => env.reset(seed),
      step: async (action) => env.step(action),
      close: async () => undefined,
    };
  });
  return trajectoryOfSingles(envs, plan);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const plan = JSON.parse(process.argv[2] ?? "{}") as TrajectoryPlan;
  process.stdout.write(`${(await trajectoryHere(plan)).sha256}\n`);
}
