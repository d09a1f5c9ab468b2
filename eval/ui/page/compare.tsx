/** Two runs side by side: what each contender got in both, whether it differs, and their courses over time in one chart. */
import { useMemo, useState } from "preact/hooks";
import { useChosen } from "./address.ts";
import { address, type Column, type Difference, type Run, type SeriesEntry, useJson } from "./api.ts";
import { Chart, type Line, type Range, Zoom } from "./chart.tsx";
import { Downloads, FLOW_COLOURS, Swatch, type Theme, valueText } from "./parts.tsx";

interface Props {
  readonly a: Run;
  readonly b: Run;
  readonly theme: Theme;
}

const heading = ({ title, unit }: Column): string => (unit === "" ? title : `${title} (${unit})`);

export function ComparePage({ a, b, theme }: Props) {
  const links = a.entry.links.filter((link) => b.entry.links.includes(link));
  const [link = "", setLink] = useChosen("link");
  const scenario = links.includes(link) ? link : (links[0] ?? "");
  const rowsOf = (run: Run) => (run.rows ?? []).filter((row) => row.scenario === scenario);
  const isIn = (run: Run, algorithm: string): boolean =>
    rowsOf(run).some((row) => row.algorithm === algorithm);
  // those of both runs first
  const names = [...new Set([...rowsOf(a), ...rowsOf(b)].map(({ algorithm }) => algorithm))].sort(
    (one, other) => Number(isIn(a, other) && isIn(b, other)) - Number(isIn(a, one) && isIn(b, one)),
  );
  const difference = useJson<Difference>(
    links.length === 0 ? undefined : address("/api/difference", { a: a.entry.id, b: b.entry.id, scenario }),
  ).value;
  const [name, setName] = useChosen("contender");
  // a reference is what no one can do: looked at where one asks for it
  const first = names.find((each) => !difference?.references.includes(each)) ?? names[0] ?? "";
  const chosen = name !== undefined && names.includes(name) ? name : first;
  const columns = a.columns ?? [];
  if (links.length === 0)
    return (
      <main>
        <h2>
          {a.entry.name} and {b.entry.name}
        </h2>
        <p>
          They have no link in common: {a.entry.name} has {a.entry.links.join(", ") || "none"}, {b.entry.name}{" "}
          {b.entry.links.join(", ") || "none"}.
        </p>
      </main>
    );
  return (
    <main>
      <h2>
        {a.entry.name} and {b.entry.name}
      </h2>
      <div class="bar">
        <label>
          Link{" "}
          <select aria-label="Link" value={scenario} onChange={(event) => setLink(event.currentTarget.value)}>
            {links.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          Contender over time{" "}
          <select
            aria-label="Contender over time"
            value={chosen}
            onChange={(event) => setName(event.currentTarget.value)}
          >
            {names.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      </div>
      {difference !== undefined && <p class="answer">{difference.answer}</p>}
      <div class="scroll">
        <table id="comparison">
          <thead>
            <tr>
              <th scope="col">contender</th>
              <th scope="col" class="text">
                run
              </th>
              {columns.map((column) => (
                <th key={column.quantity} scope="col">
                  {heading(column)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.flatMap((algorithm) => {
              const rows = [a, b].map((run) => rowsOf(run).find((row) => row.algorithm === algorithm));
              const there = rows.flatMap((row, i) => (row === undefined ? [] : [{ row, i }]));
              return there.map(({ row, i }) => (
                <tr key={`${algorithm} ${i}`}>
                  <th scope="row">{algorithm}</th>
                  <td class="text" data-of="run">
                    <span>
                      <Swatch colour={FLOW_COLOURS[theme][i]!} />
                      {[a, b][i]!.entry.name}
                    </span>
                  </td>
                  {columns.map((column) => {
                    const isOther = difference?.differing[algorithm]?.includes(column.quantity) ?? false;
                    return (
                      <td key={column.quantity} data-of={heading(column)} class={isOther ? "differs" : ""}>
                        {valueText(column, row.values[column.quantity])}
                        {isOther && <span class="sr">, differs</span>}
                      </td>
                    );
                  })}
                </tr>
              ));
            })}
          </tbody>
        </table>
      </div>
      {difference?.rule !== undefined && <p class="muted">{difference.rule}</p>}
      {difference !== undefined && <Both a={a} b={b} theme={theme} scenario={scenario} name={chosen} />}
    </main>
  );
}

const COURSES = [
  { field: "throughputMbps", title: "Throughput", unit: "Mbit/s" },
  { field: "queueDelayMs", title: "Queueing delay", unit: "ms" },
  { field: "cwndPackets", title: "Congestion window", unit: "packets" },
] as const;

function Both({ a, b, theme, scenario, name }: Props & { readonly scenario: string; readonly name: string }) {
  const ofA = useJson<{ series: readonly SeriesEntry[] }>(
    address("/api/series", { id: a.entry.id, scenario }),
  );
  const ofB = useJson<{ series: readonly SeriesEntry[] }>(
    address("/api/series", { id: b.entry.id, scenario }),
  );
  const [range, setRange] = useState<Range>();
  const charts = useMemo(() => {
    const entries = [ofA, ofB].map(({ value }) => value?.series.find(({ algorithm }) => algorithm === name));
    return COURSES.map((course) => ({
      ...course,
      lines: entries.flatMap((entry, i): Line[] =>
        entry === undefined
          ? []
          : [
              {
                name: [a, b][i]!.entry.name,
                colour: FLOW_COLOURS[theme][i]!,
                x: entry.timeSec,
                y: entry[course.field],
              },
            ],
      ),
    }));
  }, [ofA.value, ofB.value, name, theme, a.entry.id, b.entry.id]);
  const end = Math.max(...charts.flatMap(({ lines }) => lines.map(({ x }) => x.at(-1) ?? 0)), 1);
  return (
    <section aria-label={`${name} over time in both runs`}>
      <Zoom end={end} range={range} onRange={setRange} />
      {charts.map(({ field, title, unit, lines }) => (
        <div key={field}>
          <Chart
            title={`${title} of ${name}`}
            unit={unit}
            lines={lines}
            range={range}
            onRange={setRange}
            theme={theme}
            group="compare"
          />
          <Downloads
            what={title}
            runs={[a.entry.id, b.entry.id]}
            metric={field}
            kind="time"
            scenario={scenario}
            contenders={[name]}
          />
        </div>
      ))}
    </section>
  );
}
