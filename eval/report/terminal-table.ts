/**
 * The summary for a terminal: a sentence per contender, then a table per link: means with the half width of the 95 % confidence
 * interval, the best marked `*`, ties `=`; below a link with several flows, what each of them got.
 */
import Table from "cli-table3";
import { clipped } from "../../core/errors.ts";
import type { FlowRow, SummaryRow } from "../summary.ts";
import { DEFAULT_HEADLINE, type Headline } from "../verdicts/headline.ts";
import { BARRED_RULE, type Standing, standingIn } from "../verdicts/standing.ts";
import { SEVERAL_FLOWS_TEXT } from "../verdicts/table-key.ts";
import { headlineColumn, verdictSentences } from "../verdicts/verdicts.ts";
import {
  byLink,
  COLUMNS,
  COMPLETED_COLUMN,
  type Column,
  columnsOf,
  formatCi,
  formatMean,
  intervalsText,
  oneOutcomeText,
  tiesText,
} from "./columns.ts";
import { completionText, delayText, endNotes, flowLines, goodputText } from "./flow-lines.ts";

export interface TableOptions {
  /** ANSI bold for the best values and dim for the intervals */
  readonly colour: boolean;
  /** absent: `COLUMNS` */
  readonly columns?: readonly Column[];
  /** what the sentences rank by; absent: the score */
  readonly headline?: Headline;
  /** of the terminal, in characters: what does not fit is folded, then left out and named; absent: as wide as it gets */
  readonly width?: number;
}

const ANSI = { bold: "\u001b[1m", dim: "\u001b[2m", reset: "\u001b[0m" };
/** A formula is its own name, and long. */
const MAX_REWARD_WIDTH = 12;
const NO_MIDDLE = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };
const NO_LINES = {
  ...{ top: "", "top-left": "", "top-mid": "", "top-right": "", left: "", middle: " ", right: "" },
  ...{ ...NO_MIDDLE, bottom: "", "bottom-left": "", "bottom-mid": "", "bottom-right": "" },
};

/** Left out first where there is no room; utilisation, loss and the headline stay longest, since none of them says enough alone. */
function leastWanted(headline: Headline): Column["quantity"][] {
  const others: Column["quantity"][] = ["reward", "power", "score", "meanOneWayDelayMs", "meanQueueDelayMs"];
  return [
    ...others.filter((quantity) => quantity !== headline),
    "goodputMbps",
    "p95QueueDelayMs",
    "p95OneWayDelayMs",
  ];
}
/** A table without them says nothing. */
const MIN_COLUMNS = 3;
const MARKS: Readonly<Record<Standing, string>> = { best: "*", tied: "=", none: " " };

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what styles are
const STYLES = /\u001b\[\d+m/g;

function widthOf(text: string): number {
  return Math.max(
    ...text
      .replace(STYLES, "")
      .split("\n")
      .map((line) => line.length),
  );
}

/** Words in lines of at most so many characters; a longer word has a line of its own. */
function wrapped(text: string, width: number, indent = ""): string {
  const [first = "", ...words] = text.trimStart().split(" ");
  const lines: string[] = [];
  let line = text.slice(0, text.length - text.trimStart().length) + first;
  for (const word of words) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}

interface Fitted {
  readonly text: string;
  readonly left: readonly Column[];
}

/** The first of these that fits: all in one line, intervals below their values, and then ever fewer columns. */
function drawFitting(
  columns: readonly Column[],
  width: number,
  unwantedFirst: readonly Column["quantity"][],
  draw: (columns: readonly Column[], isFolded: boolean) => string,
): Fitted {
  const whole = draw(columns, false);
  if (widthOf(whole) <= width) return { text: whole, left: [] };
  const shown = [...columns];
  const left: Column[] = [];
  for (;;) {
    const text = draw(shown, true);
    if (widthOf(text) <= width || shown.length <= MIN_COLUMNS) return { text, left };
    const unwanted = unwantedFirst.find((quantity) => shown.some((column) => column.quantity === quantity));
    const at =
      unwanted === undefined ? shown.length - 1 : shown.findIndex(({ quantity }) => quantity === unwanted);
    left.push(...shown.splice(at, 1));
  }
}

export function terminalTable(
  summary: readonly SummaryRow[],
  seeds: readonly number[],
  rewardName: string,
  { colour, columns = COLUMNS, width = Number.POSITIVE_INFINITY, headline = DEFAULT_HEADLINE }: TableOptions,
): string {
  const paint = (text: string, style: "bold" | "dim"): string =>
    colour && text !== "" ? ANSI[style] + text + ANSI.reset : text;
  // what verdicts are made by is to be seen
  const hasHeadline = columns.some(({ quantity }) => quantity === headline);
  const common = hasHeadline ? columns : [...columns, headlineColumn(headline)];
  const parts: string[] = [];
  for (const rows of byLink(summary)) {
    const first = rows[0]!;
    const draw = (columns: readonly Column[], isFolded: boolean): string => {
      const table = new Table({
        head: [
          "",
          ...columns.map(
            (column) =>
              `${column.title}\n${column.quantity === "reward" ? clipped(rewardName, MAX_REWARD_WIDTH) : column.unit}`,
          ),
        ],
        colAligns: ["left", ...columns.map(() => "right" as const)],
        style: { head: [], border: [], compact: true, "padding-left": 1, "padding-right": 1 },
        chars: NO_MIDDLE,
      });
      for (const row of rows) {
        table.push([
          row.reproducible === false ? `${row.algorithm} [1]` : row.algorithm,
          ...columns.map((column) => {
            const standing = standingIn(column, row, rows);
            const value = formatMean(column, row[column.quantity]);
            const interval = paint(formatCi(column, row[column.quantity]), "dim");
            const marked = `${value}${MARKS[standing]}`;
            const styled = standing === "best" ? paint(marked, "bold") : marked;
            if (interval === "") return styled;
            return isFolded ? `${styled}\n${interval} ` : `${styled} ${interval}`;
          }),
        ]);
      }
      return table.toString();
    };
    const { text, left } = drawFitting(columnsOf(common, rows), width, leastWanted(headline), draw);
    const notes = rows.flatMap((row) =>
      row.detail === undefined ? [] : [`  ${row.algorithm}: ${row.detail}`],
    );
    parts.push(
      [
        `${paint(first.scenario, "bold")}  ${first.link}`,
        text,
        ...[
          ...notes,
          ...completedNote(rows),
          ...endNotes(rows).map((note) => `  ${note}`),
          ...(left.length === 0
            ? []
            : [`  no room for ${left.map(({ title }) => title).join(", ")} (--wide)`]),
        ].map((note) => wrapped(note, width, "    ")),
        ...flowNotes(rows, width),
      ].join("\n"),
    );
  }
  const intervals = intervalsText(seeds);
  const oneWay = common.some(({ quantity }) => quantity.endsWith("OneWayDelayMs"));
  const delays = oneWay
    ? `one-way delays include propagation, ${headline} is of queueing delay`
    : "delays are queueing delays";
  const legend = [
    `${intervals}; * best of its link, = tied with the best: ${tiesText(seeds)}, no mark where all are; ${delays}.`,
    BARRED_RULE,
  ];
  const oneOutcome = oneOutcomeText(summary);
  if (oneOutcome !== undefined) legend.push(`${oneOutcome} (--vary draws it).`);
  if (summary.some((row) => row.flows !== undefined)) {
    legend.push(SEVERAL_FLOWS_TEXT);
  }
  if (summary.some((row) => row.completedShare !== undefined)) {
    legend.push("fct: completion time of the transfers that completed.");
  }
  if (summary.some((row) => row.ends !== undefined)) {
    legend.push("A finite flow is measured over its life, which ends when all is acknowledged.");
  }
  if (summary.some((row) => row.reproducible === false)) {
    legend.push(
      "[1] driven by a process outside, or in real time: a second run gives similar results, not the same bytes.",
    );
  }
  const sentences = verdictSentences(summary, headline).map((sentence) => wrapped(sentence, width, "  "));
  const opening = sentences.length === 0 ? "" : `${sentences.join("\n")}\n\n`;
  return `${opening}${parts.join("\n\n")}\n\n${legend.map((line) => wrapped(line, width)).join("\n")}\n`;
}

function completedNote(rows: readonly SummaryRow[]): string[] {
  const { title, unit } = COMPLETED_COLUMN;
  const shares = rows
    .filter((row) => row.completedShare !== undefined)
    .map((row) => `${row.algorithm} ${formatMean(COMPLETED_COLUMN, row.completedShare)} ${unit}`);
  return shares.length === 0 ? [] : [`  ${title}: ${shares.join(", ")}`];
}

/** Flows down, contenders across, as many as there is room for. */
function flowNotes(rows: readonly SummaryRow[], width: number): string[] {
  for (let across = rows.length; ; across--) {
    const parts = Array.from({ length: Math.ceil(rows.length / across) }, (_, i) =>
      flowTable(rows.slice(i * across, (i + 1) * across)),
    );
    if (across === 1 || parts.every((lines) => widthOf(lines.slice(1).join("\n")) <= width))
      return parts.flat();
  }
}

/** `goodput | delay` of each flow. */
function flowTable(rows: readonly SummaryRow[]): string[] {
  const flows = flowLines(rows);
  if (flows === undefined) return [];
  const table = new Table({
    head: ["  flow", "algorithm", "start", ...rows.map((row) => row.algorithm)],
    colAligns: ["left", "left", "right", ...rows.map(() => "right" as const)],
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 1 },
    chars: NO_LINES,
  });
  const textOf = (flow: FlowRow): string[] => [
    goodputText(flow),
    delayText(flow),
    ...(flows.haveEnds ? [completionText(flow)] : []),
  ];
  for (const { id, algorithm, startSec, got } of flows.lines) {
    const cells = got.map((flow) => (flow === undefined ? "" : textOf(flow).join(" | ")));
    table.push([`  ${id}`, algorithm, `${startSec} s`, ...cells]);
  }
  const lines = table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
  const more = flows.more === 0 ? [] : [`  and ${flows.more} more flows`];
  const completion = flows.haveEnds ? " | completion (s)" : "";
  return [`  each flow: mean goodput (Mbit/s) | p95 one-way delay (ms)${completion}`, ...lines, ...more];
}
