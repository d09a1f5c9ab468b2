/**
 * A suite as Pantheon draws it, one panel per link: throughput against the 95th percentile of the one-way delay on a
 * logarithmic axis that runs from right to left, so that up and to the right is better. A large mark is the mean over
 * the seeds, a small one a run. Intervals are left out: on a logarithmic axis they are not symmetric.
 */
import { byLink } from "./columns.ts";
import { shapesOf } from "./palette.ts";
import { drawSvg } from "./picture.ts";
import type { ReportData } from "./report-data.ts";

const PANEL = { width: 150, height: 110 } as const;
/** Panels in a row: six fill a page that is read on a screen. */
const MAX_COLUMNS = 6;
/** A delay axis spans at least this ratio: a difference of 1 % must not look like one of half the axis. */
const MIN_DELAY_RATIO = 1.5;

interface Point {
  readonly algorithm: string;
  readonly throughputMbps: number;
  readonly p95OneWayDelayMs: number;
}

export async function suitePicture(data: ReportData): Promise<string> {
  const names = data.contenders.map((contender) => contender.name);
  const links = byLink(data.summary);
  const rowCount = Math.ceil(links.length / MAX_COLUMNS);
  const columns = Math.ceil(links.length / rowCount);
  const panels = links.map((rows, index) => {
    const { scenario, link } = rows[0]!;
    const means = rows.map(
      ({ algorithm, goodputMbps, p95OneWayDelayMs }): Point => ({
        algorithm,
        throughputMbps: goodputMbps.mean,
        p95OneWayDelayMs: p95OneWayDelayMs?.mean ?? Number.NaN,
      }),
    );
    const runs = data.records
      .filter((record) => record.scenario === scenario && record.link === link)
      .map(
        ({ algorithm, goodputMbps, p95OneWayDelayMs }): Point => ({
          algorithm,
          throughputMbps: goodputMbps,
          p95OneWayDelayMs,
        }),
      );
    const isLeft = index % columns === 0;
    const isBottom = index + columns >= links.length;
    return panel(names, { title: scenario, subtitle: link, means, runs, isLeft, isBottom });
  });
  const several = data.summary.some((row) => row.flows !== undefined);
  const seeds = data.seeds.length > 1 ? `mean over ${data.seeds.length} seeds` : `seed ${data.seeds[0]}`;
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: {
      text: "Throughput against p95 one-way delay",
      subtitle: `${seeds}${several ? ", first flow" : ""}; up and to the right is better`,
      fontSize: 15,
      subtitleFontSize: 12,
      subtitlePadding: 5,
      offset: 18,
    },
    padding: 22,
    // of the panels' frames, so that rows stay level whatever their axes are labelled with
    bounds: "flush",
    spacing: { row: 92, column: 56 },
    columns,
    concat: panels,
  };
  return drawSvg(spec, names);
}

interface Panel {
  readonly title: string;
  readonly subtitle: string;
  readonly means: readonly Point[];
  readonly runs: readonly Point[];
  /** where axes have their titles */
  readonly isLeft: boolean;
  readonly isBottom: boolean;
}

/** Wide enough for all points, and their geometric middle in its own. */
function delayDomainMs(points: readonly Point[]): [low: number, high: number] {
  const delays = points.map(({ p95OneWayDelayMs }) => p95OneWayDelayMs).filter((delay) => delay > 0);
  if (delays.length === 0) return [1, MIN_DELAY_RATIO];
  const [low, high] = [Math.min(...delays), Math.max(...delays)];
  const widening = Math.sqrt(Math.max(1, (MIN_DELAY_RATIO * low) / high));
  return [low / widening, high * widening];
}

/** Rate and round trip in one line, the rest of the label in another. */
function labelLines(link: string): string[] {
  const parts = link.split(", ");
  return [parts.slice(0, 2).join(", "), parts.slice(2).join(", ")].filter((line) => line !== "");
}

function panel(names: readonly string[], { title, subtitle, means, runs, isLeft, isBottom }: Panel): object {
  const shapes = shapesOf(names);
  const legend = {
    title: null,
    orient: "top",
    direction: "horizontal",
    symbolSize: 90,
    symbolOpacity: 1,
    labelFontSize: 12,
  };
  const encoding = {
    x: {
      field: "p95OneWayDelayMs",
      type: "quantitative",
      title: isBottom ? "p95 one-way delay (ms)" : null,
      scale: {
        type: "log",
        domain: delayDomainMs([...means, ...runs]),
        reverse: true,
        nice: false,
        padding: 14,
      },
      axis: { grid: true, format: "~f", labelOverlap: "greedy", labelSeparation: 6 },
    },
    y: {
      field: "throughputMbps",
      type: "quantitative",
      title: isLeft ? "Mbit/s" : null,
      scale: { zero: true, nice: true },
      axis: { tickCount: 4 },
    },
    color: { field: "algorithm", type: "nominal", scale: { domain: [...names] }, legend },
    shape: { field: "algorithm", type: "nominal", scale: { domain: [...names], range: shapes }, legend },
  };
  const layer = (points: readonly Point[], size: number, opacity: number): object => ({
    data: { values: points.filter(({ p95OneWayDelayMs }) => p95OneWayDelayMs > 0) },
    mark: { type: "point", filled: true, size, opacity },
    encoding,
  });
  return {
    ...PANEL,
    title: { text: title, subtitle: labelLines(subtitle), frame: "group", subtitleFontSize: 10, offset: 10 },
    layer: [layer(runs, 18, 0.35), layer(means, 90, 1)],
  };
}
