/** Wiring shared by `bench` and `quickstart`: runs a plan with progress, and hands back what reports need. */
import { CHECKPOINT_VERSION } from "../agents/checkpoint.ts";
import { RNG_NAME } from "../core/random.ts";
import { type BenchmarkPlan, type BenchmarkRun, countRuns, runBenchmark } from "../eval/benchmark.ts";
import { breathe } from "./console.ts";
import { startTask } from "./progress.ts";
import { packageVersion } from "./version.ts";

export interface RunOptions {
  readonly quiet: boolean;
  /** after each run */
  readonly onRun?: (run: BenchmarkRun) => void;
}

export async function runPlan(plan: BenchmarkPlan, { quiet, onRun }: RunOptions): Promise<BenchmarkRun[]> {
  const task = await startTask({ label: "benchmark", total: countRuns(plan), unit: "runs", quiet });
  const runs: BenchmarkRun[] = [];
  for await (const run of runBenchmark(plan)) {
    runs.push(run);
    onRun?.(run);
    task.update(runs.length, `${run.record.scenario} ${run.record.algorithm}`);
    await breathe();
  }
  task.finish();
  return runs;
}

/** What a result depends on besides its options. */
export function versions(): Record<string, string> {
  return { ccpark: packageVersion(), generator: RNG_NAME, checkpoint: String(CHECKPOINT_VERSION) };
}
