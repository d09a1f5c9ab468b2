/** A further thread of `bench`: it plans the same as the command, and takes units until there are none left. */
import { parentPort, workerData } from "node:worker_threads";
import type { Scenario } from "../../scenarios/scenario.ts";
import { type BenchInput, planAgain } from "./bench-plan.ts";
import { type BenchUnit, type DoneUnit, runUnit, type Taken, takeUnits } from "./bench-unit.ts";

export interface BenchWorkerData {
  readonly input: BenchInput;
  /** see `planAgain` */
  readonly scenarios: readonly Scenario[] | undefined;
  readonly units: readonly BenchUnit[];
  readonly taken: Taken;
  /** which of all that take units this one is */
  readonly thread: number;
  readonly threads: number;
}

async function work({ input, scenarios, units, taken, ...which }: BenchWorkerData): Promise<void> {
  const plan = await planAgain(input, scenarios);
  for (const place of takeUnits(units, taken, which)) {
    const done: DoneUnit = { place, outcome: await runUnit(plan, units[place]!) };
    parentPort!.postMessage(done);
  }
}

// not awaited: under tsx a worker's module may not await at its top
void work(workerData as BenchWorkerData);
