/** The columns of every table, terminal and page: unit, digits, and which end is the better one. */
import { groupBy } from "../group-by.ts";
import { type MetricKey, metricKeys } from "../metrics.ts";
import type { Estimate } from "../statistics.ts";
import type { CompanyQuantity, Quantity, SummaryRow } from "../summary.ts";

export interface Column {
  readonly quantity: Quantity | CompanyQuantity | MetricKey;
  readonly title: string;
  readonly unit: string;
  readonly better: "high" | "low" | "unknown";
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
  { quantity: "power", title: "power", unit: "", better: "high", factor: 1, digits: 3 },
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

const company = (quantity: CompanyQuantity, title: string, unit: string, better: "high" | "low"): Column => ({
  quantity,
  title,
  unit,
  better,
  factor: 1,
  digits: 2,
});

/** Of links with several flows, of links with generated transfers, and of finite flows. */
const COMPANY_COLUMNS: readonly Column[] = [
  { ...company("jainIndex", "jain", "", "high"), digits: 3 },
  company("totalGoodputMbps", "all flows", "Mbit/s", "high"),
  { ...company("harm", "harm", "", "low"), digits: 3 },
  { ...company("delayHarm", "delay harm", "", "low"), digits: 3 },
  { ...company("medianCompletionMs", "fct p50", "ms", "low"), digits: 1 },
  { ...company("p99CompletionMs", "fct p99", "ms", "low"), digits: 1 },
  { ...company("maxMinShare", "max-min", "", "high"), digits: 3 },
  { ...company("starvationRatio", "starvation", "", "high"), digits: 3 },
  company("convergenceSec", "converged", "s", "low"),
  { ...company("completionMs", "completion", "s", "low"), factor: 1 / 1000 },
];

/** What is left of a finite transfer after the run does not count in completion times: the share that does. */
export const COMPLETED_COLUMN: Column = {
  ...company("completedShare", "transfers completed", "%", "high"),
  factor: 100,
  digits: 1,
};

/** Which end of a metric of one's own is the better one, nobody has said. */
const metric = (key: MetricKey): Column => ({
  quantity: key,
  title: key.slice("metric.".length),
  unit: "",
  better: "unknown",
  factor: 1,
  digits: 3,
});

/** Those that these rows have. */
export function companyColumns(rows: readonly SummaryRow[]): Column[] {
  return COMPANY_COLUMNS.filter(({ quantity }) => rows.some((row) => row[quantity] !== undefined));
}

/** The columns of one link: those given, those of the company that its flow has, and metrics of one's own. */
export function columnsOf(columns: readonly Column[], rowsOfLink: readonly SummaryRow[]): Column[] {
  const own = [...new Set(rowsOfLink.flatMap(metricKeys))].map(metric);
  return [...columns, ...companyColumns(rowsOfLink), ...own];
}

export function heading(column: Column): string {
  return column.unit === "" ? column.title : `${column.title} (${column.unit})`;
}

/** What stands where nothing could be measured. */
export const ABSENT = "–";

/** A dash where there is no such value. */
export function formatMean(column: Column, value: Estimate | undefined): string {
  return value === undefined ? ABSENT : (value.mean * column.factor).toFixed(column.digits);
}

/** The half width alone; empty where there is none, or none that the digits can show. */
export function formatCi(column: Column, value: Estimate | undefined): string {
  if (value === undefined || value.ci95 === null) return "";
  const text = (value.ci95 * column.factor).toFixed(column.digits);
  return Number(text) === 0 ? "" : `± ${text}`;
}

/** What stands below means over seeds. */
export function intervalsText(seeds: readonly number[]): string {
  if (seeds.length === 1) return "one seed: no confidence interval";
  return `mean ± half width of the 95 % confidence interval over ${seeds.length} seeds (Student's t)`;
}

/** When contenders are tied with the best, below tables. */
export function tiesText(seeds: readonly number[]): string {
  if (seeds.length === 1) return "as good to the last digit";
  return seeds.length === 2
    ? "not behind in both seeds (an interval of two seeds tells little: three or more are better)"
    : "the interval of the difference, seed by seed, has 0 in it";
}

/** Where rows have values without interval: what that means. Undefined: every value has one, or there is one seed. */
export function oneOutcomeText(summary: readonly SummaryRow[]): string | undefined {
  const isBare = (row: SummaryRow): boolean =>
    COLUMNS.some((column) => {
      const value = row[column.quantity];
      return value !== undefined && value.samples > 1 && formatCi(column, value) === "";
    });
  if (!summary.some(isBare)) return undefined;
  return "A value without ± is one outcome, the same in every seed: how real runs would differ it does not say";
}

/** Consecutive rows of one link. */
export function byLink(summary: readonly SummaryRow[]): SummaryRow[][] {
  return [...groupBy(summary, ({ scenario, link }) => `${scenario}\n${link}`).values()];
}
