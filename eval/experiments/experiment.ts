/**
 * A published experiment or law, rerun by one command: settings -> rows (one line of results each) -> a report with tables,
 * the published figures beside ours, and a picture. One file each; `registry.ts` names them.
 */
import Table from "cli-table3";
import type { ExperimentOptions, Settings } from "./options.ts";
import { PLAIN_TABLE } from "./plain-table.ts";

export interface Threshold {
  /** inclusive, as `high` */
  readonly low?: number;
  readonly high?: number;
}

/** What the source says, beside what was measured here. */
export interface Claim {
  /** one sentence */
  readonly claim: string;
  /** as the source has it; absent: it has no number */
  readonly published?: string;
  readonly measured: number;
  /** `1`: none */
  readonly unit: string;
  /** absent: nothing is required, the two stand side by side */
  readonly threshold?: Threshold;
  readonly verdict?: "pass" | "fail";
  /** why one that does not hold has no verdict */
  readonly notJudged?: string;
}

/** A claim with its verdict: NaN passes nothing. */
export function judge(claim: Omit<Claim, "verdict">): Claim {
  const { measured, threshold } = claim;
  if (threshold === undefined) return claim;
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = threshold;
  return { ...claim, verdict: measured >= low && measured <= high ? "pass" : "fail" };
}

/** A Vega-Lite specification, and the names of what it tells apart by colour. */
export interface Figure {
  readonly spec: object;
  readonly names: readonly string[];
}

export interface Report {
  /** tables for a terminal, and what they depend on; ends with a line end */
  readonly text: string;
  readonly claims: readonly Claim[];
  /** means and the like, as JSON */
  readonly summary?: unknown;
  readonly figure: Figure;
}

export interface Experiment<O extends ExperimentOptions = ExperimentOptions, Row extends object = object> {
  /** lower case letters, digits and hyphens */
  readonly name: string;
  /** one line */
  readonly summary: string;
  /** paper, section, figure */
  readonly source: string;
  readonly options: O;
  /** One sentence why it cannot run on this machine; undefined or absent: it can. */
  refuses?(): string | undefined;
  /** how many rows there will be */
  count(settings: Settings<O>): number;
  /** the same for the same settings */
  run(settings: Settings<O>): Generator<Row> | AsyncGenerator<Row>;
  /** the row that has just come, in a few words */
  describe?(row: Row): string;
  report(rows: readonly Row[], settings: Settings<O>): Report;
}

/** Keeps the types of options and rows within, and hides them without. */
export function experiment<O extends ExperimentOptions, Row extends object>(
  definition: Experiment<O, Row>,
): Experiment {
  return definition as unknown as Experiment;
}

/** Three digits that count, without the noise of binary fractions. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(+value.toPrecision(4));
}

function thresholdText({ low, high }: Threshold): string {
  if (low !== undefined && high !== undefined) return `${shortNumber(low)} to ${shortNumber(high)}`;
  return low !== undefined ? `at least ${shortNumber(low)}` : `at most ${shortNumber(high!)}`;
}

/** What is published, measured and required, one line per claim; empty where there are none. */
export function claimsTable(claims: readonly Claim[]): string {
  if (claims.length === 0) return "";
  const table = new Table({ ...PLAIN_TABLE, head: ["claim", "published", "measured", "required", ""] });
  for (const { claim, published = "", measured, unit, threshold, verdict, notJudged } of claims) {
    const withUnit = `${shortNumber(measured)}${unit === "1" ? "" : ` ${unit}`}`;
    table.push([
      claim,
      published,
      withUnit,
      threshold === undefined ? "" : thresholdText(threshold),
      verdict ?? (notJudged === undefined ? "" : `not judged: ${notJudged}`),
    ]);
  }
  return `${table.toString()}\n`;
}
