/** A further thread of `bench`: it reads the same input as the command, and takes units until there are none left. */
import { parentPort, workerData } from "node:worker_threads";
import { type BenchInput, planBench } from "./bench-plan.ts";
import { type BenchUnit, runUnit, takeUnit, type UnitOutcome } from "./bench-unit.ts";

export interface BenchWorkerData {
  readonly input: BenchInput;
  readonly units: readonly BenchUnit[];
  /** the place of the next unit, for all threads */
  readonly next: Int32Array;
}

export interface DoneUnit {
  readonly place: number;
  readonly outcome: UnitOutcome;
}

async function work({ input, units, next }: BenchWorkerData): Promise<void> {
  const { plan } = await planBench(input);
  for (let place = takeUnit(next); place < units.length; place = takeUnit(next)) {
    const done: DoneUnit = { place, outcome: await runUnit(plan, units[place]!) };
    parentPort!.postMessage(done);
  }
}

// not awaited: under tsx a worker's module may not await at its top
void work(workerData as BenchWorkerData);
