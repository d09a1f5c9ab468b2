/** A training: what it says of itself, its score beside algorithms that learn nothing, and every number of its updates over the steps. */
import { useMemo, useState } from "preact/hooks";
import type { NumberList, Run } from "./api.ts";
import { Chart, type Line, type Range } from "./chart.tsx";
import { FLOW_COLOURS, Sentences, type Theme } from "./parts.tsx";

interface Props {
  readonly run: Run;
  readonly theme: Theme;
}

interface Measure {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  readonly factor?: number;
}

/** Means over the episodes that ended since the last update, what is to be learnt first. */
const FIRST_MEASURES: readonly Measure[] = [
  { key: "meanScore", title: "Score of training episodes", unit: "" },
  { key: "meanEpisodeReturn", title: "Return of training episodes", unit: "sum of rewards" },
  { key: "meanUtilisation", title: "Utilisation", unit: "%", factor: 100 },
  { key: "meanQueueDelayMs", title: "Mean queueing delay", unit: "ms" },
];
const LAST_MEASURES: readonly Measure[] = [
  { key: "episodes", title: "Episodes that ended", unit: "per update" },
];
/** Of the learner's own measures, those that have a unit. */
const UNITS: Readonly<Record<string, string>> = { entropy: "nats", approxKl: "nats" };
/** What counts and does not measure. */
const COUNTERS = new Set(["steps", "update", "totalSteps", "losses"]);

type Flat = Readonly<Record<string, unknown>>;

function measuresOf(lines: readonly Flat[]): Measure[] {
  const keys = [...new Set(lines.flatMap((line) => Object.keys(line)))].filter(
    (key) => !COUNTERS.has(key) && lines.some((line) => typeof line[key] === "number"),
  );
  const isThere = ({ key }: Measure): boolean => keys.includes(key);
  const known = new Set([...FIRST_MEASURES, ...LAST_MEASURES].map(({ key }) => key));
  const own = keys.filter((key) => !known.has(key));
  return [
    ...FIRST_MEASURES.filter(isThere),
    ...own.map((key): Measure => ({ key, title: key, unit: UNITS[key] ?? "" })),
    ...LAST_MEASURES.filter(isThere),
  ];
}

function validationLines({ validation = [] }: Run, theme: Theme): Line[] {
  const x = validation.map(({ steps }) => steps);
  const names = [...new Set(validation.flatMap(({ baselines }) => Object.keys(baselines)))];
  const courses: [string, NumberList][] = [
    ["policy", validation.map(({ score }) => score)],
    ...names.map((name): [string, NumberList] => [
      name,
      validation.map(({ baselines }) => baselines[name] ?? null),
    ]),
  ];
  return courses.map(([name, y], i) => ({
    name,
    colour: FLOW_COLOURS[theme][i % FLOW_COLOURS[theme].length]!,
    x,
    y,
  }));
}

export function Training({ run, theme }: Props) {
  const [range, setRange] = useState<Range>();
  const progress = run.progress!;
  const charts = useMemo(() => {
    const steps = progress.map((line) => Number(line["steps"] ?? line["update"] ?? 0));
    const flat = progress.map((line): Flat => ({ ...line, ...(line["losses"] as object | undefined) }));
    const measures = measuresOf(flat).map(({ key, title, unit, factor = 1 }) => {
      const y = flat.map((line) => (typeof line[key] === "number" ? factor * (line[key] as number) : null));
      const colour = FLOW_COLOURS[theme][0];
      return { key, title, unit, lines: [{ name: title, colour, x: steps, y }] };
    });
    const validation = validationLines(run, theme);
    return validation[0]!.x.length === 0
      ? measures
      : [{ key: "validation", title: "Score on validation links", unit: "", lines: validation }, ...measures];
  }, [progress, run.validation, theme]);
  const last = progress.at(-1);
  return (
    <section aria-label="Training">
      {run.rows === undefined && <Sentences sentences={run.entry.sentences} />}
      <h3>Training</h3>
      <p role="status">
        {run.entry.live ? "Training goes on: " : "Not training now: "}
        {progress.length} {progress.length === 1 ? "update" : "updates"},{" "}
        {Number(last?.["steps"] ?? 0).toLocaleString("en")} steps.
      </p>
      <p class="muted">
        Over environment steps. Scores on validation links are of the same links each time; the other charts
        are of each update, over episodes whose links are drawn anew. Drag in a chart to zoom, double-click to
        see all.
      </p>
      <div class="grid">
        {charts.map(({ key, title, unit, lines }) => (
          <Chart
            key={key}
            title={title}
            unit={unit}
            xTitle="steps"
            lines={lines}
            range={range}
            onRange={setRange}
            theme={theme}
            group="training"
          />
        ))}
      </div>
    </section>
  );
}
