/** One run: its verdicts, its tables, its courses over time and those of its flows; a training: its curves. */
import { useMemo, useState } from "preact/hooks";
import { useChosen } from "./address.ts";
import { address, type FlowCourse, type Run, type SeriesEntry, useJson } from "./api.ts";
import { Chart, type Line, type Range, Zoom } from "./chart.tsx";
import { Experiment } from "./experiment.tsx";
import {
  colourOf,
  Downloads,
  FLOW_COLOURS,
  LinkTable,
  Picker,
  Sentences,
  TableKeyText,
  type Theme,
} from "./parts.tsx";
import { Training } from "./training.tsx";

interface Props {
  readonly run: Run;
  readonly theme: Theme;
}

const COURSES = [
  { field: "throughputMbps", title: "Throughput", unit: "Mbit/s", isOfFlow: true },
  { field: "queueDelayMs", title: "Queueing delay", unit: "ms", isOfFlow: false },
  { field: "cwndPackets", title: "Congestion window", unit: "packets", isOfFlow: true },
] as const;

const FLOW_COURSES = [
  { field: "cwndPackets", title: "Congestion window", unit: "packets" },
  { field: "rateMbps", title: "Pacing rate", unit: "Mbit/s" },
  { field: "rttMs", title: "Smoothed RTT", unit: "ms" },
  { field: "queueDelayMs", title: "RTT above the least: queues", unit: "ms" },
  { field: "inflightPackets", title: "In flight", unit: "packets" },
] as const;

function Select({
  label,
  value,
  options,
  onValue,
}: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly string[];
  onValue(value: string): void;
}) {
  return (
    <label>
      {label}{" "}
      <select aria-label={label} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

function Courses({
  run,
  scenario,
  hidden,
  theme,
}: Props & { readonly scenario: string; readonly hidden: ReadonlySet<string> }) {
  const { value, error } = useJson<{ series: readonly SeriesEntry[] }>(
    address("/api/series", { id: run.entry.id, scenario }),
  );
  const [range, setRange] = useState<Range>();
  const [seed, setSeed] = useChosen("seed");
  const entries = value?.series ?? [];
  const seeds = [...new Set(entries.map((entry) => String(entry.seed)))];
  const chosen = seeds.includes(seed ?? "") ? seed! : (seeds[0] ?? "");
  const shown = useMemo(
    () => entries.filter((entry) => String(entry.seed) === chosen && !hidden.has(entry.algorithm)),
    [value, chosen, hidden],
  );
  const charts = useMemo(
    () =>
      COURSES.map((course) => ({
        ...course,
        lines: shown.map(
          (entry): Line => ({
            name: entry.algorithm,
            colour: colourOf(run.styles, entry.algorithm, theme),
            x: entry.timeSec,
            y: entry[course.field],
          }),
        ),
      })),
    [shown, theme, run.styles],
  );
  if (error !== undefined) return <p class="error">{error}</p>;
  if (value === undefined) return <p class="muted">Loading the courses over time …</p>;
  if (entries.length === 0) return <p class="muted">No courses over time are stored of this run.</p>;
  const end = Math.max(...shown.map(({ timeSec }) => timeSec.at(-1) ?? 0), 1);
  const names = shown.map(({ algorithm }) => algorithm);
  const hasSeveralFlows = run.rows!.some((row) => row.scenario === scenario && row.hasSeveralFlows);
  return (
    <section aria-label="Courses over time">
      <div class="bar">
        <Select label="Seed" value={chosen} options={seeds} onValue={setSeed} />
        <Zoom end={end} range={range} onRange={setRange} />
        <span class="muted">Drag in a chart to zoom, double-click to see all.</span>
      </div>
      {charts.map(({ field, title, unit, isOfFlow, lines }) => (
        <div key={field} id={`chart-${field}`}>
          <Chart
            title={isOfFlow && hasSeveralFlows ? `${title} of the first flow` : title}
            unit={unit}
            lines={lines}
            range={range}
            onRange={setRange}
            theme={theme}
            group="run"
          />
          <Downloads
            what={title}
            runs={[run.entry.id]}
            metric={field}
            kind="time"
            scenario={scenario}
            contenders={names}
            seed={chosen}
          />
        </div>
      ))}
    </section>
  );
}

function Flows({ run, scenario, theme }: Props & { readonly scenario: string }) {
  const part = scenario.replaceAll(/[^\w.-]+/g, "_");
  const files = (run.exports ?? []).filter((each) => each.scenario === part).map(({ file }) => file);
  const [file, setFile] = useState<string>();
  const chosen = files.includes(file ?? "") ? file! : files[0];
  const url =
    chosen === undefined
      ? undefined
      : address("/api/flows", { id: run.entry.id, scenario: part, file: chosen });
  const { value, error } = useJson<{ flows: readonly FlowCourse[] }>(url);
  const [range, setRange] = useState<Range>();
  const charts = useMemo(
    () =>
      FLOW_COURSES.map((course) => ({
        ...course,
        lines: (value?.flows ?? []).map(
          (flow, i): Line => ({
            name: flow.flow,
            colour: FLOW_COLOURS[theme][i % FLOW_COLOURS[theme].length]!,
            x: flow.timeSec,
            y: flow[course.field],
          }),
        ),
      })).filter(({ lines }) => lines.some(({ y }) => y.some((each) => each !== null))),
    [value, theme],
  );
  const drops = useMemo(
    () =>
      (value?.flows ?? []).map(
        (flow, i): Line => ({
          name: flow.flow,
          colour: FLOW_COLOURS[theme][i % FLOW_COLOURS[theme].length]!,
          x: flow.lostSec,
          y: flow.lostSec.map((_, n) => n + 1),
        }),
      ),
    [value, theme],
  );
  if (chosen === undefined) {
    return (
      <p class="muted">
        Flow by flow: run it with `--export qlog` to see cwnd, rate, RTT, queue and drops of each flow.
      </p>
    );
  }
  if (error !== undefined) return <p class="error">{error}</p>;
  const end = Math.max(...(value?.flows ?? []).map(({ timeSec }) => timeSec.at(-1) ?? 0), 1);
  return (
    <section aria-label="Flows of one run">
      <h3>Flows of one run</h3>
      <div class="bar">
        <Select label="Run" value={chosen} options={files} onValue={setFile} />
        <Zoom end={end} range={range} onRange={setRange} />
      </div>
      {charts.map(({ field, title, unit, lines }) => (
        <Chart
          key={field}
          title={title}
          unit={unit}
          lines={lines}
          range={range}
          end={end}
          onRange={setRange}
          theme={theme}
          group="flows"
        />
      ))}
      {drops.some(({ x }) => x.length > 0) && (
        <Chart
          title="Packets lost until then"
          unit="packets"
          lines={drops}
          range={range}
          end={end}
          onRange={setRange}
          theme={theme}
          group="flows"
        />
      )}
    </section>
  );
}

function Results({ run, theme }: Props) {
  const links = run.entry.links;
  const [link = "", setLink] = useChosen("link");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const scenario = links.includes(link) ? link : (links[0] ?? "");
  const rows = run.rows!.filter((row) => row.scenario === scenario && !hidden.has(row.algorithm));
  const shown = run.entry.contenders.filter((name) => !hidden.has(name));
  const headline = run.headline ?? "score";
  return (
    <>
      <Sentences sentences={run.entry.sentences} />
      {run.command !== "" && (
        <p class="muted">
          <code>{run.command}</code>
        </p>
      )}
      <div class="bar sticky">
        <Select label="Link" value={scenario} options={links} onValue={setLink} />
        <Picker
          label="Contenders"
          names={run.entry.contenders}
          hidden={hidden}
          styles={run.styles}
          theme={theme}
          onHidden={setHidden}
        />
      </div>
      <h3>
        {scenario} <span class="muted">{rows[0]?.link}</span>
      </h3>
      <LinkTable run={run} rows={rows} theme={theme} />
      <TableKeyText of={run.key!} rows={rows} />
      <Downloads
        what={headline}
        runs={[run.entry.id]}
        metric={headline}
        kind="mean"
        scenario={scenario}
        contenders={shown}
      />
      <Downloads
        what="goodput against delay"
        runs={[run.entry.id]}
        metric={headline}
        kind="tradeoff"
        scenario={scenario}
        contenders={shown}
      />
      <Courses run={run} scenario={scenario} hidden={hidden} theme={theme} />
      <Flows run={run} scenario={scenario} theme={theme} />
    </>
  );
}

export function RunPage({ run, theme }: Props) {
  const { entry } = run;
  return (
    <main>
      <h2>
        {entry.name}
        {entry.live && <span class="live"> live</span>}
      </h2>
      {entry.title !== entry.name && <p>{entry.title}</p>}
      {run.hasReport && (
        <p>
          <a href={address("/api/report", { id: entry.id })}>The folder’s own report (report.html)</a>
        </p>
      )}
      {entry.error !== undefined && <p class="error">{entry.error}</p>}
      {run.rows !== undefined && <Results run={run} theme={theme} />}
      {run.progress !== undefined && <Training run={run} theme={theme} />}
      {run.rows === undefined && run.progress === undefined && <Experiment run={run} />}
    </main>
  );
}
