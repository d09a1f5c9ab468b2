/**
 * Who is best of a link, and who may be: references never are, a difference that may be none is a tie, and a contender that
 * leaves the link unused or floods it is not where another one does better, whatever its delay or score.
 */
import { isReference } from "../contenders/contender.ts";
import { type Column, formatMean } from "../report/columns.ts";
import { type Estimate, estimate } from "../statistics.ts";
import type { SummaryRow } from "../summary.ts";

/** Below it a contender leaves the link unused. */
export const MIN_UTILISATION = 0.8;
/** Above it a contender floods the link. */
export const MAX_LOSS_RATE = 0.05;

/** The rule in a sentence, below tables. */
export const BARRED_RULE: string = `Who uses less than ${100 * MIN_UTILISATION} % of a link, or loses more than ${100 * MAX_LOSS_RATE} %, is not ranked where another contender uses more, or loses less: no mark, whatever the score.`;

/** best: alone; tied: as good as the best mean, see `tieWith` */
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

/** What no contender of a link does; undefined: one uses it and does not flood it. */
export type Unmet = "utilisation" | "both";

export function unmetBy(rowsOfLink: readonly SummaryRow[]): Unmet | undefined {
  const competing = rowsOfLink.filter(({ algorithm }) => !isReference(algorithm));
  if (competing.length === 0 || competing.some((row) => !isUnused(row) && !isFlooded(row))) return undefined;
  return competing.every(isUnused) ? "utilisation" : "both";
}

/**
 * Why two are as good as each other: their difference, seed by seed, may be none; their intervals overlap, where the seeds are
 * not the same; or what is printed is alike.
 */
export type Tie = "difference" | "overlap" | "alike";

/** Of the same seeds: of each the difference. Undefined: the seeds are not the same, or there is one. */
function pairedDifference(quantity: Column["quantity"], a: SummaryRow, b: SummaryRow): Estimate | undefined {
  const ofA = a.bySeed?.[quantity] ?? {};
  const ofB = b.bySeed?.[quantity] ?? {};
  const seeds = Object.keys(ofA);
  const isPaired = seeds.length === Object.keys(ofB).length && seeds.every((seed) => seed in ofB);
  return isPaired && seeds.length > 1 ? estimate(seeds.map((seed) => ofA[seed]! - ofB[seed]!)) : undefined;
}

/** Undefined: the one is better. */
export function tieWith(column: Column, best: SummaryRow, row: SummaryRow): Tie | undefined {
  const [a, b] = [best[column.quantity]!, row[column.quantity]!];
  const difference = pairedDifference(column.quantity, best, row);
  if (difference === undefined) {
    if (overlap(a, b) && (a.ci95 !== null || b.ci95 !== null)) return "overlap";
  } else if (difference.ci95 !== null && difference.low! <= 0 && difference.high! >= 0) return "difference";
  return isPrintedAlike(column, a, b) ? "alike" : undefined;
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

/** The best mean first, and those tied with it. Empty: nobody competes. */
export function leadersOf(column: Column, rowsOfLink: readonly SummaryRow[]): SummaryRow[] {
  if (column.better === "unknown") return [];
  const [first, ...others] = rankedIn(column, rowsOfLink);
  if (first === undefined) return [];
  return [first, ...others.filter((row) => tieWith(column, first, row) !== undefined)];
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
