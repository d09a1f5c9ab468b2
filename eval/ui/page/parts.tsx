/** Parts of several pages: sentences, pickers, tables, downloads. */
import { useState } from "preact/hooks";
import {
  address,
  type Column,
  type Estimate,
  type Row,
  type Run,
  type Styles,
  type TableKey,
} from "./api.ts";

export type Theme = "light" | "dark";

export const FLOW_COLOURS = {
  light: ["#0072b2", "#d55e00", "#009e73", "#b8599a", "#b57f00", "#6a51a3", "#4c4c4c"],
  dark: ["#4aa8e8", "#f0803c", "#1fc299", "#dd92c0", "#e6b03c", "#a795d6", "#d0d0d0"],
} as const;

/** The contender's own colour; a run's second and later contenders of one name have those of `SPARE`. */
export function colourOf(styles: Styles, name: string, theme: Theme): string {
  return styles[name]?.[theme] ?? (theme === "dark" ? "#d0d0d0" : "#4c4c4c");
}

export function Swatch({ colour }: { readonly colour: string }) {
  return <span class="swatch" style={{ background: colour }} aria-hidden="true" />;
}

export function Sentences({ sentences }: { readonly sentences: readonly string[] }) {
  if (sentences.length === 0) return null;
  return (
    <ul class="sentences">
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}

interface PickerProps {
  readonly label: string;
  readonly names: readonly string[];
  readonly hidden: ReadonlySet<string>;
  readonly styles: Styles;
  readonly theme: Theme;
  onHidden(hidden: ReadonlySet<string>): void;
}

export function Picker({ label, names, hidden, styles, theme, onHidden }: PickerProps) {
  const toggle = (name: string): void => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    onHidden(next);
  };
  return (
    <fieldset class="picker">
      <legend>{label}</legend>
      {names.map((name) => (
        <label key={name}>
          <input type="checkbox" checked={!hidden.has(name)} onChange={() => toggle(name)} />
          <Swatch colour={colourOf(styles, name, theme)} />
          {name}
        </label>
      ))}
    </fieldset>
  );
}

export function valueText({ factor, digits }: Column, value: Estimate | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const mean = (value.mean * factor).toFixed(digits);
  const half = value.ci95 === null ? "" : (value.ci95 * factor).toFixed(digits);
  return half === "" || Number(half) === 0 ? mean : `${mean} ± ${half}`;
}

interface LinkTableProps {
  readonly run: Run;
  readonly rows: readonly Row[];
  readonly theme: Theme;
}

function heading({ title, unit }: Column): string {
  return unit === "" ? title : `${title} (${unit})`;
}

export function LinkTable({ run, rows, theme }: LinkTableProps) {
  const ofLink = run.linkColumns!.filter(({ quantity }) => rows.some(({ values }) => quantity in values));
  const columns = [...run.columns!, ...ofLink];
  const words = { best: "best", tied: "tied with the best", none: "" };
  return (
    <div class="scroll">
      <table class={ofLink.length > 0 ? "many" : ""}>
        <thead>
          <tr>
            <th scope="col">contender</th>
            {columns.map((column) => (
              <th key={column.quantity} scope="col">
                {heading(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.algorithm}>
              <th scope="row">
                <Swatch colour={colourOf(run.styles, row.algorithm, theme)} />
                {row.algorithm}
                {!row.ranked && <span class="unranked">not ranked</span>}
              </th>
              {columns.map((column) => {
                const standing = row.standing[column.quantity] ?? "none";
                return (
                  <td
                    key={column.quantity}
                    class={standing}
                    data-of={heading(column)}
                    title={words[standing]}
                  >
                    {valueText(column, row.values[column.quantity]).replace("± ", "±\u00a0")}
                    {standing !== "none" && <span class="sr">, {words[standing]}</span>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface TableKeyProps {
  readonly of: TableKey;
  readonly rows: readonly Row[];
}

export function TableKeyText({ of, rows }: TableKeyProps) {
  return (
    <div class="key muted">
      <p>
        <span class="sample best">green</span> best of the link; <span class="sample tied">framed</span> tied
        with it: {of.ties}. In each cell: {of.cells}. {of.delays}.
      </p>
      {rows.some(({ hasSeveralFlows }) => hasSeveralFlows) && (
        <p>
          {of.severalFlows.split("`").map((part, i) => (i % 2 === 1 ? <code key={part}>{part}</code> : part))}
        </p>
      )}
      <details>
        <summary>How to read the table</summary>
        <p>{of.whole}</p>
      </details>
    </div>
  );
}

interface DownloadsProps {
  /** of the plot, for who does not see it */
  readonly what: string;
  readonly runs: readonly string[];
  readonly metric: string;
  readonly kind: "mean" | "time" | "cdf" | "tradeoff";
  readonly scenario: string;
  readonly contenders: readonly string[];
  /** of a course over time; absent: the first */
  readonly seed?: string;
}

/** In the form of a paper: fonts and width of one or two columns. */
export function Downloads({ what, runs, metric, kind, scenario, contenders, seed }: DownloadsProps) {
  const [size, setSize] = useState("column");
  const query = new URLSearchParams(runs.map((run) => ["run", run]));
  for (const [key, value] of Object.entries({ metric, kind, size })) query.set(key, value);
  query.set("scenarios", JSON.stringify([scenario]));
  query.set("contenders", JSON.stringify(contenders));
  if (seed !== undefined) query.set("seed", seed);
  return (
    <div class="downloads">
      <span>Download {what}:</span>
      {["svg", "png", "pdf", "csv"].map((format) => (
        <a
          key={format}
          download
          href={`${address("/api/plot")}?${query}&format=${format}`}
          aria-label={`Download ${what} as ${format.toUpperCase()}`}
        >
          {format.toUpperCase()}
        </a>
      ))}
      <label>
        width
        <select
          value={size}
          onChange={(event) => setSize(event.currentTarget.value)}
          aria-label={`Width of ${what}`}
        >
          <option value="column">one column</option>
          <option value="double">two columns</option>
        </select>
      </label>
    </div>
  );
}
