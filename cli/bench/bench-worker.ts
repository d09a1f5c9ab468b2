/** A further thread of `bench`: it reads the same input as the command, and takes units until there are none left. */
import { parentPort, workerData } from "node:worker_threads";
import { type BenchInput, planBench } from "./bench-plan.ts";
import { type BenchUnit, runUnit, type Taken, takeUnits, type UnitOutcome } from "./bench-unit.ts";

export interface BenchWorkerData {
  readonly input: BenchInput;
  readonly units: readonly BenchUnit[];
  readonly taken: Taken;
  /** which of all that take units this one is */
  readonly thread: number;
  readonly threads: number;
}

export interface DoneUnit {
  readonly place: number;
  readonly outcome: UnitOutcome;
}

async function work({ input, units, taken, ...which }: BenchWorkerData): Promise<void> {
  const { plan } = await planBench(input);
  for (const place of takeUnits(units, taken, which)) {
    const done: DoneUnit = { place, outcome: await runUnit(plan, units[place]!) };
    parentPort!.postMessage(done);
  }
}

// not awaited: under tsx a worker's module may not await at its top
void work(workerData as BenchWorkerData);
