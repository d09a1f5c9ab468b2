/** Wiring shared by `bench` and `quickstart`: runs a plan with progress, and hands back what reports need. */
import { CHECKPOINT_VERSION } from "../../agents/checkpoint.ts";
import { CcparkError } from "../../core/errors.ts";
import { RNG_NAME } from "../../core/random.ts";
import {
  type BenchmarkFailure,
  type BenchmarkPlan,
  type BenchmarkRun,
  countRuns,
  runBenchmark,
} from "../../eval/benchmark.ts";
import { breathe } from "../console.ts";
import { startTask } from "../train/progress.ts";
import { packageVersion } from "../version.ts";
import { type BenchInput, pipeOf } from "./bench-plan.ts";
import type { BenchUnit, UnitOutcome } from "./bench-worker.ts";

export interface RunOptions {
  readonly quiet: boolean;
  /** after each run */
  readonly onRun?: (run: BenchmarkRun) => void;
  /** of a contender that could not do a run; absent: the first one throws */
  readonly onFailure?: (failure: BenchmarkFailure) => void;
}

/** On this thread: for what takes its time from elsewhere, or runs so briefly that Ctrl-C may wait for it. */
export async function runPlan(
  plan: BenchmarkPlan,
  { quiet, onRun, onFailure }: RunOptions,
): Promise<BenchmarkRun[]> {
  const task = await startTask({ label: "benchmark", total: countRuns(plan), unit: "runs", quiet });
  const runs: BenchmarkRun[] = [];
  for await (const run of runBenchmark(plan, onFailure)) {
    runs.push(run);
    onRun?.(run);
    task.update(runs.length, `${run.record.scenario} ${run.record.algorithm}`);
    await breathe();
  }
  task.finish();
  return runs;
}

/** One scenario and contender each; seed by seed too, unless the contender chooses something for all seeds at once. */
function unitsOf({ scenarios, contenders, seeds }: BenchmarkPlan): BenchUnit[] {
  return scenarios.flatMap((_, scenario) =>
    contenders.flatMap(({ prepare }, contender): BenchUnit[] =>
      prepare === undefined
        ? seeds.map((seed) => ({ scenario, contender, seeds: [seed] }))
        : [{ scenario, contender, seeds }],
    ),
  );
}

/** Whether other threads may run a plan: nothing of it lives in another process, in real time or in a pipe. */
export function mayRunInWorkers(input: BenchInput, { contenders, testbed }: BenchmarkPlan): boolean {
  const isHere = contenders.every(({ reproducible }) => reproducible !== false);
  return isHere && testbed?.clock !== "real" && pipeOf(input) === undefined;
}

/**
 * The same runs in worker threads, while this one listens to signals, handed back and told in the same order: the bytes of the results do not change.
 * @throws CcparkError for a contender that lives in another process, and in real time
 */
export async function runPlanInWorkers(
  input: BenchInput,
  plan: BenchmarkPlan,
  workers: number,
  { quiet, onRun, onFailure }: RunOptions,
): Promise<BenchmarkRun[]> {
  const outside = plan.contenders.find((contender) => contender.reproducible === false);
  if (outside !== undefined) {
    const message = `[bench] \`${outside.name}\` is an agent of another process: it runs without --workers`;
    throw new CcparkError("invalid-argument", message);
  }
  if (plan.testbed?.clock === "real") {
    const message = `[bench] on ${plan.testbed.name} runs take turns, since threads beside them would delay packets: it runs without --workers`;
    throw new CcparkError("invalid-argument", message);
  }
  const pipe = pipeOf(input);
  if (pipe !== undefined) {
    const message = `[bench] \`${pipe}\` is a pipe, which each thread would have to read: it runs without --workers`;
    throw new CcparkError("invalid-argument", message);
  }
  const { Piscina } = await import("piscina");
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const pool = new Piscina({
    filename: new URL(`./bench-worker.${extension}`, import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    workerData: input,
  });
  const task = await startTask({ label: "benchmark", total: countRuns(plan), unit: "runs", quiet });
  const runs: BenchmarkRun[] = [];
  try {
    const outcomes = unitsOf(plan).map((unit): Promise<UnitOutcome> => pool.run(unit));
    // all are awaited in order; one that fails meanwhile must not be an unhandled rejection
    for (const outcome of outcomes) outcome.catch(() => {});
    for (const outcome of outcomes) {
      const done = await outcome;
      if ("kind" in done) throw new CcparkError(done.kind, done.message);
      for (const failure of done.failures) {
        if (onFailure === undefined) throw new CcparkError(failure.kind, failure.message);
        onFailure(failure);
      }
      for (const run of done.runs) {
        runs.push(run);
        onRun?.(run);
        task.update(runs.length, `${run.record.scenario} ${run.record.algorithm}`);
      }
    }
  } finally {
    await pool.destroy();
  }
  task.finish();
  return runs;
}

/** What a result depends on besides its options. */
export function versions(): Record<string, string> {
  return { ccpark: packageVersion(), generator: RNG_NAME, checkpoint: String(CHECKPOINT_VERSION) };
}
