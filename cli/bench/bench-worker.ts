/** A worker thread of `bench --workers`: it reads the same input as the command and runs the units that it is given. */
import { workerData } from "piscina";
import { CcparkError, type ErrorKind } from "../../core/errors.ts";
import { type BenchmarkFailure, type BenchmarkRun, runBenchmark } from "../../eval/benchmark.ts";
import { type BenchInput, planBench } from "./bench-plan.ts";

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

// awaited below: under tsx a worker's module may not await at its top
const planned = planBench(workerData as BenchInput);

export default async function runUnit({ scenario, contender, seeds }: BenchUnit): Promise<UnitOutcome> {
  const { plan } = await planned;
  const scenarios = [plan.scenarios[scenario]!];
  const contenders = [plan.contenders[contender]!];
  const runs: BenchmarkRun[] = [];
  const failures: BenchmarkFailure[] = [];
  try {
    const unit = { ...plan, scenarios, contenders, seeds };
    for await (const run of runBenchmark(unit, (failure) => failures.push(failure))) runs.push(run);
    return { runs, failures };
  } catch (error) {
    if (error instanceof CcparkError) return { kind: error.kind, message: error.message };
    throw error;
  }
}
