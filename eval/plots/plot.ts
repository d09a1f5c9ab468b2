/**
 * Plots of saved results for a paper: quantities with their intervals, courses over time, distributions, throughput against delay.
 * Each is a Vega-Lite specification whose size is that of a column of text, and the rows that it draws.
 */
import { CcparkError, unknownName } from "../../core/errors.ts";
import { COLUMNS, type Column, companyColumns, heading, ONE_WAY_COLUMNS } from "../report/columns.ts";
import { MARKS, styleContenders } from "../report/palette.ts";
import type { SeriesEntry } from "../report/report-data.ts";
import { measuredIn } from "../summary.ts";
import type { SavedResults } from "./saved-results.ts";

export const KINDS = ["mean", "time", "cdf", "tradeoff"] as const;
export type Kind = (typeof KINDS)[number];
export const SIZES = ["column", "double"] as const;
export type Size = (typeof SIZES)[number];

/** Width of one and of two columns of text, in points of 1/72 inch, as ACM and IEEE set them. */
const WIDTH_POINTS: Readonly<Record<Size, number>> = { column: 240, double: 504 };
const HEIGHT_POINTS: Readonly<Record<Size, number>> = { column: 165, double: 220 };

interface SeriesMetric {
  readonly field: "throughputMbps" | "queueDelayMs" | "cwndPackets";
  readonly title: string;
}

/** Quantities over time. */
const SERIES_METRICS: readonly SeriesMetric[] = [
  { field: "throughputMbps", title: "Throughput (Mbit/s)" },
  { field: "queueDelayMs", title: "Queueing delay (ms)" },
  { field: "cwndPackets", title: "cwnd (packets)" },
];

/** One-way delays stand beside queueing delays; what both tables have is called as in the common one. */
const RUN_COLUMNS: readonly Column[] = [
  ...COLUMNS,
  ...ONE_WAY_COLUMNS.filter((column) => !COLUMNS.some(({ quantity }) => quantity === column.quantity)),
];

/** A quantity of runs, and what its values are multiplied by for a reader. */
type Measure = Pick<Column, "quantity" | "factor">;

export interface PlotOptions {
  /** a quantity of runs (`score`, `goodputMbps`), of time (`throughputMbps`), or `metric.NAME` */
  readonly metric: string;
  /** absent: `time` for quantities of time, else `mean` */
  readonly kind?: Kind;
  /** absent: all */
  readonly scenarios?: readonly string[];
  readonly contenders?: readonly string[];
  /** of a course over time; absent: the first that each folder has of the link */
  readonly seed?: number;
  readonly size: Size;
}

export interface Plot {
  /** parts of a file's name */
  readonly name: string;
  readonly spec: object;
  /** who is told apart, in the order of the legend */
  readonly names: readonly string[];
  /** what is drawn, one object per mark */
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

/** Those of every run, and those of flows in company and of transfers where there are some. */
function runColumns(results: readonly SavedResults[]): Column[] {
  return [...RUN_COLUMNS, ...companyColumns(results.flatMap(({ summary }) => summary))];
}

export function metricNames(results: readonly SavedResults[]): string[] {
  const own = results.flatMap(({ records }) =>
    records.flatMap((record) => Object.keys(record).filter((key) => key.startsWith("metric."))),
  );
  return [
    ...runColumns(results).map(({ quantity }) => quantity),
    ...new Set(own),
    ...SERIES_METRICS.map(({ field }) => field),
  ];
}

/** Runs of several folders: a contender that is in more than one is told apart by its folder. */
function labelled(results: readonly SavedResults[]): (result: SavedResults, algorithm: string) => string {
  const places = new Map<string, Set<SavedResults>>();
  for (const result of results) {
    for (const { algorithm } of result.records) {
      places.set(algorithm, (places.get(algorithm) ?? new Set()).add(result));
    }
  }
  return (result, algorithm) =>
    places.get(algorithm)!.size > 1 ? `${algorithm} (${result.name})` : algorithm;
}

interface Chosen {
  readonly results: readonly SavedResults[];
  readonly scenarios: readonly string[];
  readonly contenders: readonly string[];
}

function choose(results: readonly SavedResults[], options: PlotOptions): Chosen {
  if (results.every(({ records }) => records.length === 0)) {
    const names = results.map(({ name }) => `\`${name}\``).join(", ");
    throw new CcparkError(
      "invalid-argument",
      `[plot] ${names}: got no run that has ended, expected one at least`,
    );
  }
  const all = (of: "scenario" | "algorithm"): string[] => [
    ...new Set(results.flatMap(({ records }) => records.map((record) => record[of]))),
  ];
  const pick = (what: string, known: string[], wanted: readonly string[] | undefined): readonly string[] => {
    const missing = wanted?.find((name) => !known.includes(name));
    if (missing !== undefined) throw unknownName("plot", what, missing, known);
    return wanted ?? known;
  };
  return {
    results,
    scenarios: pick("scenario", all("scenario"), options.scenarios),
    contenders: pick("contender", all("algorithm"), options.contenders),
  };
}

/** Seven lines are told apart without colour, too: every contender has a dash and a mark. */
const DASHES: readonly (readonly number[])[] = [
  [],
  [6, 2],
  [2, 2],
  [8, 2, 2, 2],
  [4, 1],
  [1, 1.5],
  [10, 3],
  [5, 2, 1, 2, 1, 2],
];

const dashOf = (i: number): number[] => [...DASHES[i % DASHES.length]!];

function channels(names: readonly string[]): { color: object; shape: object } {
  const styles = styleContenders(names);
  const scale = (range: readonly unknown[]): object => ({ domain: names, range });
  const field = { field: "contender", type: "nominal", title: null };
  const legend = names.length > 1 ? {} : { legend: null };
  return {
    color: { ...field, ...legend, scale: scale(styles.map(({ light }) => light)) },
    shape: { ...field, ...legend, scale: scale(styles.map(({ mark }) => MARKS[mark]!.shape)) },
  };
}

const axisOf = (field: string, title: string, more: object = {}): object => ({
  field,
  type: "quantitative",
  title,
  ...more,
});

function frame(size: Size, rows: readonly object[], layers: readonly object[], title?: string): object {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: WIDTH_POINTS[size],
    height: HEIGHT_POINTS[size],
    autosize: { type: "fit", contains: "padding" },
    padding: 2,
    ...(title !== undefined && { title: { text: title } }),
    data: { values: rows },
    layer: layers,
  };
}

/** Lines with a mark now and then, so that they are told apart in grey, too. Dashes are of the lines alone: the legend has marks. */
function lines(names: readonly string[], x: object, y: object, interpolate = "linear"): object[] {
  const { color, shape } = channels(names);
  return [
    ...names.map((name, i) => ({
      transform: [{ filter: { field: "contender", equal: name } }],
      mark: { type: "line", strokeWidth: 1.2, strokeDash: dashOf(i), interpolate },
      encoding: { x, y, color },
    })),
    {
      transform: [{ filter: "datum.marked" }],
      mark: { type: "point", filled: true, size: 22, opacity: 1 },
      encoding: { x, y, color, shape },
    },
  ];
}

/** Marks along a line: so many, each contender's a little later than the last one's. */
const MARKS_PER_LINE = 8;

function isMarked(i: number, length: number, line: number, lineCount: number): number {
  const step = Math.max(1, Math.floor(length / MARKS_PER_LINE));
  return i % step === Math.floor((step * line) / lineCount) ? 1 : 0;
}

function linkTitle({ scenarios }: Chosen): string {
  return scenarios.length === 1 ? scenarios[0]! : `${scenarios.length} links`;
}

function timePlot(
  chosen: Chosen,
  { field, title }: SeriesMetric,
  { seed: wanted, size }: Pick<PlotOptions, "seed" | "size">,
): Plot {
  const [scenario, second] = chosen.scenarios;
  if (second !== undefined) {
    const message = `[plot] ${field} over time is of one link: got ${chosen.scenarios.length} scenarios, expected --scenario with one of ${chosen.scenarios.slice(0, 8).join(", ")}`;
    throw new CcparkError("invalid-argument", message);
  }
  const label = labelled(chosen.results);
  const ofLink = chosen.results.map((result) =>
    result.series.filter(
      (entry) => entry.scenario === scenario && chosen.contenders.includes(entry.algorithm),
    ),
  );
  const lacking = ofLink.findIndex((of) => of.length > 0 && !of.some(({ seed }) => seed === wanted));
  if (wanted !== undefined && lacking >= 0) {
    const seeds = [...new Set(ofLink[lacking]!.map(({ seed }) => seed))].join(", ");
    const message = `[plot] \`${chosen.results[lacking]!.name}\` has no course of seed ${wanted} on ${scenario}, expected one of ${seeds}`;
    throw new CcparkError("not-found", message);
  }
  const courses = chosen.results.flatMap((result, i) => {
    const of = ofLink[i]!;
    const seed = wanted ?? of[0]?.seed;
    return of
      .filter((entry) => entry.seed === seed)
      .map((entry): [string, SeriesEntry] => [label(result, entry.algorithm), entry]);
  });
  if (courses.length === 0) throw noSeries();
  const names = courses.map(([name]) => name);
  const rows = courses.flatMap(([contender, entry], line) =>
    entry.timeSec.map((timeSec, i) => ({
      contender,
      timeSec,
      [field]: entry[field][i] ?? Number.NaN,
      marked: isMarked(i, entry.timeSec.length, line, courses.length),
    })),
  );
  const x = axisOf("timeSec", "Time (s)", { scale: { nice: false, zero: true } });
  const y = axisOf(field, title, { scale: { zero: true } });
  const isFirst = wanted === undefined || wanted === ofLink.flat()[0]?.seed;
  return {
    name: `${scenario}.${field}.time${isFirst ? "" : `.seed-${wanted}`}`,
    spec: frame(size, rows, lines(names, x, y), linkTitle(chosen)),
    names,
    rows,
  };
}

function noSeries(): CcparkError {
  return new CcparkError(
    "failed-precondition",
    "[plot] these results have no courses over time (series.json), expected a folder that `ccpark bench --out` wrote to its end",
  );
}

/** The share of values that are at most so large. */
function cumulative(
  contender: string,
  field: string,
  values: readonly number[],
  line: number,
  count: number,
) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return sorted.map((value, i) => ({
    contender,
    [field]: value,
    share: (i + 1) / sorted.length,
    marked: isMarked(i, sorted.length, line, count),
  }));
}

function cdfPlot(chosen: Chosen, of: SeriesMetric | Measure, title: string, size: Size): Plot {
  const label = labelled(chosen.results);
  const groups = new Map<string, number[]>();
  const isCourse = "field" in of;
  const metric = isCourse ? of.field : of.quantity;
  for (const result of chosen.results) {
    if (isCourse && result.series.length === 0) throw noSeries();
    const samples: readonly { scenario: string; algorithm: string; values: readonly number[] }[] = isCourse
      ? result.series.map((entry) => ({ ...entry, values: entry[of.field] }))
      : result.records.map((record) => {
          const value = measuredIn(record, of.quantity);
          return { ...record, values: value === undefined ? [] : [value * of.factor] };
        });
    for (const { scenario, algorithm, values } of samples) {
      if (!chosen.scenarios.includes(scenario) || !chosen.contenders.includes(algorithm)) continue;
      const name = label(result, algorithm);
      groups.set(name, [...(groups.get(name) ?? []), ...values]);
    }
  }
  const names = [...groups.keys()];
  const rows = [...groups].flatMap(([name, values], line) =>
    cumulative(name, metric, values, line, groups.size),
  );
  const x = axisOf(metric, title, { scale: { zero: false, nice: false } });
  const y = axisOf("share", isCourse ? "Share of time" : "Share of runs", { scale: { domain: [0, 1] } });
  return {
    name: `${linkTitle(chosen).replaceAll(" ", "-")}.${metric}.cdf`,
    spec: frame(size, rows, lines(names, x, y, "step-after"), linkTitle(chosen)),
    names,
    rows,
  };
}

interface MeanRow extends Readonly<Record<string, string | number>> {
  readonly contender: string;
  readonly scenario: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

function meanRows(chosen: Chosen, column: Measure): MeanRow[] {
  const label = labelled(chosen.results);
  return chosen.results.flatMap((result) =>
    result.summary
      .filter((row) => chosen.scenarios.includes(row.scenario) && chosen.contenders.includes(row.algorithm))
      .flatMap((row) => {
        const value = row[column.quantity];
        if (value === undefined) return [];
        const { mean, low = mean, high = mean } = value;
        const [m, l, h] = [mean, low, high].map((each) => each * column.factor) as [number, number, number];
        return [
          { contender: label(result, row.algorithm), scenario: row.scenario, mean: m, low: l, high: h },
        ];
      }),
  );
}

/** Rows down with many links or contenders: names are read, not turned. */
function meanPlot(chosen: Chosen, column: Measure, title: string, size: Size): Plot {
  const rows = meanRows(chosen, column);
  const names = [...new Set(rows.map(({ contender }) => contender))];
  const { color, shape } = channels(names);
  const isOneLink = chosen.scenarios.length === 1;
  const down = isOneLink ? "contender" : "scenario";
  const y = {
    field: down,
    type: "nominal",
    title: null,
    sort: isOneLink ? names : [...chosen.scenarios],
    axis: { grid: true, domain: false, ticks: false },
  };
  const yOffset = isOneLink ? {} : { yOffset: { field: "contender", sort: names } };
  const x = { type: "quantitative", title, scale: { zero: false } };
  const spread = Math.max(
    HEIGHT_POINTS[size],
    40 + (isOneLink ? names.length * 14 : chosen.scenarios.length * (8 + 7 * names.length)),
  );
  const layers = [
    {
      mark: { type: "rule", strokeWidth: 1.2 },
      encoding: { x: { ...x, field: "low" }, x2: { field: "high" }, y, ...yOffset, color },
    },
    {
      mark: { type: "point", filled: true, size: 36, opacity: 1 },
      encoding: { x: { ...x, field: "mean" }, y, ...yOffset, color, shape },
    },
  ];
  const spec = { ...frame(size, rows, layers, linkTitle(chosen)), height: spread };
  return { name: `${linkTitle(chosen).replaceAll(" ", "-")}.${column.quantity}.mean`, spec, names, rows };
}

function tradeoffPlot(chosen: Chosen, size: Size): Plot {
  const delays = new Map(
    meanRows(chosen, { quantity: "p95QueueDelayMs", factor: 1 }).map((row) => [
      `${row.contender}\n${row.scenario}`,
      row,
    ]),
  );
  const rows = meanRows(chosen, { quantity: "goodputMbps", factor: 1 }).flatMap((row) => {
    const delay = delays.get(`${row.contender}\n${row.scenario}`);
    if (delay === undefined) return [];
    return [
      {
        contender: row.contender,
        scenario: row.scenario,
        goodputMbps: row.mean,
        goodputLow: row.low,
        goodputHigh: row.high,
        p95QueueDelayMs: delay.mean,
        p95Low: delay.low,
        p95High: delay.high,
      },
    ];
  });
  const names = [...new Set(rows.map(({ contender }) => contender))];
  const { color, shape } = channels(names);
  const x = axisOf("p95QueueDelayMs", "p95 queueing delay (ms); better to the right", {
    scale: { reverse: true, zero: true },
  });
  const y = axisOf("goodputMbps", "Goodput (Mbit/s)", { scale: { zero: false } });
  const layers = [
    { mark: "rule", encoding: { x: { ...x, field: "p95Low" }, x2: { field: "p95High" }, y, color } },
    { mark: "rule", encoding: { x, y: { ...y, field: "goodputLow" }, y2: { field: "goodputHigh" }, color } },
    { mark: { type: "point", filled: true, size: 42, opacity: 1 }, encoding: { x, y, color, shape } },
  ];
  return {
    name: `${linkTitle(chosen).replaceAll(" ", "-")}.tradeoff`,
    spec: frame(size, rows, layers, linkTitle(chosen)),
    names,
    rows,
  };
}

/**
 * @throws CcparkError not-found: an unknown metric, scenario, contender or seed; invalid-argument: the metric has no such plot
 */
export function plotOf(results: readonly SavedResults[], options: PlotOptions): Plot {
  const chosen = choose(results, options);
  const known = metricNames(results);
  if (!known.includes(options.metric)) throw unknownName("plot", "metric", options.metric, known);
  const course = SERIES_METRICS.find(({ field }) => field === options.metric);
  const kind = options.kind ?? (course === undefined ? "mean" : "time");
  if (options.seed !== undefined && kind !== "time") {
    const message = `[plot] seed ${options.seed}: got kind ${kind}, expected time: other figures are over all seeds`;
    throw new CcparkError("invalid-argument", message);
  }
  const column = runColumns(results).find(({ quantity }) => quantity === options.metric);
  const title =
    course?.title ?? (column === undefined ? options.metric.slice("metric.".length) : heading(column));
  const measure = { quantity: options.metric as Column["quantity"], factor: column?.factor ?? 1 };
  switch (kind) {
    case "time":
      if (course !== undefined) return timePlot(chosen, course, options);
      break;
    case "cdf":
      return cdfPlot(chosen, course ?? measure, title, options.size);
    case "tradeoff":
      return tradeoffPlot(chosen, options.size);
    case "mean":
      if (course === undefined) return meanPlot(chosen, measure, title, options.size);
  }
  const fitting = course === undefined ? "mean, cdf or tradeoff" : "time or cdf";
  throw new CcparkError(
    "invalid-argument",
    `[plot] ${options.metric}: got kind ${kind}, expected ${fitting}`,
  );
}
