/** The rows on a terminal, and as one self-contained HTML page with its plots: no script, no network. */
import Table from "cli-table3";
import { shortNumber } from "../experiments/experiment.ts";
import { PLAIN_TABLE } from "../experiments/plain-table.ts";
import { htmlText } from "../pages/html-text.ts";
import { excess, thresholdText } from "../suites/thresholds.ts";
import type { JudgedQuantity, RowRecord } from "./evaluate.ts";

function withUnit(value: number, unit: string): string {
  return `${shortNumber(value)}${unit === "1" ? "" : ` ${unit}`}`;
}

/** What decided: the quantity that is furthest beyond its threshold, or, where all pass, the one that is nearest to it. */
function deciding({ quantities }: RowRecord): JudgedQuantity | undefined {
  const [first, ...others] = quantities;
  return first && others.reduce((worst, each) => (excess(each) > excess(worst) ? each : worst), first);
}

/** Every row that fails, by name. */
export function passText(records: readonly RowRecord[], algorithm: string): string {
  const failed = records.filter(({ verdict }) => verdict === "fail").map(({ row }) => row);
  if (failed.length === 0) return `${algorithm} passes every row that ran.`;
  const rows = failed.length === 1 ? "1 row" : `${failed.length} rows`;
  return `${algorithm} fails ${rows}: ${failed.join(", ")}.`;
}

/** A row in short: what decided it, all in words. */
export interface RowLine extends Pick<RowRecord, "row" | "section" | "level" | "requirement" | "verdict"> {
  /** what is measured; absent, with the next two: it did not run */
  readonly quantity?: string;
  readonly measured?: string;
  readonly threshold?: string;
  /** of a row that did not run */
  readonly why?: string;
}

export function rowLines(records: readonly RowRecord[]): RowLine[] {
  return records.map((record): RowLine => {
    const { row, section, level, requirement, verdict, why } = record;
    const shown = deciding(record);
    return {
      ...{ row, section, level, requirement, verdict },
      ...(why !== undefined && { why }),
      ...(shown !== undefined && {
        quantity: shown.name,
        measured: withUnit(shown.value, shown.unit),
        threshold: boundsText(shown),
      }),
    };
  });
}

const LEVELS: readonly RowRecord["level"][] = ["MUST", "SHOULD", "criterion"];

/** `MUST: 6 of 8 pass, 5 not run` */
export function countsText(records: readonly RowRecord[]): string[] {
  return LEVELS.flatMap((level) => {
    const of = records.filter((record) => record.level === level);
    if (of.length === 0) return [];
    const count = (verdict: RowRecord["verdict"]): number =>
      of.filter((record) => record.verdict === verdict).length;
    const ran = of.length - count("not run");
    return [`${level}: ${count("pass")} of ${ran} pass, ${count("not run")} not run`];
  });
}

const HEAD = ["section", "row", "level", "verdict", "measured"];
/** The narrowest last column in which sentences are read. */
const LEAST_WIDTH = 24;

/** @param width of the terminal; undefined: lines may be of any length */
export function ccwgTable(records: readonly RowRecord[], width?: number): string {
  const rows = rowLines(records).map(({ section, row, level, verdict, quantity, measured, threshold }) => {
    const shown = measured === undefined ? "" : `${measured} (${quantity} ${threshold})`;
    return [section, row, level, verdict, shown];
  });
  const cellWidths = HEAD.map((_, i) => 2 + Math.max(...[HEAD, ...rows].map((row) => row[i]!.length)));
  const besideLast = cellWidths.slice(0, -1).reduce((sum, each) => sum + each, HEAD.length + 1);
  const room = Math.max(LEAST_WIDTH, (width ?? Number.POSITIVE_INFINITY) - besideLast);
  const table = new Table({
    ...PLAIN_TABLE,
    head: HEAD,
    colAligns: HEAD.map(() => "left"),
    colWidths: [...cellWidths.slice(0, -1), Math.min(cellWidths.at(-1)!, room)],
    wordWrap: true,
  });
  table.push(...rows);
  const reasons = records.flatMap(({ row, why }) =>
    why === undefined ? [] : [`${row} did not run: ${why}`],
  );
  return `${[table.toString(), ...reasons, ...countsText(records)].join("\n")}\n`;
}

const STYLE = `
:root { color-scheme: light dark; --line: #d0d7de; --soft: #57606a; --pass: #1a7f37; --fail: #b42318; }
@media (prefers-color-scheme: dark) { :root { --line: #30363d; --soft: #9aa4ae; --pass: #4ac26b; --fail: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .3rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .6rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
.pass { color: var(--pass); font-weight: 600; } .fail { color: var(--fail); font-weight: 600; }
code { font-size: .88em; overflow-wrap: anywhere; }
svg { max-width: 100%; height: auto; }
`;

function quantityRows(quantities: readonly JudgedQuantity[]): string {
  return quantities
    .map(
      (each) =>
        `<tr><td>${htmlText(each.name)}</td><td class="number">${htmlText(withUnit(each.value, each.unit))}</td>` +
        `<td>${htmlText(boundsText(each))}</td><td class="${each.verdict}">${each.verdict}</td>` +
        `<td>${htmlText(each.source)}</td></tr>`,
    )
    .join("\n");
}

/** The threshold without the name that stands beside it. */
function boundsText(each: JudgedQuantity): string {
  const { low, high } = each.threshold;
  const rounded = {
    ...(low !== undefined && { low: +low.toPrecision(3) }),
    ...(high !== undefined && { high: +high.toPrecision(3) }),
  };
  return thresholdText({ ...each, name: "", threshold: rounded }).trim();
}

function rowSection(record: RowRecord, svg: string | undefined): string {
  const { row, section, level, requirement, experiment, quantities, verdict, why, command } = record;
  const head = `<h2 id="${htmlText(row)}">${htmlText(section)} ${htmlText(row)}: <span class="${verdict === "not run" ? "soft" : verdict}">${verdict}</span></h2>`;
  const table =
    quantities.length === 0
      ? ""
      : `<div class="scroll"><table><thead><tr><th>quantity</th><th>measured</th><th>threshold</th><th>verdict</th><th>its source</th></tr></thead><tbody>\n${quantityRows(quantities)}\n</tbody></table></div>`;
  return [
    head,
    `<p>${level}: ${htmlText(requirement)}.</p>`,
    experiment === undefined ? "" : `<p class="soft">${htmlText(experiment)}.</p>`,
    why === undefined ? "" : `<p>Did not run: ${htmlText(why)}</p>`,
    table,
    svg === undefined
      ? ""
      : `<figure class="scroll" role="img" aria-label="${htmlText(row)}">${svg}</figure>`,
    `<p class="soft">Again: <code>${htmlText(command)}</code></p>`,
  ]
    .filter((line) => line !== "")
    .join("\n");
}

function overview(records: readonly RowRecord[]): string {
  const rows = records
    .map(
      (each) =>
        `<tr><td>${htmlText(each.section)}</td><td><a href="#${htmlText(each.row)}">${htmlText(each.row)}</a></td>` +
        `<td>${each.level}</td><td>${htmlText(each.requirement)}</td>` +
        `<td class="${each.verdict === "not run" ? "soft" : each.verdict}">${each.verdict}</td></tr>`,
    )
    .join("\n");
  return `<div class="scroll"><table><thead><tr><th>section</th><th>row</th><th>level</th><th>what is asked for</th><th>verdict</th></tr></thead><tbody>\n${rows}\n</tbody></table></div>`;
}

/** @param plots SVG by row @param command that gives the page */
export function ccwgPage(
  records: readonly RowRecord[],
  plots: ReadonlyMap<string, string>,
  { algorithm, command }: { readonly algorithm: string; readonly command: string },
): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RFC 9743: ${htmlText(algorithm)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>RFC 9743: ${htmlText(algorithm)}</h1>
<p>${htmlText(passText(records, algorithm))}</p>
<p class="soft">${countsText(records).map(htmlText).join("; ")}. RFC 9743 gives no thresholds; each row names the source of its own.</p>
<p class="soft"><code>${htmlText(command)}</code></p>
${overview(records)}
${records.map((record) => rowSection(record, plots.get(record.row))).join("\n")}
</body>
</html>
`;
}
