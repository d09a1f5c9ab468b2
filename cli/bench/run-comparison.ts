/** Wiring of `compare`: the runs of several worlds, world beside world, so that what drifts with time is in all of them alike. */
import { type BenchmarkPlan, type BenchmarkRun, countRuns, runBenchmark } from "../../eval/benchmark.ts";
import { breathe } from "../console.ts";
import { startTask } from "../train/progress.ts";

/**
 * @param plans the same scenarios, contenders and seeds in each world
 * @param binSecOf width of the series' bins for the scenario at this place
 */
export async function runComparison(
  plans: readonly BenchmarkPlan[],
  binSecOf: (scenario: number) => number,
  { quiet }: { readonly quiet: boolean },
): Promise<BenchmarkRun[]> {
  const total = plans.reduce((sum, plan) => sum + countRuns(plan), 0);
  const task = await startTask({ label: "comparison", total, unit: "runs", quiet });
  const runs: BenchmarkRun[] = [];
  const first = plans[0]!;
  for (const scenario of first.scenarios.keys()) {
    for (const contender of first.contenders.keys()) {
      for (const plan of plans) {
        const part: BenchmarkPlan = {
          ...plan,
          scenarios: [plan.scenarios[scenario]!],
          contenders: [plan.contenders[contender]!],
          seriesBinSec: binSecOf(scenario),
        };
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
