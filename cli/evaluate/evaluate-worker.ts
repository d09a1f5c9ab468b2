/** A worker thread of `evaluate ccwg`: it reads the same input as the command and runs the units that it is given. */
import { workerData } from "node:worker_threads";
import { runUnit, type UnitOutcome } from "../../eval/ccwg/evaluate.ts";
import { type EvaluationInput, planOf } from "./evaluation.ts";

// awaited below: under tsx a worker's module may not await at its top
const planned = planOf(workerData as EvaluationInput);

/** @param place of the unit in the plan */
export default async function runPlace(place: number): Promise<UnitOutcome> {
  const { plan, contenders, testbed } = await planned;
  const unit = plan.units[place]!;
  return runUnit(unit, contenders.get(unit.contender)!, testbed);
}
