/** What `bench:env` measures, of a thread: whole rollouts of its own environments, and the worker that runs them. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { makeVectorEnv } from "../../envs/vector/local-vector-env.ts";
import { UNLIMITED } from "../../scenarios/links.ts";
import { getScenario } from "../../scenarios/presets.ts";

export const NUM_ENVS = 8;
/** one whole 30 s episode each */
export const STEPS: number = 3_000 * NUM_ENVS;
/** Of all environments, timed together: short beside the seconds for which others have the core. */
const SLICE = 10;
/** One BDP (200 packets) and a small queue. */
const CWND_PACKETS = 220;

/** Rollouts before anything is timed: so many it takes until V8 compiles nothing of note any more. */
export const WARM_UP_ROLLOUTS = 24;
/** Rollouts that are timed as one. */
export const ROLLOUTS = 4;

export interface Rollouts {
  /** so many rollouts of all environments, of `STEPS` steps each; what they measure is kept if it is to count */
  run(rollouts: number, counts: boolean): void;
  /** sums over the episodes that have ended so far */
  readonly episodes: { count: number; utilisation: number; goodputMbps: number };
  /** microseconds per step of each slice so far */
  readonly sliceMicros: number[];
}

/** What a worker answers. */
export type WorkerResult = Pick<Rollouts, "episodes" | "sliceMicros">;

export function makeRollouts(observation: string): Rollouts {
  // the simulator's default ACK path and sender
  const scenario = { ...getScenario("park-paper"), reverse: UNLIMITED, sender: undefined };
  const options = { ...DEFAULT_ENV_OPTIONS, action: "absolute", observation, stepMs: 10 } as const;
  const envs = makeVectorEnv(scenario, options, NUM_ENVS);
  const actions = new Float32Array(NUM_ENVS * envs.actionSpace.shape[0]);
  for (let i = 0; i < NUM_ENVS; i++) actions[2 * i] = CWND_PACKETS;
  const episodes = { count: 0, utilisation: 0, goodputMbps: 0 };
  const sliceMicros: number[] = [];
  const runOnce = (counts: boolean): void => {
    envs.reset(1);
    let began = performance.now();
    for (let step = 0; step < STEPS / NUM_ENVS; step++) {
      envs.step(actions);
      for (const { utilisation, goodputMbps } of envs.endedEpisodes) {
        episodes.count++;
        episodes.utilisation += utilisation;
        episodes.goodputMbps += goodputMbps;
      }
      if ((step + 1) % SLICE !== 0) continue;
      const now = performance.now();
      if (counts) sliceMicros.push(((now - began) * 1000) / (SLICE * NUM_ENVS));
      began = now;
    }
  };
  return {
    episodes,
    sliceMicros,
    run(rollouts, counts) {
      for (let rollout = 0; rollout < rollouts; rollout++) runOnce(counts);
    },
  };
}

/** A worker's life: warm, told to go, `repeats` rollouts, done. */
if (!isMainThread && parentPort !== null && isWorkerData(workerData)) {
  const port = parentPort;
  const { observation, repeats } = workerData;
  const rollouts = makeRollouts(observation);
  rollouts.run(WARM_UP_ROLLOUTS, false);
  port.once("message", () => {
    rollouts.run(repeats * ROLLOUTS, true);
    const { sliceMicros } = rollouts;
    port.postMessage({ episodes: rollouts.episodes, sliceMicros } satisfies WorkerResult);
    port.close();
  });
  port.postMessage("ready");
}

export interface WorkerData {
  readonly observation: string;
  readonly repeats: number;
}

function isWorkerData(data: unknown): data is WorkerData {
  return typeof data === "object" && data !== null && "observation" in data && "repeats" in data;
}
