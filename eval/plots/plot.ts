/**
 * Plots of saved results for a paper: quantities with their intervals, courses over time, distributions, throughput against delay.
 * Each is a Vega-Lite specification whose size is that of a column of text, and the rows that it draws.
 */
import { CcparkError, unknownName } from "../../core/errors.ts";
import { groupBy } from "../group-by.ts";
import { RUN_FACTS } from "../metrics.ts";
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

/** Scenarios that are one name for different links, or different times on them: what stands beside each other is no comparison there. */
export function differentLinks(results: readonly SavedResults[], scenarios?: readonly string[]): string[] {
  const links = new Map<string, Map<string, string>>();
  for (const { name, records } of results) {
    for (const [scenario, of] of groupBy(records, (record) => record.scenario)) {
      if (scenarios?.includes(scenario) === false) continue;
      // a finite flow is there for as long as it takes
      const endless = of.filter(({ completionMs }) => completionMs === undefined);
      const seconds = Math.max(0, ...endless.map(({ durationSec }) => durationSec));
      const what = `${of[0]!.link}${seconds === 0 ? "" : `, ${+seconds.toFixed(1)} s`}`;
      const known = links.get(scenario) ?? new Map<string, string>();
      if (!known.has(what)) links.set(scenario, known.set(what, name));
    }
  }
  return [...links].flatMap(([scenario, known]) => {
    const each = [...known].map(([what, name]) => `${what} in ${name}`);
    return each.length < 2 ? [] : [`${scenario} is not the same in each folder: ${each.join("; ")}`];
  });
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

/** Text of 7 points, its letters one with another; a legend's mark with the gaps around it; a row of a legend. */
const LETTER_POINTS = 4.4;
const LEGEND_MARK_POINTS = 22;
const LEGEND_ROW_POINTS = 14;

const textPoints = (names: readonly string[]): number =>
  LETTER_POINTS * Math.max(0, ...names.map((name) => name.length));

/** Left of the axis: numbers and the axis' name, unless rows have names. */
const AXIS_POINTS = 40;

/** So many columns that the longest name is whole in each: the legend begins where the axis does. */
function legendColumns(names: readonly string[], size: Size, leftPoints = AXIS_POINTS): number {
  const room = WIDTH_POINTS[size] - leftPoints;
  const most = Math.floor(room / (LEGEND_MARK_POINTS + textPoints(names)));
  return Math.max(1, Math.min(most, names.length));
}

/** What the legend takes beyond the two rows that there is room for. */
function legendPoints(names: readonly string[], columns: number): number {
  return LEGEND_ROW_POINTS * Math.max(0, Math.ceil(names.length / columns) - 2);
}

function channels(names: readonly string[], columns: number): { color: object; shape: object } {
  const styles = styleContenders(names);
  const scale = (range: readonly unknown[]): object => ({ domain: names, range });
  const field = { field: "contender", type: "nominal", title: null };
  const legend = { legend: names.length > 1 ? { columns } : null };
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

interface Picture {
  readonly size: Size;
  readonly title: string;
  /** beyond the height of this size */
  readonly morePoints: number;
  readonly rows: readonly object[];
  readonly layers: readonly object[];
}

function frame({ size, title, morePoints, rows, layers }: Picture): object {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: WIDTH_POINTS[size],
    height: HEIGHT_POINTS[size] + morePoints,
    autosize: { type: "fit", contains: "padding" },
    padding: 2,
    title: { text: title },
    data: { values: rows },
    layer: layers,
  };
}

/** Lines with a mark now and then, so that they are told apart in grey, too. Dashes are of the lines alone: the legend has marks. */
function linesPicture(
  chosen: Chosen,
  size: Size,
  {
    names,
    rows,
    x,
    y,
    interpolate,
  }: { names: readonly string[]; rows: readonly object[]; x: object; y: object; interpolate: string },
): object {
  const columns = legendColumns(names, size);
  const { color, shape } = channels(names, columns);
  const layers = [
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
  return frame({ size, title: linkTitle(chosen), morePoints: legendPoints(names, columns), rows, layers });
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
    spec: linesPicture(chosen, size, { names, rows, x, y, interpolate: "linear" }),
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
    spec: linesPicture(chosen, size, { names, rows, x, y, interpolate: "step-after" }),
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

/** An interval of Student's t knows nothing of what cannot be: no delay is below 0, no share above 1. */
function possible(quantity: Measure["quantity"]): (value: number) => number {
  const { low, high } = RUN_FACTS.find(({ name }) => name === quantity) ?? {
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
  };
  return (value) => Math.min(high, Math.max(low, value));
}

function meanRows(chosen: Chosen, column: Measure): MeanRow[] {
  const label = labelled(chosen.results);
  const clip = possible(column.quantity);
  return chosen.results.flatMap((result) =>
    result.summary
      .filter((row) => chosen.scenarios.includes(row.scenario) && chosen.contenders.includes(row.algorithm))
      .flatMap((row) => {
        const value = row[column.quantity];
        if (value === undefined) return [];
        const { mean, low = mean, high = mean } = value;
        const [m, l, h] = [mean, clip(low), clip(high)].map((each) => each * column.factor) as [
          number,
          number,
          number,
        ];
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
  const isOneLink = chosen.scenarios.length === 1;
  const columns = legendColumns(names, size, textPoints(isOneLink ? names : chosen.scenarios));
  const { color, shape } = channels(names, columns);
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
  const morePoints = spread - HEIGHT_POINTS[size] + legendPoints(names, columns);
  const spec = frame({ size, title: linkTitle(chosen), morePoints, rows, layers });
  return { name: `${linkTitle(chosen).replaceAll(" ", "-")}.${column.quantity}.mean`, spec, names, rows };
}

/** Panels side by side, and the width of what is beside the data in each. */
const FACETS: Readonly<Record<Size, number>> = { column: 2, double: 4 };
const FACET_AXIS_POINTS = 38;
const FACET_HEIGHT_POINTS = 70;

/** A panel for each link, in its own units of delay and goodput: marks of several links in one would say nothing. */
function facets(
  { scenarios }: Chosen,
  size: Size,
  rows: readonly object[],
  layers: readonly object[],
): object {
  const columns = Math.min(FACETS[size], scenarios.length);
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    padding: 2,
    data: { values: rows },
    facet: { field: "scenario", type: "nominal", title: null, sort: [...scenarios] },
    columns,
    spacing: 6,
    resolve: { scale: { x: "independent", y: "independent" } },
    spec: {
      width: Math.floor((WIDTH_POINTS[size] - 6 * columns) / columns) - FACET_AXIS_POINTS,
      height: FACET_HEIGHT_POINTS,
      layer: layers,
    },
  };
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
  const columns = legendColumns(names, size);
  const { color, shape } = channels(names, columns);
  const isOneLink = chosen.scenarios.length === 1;
  const x = axisOf(
    "p95QueueDelayMs",
    isOneLink ? "p95 queueing delay (ms); better to the right" : "p95 delay (ms)",
    {
      scale: { reverse: true, zero: true },
    },
  );
  const y = axisOf("goodputMbps", "Goodput (Mbit/s)", { scale: { zero: false } });
  const layers = [
    { mark: "rule", encoding: { x: { ...x, field: "p95Low" }, x2: { field: "p95High" }, y, color } },
    { mark: "rule", encoding: { x, y: { ...y, field: "goodputLow" }, y2: { field: "goodputHigh" }, color } },
    { mark: { type: "point", filled: true, size: 42, opacity: 1 }, encoding: { x, y, color, shape } },
  ];
  return {
    name: `${linkTitle(chosen).replaceAll(" ", "-")}.tradeoff`,
    spec: isOneLink
      ? frame({ size, title: linkTitle(chosen), morePoints: legendPoints(names, columns), rows, layers })
      : facets(chosen, size, rows, layers),
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
