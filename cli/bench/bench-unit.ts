/** Wiring: the runs of a benchmark that are done at one go, by whichever thread comes first. */
import { CcparkError, type ErrorKind } from "../../core/errors.ts";
import {
  type BenchmarkFailure,
  type BenchmarkPlan,
  type BenchmarkRun,
  runBenchmark,
} from "../../eval/benchmark.ts";
import { interruptibly } from "../console.ts";

/** Places in the plan. */
export interface BenchUnit {
  readonly scenario: number;
  readonly contender: number;
  readonly seeds: readonly number[];
}

/** A user's mistake keeps its kind on the way to the command. */
export type UnitOutcome =
  | { readonly runs: readonly BenchmarkRun[]; readonly failures: readonly BenchmarkFailure[] }
  | { readonly kind: ErrorKind; readonly message: string };

/** One scenario and contender each; seed by seed too, unless the contender chooses something for all seeds at once. */
export function unitsOf({ scenarios, contenders, seeds }: BenchmarkPlan): BenchUnit[] {
  return scenarios.flatMap((_, scenario) =>
    contenders.flatMap(({ prepare }, contender): BenchUnit[] =>
      prepare === undefined
        ? seeds.map((seed) => ({ scenario, contender, seeds: [seed] }))
        : [{ scenario, contender, seeds }],
    ),
  );
}

/** @param next shared by all threads @returns the place of a unit that nobody has taken yet, or one past the last */
export function takeUnit(next: Int32Array): number {
  return Atomics.add(next, 0, 1);
}

export async function runUnit(plan: BenchmarkPlan, unit: BenchUnit): Promise<UnitOutcome> {
  const scenarios = [plan.scenarios[unit.scenario]!];
  const contenders = [plan.contenders[unit.contender]!];
  const runs: BenchmarkRun[] = [];
  const failures: BenchmarkFailure[] = [];
  try {
    const alone = { ...plan, scenarios, contenders, seeds: unit.seeds };
    const all = interruptibly(runBenchmark(alone, (failure) => failures.push(failure)));
    for await (const run of all) {
      runs.push(run);
      // whether there is another is a question with a watch for Ctrl-C of its own, a thread
      if (runs.length + failures.length === unit.seeds.length) break;
    }
    return { runs, failures };
  } catch (error) {
    if (error instanceof CcparkError) return { kind: error.kind, message: error.message };
    throw error;
  }
}
