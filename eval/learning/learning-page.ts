/** The page of a training: verdict, learning curve, evaluations link by link, configuration. It loads itself again while the training goes on. */
import { htmlText as html } from "../pages/html-text.ts";
import { PAGE_STYLE } from "../report/page-style.ts";
import { type Learning, type LearningMeasures, learningVerdict } from "./learning.ts";

const RELOAD_SEC = 15;
/** Rows of the table of evaluations: the latest. */
const MAX_ROWS = 40;

const number = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : "";

const measures = ({ score, utilisation, meanQueueDelayMs, lossRate }: LearningMeasures): string[] => [
  number(score, 2),
  `${number(100 * utilisation, 1)} %`,
  number(meanQueueDelayMs, 1),
  `${number(100 * lossRate, 2)} %`,
];
const HEAD = ["score", "utilisation", "queue (ms)", "loss"];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const heads = head.map((title) => `<th scope="col">${html(title)}</th>`).join("");
  const row = ([first, ...cells]: readonly string[]): string => {
    const values = cells.map((cell, i) => `<td data-of="${html(head[i + 1]!)}">${html(cell)}</td>`).join("");
    return `<tr><th scope="row">${html(first!)}</th>${values}</tr>`;
  };
  return `<div class="scroll"><table><thead><tr>${heads}</tr></thead><tbody>${rows.map(row).join("")}</tbody></table></div>`;
}

/** The configuration has strings of hundreds of characters without a space; the curve cannot be read smaller. */
const STYLE =
  ".curve{overflow-x:auto}.curve svg{max-width:100%;min-width:600px;height:auto}pre{white-space:pre-wrap;overflow-wrap:anywhere}";

export interface LearningPage {
  readonly title: string;
  readonly learning: Learning;
  /** of `learningSvg` */
  readonly curve: string;
  /** what `config.json` says */
  readonly config: string;
  /** whether the training goes on */
  readonly isRunning: boolean;
}

export function learningPage({ title, learning, curve, config, isRunning }: LearningPage): string {
  const { evaluations } = learning;
  const last = evaluations.at(-1)!;
  const names = Object.keys(last.baselines);
  const shown = evaluations.slice(-MAX_ROWS);
  const verdict = learningVerdict(evaluations);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
${isRunning ? `<meta http-equiv="refresh" content="${RELOAD_SEC}">\n` : ""}<title>${html(title)}</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}${STYLE}</style>
</head>
<body>
<header class="top"><div><div><h1>${html(title)}</h1>
<p class="facts">${isRunning ? "the training goes on; this page loads itself again" : "the training is over"}${verdict === "" ? "" : `: ${html(verdict)}`}</p></div></div></header>
<main>
<h2>Learning curve</h2>
<div class="curve">${curve}</div>
<h2>Evaluations</h2>
<p class="muted">Means over ${last.links.length} validation links, the same each time. Beside it ${names.map((name) => `${html(name)} ${number(last.baselines[name]!, 2)}`).join(", ")}.</p>
${table(
  ["update", "steps", ...HEAD, "new best"],
  shown.map((each) => [
    String(each.update),
    each.steps.toLocaleString("en"),
    ...measures(each),
    each.best ? "yes" : "–",
  ]),
)}
<h2>The latest evaluation, link by link</h2>
${table(
  ["link", ...HEAD],
  last.links.map((each) => [each.link, ...measures(each)]),
)}
<h2>Configuration</h2>
<p class="muted"><code>ccpark train --config config.json --out DIR</code> gives this training again.</p>
<pre>${html(config)}</pre>
</main>
</body>
</html>
`;
}
