/** Which runs a set of rows needs, each once, and what they say: measured quantities, thresholds, verdicts. */
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { CcparkError } from "../../core/errors.ts";
import { thrownText } from "../../core/module-files.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { RunResult } from "../../testbeds/results.ts";
import type { Testbed } from "../../testbeds/testbed.ts";
import { niceBinSec } from "../benchmark.ts";
import type { Contender } from "../contenders/contender.ts";
import { judge } from "../experiments/experiment.ts";
import { thresholdText } from "../suites/thresholds.ts";
import { type CcwgRow, canRun, EVALUATED, type Quantity, type Row, type RowResults } from "./row.ts";

/** One run; rows that want the same share it. */
export interface Unit {
  readonly scenario: Scenario;
  /** `EVALUATED` or a reference */
  readonly contender: string;
  readonly seed: number;
}

/** What became of a unit. */
export type UnitOutcome = { readonly result: RunResult } | { readonly why: string };

export interface RowPlan {
  readonly row: Row;
  /** places among the units: by run in the row's order, then by seed; empty where nothing runs */
  readonly units: readonly (readonly number[])[];
  /** why it does not run; absent: it does */
  readonly why?: string;
}

export interface EvaluationPlan {
  readonly units: readonly Unit[];
  readonly rows: readonly RowPlan[];
}

/** @param testbed the world that is to run it, which may refuse rows */
export function planEvaluation(
  rows: readonly Row[],
  seeds: readonly number[],
  testbed: Testbed,
): EvaluationPlan {
  const units: Unit[] = [];
  const places = new Map<string, number>();
  const placeOf = (unit: Unit): number => {
    const { name: _, ...path } = unit.scenario;
    const key = JSON.stringify([unit.contender, unit.seed, path]);
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, units.length);
    return units.push(unit) - 1;
  };
  const planned = rows.map((row): RowPlan => {
    if (!canRun(row)) return { row, units: [], why: row.why };
    const refused = row.runs
      .map(({ scenario }) => testbed.refuses(scenario))
      .find((why) => why !== undefined);
    if (refused !== undefined) return { row, units: [], why: `${testbed.name} cannot run it: ${refused}` };
    return {
      row,
      units: row.runs.map(({ scenario, contender }) =>
        seeds.map((seed) => placeOf({ scenario, contender, seed })),
      ),
    };
  });
  return { units, rows: planned };
}

/** References that take part beside the evaluated algorithm. */
export function referencesOf({ units }: EvaluationPlan): string[] {
  return [...new Set(units.map(({ contender }) => contender))].filter((name) => name !== EVALUATED);
}

/** A mistake of a contender makes the rows that need it impossible, and no others. */
export async function runUnit(
  { scenario, seed }: Unit,
  contender: Contender,
  testbed: Testbed,
): Promise<UnitOutcome> {
  const common = {
    rewardName: "score",
    seriesBinSec: niceBinSec(scenario.durationSec),
    algorithms: crossTrafficAlgorithm,
    testbed,
  };
  try {
    const prepared = contender.prepare?.(scenario, { seeds: [seed], ...common });
    return { result: await (prepared ?? contender).run({ scenario, seed, ...common }) };
  } catch (error) {
    if (!(error instanceof CcparkError)) throw error;
    return { why: thrownText(error) };
  }
}

/**
 * That nothing of the evaluated contender runs is a mistake in it, and no verdict of any row.
 * @param outcomes by place of the units
 * @throws CcparkError (invalid-argument) with what went wrong in the first of its runs, where all went wrong
 */
export function checkRan({ units }: EvaluationPlan, name: string, outcomes: readonly UnitOutcome[]): void {
  const own = outcomes.filter((_, place) => units[place]!.contender === EVALUATED);
  const [first] = own;
  if (first === undefined || !("why" in first) || own.some((outcome) => "result" in outcome)) return;
  throw new CcparkError(
    "invalid-argument",
    `[evaluate] ${name}: none of its runs came to an end (${own.length}): ${first.why}`,
  );
}

export type RowVerdict = "pass" | "fail" | "not run";

export interface JudgedQuantity extends Quantity {
  readonly verdict: "pass" | "fail";
}

/** One line of `evaluate ccwg --json`. */
export interface RowRecord {
  readonly row: string;
  /** of RFC 9743 */
  readonly section: string;
  readonly level: Row["level"];
  readonly requirement: string;
  readonly algorithm: string;
  readonly testbed: string;
  readonly seeds: readonly number[];
  /** absent: nothing runs */
  readonly experiment?: string;
  readonly quantities: readonly JudgedQuantity[];
  /** all of them in words */
  readonly threshold: string;
  readonly verdict: RowVerdict;
  /** of a row that did not run */
  readonly why?: string;
  /** the file of its plot below --out; absent: it did not run */
  readonly plot?: string;
  /** reruns this row alone */
  readonly command: string;
}

export interface JudgedRow {
  readonly record: RowRecord;
  readonly row: Row;
  /** absent: it did not run */
  readonly results?: RowResults;
}

function judged(quantity: Quantity): JudgedQuantity {
  const { name: claim, value: measured, unit, threshold } = quantity;
  return { ...quantity, verdict: judge({ claim, measured, unit, threshold }).verdict! };
}

/** @param outcomes by place of the units @param facts the same in all records */
export function judgeRow(
  { row, units, why }: RowPlan,
  outcomes: readonly UnitOutcome[],
  facts: Pick<RowRecord, "algorithm" | "testbed" | "seeds"> & { readonly commandOf: (row: string) => string },
): JudgedRow {
  const { commandOf, ...same } = facts;
  const { name, section, level, requirement } = row;
  const common = { row: name, section, level, requirement, ...same };
  const command = commandOf(name);
  const failed = units
    .flat()
    .map((place) => outcomes[place]!)
    .find((outcome) => "why" in outcome);
  const reason = why ?? (failed && "why" in failed ? failed.why : undefined);
  if (!canRun(row) || reason !== undefined) {
    return {
      row,
      record: {
        ...common,
        ...(canRun(row) && { experiment: row.experiment }),
        quantities: [],
        threshold: "",
        verdict: "not run",
        why: reason!,
        command,
      },
    };
  }
  const results = resultsById(row, units, outcomes);
  const quantities = row.measure(results).map(judged);
  return {
    row,
    results,
    record: {
      ...common,
      experiment: row.experiment,
      quantities,
      threshold: quantities.map(thresholdText).join("; "),
      verdict: quantities.every(({ verdict }) => verdict === "pass") ? "pass" : "fail",
      plot: `${name}.svg`,
      command,
    },
  };
}

function resultsById(row: CcwgRow, units: RowPlan["units"], outcomes: readonly UnitOutcome[]): RowResults {
  return new Map(
    row.runs.map(({ id }, i) => [
      id,
      units[i]!.map((place) => (outcomes[place] as { readonly result: RunResult }).result),
    ]),
  );
}
