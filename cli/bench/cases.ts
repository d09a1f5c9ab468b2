/** Wiring: the cases of a suite with thresholds, the same in the command's own thread and in its workers. */
import { crossTrafficModules } from "../../algorithms/cross-traffic.ts";
import { loadSignals } from "../../envs/signals/signal-files.ts";
import {
  type CaseContender,
  type CaseRun,
  type CaseSuite,
  findCaseSuite,
} from "../../eval/suites/case-suite.ts";
import { findSuite, suiteScenarios } from "../../scenarios/presets/suites.ts";
import { resolveScenarios, type ScenarioEntry } from "../../scenarios/scenario-files.ts";
import { namedContenders } from "../contenders.ts";

/** Plain data: it goes to workers. */
export interface CasesInput {
  /** of a suite with thresholds */
  readonly suite: string;
  /** absent: the suite's own */
  readonly algorithms?: readonly string[];
  readonly qlog: boolean;
}

export interface Cases {
  readonly suite: CaseSuite;
  readonly entries: readonly ScenarioEntry[];
  readonly contenders: readonly CaseContender[];
}

/** @throws CcparkError for a name that is not known */
export async function loadCases({ suite: name, algorithms }: CasesInput): Promise<Cases> {
  const found = findSuite(name);
  const suite = findCaseSuite(found)!;
  const entries = resolveScenarios(suiteScenarios(found, false));
  await loadSignals({ algorithms: entries.flatMap((entry) => crossTrafficModules(entry.of(1))) });
  const references = [...new Set(algorithms ?? suite.algorithms)];
  const { contenders } = await namedContenders(references, { quiet: true });
  return {
    suite,
    entries,
    contenders: references.map((reference, i) => ({ reference, contender: contenders[i]! })),
  };
}

/** Places in the cases. */
export interface CaseUnit {
  readonly entry: number;
  readonly contender: number;
  readonly seeds: readonly number[];
}

export async function runCaseUnit(
  { suite, entries, contenders }: Cases,
  { entry, contender, seeds }: CaseUnit,
  qlog: boolean,
): Promise<CaseRun[]> {
  const runs: CaseRun[] = [];
  for (const seed of seeds) {
    const scenario = entries[entry]!.of(seed);
    runs.push(await suite.run(scenario, contenders[contender]!, { seed, qlog }));
  }
  return runs;
}
