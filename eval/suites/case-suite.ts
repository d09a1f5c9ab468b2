/**
 * Suites whose cases have thresholds: published test cases that pass or fail. A suite says how a case is run and what is measured of
 * it; what it measures and the verdicts have one shape for all, on the terminal, as JSON and as files for other stacks.
 */
import Table from "cli-table3";
import type { ScenarioSuite } from "../../scenarios/presets/suites.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { Contender } from "../contenders/contender.ts";
import { PLAIN_TABLE } from "../experiments/plain-table.ts";
import { BBR_DRAFT_SUITE } from "./bbr-draft/run.ts";
import { C4_SUITE } from "./c4/run.ts";
import { type CaseRecord, type Check, thresholdText } from "./thresholds.ts";

export interface CaseRun {
  readonly record: CaseRecord;
  /** the run as qlog, where it was asked for */
  readonly qlog?: string;
}

/** Who stands in a case. */
export interface CaseContender {
  /** as on the command line */
  readonly reference: string;
  readonly contender: Contender;
}

export interface CaseSuite {
  /** of `scenarios/presets/suites.ts` */
  readonly name: string;
  /** references of the algorithms that run where none is named */
  readonly algorithms: readonly string[];
  /** what is measured of a scenario. @throws CcparkError (not-found) for one that is no case of the suite */
  readonly checksOf: (scenario: Scenario) => readonly Check[];
  /** the runs of a case are trials of one record, whose verdict is that of the worst; absent: each run is a record */
  readonly isWorst?: true;
  /** what the source's text of a case leaves out or cannot mean, and what runs instead */
  readonly erratumOf?: (scenario: Scenario) => string | undefined;
  /** @throws CcparkError (invalid-argument) for a contender that the cases are not about */
  readonly run: (
    scenario: Scenario,
    contender: CaseContender,
    options: { readonly seed: number; readonly qlog: boolean },
  ) => CaseRun | Promise<CaseRun>;
}

const CASE_SUITES: ReadonlyMap<string, CaseSuite> = new Map(
  [BBR_DRAFT_SUITE, C4_SUITE].map((suite) => [suite.name, suite]),
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
  const erratum = suite.erratumOf?.(scenario);
  const facts = {
    name,
    source,
    description,
    ...(erratum !== undefined && { erratum }),
    thresholds,
    scenario,
  };
  return `${JSON.stringify(facts, undefined, 2)}\n`;
}

/** One row per case, algorithm and seed; below it what failed, and by which value. */
export function caseTable(records: readonly CaseRecord[]): string {
  const trials = records.some((record) => record.trials !== undefined);
  const table = new Table({
    ...PLAIN_TABLE,
    head: ["case", "algorithm", trials ? "worst seed" : "seed", "goodput Mbit/s", "loss %", "verdict"],
    colAligns: ["left", "left", "right", "right", "right", "left"],
  });
  for (const record of records) {
    const { scenario, algorithm, seed, goodputMbps, lossRate, verdict, trials: made, passed } = record;
    const words =
      made === undefined || verdict === "pass" ? verdict : `${verdict} (${passed} of ${made} trials pass)`;
    table.push([scenario, algorithm, seed, goodputMbps.toFixed(2), (100 * lossRate).toFixed(2), words]);
  }
  const errata = new Map(
    records.flatMap(({ scenario, erratum }) => (erratum === undefined ? [] : [[scenario, erratum] as const])),
  );
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
  const notes = [...errata].map(([scenario, erratum]) => `${scenario}, erratum: ${erratum}`);
  return `${[table.toString(), ...failed, ...notes, ...counts].join("\n")}\n`;
}
