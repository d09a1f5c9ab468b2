/** The first page: which contender, by how much, where it fails; then every run. */
import { useState } from "preact/hooks";
import { runHash } from "./address.ts";
import type { LeagueRow, Overview, RunEntry, Styles } from "./api.ts";
import { colourOf, Swatch, type Theme } from "./parts.tsx";

/** Shown at once; the others when asked for, or found. */
const FIRST_RUNS = 50;

interface Props {
  readonly overview: Overview;
  readonly theme: Theme;
}

const leadText = ({ medianLead }: LeagueRow): string =>
  medianLead === undefined ? "" : `, by ${medianLead.toFixed(2)} in the median`;

const linksText = (count: number): string => `${count} ${count === 1 ? "link" : "links"}`;

/** More than these are counted, not named. */
const NAMED = 3;

/** `a (1 link), b (2 links) and 4 more`. */
function namedText(texts: readonly string[]): string {
  const more = texts.length - NAMED;
  const named = more > 0 ? [...texts.slice(0, NAMED), `${more} more`] : texts;
  return named.length < 2 ? named.join("") : `${named.slice(0, -1).join(", ")} and ${named.at(-1)}`;
}

function duelText(first: LeagueRow, { algorithm, againstFirst }: LeagueRow): string {
  if (againstFirst === undefined) return `; it has not met ${first.algorithm}`;
  const { links, ahead, behind } = againstFirst;
  return `; of ${linksText(links)} of both ${first.algorithm} is ahead on ${behind}, ${algorithm} on ${ahead}`;
}

/** Ahead of each other equally often, or never met. */
function Equals({ rows }: { readonly rows: readonly LeagueRow[] }) {
  const isMet = rows.slice(1).every(({ againstFirst }) => againstFirst !== undefined);
  const more = rows.length - NAMED;
  return (
    <>
      Nobody leads:{" "}
      {rows.slice(0, NAMED).map((row, i) => (
        <span key={row.algorithm}>
          {i === 0 ? "" : "; "}
          <strong>{row.algorithm}</strong> is best on {row.best} of {linksText(row.links)}
          {leadText(row)}
          {row.tied > 0 && `, and tied on ${row.tied}`}
        </span>
      ))}
      {more > 0 && `; and ${more} more`}.{" "}
      {isMet ? "They are equal on the links that they share" : "Not all of them have met on a link"}. Where
      each does worst is below.
    </>
  );
}

function Leader({ first, others }: { readonly first: LeagueRow; readonly others: readonly LeagueRow[] }) {
  const [second] = others;
  const isMostOften = others.every(({ best, links }) => best / links <= first.best / first.links);
  return (
    <>
      <strong>{first.algorithm}</strong>{" "}
      {isMostOften ? "is best" : "leads on the links shared with each other one: best"} on {first.best} of{" "}
      {linksText(first.links)}
      {leadText(first)}
      {first.tied > 0 && ` and tied on ${first.tied}`}.{" "}
      {first.worst !== undefined && (
        <>
          It does worst on <Worst worst={first.worst} />.{" "}
        </>
      )}
      {second !== undefined && (
        <>
          Next: <strong>{second.algorithm}</strong>, best on {second.best} of {second.links}
          {duelText(first, second)}.
        </>
      )}
    </>
  );
}

function Worst({ worst }: { readonly worst: NonNullable<LeagueRow["worst"]> }) {
  return (
    <span>
      <a href={runHash(worst.runId, worst.scenario)}>{worst.scenario}</a>
      {worst.link !== undefined && ` (${worst.link})`}: {worst.text}
    </span>
  );
}

function Answer({ rows }: { readonly rows: readonly LeagueRow[] }) {
  const many = rows.filter(({ isOnFew }) => !isOnFew);
  const few = rows.filter(({ isOnFew }) => isOnFew);
  const [first, ...others] = many;
  if (first === undefined) return null;
  const equals = many.filter(({ rank }) => rank === first.rank);
  return (
    <p class="answer">
      {equals.length > 1 ? <Equals rows={equals} /> : <Leader first={first} others={others} />}
      {few.length > 0 &&
        ` On few links only, so listed last: ${namedText(few.map(({ algorithm, links }) => `${algorithm} (${links})`))}.`}
    </p>
  );
}

function againstText({ againstFirst }: LeagueRow): string {
  if (againstFirst === undefined) return "not met";
  const { links, ahead, behind } = againstFirst;
  return `ahead on ${ahead}, behind on ${behind} of ${links}`;
}

function League({
  rows,
  styles,
  theme,
}: {
  readonly rows: readonly LeagueRow[];
  readonly styles: Styles;
  readonly theme: Theme;
}) {
  const against = `against ${rows[0]!.algorithm}`;
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
            <th scope="col">{against}</th>
            <th scope="col" class="text">
              where it does worst
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={row.algorithm}>
              <th scope="row" style={{ minWidth: "14ch" }}>
                <Swatch colour={colourOf(styles, row.algorithm, theme)} />
                {row.algorithm}
              </th>
              <td data-of="best on">{row.best}</td>
              <td data-of="tied on">{row.tied}</td>
              <td data-of="of links">
                {row.links}
                {row.isOnFew && " only"}
              </td>
              <td data-of="median lead">{row.medianLead?.toFixed(2) ?? "–"}</td>
              <td data-of={against}>{i === 0 ? "–" : againstText(row)}</td>
              <td class="text" data-of="where it does worst">
                {row.worst === undefined ? "–" : <Worst worst={row.worst} />}
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
  isFull,
  onPick,
}: {
  readonly run: RunEntry;
  readonly isPicked: boolean;
  /** two others are picked */
  readonly isFull: boolean;
  onPick(): void;
}) {
  return (
    <tr>
      <td class="text">
        {run.kind === "results" && run.error === undefined && (
          <input
            type="checkbox"
            checked={isPicked}
            disabled={isFull}
            onChange={onPick}
            aria-label={`Compare ${run.name}`}
          />
        )}
      </td>
      <th scope="row">
        <a href={`#/run/${run.id}`}>{run.name}</a>
        {run.live && <span class="live"> live</span>}
      </th>
      <td class="text" data-of="kind" style={{ whiteSpace: "nowrap" }}>
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
    setPicked(picked.includes(id) ? picked.filter((each) => each !== id) : [...picked, id]);
  const pickedNames = picked.map((id) => runs.find((run) => run.id === id)?.name ?? id);
  return (
    <main>
      {league.rows.length > 1 && (
        <section aria-labelledby="league-title">
          <h2 id="league-title">Who is best, by how much, and where not</h2>
          <Answer rows={league.rows} />
          <League rows={league.rows} styles={styles} theme={theme} />
          <p class="muted">
            Deployable contenders on the links of all runs below, by {league.by}; those of different runs meet
            where link and duration are the same, over the seeds of both. One in several runs counts once, as
            the newest has it. First is who is ahead of most others on the links that the two share; who was
            on fewer than half as many links as others comes last. Who differs from the best by nothing that
            its seeds could tell is tied; oracle, constant and untrained do not compete; who uses less than
            80&nbsp;% of a link, or loses more than 5&nbsp;%, is not ranked where another one uses more, or
            loses less (where that one does not do so well itself, coming near it is enough).
          </p>
        </section>
      )}
      <section aria-labelledby="runs-title">
        <h2 id="runs-title">Runs ({wanted === "" ? runs.length : `${shown.length} of ${runs.length}`})</h2>
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
            <>
              <a class="button" href={`#/compare/${picked[0]}/${picked[1]}`}>
                Compare the two
              </a>
              <span class="muted" role="status">
                {pickedNames.join(" and ")} are ticked: untick one to tick another.
              </span>
            </>
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
                  isFull={picked.length === 2 && !picked.includes(run.id)}
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
