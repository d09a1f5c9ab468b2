/**
 * Suites whose cases have thresholds: published test cases that pass or fail. A suite says how a case is run and what is measured of
 * it; what it measures and the verdicts have one shape for all, on the terminal, as JSON and as files for other stacks.
 */
import Table from "cli-table3";
import type { ResolvedAlgorithm } from "../../algorithms/reference.ts";
import type { ScenarioSuite } from "../../scenarios/presets/suites.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { PLAIN_TABLE } from "../experiments/plain-table.ts";
import { BBR_DRAFT_SUITE } from "./bbr-draft/run.ts";
import { type CaseRecord, type Check, thresholdText } from "./thresholds.ts";

export interface CaseRun {
  readonly record: CaseRecord;
  /** the run as qlog, where it was asked for */
  readonly qlog?: string;
}

export interface CaseSuite {
  /** of `scenarios/presets/suites.ts` */
  readonly name: string;
  /** references of the algorithms that run where none is named */
  readonly algorithms: readonly string[];
  /** what is measured of a scenario. @throws CcparkError (not-found) for one that is no case of the suite */
  readonly checksOf: (scenario: Scenario) => readonly Check[];
  /** @throws CcparkError (invalid-argument) for an algorithm that the cases are not about */
  readonly run: (
    scenario: Scenario,
    algorithm: ResolvedAlgorithm,
    options: { readonly seed: number; readonly qlog: boolean },
  ) => CaseRun;
}

const CASE_SUITES: ReadonlyMap<string, CaseSuite> = new Map(
  [BBR_DRAFT_SUITE].map((suite) => [suite.name, suite]),
);

/** undefined: the suite's scenarios are compared, and have no thresholds. */
export function findCaseSuite({ name }: ScenarioSuite): CaseSuite | undefined {
  return CASE_SUITES.get(name);
}

/** A case for other stacks: path, flows and what must hold, as JSON. */
export function caseFile(suite: CaseSuite, scenario: Scenario): string {
  const { name, source, description } = scenario;
  const thresholds = suite.checksOf(scenario).map(({ name: quantity, unit, threshold }) => ({
    quantity,
    unit,
    ...threshold,
  }));
  return `${JSON.stringify({ name, source, description, thresholds, scenario }, undefined, 2)}\n`;
}

/** One row per case, algorithm and seed; below it what failed, and by which value. */
export function caseTable(records: readonly CaseRecord[]): string {
  const table = new Table({
    ...PLAIN_TABLE,
    head: ["case", "algorithm", "seed", "goodput Mbit/s", "loss %", "verdict"],
    colAligns: ["left", "left", "right", "right", "right", "left"],
  });
  for (const { scenario, algorithm, seed, goodputMbps, lossRate, verdict } of records) {
    table.push([scenario, algorithm, seed, goodputMbps.toFixed(2), (100 * lossRate).toFixed(2), verdict]);
  }
  const failed = records.flatMap(({ scenario, algorithm, checks }) =>
    checks
      .filter(({ verdict }) => verdict === "fail")
      .map((made) => `${scenario}, ${algorithm}: got ${made.value}, expected ${thresholdText(made)}`),
  );
  const algorithms = [...new Set(records.map(({ algorithm }) => algorithm))];
  const counts = algorithms.map((algorithm) => {
    const of = records.filter((record) => record.algorithm === algorithm);
    return `${algorithm}: ${of.filter(({ verdict }) => verdict === "pass").length} of ${of.length} pass`;
  });
  return `${[table.toString(), ...failed, ...counts].join("\n")}\n`;
}
