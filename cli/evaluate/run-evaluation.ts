/** Wiring of `evaluate ccwg`: runs each unit once, in threads where that changes nothing, with progress. */
import { runUnit, type Unit, type UnitOutcome } from "../../eval/ccwg/evaluate.ts";
import { eventsOfReset, eventsPerSec } from "../../scenarios/estimates/cost.ts";
import { openWorkerPool } from "../bench/worker-pool.ts";
import { breathe } from "../console.ts";
import { startTask, type Task } from "../train/progress.ts";
import type { Evaluation, EvaluationInput } from "./evaluation.ts";

/** Nothing of it lives in another process or in real time. */
function mayRunInWorkers({ evaluated, testbed }: Evaluation): boolean {
  return evaluated.reproducible !== false && testbed.clock !== "real";
}

/** @returns by place of the units: the same for any number of threads */
export async function runEvaluation(
  input: EvaluationInput,
  evaluation: Evaluation,
  workers: number,
): Promise<UnitOutcome[]> {
  const { units } = evaluation.plan;
  const task = await startTask({
    label: "evaluation",
    total: units.length,
    unit: "runs",
    quiet: input.quiet,
  });
  const isThreaded = workers > 1 && units.length > 1 && mayRunInWorkers(evaluation);
  const outcomes = isThreaded
    ? await inThreads(input, units, Math.min(workers, units.length), task)
    : await inTurn(evaluation, task);
  task.finish();
  return outcomes;
}

async function inTurn({ plan, contenders, testbed }: Evaluation, task: Task): Promise<UnitOutcome[]> {
  const outcomes: UnitOutcome[] = [];
  for (const unit of plan.units) {
    outcomes.push(await runUnit(unit, contenders.get(unit.contender)!, testbed));
    task.update(outcomes.length, unit.scenario.name);
    await breathe();
  }
  return outcomes;
}

/** The longest first, so that at the end no thread is still at one of them while the others have nothing left. */
function longestFirst(units: readonly Unit[]): number[] {
  const costs = units.map(
    ({ scenario }) => eventsOfReset(scenario) + eventsPerSec(scenario) * scenario.durationSec,
  );
  return units.map((_, place) => place).sort((a, b) => costs[b]! - costs[a]!);
}

async function inThreads(
  input: EvaluationInput,
  units: readonly Unit[],
  threads: number,
  task: Task,
): Promise<UnitOutcome[]> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const url = new URL(`./evaluate-worker.${extension}`, import.meta.url);
  const pool = await openWorkerPool(url, threads, { ...input, quiet: true });
  const outcomes: UnitOutcome[] = [];
  let done = 0;
  try {
    await Promise.all(
      longestFirst(units).map(async (place) => {
        outcomes[place] = (await pool.run(place)) as UnitOutcome;
        task.update(++done);
      }),
    );
    return outcomes;
  } finally {
    await pool.destroy();
  }
}
