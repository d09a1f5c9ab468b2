/** The columns of every table, terminal and page: unit, digits, and which end is the better one. */
import type { Quantity, SummaryRow } from "../benchmark.ts";
import type { Estimate } from "../statistics.ts";

export interface Column {
  readonly quantity: Quantity;
  readonly title: string;
  readonly unit: string;
  readonly better: "high" | "low";
  /** what the stored value is multiplied by for a reader (a fraction becomes percent) */
  readonly factor: number;
  readonly digits: number;
}

export const COLUMNS: readonly Column[] = [
  { quantity: "goodputMbps", title: "goodput", unit: "Mbit/s", better: "high", factor: 1, digits: 2 },
  { quantity: "utilisation", title: "utilisation", unit: "%", better: "high", factor: 100, digits: 1 },
  { quantity: "meanQueueDelayMs", title: "mean delay", unit: "ms", better: "low", factor: 1, digits: 2 },
  { quantity: "p95QueueDelayMs", title: "p95 delay", unit: "ms", better: "low", factor: 1, digits: 2 },
  { quantity: "lossRate", title: "loss", unit: "%", better: "low", factor: 100, digits: 2 },
  { quantity: "score", title: "score", unit: "", better: "high", factor: 1, digits: 2 },
  { quantity: "reward", title: "reward", unit: "", better: "high", factor: 1, digits: 3 },
];

const oneWay = (quantity: Quantity, title: string): Column => ({
  quantity,
  title,
  unit: "ms",
  better: "low",
  factor: 1,
  digits: 2,
});

/** Pantheon's axes, throughput and 95th percentile of the one-way delay, and what explains them. */
export const ONE_WAY_COLUMNS: readonly Column[] = [
  { ...COLUMNS[0]!, title: "throughput" },
  oneWay("p95OneWayDelayMs", "p95 one-way"),
  oneWay("meanOneWayDelayMs", "mean one-way"),
  ...COLUMNS.filter(({ quantity }) => quantity === "utilisation" || quantity === "lossRate"),
];

/** Of a page, which is wide enough for both delays. */
export const PAGE_COLUMNS: readonly Column[] = COLUMNS.flatMap((column) =>
  column.quantity === "lossRate" ? [ONE_WAY_COLUMNS[1]!, column] : [column],
);

export function heading(column: Column): string {
  return column.unit === "" ? column.title : `${column.title} (${column.unit})`;
}

export function formatMean(column: Column, value: Estimate): string {
  return (value.mean * column.factor).toFixed(column.digits);
}

/** The half width alone, empty where one seed gives none. */
export function formatCi(column: Column, value: Estimate): string {
  return value.ci95 === null ? "" : `± ${(value.ci95 * column.factor).toFixed(column.digits)}`;
}

/** Whether a row has the best mean of its link, as printed: equal digits are equally good. */
export function isBest(column: Column, row: SummaryRow, rowsOfLink: readonly SummaryRow[]): boolean {
  if (rowsOfLink.length < 2) return false;
  const printed = (r: SummaryRow): number => Number(formatMean(column, r[column.quantity]));
  const values = rowsOfLink.map(printed);
  if (values.every((value) => value === values[0])) return false;
  return printed(row) === (column.better === "high" ? Math.max(...values) : Math.min(...values));
}

/** Consecutive rows of one link. */
export function byLink(summary: readonly SummaryRow[]): SummaryRow[][] {
  const groups = new Map<string, SummaryRow[]>();
  for (const row of summary) {
    const key = `${row.scenario}\n${row.link}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
