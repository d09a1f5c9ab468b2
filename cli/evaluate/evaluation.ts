/** Wiring: what the options of `evaluate ccwg` mean, the same in the command's own thread and in its workers. */
import { checkCrossTraffic, crossTrafficModules } from "../../algorithms/cross-traffic.ts";
import { loadSignals } from "../../envs/signals/signal-files.ts";
import { type EvaluationPlan, planEvaluation, referencesOf } from "../../eval/ccwg/evaluate.ts";
import { ccwgRows, findRow } from "../../eval/ccwg/registry.ts";
import { canRun, EVALUATED } from "../../eval/ccwg/row.ts";
import type { Contender } from "../../eval/contenders/contender.ts";
import { findTestbed } from "../../testbeds/registry.ts";
import type { Testbed } from "../../testbeds/testbed.ts";
import { namedContenders, type OutsideOptions } from "../contenders.ts";

/** Plain data: it goes to workers. */
export interface EvaluationInput {
  readonly algorithm: string;
  /** beside the standards */
  readonly against: readonly string[];
  /** absent: all */
  readonly rows?: readonly string[];
  readonly seeds: readonly number[];
  readonly testbed: string;
  readonly quiet: boolean;
  /** of agents in other processes */
  readonly outside?: OutsideOptions;
}

export interface Evaluation {
  readonly plan: EvaluationPlan;
  readonly testbed: Testbed;
  /** by what units call them */
  readonly contenders: ReadonlyMap<string, Contender>;
  readonly evaluated: Contender;
}

/** @throws CcparkError for a name that is not known, or a testbed that is not here */
export async function planOf(input: EvaluationInput): Promise<Evaluation> {
  const { algorithm, against, quiet, outside } = input;
  const testbed = findTestbed(input.testbed);
  const all = ccwgRows(against);
  const rows = input.rows === undefined ? all : input.rows.map((name) => findRow(all, name));
  const scenarios = rows.flatMap((row) => (canRun(row) ? row.runs.map(({ scenario }) => scenario) : []));
  await loadSignals({ algorithms: [...new Set(scenarios.flatMap(crossTrafficModules))] });
  for (const scenario of scenarios) checkCrossTraffic(scenario);
  const plan = planEvaluation(rows, input.seeds, testbed);
  const references = referencesOf(plan);
  const [evaluated, ...others] = await inOrder([algorithm, ...references], { quiet, outside });
  const named = references.map((name, i): [string, Contender] => [name, others[i]!]);
  return {
    plan,
    testbed,
    evaluated: evaluated!,
    contenders: new Map([[EVALUATED, evaluated!], ...named]),
  };
}

/** A contender per name, in their order, also where two are the same. */
async function inOrder(
  names: readonly string[],
  options: Parameters<typeof namedContenders>[1],
): Promise<Contender[]> {
  const unique = [...new Set(names)];
  const { contenders } = await namedContenders(unique, options);
  return names.map((name) => contenders[unique.indexOf(name)]!);
}
