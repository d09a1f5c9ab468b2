/** One self-contained HTML page: no network, all data and scripts inline. A string in, a string out. */
import { htmlText as html } from "../pages/html-text.ts";
import type { SummaryRow } from "../summary.ts";
import { headlineTitle } from "../verdicts/headline.ts";
import { type Standing, standingIn } from "../verdicts/standing.ts";
import { cellsText, DELAYS_TEXT, tableKey } from "../verdicts/table-key.ts";
import { headlineColumn, verdictSentences } from "../verdicts/verdicts.ts";
import { linksOf, seedRows, tradeoffRows } from "./chart-data.ts";
import { reportCharts } from "./charts.ts";
import {
  byLink,
  COLUMNS,
  COMPLETED_COLUMN,
  columnsOf,
  formatCi,
  formatMean,
  heading,
  PAGE_COLUMNS,
} from "./columns.ts";
import { completionText, delayText, endNotes, flowLines, goodputText } from "./flow-lines.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { type ContenderStyle, chartConfig, MARKS, styleContenders, type Theme } from "./palette.ts";
import type { ReportData } from "./report-data.ts";
import { vegaBuilds } from "./vega-builds.ts";

/** JSON that cannot end its script element or open a comment in it; NaN (no episode ended) becomes null. */
function inlineJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, "\\u003c")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}

function inlineScript(source: string): string {
  return source.replace(/<\/script/gi, "<\\/script").replace(/^\/\/# sourceMappingURL=.*$/gm, "");
}

/** Legend sample: the line as drawn, with the contender's symbol in its middle. */
function legendSample(style: ContenderStyle, index: number): string {
  const pattern = style.dash[1] === 0 ? "" : ` stroke-dasharray="${style.dash.join(" ")}"`;
  return (
    `<svg width="28" height="14" aria-hidden="true" style="color:var(--c-${index})" fill="currentColor">` +
    `<path d="M0 7h28" stroke="currentColor" stroke-width="2"${pattern}/>${MARKS[style.mark]!.sample}</svg>`
  );
}

function colourProperties(styles: readonly ContenderStyle[]): string {
  const list = (theme: Theme): string => styles.map((style, i) => `--c-${i}: ${style[theme]};`).join(" ");
  return `:root { ${list("light")} }\n:root[data-theme="dark"] { ${list("dark")} }\n`;
}

function swatch(names: readonly string[], algorithm: string): string {
  return `<span class="swatch" style="background:var(--c-${names.indexOf(algorithm)})"></span>`;
}

/** The class of a cell, and for those who do not see it, a word. */
const STANDING: Readonly<Record<Standing, { readonly attribute: string; readonly word: string }>> = {
  best: { attribute: ' class="best"', word: '<span class="sr">, best</span>' },
  tied: { attribute: ' class="tied"', word: '<span class="sr">, tied with the best</span>' },
  none: { attribute: "", word: "" },
};

const UTILISATION = COLUMNS.find(({ quantity }) => quantity === "utilisation")!;
const LOSS = COLUMNS.find(({ quantity }) => quantity === "lossRate")!;

/** Links down, contenders across: mean of the headline with its interval, and what stands beside every score: utilisation and loss. */
function overviewTable(data: ReportData, names: readonly string[]): string {
  const headline = headlineColumn(data.headline);
  const rows = byLink(data.summary).map((group, index) => {
    const cells = names.map((name) => {
      const row = group.find((candidate) => candidate.algorithm === name);
      if (row === undefined) return "<td></td>";
      const { attribute, word } = STANDING[standingIn(headline, row, group)];
      const value = row[headline.quantity];
      const beside = `${formatMean(UTILISATION, row.utilisation)} % used<br>${formatMean(LOSS, row.lossRate)} % lost`;
      return `<td data-of="${html(name)}"${attribute}>${formatMean(headline, value)}<span class="ci">${formatCi(headline, value)}</span>${word}<div class="beside">${beside}</div></td>`;
    });
    const first = group[0]!;
    const label = `<button class="linklike" data-jump="${index}">${html(first.scenario)}</button><div>${html(first.link)}</div>`;
    return `<tr><th scope="row" style="text-align:left">${label}</th>${cells.join("")}</tr>`;
  });
  const head = names.map((name) => `<th scope="col">${swatch(names, name)}${html(name)}</th>`).join("");
  return `<div class="scroll"><table><thead><tr><th scope="col">link</th>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** What the page says before all tables; empty with a single contender. */
function verdictList({ summary, headline }: ReportData): string {
  const sentences = verdictSentences(summary, headline);
  if (sentences.length === 0) return "";
  return `<h2>Verdicts</h2>\n<ul class="verdicts">${sentences.map((sentence) => `<li>${html(sentence)}</li>`).join("")}</ul>`;
}

function linkTable(group: readonly SummaryRow[], names: readonly string[], rewardName: string): string {
  const columns = columnsOf(PAGE_COLUMNS, group);
  const head = columns.map((column) =>
    column.quantity === "reward" ? `reward <code>${html(rewardName)}</code>` : html(heading(column)),
  );
  const rows = group.map((row) => {
    const cells = columns.map((column) => {
      const { attribute, word } = STANDING[standingIn(column, row, group)];
      const value = row[column.quantity];
      return `<td data-of="${html(heading(column))}"${attribute}>${formatMean(column, value)}<span class="ci">${formatCi(column, value)}</span>${word}</td>`;
    });
    const notes = [
      row.detail,
      row.completedShare && `${formatMean(COMPLETED_COLUMN, row.completedShare)} % of transfers completed`,
      row.reproducible === false ? "not reproducible to the bit" : undefined,
    ];
    const detail = notes
      .filter((note) => note !== undefined)
      .map((note) => `<div class="detail">${html(note)}</div>`)
      .join("");
    return `<tr><th scope="row" style="text-align:left">${swatch(names, row.algorithm)}${html(row.algorithm)}${detail}</th>${cells.join("")}</tr>`;
  });
  // more columns than a page is wide: intervals go below their values
  const style = columns.length > PAGE_COLUMNS.length ? ' class="many"' : "";
  return `<div class="scroll"><table${style}><thead><tr><th scope="col">contender</th>${head
    .map((title) => `<th scope="col">${title}</th>`)
    .join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** Deadlines of finite flows; empty where nothing is to be said. */
function endsList(group: readonly SummaryRow[]): string {
  const notes = endNotes(group).map((note) => `<li>${html(note)}</li>`);
  return notes.length === 0 ? "" : `<ul class="ends">${notes.join("")}</ul>`;
}

/** Flows down, contenders across: goodput and p95 one-way delay of each; empty where the link has one flow. */
function flowTable(group: readonly SummaryRow[], names: readonly string[]): string {
  const flows = flowLines(group);
  if (flows === undefined) return "";
  const width = flows.haveEnds ? 3 : 2;
  const contenders = group.map(
    ({ algorithm }) =>
      `<th scope="colgroup" colspan="${width}">${swatch(names, algorithm)}${html(algorithm)}</th>`,
  );
  const ends = (text: string): string => (flows.haveEnds ? text : "");
  const done = ends('<th scope="col">done s</th>');
  const units = group.map(() => `<th scope="col">Mbit/s</th><th scope="col">p95 ms</th>${done}`);
  const rows = flows.lines.map(({ id, algorithm, startSec, got }) => {
    const cells = got.map((flow) => {
      if (flow === undefined) return "<td></td>".repeat(width);
      const completion = ends(`<td>${completionText(flow)}</td>`);
      return `<td>${goodputText(flow)}</td><td>${delayText(flow)}</td>${completion}`;
    });
    return `<tr><th scope="row">${html(id)}</th><td class="text">${html(algorithm)}</td><td>${startSec}</td>${cells.join("")}</tr>`;
  });
  if (flows.more > 0) {
    rows.push(
      `<tr><td class="muted" colspan="${3 + width * group.length}">and ${flows.more} more flows</td></tr>`,
    );
  }
  return `<h3 class="flows">Flow by flow</h3>
<p class="muted">Goodput of each flow over its own life and p95 of its one-way delay, means over the seeds; <code>test</code> is the contender. The table above is of the first flow, except Jain's index and the goodput of all forward flows.</p>
<div class="scroll"><table class="flows"><thead><tr><th scope="col" rowspan="2">flow</th><th scope="col" rowspan="2" class="text">algorithm</th><th scope="col" rowspan="2">start (s)</th>${contenders.join("")}</tr><tr>${units.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function figure(name: string, title: string, caption: string, wide = false): string {
  return (
    `<figure${wide ? ' class="wide"' : ""}><h3>${html(title)}</h3><figcaption>${html(caption)}</figcaption>` +
    `<div class="plot" id="plot-${name}" role="img" aria-label="${html(title)}"></div></figure>`
  );
}

/** What the page's script reads: of the series only the first seed, which keeps the page small. */
function pageData(data: ReportData, names: readonly string[], styles: readonly ContenderStyle[]): object {
  const firstSeed = data.seeds[0];
  return {
    names,
    colours: Object.fromEntries(names.map((name, i) => [name, styles[i]!])),
    seed: firstSeed,
    links: linksOf(data).map((link) => ({
      ...link,
      summary: tradeoffRows(data, link),
      records: seedRows(data, link),
      series: data.series
        .filter((s) => s.scenario === link.scenario && s.link === link.link && s.seed === firstSeed)
        .map(({ algorithm, timeSec, throughputMbps, capacityMbps, queueDelayMs, cwndPackets }) => ({
          algorithm,
          timeSec,
          throughputMbps,
          capacityMbps,
          queueDelayMs,
          cwndPackets,
        })),
    })),
    learning: data.learning.map((progress) => ({ algorithm: "agent", ...progress })),
  };
}

export function htmlReport(data: ReportData): string {
  const names = data.contenders.map((contender) => contender.name);
  const styles = styleContenders(names);
  const withLearning = data.learning.length > 0;
  const links = linksOf(data);
  const seedsText = data.seeds.length === 1 ? `seed ${data.seeds[0]}` : `seeds ${data.seeds.join(", ")}`;
  const legend = names
    .map(
      (name, i) =>
        `<label title="${html(data.contenders[i]!.description)}"><input type="checkbox" value="${html(name)}" checked>${legendSample(styles[i]!, i)}<span>${html(name)}</span></label>`,
    )
    .join("");
  const options = links
    .map((link, i) => `<option value="${i}">${html(link.scenario)} (${html(link.link)})</option>`)
    .join("");
  const config = { light: chartConfig("light", names), dark: chartConfig("dark", names) };
  const { provenance } = data;
  const versions = Object.entries(provenance.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");

  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:">
<title>${html(data.title)}</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}${colourProperties(styles)}</style>
</head>
<body>
<header class="top"><div>
<div><h1>${html(data.title)}</h1>
<p class="facts">${names.length} contenders on ${links.length} link${links.length === 1 ? "" : "s"}, ${html(seedsText)}; reward <code>${html(data.rewardName)}</code></p></div>
<button id="theme" type="button" aria-label="Switch between light and dark">Dark</button>
</div></header>
<main>
${verdictList(data)}
<h2>${headlineTitle(data.headline)} on every link</h2>
<p class="muted">Higher is better; below it utilisation and loss. Choose a link to see it below.</p>
${overviewTable(data, names)}
<details class="muted"><summary>How to read the table</summary><p>${html(tableKey(data.headline, data.summary, data.seeds))}</p></details>
<h2 id="link-section">Link by link</h2>
<div class="bar"><label class="pick">Link <select id="link">${options}</select></label><fieldset id="legend" aria-label="Contenders shown">${legend}</fieldset></div>
<div class="grid">
${figure("tradeoff", "Throughput against delay", "Up and to the left is better. Large marks: mean with its 95 % interval; small marks: one per seed.")}
${figure("score", headlineTitle(data.headline), "Mean and 95 % interval, highest first.")}
${figure("throughput", "Throughput over time", `Payload delivered, seed ${data.seeds[0]}; the grey area is the link's capacity.`, true)}
${figure("delay", "Queueing delay over time", `Time that packets waited at the bottleneck, seed ${data.seeds[0]}.`, true)}
${figure("cwnd", "Congestion window over time", `Packets that may be in flight, seed ${data.seeds[0]}.`, true)}
</div>
<h2>All quantities</h2>
<p class="muted">${DELAYS_TEXT}; ${html(cellsText(data.summary, data.seeds))}; marks as above.${
    data.summary.some((row) => row.completedShare !== undefined)
      ? " fct: completion time of the generated transfers that completed."
      : ""
  }</p>
${byLink(data.summary)
  .map(
    (group, i) =>
      `<div data-link="${i}">${linkTable(group, names, data.rewardName)}${endsList(group)}${flowTable(group, names)}</div>`,
  )
  .join("\n")}
${
  withLearning
    ? `<h2>Learning curve</h2>
<p class="muted">The training that made the agent: mean over the episodes that ended before each update, and its running mean. Links are drawn anew for each episode, so these are averages over the whole training range.</p>
<div class="grid">${figure("learningScore", "Score during training", "Higher is better.")}${figure("learningReturn", "Return during training", "Sum of rewards of an episode.")}</div>`
    : ""
}
<footer>
<h2>How to reproduce</h2>
<dl>
<dt>command</dt><dd><code>${html(provenance.command)}</code></dd>
<dt>versions</dt><dd>${html(versions)}</dd>
<dt>contenders</dt><dd>${data.contenders.map((c) => `<b>${html(c.name)}</b>: ${html(c.description)}`).join("; ")}</dd>
</dl>
</footer>
</main>
<div id="tip" role="status" hidden></div>
<script type="application/json" id="ccpark-data">${inlineJson(pageData(data, names, styles))}</script>
<script type="application/json" id="ccpark-charts">${inlineJson(reportCharts(names, data.headline, withLearning))}</script>
<script type="application/json" id="ccpark-config">${inlineJson(config)}</script>
${vegaBuilds()
  .map((source) => `<script>${inlineScript(source)}</script>`)
  .join("\n")}
<script>${inlineScript(PAGE_SCRIPT)}</script>
</body>
</html>
`;
}
