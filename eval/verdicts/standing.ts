/**
 * Who is best of a link, and who may be: references never are, overlapping intervals are ties, and a contender that leaves the
 * link unused or floods it is not where another one does better, whatever its delay or score.
 */
import { isReference } from "../contenders/contender.ts";
import { type Column, formatMean } from "../report/columns.ts";
import type { Estimate } from "../statistics.ts";
import type { SummaryRow } from "../summary.ts";

/** Below it a contender leaves the link unused. */
export const MIN_UTILISATION = 0.8;
/** Above it a contender floods the link. */
export const MAX_LOSS_RATE = 0.05;

/** The rule in a sentence, below tables. */
export const BARRED_RULE: string = `Who uses less than ${100 * MIN_UTILISATION} % of a link, or loses more than ${100 * MAX_LOSS_RATE} %, is not ranked where another contender uses more, or loses less: no mark, whatever the score.`;

/** best: alone; tied: its interval overlaps that of the best mean */
export type Standing = "best" | "tied" | "none";

/** Why a contender is never marked best of a link. */
export interface Barred {
  readonly by: "utilisation" | "lossRate";
  /** its own, and that of the one that does better */
  readonly value: number;
  readonly other: string;
  readonly otherValue: number;
}

const utilisationOf = (row: SummaryRow): number => row.utilisation?.mean ?? Number.NaN;
const lossOf = (row: SummaryRow): number => row.lossRate?.mean ?? Number.NaN;
const isUnused = (row: SummaryRow): boolean => utilisationOf(row) < MIN_UTILISATION;
const isFlooded = (row: SummaryRow): boolean => lossOf(row) > MAX_LOSS_RATE;

/** Undefined: it may be best. A contender that does better in one respect and fails in the other is no better one. */
export function barredBy(row: SummaryRow, rowsOfLink: readonly SummaryRow[]): Barred | undefined {
  const others = rowsOfLink.filter((other) => other !== row && !isReference(other.algorithm));
  const bestOf = (candidates: readonly SummaryRow[], by: "utilisation" | "lossRate"): Barred | undefined => {
    const of = by === "utilisation" ? utilisationOf : (each: SummaryRow) => -lossOf(each);
    const other = candidates.reduce<SummaryRow | undefined>(
      (best, each) => (best === undefined || of(each) > of(best) ? each : best),
      undefined,
    );
    if (other === undefined) return undefined;
    const value = row[by]!.mean;
    return { by, value, other: other.algorithm, otherValue: other[by]!.mean };
  };
  if (isUnused(row)) {
    const fuller = others.filter(
      (other) =>
        utilisationOf(other) > utilisationOf(row) && (!isFlooded(other) || lossOf(other) <= lossOf(row)),
    );
    const barred = bestOf(fuller, "utilisation");
    if (barred !== undefined) return barred;
  }
  if (!isFlooded(row)) return undefined;
  const calmer = others.filter(
    (other) =>
      lossOf(other) < lossOf(row) && (!isUnused(other) || utilisationOf(other) >= utilisationOf(row)),
  );
  return bestOf(calmer, "lossRate");
}

function overlap(a: Estimate, b: Estimate): boolean {
  return (a.low ?? a.mean) <= (b.high ?? b.mean) && (b.low ?? b.mean) <= (a.high ?? a.mean);
}

/** Rows of a link that may be best in a column, the best mean first. */
function rankedIn(column: Column, rowsOfLink: readonly SummaryRow[]): SummaryRow[] {
  const sign = column.better === "low" ? 1 : -1;
  return rowsOfLink
    .filter(
      (row) =>
        !isReference(row.algorithm) &&
        row[column.quantity] !== undefined &&
        barredBy(row, rowsOfLink) === undefined,
    )
    .sort((a, b) => sign * (a[column.quantity]!.mean - b[column.quantity]!.mean));
}

/** What would be printed is the same, or the difference would be as nothing. */
function isPrintedAlike(column: Column, a: Estimate, b: Estimate): boolean {
  const difference = { mean: a.mean - b.mean, ci95: null, samples: 1 };
  return formatMean(column, a) === formatMean(column, b) || Number(formatMean(column, difference)) === 0;
}

/** The best mean first, and those whose intervals overlap its own, or that are printed alike. Empty: nobody competes. */
export function leadersOf(column: Column, rowsOfLink: readonly SummaryRow[]): SummaryRow[] {
  if (column.better === "unknown") return [];
  const [first, ...others] = rankedIn(column, rowsOfLink);
  if (first === undefined) return [];
  const best = first[column.quantity]!;
  const ties = others.filter((row) => {
    const value = row[column.quantity]!;
    return overlap(value, best) || isPrintedAlike(column, value, best);
  });
  return [first, ...ties];
}

/** How a cell is marked: where nobody competes, or all that do are alike, nothing is. */
export function standingIn(column: Column, row: SummaryRow, rowsOfLink: readonly SummaryRow[]): Standing {
  const competing = rowsOfLink.filter(
    ({ algorithm, [column.quantity]: value }) => !isReference(algorithm) && value !== undefined,
  );
  if (competing.length < 2) return "none";
  const leaders = leadersOf(column, rowsOfLink);
  if (!leaders.includes(row) || leaders.length === competing.length) return "none";
  return leaders.length === 1 ? "best" : "tied";
}
