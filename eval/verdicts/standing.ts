/**
 * Who is best of a link, and who may be: references never are, a difference that may be none is a tie, and a contender that
 * leaves the link unused or floods it is not where another one does better, whatever its delay or score.
 */
import { isReference } from "../contenders/contender.ts";
import { COLUMNS, type Column, formatMean } from "../report/columns.ts";
import { type Estimate, estimate } from "../statistics.ts";
import type { SummaryRow } from "../summary.ts";

/** Below it a contender leaves the link unused. */
export const MIN_UTILISATION = 0.8;
/** Above it a contender floods the link. */
export const MAX_LOSS_RATE = 0.05;

/** Where no contender does so well: what is asked for, as a share of what the best of them does. */
const SHARE_OF_BEST = 0.8;

/** The rule in sentences, below tables. */
export const BARRED_RULE: string = `Who uses less than ${100 * MIN_UTILISATION} % of a link, or loses more than ${100 * MAX_LOSS_RATE} %, is not ranked where another contender uses more, or loses less: no mark, whatever the score. Where the other does not do so well itself, or the two are tied in it, ${100 * SHARE_OF_BEST} % of its use, or ${1 / SHARE_OF_BEST} times its loss, is enough.`;

const UTILISATION: Column = COLUMNS.find(({ quantity }) => quantity === "utilisation")!;
const LOSS: Column = COLUMNS.find(({ quantity }) => quantity === "lossRate")!;

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

/** Of what another one uses: a link that nobody fills asks for no more than it gives. */
export function askedUtilisation(otherUses: number): number {
  return otherUses >= MIN_UTILISATION ? MIN_UTILISATION : SHARE_OF_BEST * otherUses;
}

/** Beside what another one loses: on a link that loses by itself nobody loses little. */
export function allowedLossRate(otherLoses: number): number {
  return otherLoses <= MAX_LOSS_RATE ? MAX_LOSS_RATE : otherLoses / SHARE_OF_BEST;
}

/** Beside the other: a threshold that two may be on either side of by chance parts nobody who is near. */
function usesTooLittle(row: SummaryRow, other: SummaryRow): boolean {
  const [own, others] = [utilisationOf(row), utilisationOf(other)];
  const isNear = own >= SHARE_OF_BEST * others && tieWith(UTILISATION, other, row) !== undefined;
  return own < askedUtilisation(others) && others > own && !isNear;
}

function losesTooMuch(row: SummaryRow, other: SummaryRow): boolean {
  const [own, others] = [lossOf(row), lossOf(other)];
  const isNear = SHARE_OF_BEST * own <= others && tieWith(LOSS, other, row) !== undefined;
  return own > allowedLossRate(others) && others < own && !isNear;
}

/** Undefined: it may be best. A contender that does better in one respect and fails in the other is no better one. */
export function barredBy(row: SummaryRow, rowsOfLink: readonly SummaryRow[]): Barred | undefined {
  const others = rowsOfLink.filter((other) => other !== row && !isReference(other.algorithm));
  const [fullest] = others
    .filter((other) => usesTooLittle(row, other) && !losesTooMuch(other, row))
    .sort((a, b) => utilisationOf(b) - utilisationOf(a));
  if (fullest !== undefined) {
    const [value, otherValue] = [utilisationOf(row), utilisationOf(fullest)];
    return { by: "utilisation", value, other: fullest.algorithm, otherValue };
  }
  const [calmest] = others
    .filter((other) => losesTooMuch(row, other) && !usesTooLittle(other, row))
    .sort((a, b) => lossOf(a) - lossOf(b));
  if (calmest === undefined) return undefined;
  return { by: "lossRate", value: lossOf(row), other: calmest.algorithm, otherValue: lossOf(calmest) };
}

/** What no contender of a link does; undefined: one uses it and does not flood it. */
export type Unmet = "utilisation" | "both";

export function unmetBy(rowsOfLink: readonly SummaryRow[]): Unmet | undefined {
  const competing = rowsOfLink.filter(({ algorithm }) => !isReference(algorithm));
  if (competing.length === 0 || competing.some((row) => !isUnused(row) && !isFlooded(row))) return undefined;
  return competing.every(isUnused) ? "utilisation" : "both";
}

/**
 * Why two are as good as each other: their difference, seed by seed, may be none; neither is ahead in both of two seeds, whose
 * interval, of one degree of freedom, would call values ten times apart alike; their intervals overlap, where the seeds are not
 * the same; or what is printed is alike.
 */
export type Tie = "difference" | "two seeds" | "overlap" | "alike";

/** The seeds are the same: of each the difference. Undefined: they are not, or there is one. */
function pairedDifferences(
  quantity: Column["quantity"],
  a: SummaryRow,
  b: SummaryRow,
): readonly number[] | undefined {
  const ofA = a.bySeed?.[quantity] ?? {};
  const ofB = b.bySeed?.[quantity] ?? {};
  const seeds = Object.keys(ofA);
  const isPaired = seeds.length === Object.keys(ofB).length && seeds.every((seed) => seed in ofB);
  return isPaired && seeds.length > 1 ? seeds.map((seed) => ofA[seed]! - ofB[seed]!) : undefined;
}

/** Whether it may be none, of two seeds or more. */
function tieOf(differences: readonly number[]): "difference" | "two seeds" | undefined {
  if (differences.length === 2) return differences[0]! * differences[1]! <= 0 ? "two seeds" : undefined;
  const { ci95, low, high } = estimate(differences);
  return ci95 !== null && low! <= 0 && high! >= 0 ? "difference" : undefined;
}

/** Undefined: the one is better. */
export function tieWith(column: Column, best: SummaryRow, row: SummaryRow): Tie | undefined {
  const [a, b] = [best[column.quantity]!, row[column.quantity]!];
  const differences = pairedDifferences(column.quantity, best, row);
  if (differences === undefined) {
    if (overlap(a, b) && (a.ci95 !== null || b.ci95 !== null)) return "overlap";
  } else {
    const tie = tieOf(differences);
    if (tie !== undefined) return tie;
  }
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
