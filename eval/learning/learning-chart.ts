/** The learning curve of a training as an SVG picture: evaluations on the same links, beside Cubic's and BBR's score on them. */
import { drawSvg } from "../report/picture.ts";
import type { Learning, LearningPoint } from "./learning.ts";

const AGENT = "agent";
/** Points of a curve that can be told apart; of more, means of neighbours. */
const MAX_POINTS = 400;

interface Panel {
  readonly field: "score" | "utilisation" | "meanQueueDelayMs" | "lossRate";
  readonly title: string;
  readonly format?: string;
}

const PANELS: readonly Panel[] = [
  { field: "score", title: "Score" },
  { field: "utilisation", title: "Utilisation", format: "%" },
  { field: "meanQueueDelayMs", title: "Mean queueing delay (ms)" },
  { field: "lossRate", title: "Loss", format: ".1%" },
];

/** Means of neighbouring episodes' scores, at most `MAX_POINTS` of them. */
function trainingRows({ progress }: Learning): { steps: number; score: number }[] {
  const known = progress.filter(({ meanScore }) => Number.isFinite(meanScore));
  const size = Math.max(1, Math.ceil(known.length / MAX_POINTS));
  const rows: { steps: number; score: number }[] = [];
  for (let i = 0; i < known.length; i += size) {
    const some = known.slice(i, i + size);
    const score = some.reduce((sum, { meanScore }) => sum + meanScore, 0) / some.length;
    rows.push({ steps: some.at(-1)!.steps, score });
  }
  return rows;
}

function panel(
  { field, title, format }: Panel,
  baselines: readonly { algorithm: string; score: number }[],
  names: readonly string[],
): object {
  const x = {
    field: "steps",
    type: "quantitative",
    title: "Environment steps",
    axis: { tickCount: 5, labelExpr: "datum.value === 0 ? '0' : format(datum.value, '~s')" },
  };
  const y = {
    field,
    type: "quantitative",
    title,
    scale: { zero: field !== "score" },
    ...(format !== undefined && { axis: { format } }),
  };
  // the colours of the names come in their order, not in that of the alphabet
  const color = { field: "algorithm", type: "nominal", legend: null, scale: { domain: names } };
  const rule = {
    data: { values: baselines },
    layer: [
      {
        mark: { type: "rule", strokeDash: [5, 3] },
        encoding: { y: { field: "score", type: "quantitative" }, color },
      },
      {
        mark: { type: "text", align: "right", dy: -5 },
        encoding: {
          x: { value: "width" },
          y: { field: "score", type: "quantitative" },
          text: { field: "algorithm" },
          color,
        },
      },
    ],
  };
  return {
    width: 330,
    height: 170,
    layer: [
      ...(field === "score"
        ? [
            {
              data: { name: "training" },
              mark: { type: "point", filled: true, size: 10, opacity: 0.25 },
              encoding: { x, y, color: { value: "#888888" } },
            },
            rule,
          ]
        : []),
      { data: { name: "evaluations" }, mark: { type: "line", point: true }, encoding: { x, y, color } },
    ],
  };
}

function baselineRows(evaluations: readonly LearningPoint[]): { algorithm: string; score: number }[] {
  const { baselines = {} } = evaluations.at(-1) ?? {};
  return Object.entries(baselines).map(([algorithm, score]) => ({ algorithm, score }));
}

/** @returns SVG. @param learning with an evaluation at least */
export function learningSvg(title: string, learning: Learning): Promise<string> {
  const baselines = baselineRows(learning.evaluations);
  const names = [AGENT, ...baselines.map(({ algorithm }) => algorithm)];
  const evaluations = learning.evaluations.map(({ links: _, baselines: __, ...point }) => ({
    ...point,
    algorithm: AGENT,
  }));
  const panels = PANELS.map((each) => panel(each, baselines, names));
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: {
      text: title,
      subtitle:
        "on the same validation links each time; small points: episodes of the training, on links drawn anew",
      fontSize: 15,
      subtitleFontSize: 12,
      anchor: "start",
      offset: 14,
    },
    padding: 22,
    spacing: 30,
    datasets: { evaluations, training: trainingRows(learning) },
    vconcat: [{ hconcat: panels.slice(0, 2) }, { hconcat: panels.slice(2) }],
    resolve: { scale: { color: "shared" } },
  };
  return drawSvg(spec, names);
}
