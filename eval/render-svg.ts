/** An episode as SVG of a fixed size: throughput, RTT, queue and window over time, drawn by Vega without a browser. */
import type { EpisodeCourse } from "../envs/vector/slots/history.ts";
import { vegaSvg } from "./plots/vega-svg.ts";
import { chartConfig, SERIES_COLOURS } from "./report/palette.ts";

const WIDTH = 800;
const HEIGHT = 640;
/** The one font that a raster has. */
const FONT = "DejaVu Sans";

interface Row {
  readonly timeSec: number;
  readonly name: string;
  readonly value: number;
}

function rowsOf(
  course: EpisodeCourse,
  pick: (flow: EpisodeCourse["flows"][number]) => readonly number[],
): Row[] {
  return course.flows.flatMap((flow) =>
    pick(flow).flatMap((value, i) =>
      Number.isNaN(value) ? [] : [{ timeSec: course.timeSec[i]!, name: flow.id, value }],
    ),
  );
}

function chart(
  title: string,
  values: readonly Row[],
  course: EpisodeCourse,
  capacity: readonly Row[] = [],
): object {
  const x = {
    field: "timeSec",
    type: "quantitative",
    title: null,
    scale: { domain: [0, course.durationSec], nice: false },
  };
  // an axis needs a span, also where everything is 0
  const top = Math.max(...values.map(({ value }) => value), ...capacity.map(({ value }) => value), 0) || 1;
  const y = { field: "value", type: "quantitative", title, scale: { domain: [0, top], nice: true } };
  const names = course.flows.map(({ id }) => id);
  const colour = {
    field: "name",
    type: "nominal",
    scale: { domain: names },
    legend: names.length > 1 ? { title: null, orient: "right" } : null,
  };
  return {
    width: 680,
    height: 110,
    layer: [
      {
        data: { values: capacity },
        mark: { type: "area", interpolate: "step-before", style: "capacity" },
        encoding: { x, y },
      },
      { data: { values }, mark: { type: "line", strokeWidth: 1.5 }, encoding: { x, y, color: colour } },
    ],
  };
}

export async function courseSvg(course: EpisodeCourse): Promise<string> {
  const ofLink = (values: readonly number[]): Row[] =>
    values.map((value, i) => ({ timeSec: course.timeSec[i]!, name: "link", value }));
  const queue = ofLink(course.queuePackets);
  const capacity = ofLink(course.capacityMbps).filter(({ value }) => Number.isFinite(value));
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: { text: `${course.title}, seed ${course.seed}`, anchor: "start", fontSize: 14 },
    padding: 12,
    spacing: 14,
    vconcat: [
      chart(
        "Mbit/s",
        rowsOf(course, (flow) => flow.throughputMbps),
        course,
        capacity,
      ),
      chart(
        "RTT (ms)",
        rowsOf(course, (flow) => flow.rttMs),
        course,
      ),
      chart("Queue (packets)", [], course, queue),
      chart(
        "cwnd (packets)",
        rowsOf(course, (flow) => flow.cwndPackets),
        course,
      ),
    ],
  };
  const config = {
    ...chartConfig("light", []),
    range: { category: [...SERIES_COLOURS] },
    font: FONT,
    background: "#ffffff",
  };
  const drawn = await vegaSvg(spec, config);
  // one size for every picture of a film, whatever the labels take
  return drawn.replace(
    /^<svg([^>]*?) width="[^"]*" height="[^"]*"/,
    `<svg$1 width="${WIDTH}" height="${HEIGHT}"`,
  );
}
