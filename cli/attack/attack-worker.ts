/** A worker thread of `ccpark attack`: it knows both contenders and runs the environments that it is given. */
import { workerData } from "node:worker_threads";
import { environmentScenario, runDuel } from "../../eval/attack/duel.ts";
import type { Duel } from "../../eval/attack/utility.ts";
import type { ScenarioInput } from "../../scenarios/template.ts";
import { namedContenders } from "../contenders.ts";

/** Plain data. */
export interface AttackWorkerData {
  readonly weight: number;
}

/** An environment, and who meets in it. */
export interface AttackUnit {
  readonly target: string;
  readonly reference: string;
  readonly scenario: ScenarioInput;
}

const { weight } = workerData as AttackWorkerData;
const known = new Map<string, ReturnType<typeof namedContenders>>();

export default async function runUnit({ target, reference, scenario }: AttackUnit): Promise<Duel> {
  const names = [target, reference];
  const key = names.join("\n");
  const loaded = known.get(key) ?? namedContenders(names, { quiet: true });
  known.set(key, loaded);
  const { contenders } = await loaded;
  const parts = { target: contenders[0]!, reference: contenders[1]!, weight };
  return runDuel(environmentScenario(scenario), parts);
}
