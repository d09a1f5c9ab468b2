/**
 * A criterion of RFC 9743 (BCP 133, "Specifying New Congestion Control Algorithms") as something that can be run: scenarios,
 * quantities with thresholds and where those come from, a picture. The RFC gives no thresholds of its own (section 5);
 * each says its source, and where there is none that it is ours.
 */

import type { Scenario } from "../../scenarios/scenario.ts";
import type { RunResult } from "../../testbeds/results.ts";
import type { Figure, Threshold } from "../experiments/experiment.ts";
import { median } from "../statistics.ts";

/** MUST and SHOULD as the RFC has them; criterion: it asks without one of these words. */
export type Level = "MUST" | "SHOULD" | "criterion";

/** Who takes the place of the flows under test: the evaluated algorithm, or a reference of another. */
export const EVALUATED = "evaluated";

export interface PlannedRun {
  /** unique within a row; as pictures name it */
  readonly id: string;
  readonly scenario: Scenario;
  /** `EVALUATED` or an algorithm's reference */
  readonly contender: string;
}

/** Results of a row's runs by id, one per seed in the order of seeds. */
export type RowResults = ReadonlyMap<string, readonly RunResult[]>;

export interface Quantity {
  readonly name: string;
  /** `1`: none */
  readonly unit: string;
  readonly value: number;
  readonly threshold: Threshold;
  /** where the threshold comes from */
  readonly source: string;
}

export interface RowFacts {
  /** as `--row` takes it */
  readonly name: string;
  /** of RFC 9743 */
  readonly section: string;
  readonly level: Level;
  /** what is asked for, in few words */
  readonly requirement: string;
}

/** A criterion with an experiment. */
export interface CcwgRow extends RowFacts {
  /** what runs, in a sentence */
  readonly experiment: string;
  readonly runs: readonly PlannedRun[];
  /** the quantities that decide: the row passes where each of them does */
  readonly measure: (results: RowResults) => readonly Quantity[];
  readonly figure: (results: RowResults) => Figure;
}

/** A criterion that no run can decide. */
export interface WrittenRow extends RowFacts {
  /** one sentence */
  readonly why: string;
}

export type Row = CcwgRow | WrittenRow;

export function canRun(row: Row): row is CcwgRow {
  return "runs" in row;
}

/** The results of one run: one per seed. */
export function resultsOf(results: RowResults, id: string): readonly RunResult[] {
  return results.get(id) ?? [];
}

/** A quantity of one run: the median over its seeds. */
export function medianOf(results: RowResults, id: string, of: (result: RunResult) => number): number {
  return median(resultsOf(results, id).map(of));
}
