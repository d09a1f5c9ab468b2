/** The first page: which contender, by how much, where it fails; then every run. */
import { useState } from "preact/hooks";
import type { LeagueRow, Overview, RunEntry, Styles } from "./api.ts";
import { colourOf, Swatch, type Theme } from "./parts.tsx";

/** Shown at once; the others when asked for, or found. */
const FIRST_RUNS = 50;

interface Props {
  readonly overview: Overview;
  readonly theme: Theme;
}

const leadText = ({ medianLead }: LeagueRow): string =>
  medianLead === undefined ? "" : `by ${medianLead.toFixed(2)} in the median`;

/** `a (by 0.31 in the median) and b (by 0.75 in the median)`. */
function Equals({ rows }: { readonly rows: readonly LeagueRow[] }) {
  return (
    <>
      {rows.map((row, i) => (
        <span key={row.algorithm}>
          {i === 0 ? "" : i === rows.length - 1 ? " and " : ", "}
          <strong>{row.algorithm}</strong>
          {row.medianLead !== undefined && ` (${leadText(row)})`}
        </span>
      ))}
    </>
  );
}

function Answer({ league }: { readonly league: readonly LeagueRow[] }) {
  const [first, second] = league;
  if (first === undefined || second === undefined) return null;
  const equals = league.filter(
    ({ best, tied, links }) => best === first.best && tied === first.tied && links === first.links,
  );
  const ties = first.tied === 0 ? "" : ` and tied on ${first.tied}`;
  if (equals.length > 1)
    return (
      <p class="answer">
        Nobody leads: <Equals rows={equals} /> are each best on {first.best}
        {ties} of {first.links} {first.links === 1 ? "link" : "links"}. Where each does worst is below.
      </p>
    );
  const lead = first.medianLead === undefined ? "" : `, ${leadText(first)}`;
  return (
    <p class="answer">
      <strong>{first.algorithm}</strong> is best on {first.best} of {first.links}{" "}
      {first.links === 1 ? "link" : "links"}
      {lead}
      {ties}.{" "}
      {first.worst !== undefined && (
        <>
          It does worst on <a href={`#/run/${first.worst.runId}`}>{first.worst.scenario}</a>:{" "}
          {first.worst.text}.{" "}
        </>
      )}
      Next: <strong>{second.algorithm}</strong>, best on {second.best} of {second.links}.
    </p>
  );
}

function League({
  league,
  styles,
  theme,
}: {
  readonly league: readonly LeagueRow[];
  readonly styles: Styles;
  readonly theme: Theme;
}) {
  return (
    <div class="scroll">
      <table id="league">
        <thead>
          <tr>
            <th scope="col">contender</th>
            <th scope="col" class="count">
              best on
            </th>
            <th scope="col">tied on</th>
            <th scope="col">of links</th>
            <th scope="col">median lead</th>
            <th scope="col" class="text">
              where it does worst
            </th>
          </tr>
        </thead>
        <tbody>
          {league.map(({ algorithm, links, best, tied, medianLead, worst }) => (
            <tr key={algorithm}>
              <th scope="row">
                <Swatch colour={colourOf(styles, algorithm, theme)} />
                {algorithm}
              </th>
              <td data-of="best on">{best}</td>
              <td data-of="tied on">{tied}</td>
              <td data-of="of links">{links}</td>
              <td data-of="median lead">{medianLead?.toFixed(2) ?? "–"}</td>
              <td class="text" data-of="where it does worst">
                {worst === undefined ? (
                  "–"
                ) : (
                  <span>
                    <a href={`#/run/${worst.runId}`}>{worst.scenario}</a>: {worst.text}
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

function RunLine({
  run,
  isPicked,
  onPick,
}: {
  readonly run: RunEntry;
  readonly isPicked: boolean;
  onPick(): void;
}) {
  return (
    <tr>
      <td class="text">
        {run.kind === "results" && run.error === undefined && (
          <input type="checkbox" checked={isPicked} onChange={onPick} aria-label={`Compare ${run.name}`} />
        )}
      </td>
      <th scope="row">
        <a href={`#/run/${run.id}`}>{run.name}</a>
        {run.live && <span class="live"> live</span>}
      </th>
      <td class="text" data-of="kind">
        {run.kind}
      </td>
      <td class="text wide" data-of="what it says">
        {run.error ?? run.sentences[0] ?? run.title}
      </td>
      <td data-of="links">{run.links.length === 0 ? "–" : run.links.length}</td>
      <td data-of="changed">{dateText(run.modifiedMs)}</td>
    </tr>
  );
}

export function OverviewPage({ overview, theme }: Props) {
  const { runs, league, styles } = overview;
  const [filter, setFilter] = useState("");
  const [isWhole, setWhole] = useState(false);
  const [picked, setPicked] = useState<readonly string[]>([]);
  const wanted = filter.toLowerCase();
  const shown = runs.filter(({ name, title, contenders }) =>
    [name, title, ...contenders].some((text) => text.toLowerCase().includes(wanted)),
  );
  const pick = (id: string): void =>
    setPicked(picked.includes(id) ? picked.filter((each) => each !== id) : [...picked, id].slice(-2));
  return (
    <main>
      {league.length > 1 && (
        <section aria-labelledby="league-title">
          <h2 id="league-title">Who is best, by how much, and where not</h2>
          <Answer league={league} />
          <League league={league} styles={styles} theme={theme} />
          <p class="muted">
            Deployable contenders on the links of all runs below; one of several runs counts once, as the
            newest has it. Who differs from the best by nothing that its seeds could tell is tied; oracle,
            constant and untrained do not compete; who uses less than 80&nbsp;% of a link, or loses more than
            5&nbsp;%, is not ranked where another one uses more, or loses less (where that one does not do so
            well itself, coming near it is enough).
          </p>
        </section>
      )}
      <section aria-labelledby="runs-title">
        <h2 id="runs-title">Runs ({runs.length})</h2>
        <div class="bar">
          <label>
            Find{" "}
            <input
              type="search"
              value={filter}
              onInput={(event) => setFilter(event.currentTarget.value)}
              placeholder="name or contender"
            />
          </label>
          {picked.length === 2 ? (
            <a class="button" href={`#/compare/${picked[0]}/${picked[1]}`}>
              Compare the two
            </a>
          ) : (
            <span class="muted">Tick two runs to compare them.</span>
          )}
        </div>
        {runs.length === 0 && (
          <p>
            No run folders here. `ccpark bench --out runs/first` and `ccpark train --out runs/agent` make
            some.
          </p>
        )}
        <div class="scroll">
          <table id="runs">
            <thead>
              <tr>
                <th scope="col">
                  <span class="sr">compare</span>
                </th>
                <th scope="col">run</th>
                <th scope="col" class="text">
                  kind
                </th>
                <th scope="col" class="text">
                  what it says
                </th>
                <th scope="col">links</th>
                <th scope="col">changed (UTC)</th>
              </tr>
            </thead>
            <tbody>
              {(isWhole ? shown : shown.slice(0, FIRST_RUNS)).map((run) => (
                <RunLine
                  key={run.id}
                  run={run}
                  isPicked={picked.includes(run.id)}
                  onPick={() => pick(run.id)}
                />
              ))}
            </tbody>
          </table>
        </div>
        {!isWhole && shown.length > FIRST_RUNS && (
          <button type="button" onClick={() => setWhole(true)}>
            Show all {shown.length} runs
          </button>
        )}
      </section>
    </main>
  );
}
