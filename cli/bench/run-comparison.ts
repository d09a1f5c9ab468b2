/** Wiring of `compare`: the runs of several worlds, world beside world, so that what drifts with time is in all of them alike. */
import { type BenchmarkPlan, type BenchmarkRun, countRuns, runBenchmark } from "../../eval/benchmark.ts";
import type { Testbed } from "../../testbeds/testbed.ts";
import { breathe } from "../console.ts";
import { startTask } from "../train/progress.ts";

/**
 * @param plan what each of the worlds runs
 * @param binSecOf width of the series' bins for the scenario at this place
 */
export async function runComparison(
  plan: BenchmarkPlan,
  worlds: readonly Testbed[],
  binSecOf: (scenario: number) => number,
  { quiet }: { readonly quiet: boolean },
): Promise<BenchmarkRun[]> {
  const total = worlds.length * countRuns(plan);
  const task = await startTask({ label: "comparison", total, unit: "runs", quiet });
  const runs: BenchmarkRun[] = [];
  for (const [place, scenario] of plan.scenarios.entries()) {
    const seriesBinSec = binSecOf(place);
    for (const contender of plan.contenders) {
      for (const testbed of worlds) {
        const part = { ...plan, testbed, scenarios: [scenario], contenders: [contender], seriesBinSec };
        for await (const run of runBenchmark(part)) {
          runs.push(run);
          task.update(runs.length, `${run.record.algorithm} on ${run.record.testbed}`);
          await breathe();
        }
      }
    }
  }
  task.finish();
  return runs;
}
