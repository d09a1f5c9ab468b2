/**
 * `npm run bench:env [-- --json] [--workers N]`: environment steps per second in the vector form: 48 Mbit/s, 50 ms link,
 * 10 ms steps, a fixed policy that keeps the link full. Utilisation and packets per step are printed, since an idle link
 * would be fast too. On one core, seconds of the processor beside those of the clock; with workers, N threads that run whole
 * rollouts of their own environments, all steps by the clock. What is timed begins when V8 is warm, and is the median of fifteen
 * times four rollouts. P2 is the 2nd percentile over slices of 10 steps: the speed while nothing else had the core.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { raiseInliningBudget } from "../../core/v8-inlining.ts";
import { scriptOptions } from "../../envs/grpc/bench/options.ts";
import { medianTimes, printRow, quantile } from "./console.ts";
import {
  makeRollouts,
  NUM_ENVS,
  ROLLOUTS,
  STEPS,
  WARM_UP_ROLLOUTS,
  type WorkerData,
  type WorkerResult,
} from "./env-workers.ts";

raiseInliningBudget();

const REPEATS = 15;

function print(
  observation: string,
  workers: number,
  steps: number,
  seconds: { readonly cpuSec?: number; readonly wallSec: number },
  { episodes: { count, utilisation, goodputMbps }, sliceMicros }: WorkerResult,
): void {
  const microsP2 = quantile(sliceMicros, 0.02);
  const microsMedian = quantile(sliceMicros, 0.5);
  printRow({
    workers,
    envs: NUM_ENVS * workers,
    observation,
    steps,
    stepMs: 10,
    ...seconds,
    stepsPerSec: Math.round(steps / (seconds.cpuSec ?? seconds.wallSec)),
    microsP2,
    stepsPerSecP2: Math.round((workers * 1e6) / microsP2),
    microsMedian,
    stepsPerSecMedian: Math.round((workers * 1e6) / microsMedian),
    utilisation: utilisation / count,
    packetsPerStep: ((goodputMbps / count) * 125_000 * 0.01) / 1448,
  });
}

function benchHere(observation: string): void {
  const rollouts = makeRollouts(observation);
  rollouts.run(WARM_UP_ROLLOUTS, false);
  const seconds = medianTimes(
    REPEATS,
    () => undefined,
    () => rollouts.run(ROLLOUTS, true),
  );
  print(observation, 1, STEPS * ROLLOUTS, seconds, rollouts);
}

async function benchWorkers(observation: string, count: number): Promise<void> {
  const data: WorkerData = { observation, repeats: REPEATS };
  const url = new URL("./env-workers.js", import.meta.url);
  const workers = Array.from({ length: count }, () => new Worker(url, { workerData: data }));
  await Promise.all(workers.map((worker) => once(worker, "message")));
  const began = performance.now();
  const done = workers.map((worker) => once(worker, "message"));
  for (const worker of workers) worker.postMessage("go");
  const results = (await Promise.all(done)) as [WorkerResult][];
  const wallSec = (performance.now() - began) / 1000;
  const sum = { count: 0, utilisation: 0, goodputMbps: 0 };
  for (const [{ episodes }] of results) {
    sum.count += episodes.count;
    sum.utilisation += episodes.utilisation;
    sum.goodputMbps += episodes.goodputMbps;
  }
  print(
    observation,
    count,
    STEPS * ROLLOUTS * REPEATS * count,
    { wallSec },
    { episodes: sum, sliceMicros: results.flatMap(([result]) => result.sliceMicros) },
  );
}

const { workers } = scriptOptions("bench:env", {
  json: { type: "boolean", what: "a row of JSON each" },
  workers: { type: "number", what: "threads", low: 1, high: 256, default: "1" },
}).values;
for (const observation of ["standard", "park-14"]) {
  if (workers === 1) benchHere(observation);
  else await benchWorkers(observation, workers);
}
