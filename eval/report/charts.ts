/**
 * The plots as Vega-Lite specifications. Data come by name (`series`, `capacity`, `summary`, `records`, `learning`)
 * and are bound by the page or the picture. Every plot has a `hidden` parameter: names of contenders to leave out.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Headline } from "../verdicts/headline.ts";
import { shapesOf, styleContenders } from "./palette.ts";

/** Name of a plot in the page -> specification. */
export type Charts = Readonly<Record<string, TopLevelSpec>>;

const SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json";
const VISIBLE = { filter: "indexof(hidden, datum.algorithm) < 0" } as const;
const HIDDEN = { name: "hidden", value: [] } as const;

function colour(names: readonly string[]): object {
  return { field: "algorithm", type: "nominal", scale: { domain: [...names] }, legend: null };
}

function dash(names: readonly string[]): object {
  const range = styleContenders(names).map((style) => [...style.dash]);
  return { field: "algorithm", type: "nominal", scale: { domain: [...names], range }, legend: null };
}

function shape(names: readonly string[]): object {
  const range = shapesOf(names);
  return { field: "algorithm", type: "nominal", scale: { domain: [...names], range }, legend: null };
}

/** Delay axes are square-root scales: they show 1 ms beside 100 ms and still begin at zero. Vega drops ticks outside. */
const SQRT_AXIS = {
  values: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
  tickCount: 20,
  labelExpr: "format(datum.value, ',')",
  grid: true,
  labelOverlap: "greedy",
  labelSeparation: 4,
} as const;

/** A field name as Vega reads it: dots and brackets are no paths. */
function escaped(name: string): string {
  return name.replace(/[.[\]\\]/g, "\\$&");
}

interface CourseOptions {
  readonly field: string;
  readonly title: string;
  readonly format: string;
  readonly sqrt?: boolean;
  readonly capacity?: boolean;
}

/** One quantity over time, all contenders; hovering shows all values at that time. */
function courseChart(names: readonly string[], options: CourseOptions): TopLevelSpec {
  const { field, title, format } = options;
  const x = {
    field: "timeSec",
    type: "quantitative",
    title: "Time since the flow's start (s)",
    scale: { nice: false, zero: true },
    axis: { tickCount: 10 },
  };
  const y = {
    field,
    type: "quantitative",
    title,
    scale: options.sqrt === true ? { type: "sqrt", zero: true } : { zero: true },
    axis: options.sqrt === true ? SQRT_AXIS : {},
  };
  const capacity = {
    data: { name: "capacity" },
    mark: { type: "area", interpolate: "step-before", style: "capacity", tooltip: false },
    encoding: { x, y: { ...y, field: "capacityMbps" } },
  };
  const spec = {
    $schema: SCHEMA,
    width: "container",
    height: 230,
    autosize: { type: "fit-x", contains: "padding" },
    data: { name: "series" },
    params: [HIDDEN],
    layer: [
      ...(options.capacity === true ? [capacity] : []),
      {
        transform: [VISIBLE],
        mark: { type: "line", interpolate: "linear", strokeJoin: "round" },
        encoding: {
          x,
          y,
          color: colour(names),
          strokeDash: dash(names),
          strokeWidth: { condition: { test: "datum.algorithm === 'agent'", value: 2.4 }, value: 1.5 },
        },
      },
      {
        transform: [VISIBLE, { filter: { param: "hover", empty: false } }],
        mark: { type: "point", filled: true, size: 36, opacity: 1 },
        encoding: { x, y, color: colour(names) },
      },
      {
        transform: [VISIBLE, { pivot: "algorithm", value: field, groupby: ["timeSec"] }],
        mark: { type: "rule", style: "guide" },
        params: [
          {
            name: "hover",
            select: {
              type: "point",
              fields: ["timeSec"],
              nearest: true,
              on: "pointermove",
              clear: "pointerout",
            },
          },
        ],
        encoding: {
          x,
          opacity: { condition: { param: "hover", empty: false, value: 0.6 }, value: 0 },
          tooltip: [
            { field: "timeSec", type: "quantitative", title: "time (s)", format: ".2f" },
            ...names.map((name) => ({ field: escaped(name), type: "quantitative", title: name, format })),
          ],
        },
      },
    ],
  };
  return spec as unknown as TopLevelSpec;
}

const P95_AXIS = {
  type: "quantitative",
  title: "p95 queueing delay (ms, √ scale)",
  scale: { type: "sqrt", zero: true, nice: false, padding: 14 },
  axis: SQRT_AXIS,
} as const;

export interface PlotSize {
  readonly width: number | "container";
  readonly height: number;
}

/** Goodput against p95 delay: the mean with its 95 % interval in both directions, each seed as a faint point. */
export function tradeoffChart(names: readonly string[], { width, height }: PlotSize): object {
  const goodput = {
    type: "quantitative",
    title: "Goodput (Mbit/s)",
    scale: { zero: false, nice: false, padding: 18 },
  };
  const tooltip = [
    { field: "algorithm", type: "nominal", title: "contender" },
    { field: "goodputMbps", type: "quantitative", title: "goodput (Mbit/s)", format: ".2f" },
    { field: "goodputCi", type: "quantitative", title: "± 95 % CI", format: ".2f" },
    { field: "p95QueueDelayMs", type: "quantitative", title: "p95 delay (ms)", format: ".2f" },
    { field: "p95Ci", type: "quantitative", title: "± 95 % CI (ms)", format: ".2f" },
    { field: "score", type: "quantitative", title: "score", format: ".2f" },
  ];
  return {
    width,
    height,
    data: { name: "summary" },
    layer: [
      {
        data: { name: "records" },
        transform: [VISIBLE],
        mark: { type: "point", filled: true, size: 22, opacity: 0.35, tooltip: false },
        encoding: {
          x: { field: "p95QueueDelayMs", ...P95_AXIS },
          y: { field: "goodputMbps", ...goodput },
          color: colour(names),
        },
      },
      {
        transform: [VISIBLE],
        mark: { type: "rule", strokeWidth: 1.5, opacity: 0.8 },
        encoding: {
          x: { field: "p95Low", ...P95_AXIS },
          x2: { field: "p95High" },
          y: { field: "goodputMbps", ...goodput },
          color: colour(names),
        },
      },
      {
        transform: [VISIBLE],
        mark: { type: "rule", strokeWidth: 1.5, opacity: 0.8 },
        encoding: {
          x: { field: "p95QueueDelayMs", ...P95_AXIS },
          y: { field: "goodputLow", ...goodput },
          y2: { field: "goodputHigh" },
          color: colour(names),
        },
      },
      {
        transform: [VISIBLE],
        mark: { type: "point", filled: true, size: 110, opacity: 1 },
        encoding: {
          x: { field: "p95QueueDelayMs", ...P95_AXIS },
          y: { field: "goodputMbps", ...goodput },
          color: colour(names),
          shape: shape(names),
          tooltip,
        },
      },
    ],
  };
}

const HEADLINE_AXES: Readonly<Record<Headline, readonly string[]>> = {
  score: ["Score; +1 is twice the goodput", "or a quarter of the delay"],
  power: ["Power: utilisation x (1 - loss)", "x base RTT / mean RTT"],
};

/** Beside the values in one half of the plot, on the side that has room. */
function unranked(headline: Headline, x: object, y: object, half: "left" | "right"): object {
  const [isThere, align, dx] = half === "left" ? ["<", "left", 19] : [">=", "right", -19];
  return {
    transform: [
      {
        joinaggregate: [
          { op: "min", field: headline, as: "least" },
          { op: "max", field: headline, as: "most" },
        ],
      },
      { filter: `!datum.ranked && 2 * datum.${headline} ${isThere} datum.least + datum.most` },
    ],
    mark: { type: "text", align, dx, dy: -11, fontSize: 9.5, fontStyle: "italic" },
    encoding: { x: { field: headline, ...x }, y, text: { value: "not ranked" } },
  };
}

/** The headline per contender: dot and 95 % interval, best first, the value beside it. A log quantity has no zero for bars. */
export function headlineChart(
  names: readonly string[],
  { width, height }: PlotSize,
  headline: Headline,
  title: string | readonly string[] = HEADLINE_AXES[headline],
): object {
  const format = headline === "score" ? ".2f" : ".3f";
  const y = {
    field: "algorithm",
    type: "nominal",
    title: null,
    sort: { field: headline, order: "descending" },
    // room for the first value above its mark
    scale: { padding: 1 },
    axis: { grid: true, domain: false, ticks: false, labelFontSize: 12 },
  };
  const x = {
    type: "quantitative",
    title,
    scale: { zero: false, nice: false, padding: 24 },
    axis: { grid: true, tickCount: 6 },
  };
  return {
    width,
    height,
    data: { name: "summary" },
    transform: [VISIBLE],
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2, opacity: 0.8 },
        encoding: {
          x: { field: `${headline}Low`, ...x },
          x2: { field: `${headline}High` },
          y,
          color: colour(names),
        },
      },
      {
        mark: { type: "point", filled: true, size: 110, opacity: 1 },
        encoding: {
          x: { field: headline, ...x },
          y,
          color: colour(names),
          shape: shape(names),
          tooltip: [
            { field: "algorithm", type: "nominal", title: "contender" },
            { field: headline, type: "quantitative", title: headline, format: ".3f" },
            { field: `${headline}Ci`, type: "quantitative", title: "± 95 % CI", format: ".3f" },
          ],
        },
      },
      {
        mark: { type: "text", dy: -11, fontSize: 10.5 },
        encoding: {
          x: { field: headline, ...x },
          y,
          text: { field: headline, type: "quantitative", format },
        },
      },
      unranked(headline, x, y, "left"),
      unranked(headline, x, y, "right"),
    ],
  };
}

/** A quantity of training after each update, with its running mean. */
function learningChart(names: readonly string[], field: string, title: string): TopLevelSpec {
  const x = {
    field: "steps",
    type: "quantitative",
    title: "Environment steps",
    axis: { tickCount: 6, labelExpr: "datum.value === 0 ? '0' : format(datum.value, '~s')" },
  };
  const y = { type: "quantitative", title, scale: { zero: false } };
  const spec = {
    $schema: SCHEMA,
    width: "container",
    height: 200,
    autosize: { type: "fit-x", contains: "padding" },
    data: { name: "learning" },
    params: [HIDDEN],
    transform: [
      { filter: `isValid(datum.${field})` },
      { window: [{ op: "mean", field, as: "running" }], frame: [-8, 8], sort: [{ field: "steps" }] },
    ],
    layer: [
      {
        mark: { type: "point", filled: true, size: 16, opacity: 0.4 },
        encoding: {
          x,
          y: { field, ...y },
          color: colour(names),
          tooltip: [
            { field: "steps", type: "quantitative", title: "steps", format: ",d" },
            { field, type: "quantitative", title: title.toLowerCase(), format: ".3f" },
            { field: "episodes", type: "quantitative", title: "episodes", format: ",d" },
          ],
        },
      },
      {
        mark: { type: "line", strokeWidth: 2, tooltip: false },
        encoding: { x, y: { field: "running", ...y }, color: colour(names) },
      },
    ],
  };
  return spec as unknown as TopLevelSpec;
}

function standalone(spec: object): TopLevelSpec {
  return {
    $schema: SCHEMA,
    autosize: { type: "fit-x", contains: "padding" },
    params: [HIDDEN],
    ...spec,
  } as unknown as TopLevelSpec;
}

/** Every plot of the page, by name. */
export function reportCharts(names: readonly string[], headline: Headline, withLearning: boolean): Charts {
  return {
    tradeoff: standalone(tradeoffChart(names, { width: "container", height: 300 })),
    score: standalone(headlineChart(names, { width: "container", height: 300 }, headline)),
    throughput: courseChart(names, {
      field: "throughputMbps",
      title: "Throughput (Mbit/s)",
      format: ".2f",
      capacity: true,
    }),
    delay: courseChart(names, {
      field: "queueDelayMs",
      title: "Queueing delay (ms, √ scale)",
      format: ".2f",
      sqrt: true,
    }),
    cwnd: courseChart(names, { field: "cwndPackets", title: "cwnd (packets)", format: ".1f" }),
    ...(withLearning
      ? {
          learningScore: learningChart(names, "meanScore", "Mean score"),
          learningReturn: learningChart(names, "meanEpisodeReturn", "Mean episode return"),
        }
      : {}),
  };
}
