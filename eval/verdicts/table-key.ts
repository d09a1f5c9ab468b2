/** How to read the tables, in sentences: the same words in pages and on terminals. */
import { intervalsText, oneOutcomeText, tiesText } from "../report/columns.ts";
import type { SummaryRow } from "../summary.ts";
import type { Headline } from "./headline.ts";
import { BARRED_RULE } from "./standing.ts";

const HEADLINE_TEXT: Readonly<Record<Headline, string>> = {
  score: "Score = log2(goodput in B/s, at least 1448) − ½ log2(mean queueing delay in µs, at least 1000).",
  power: "Power = utilisation × (1 − loss) × base RTT / mean RTT, from 0 to 1 (Kleinrock 1978).",
};

export const DELAYS_TEXT = "Delays are queueing delays at the bottleneck";

export const SEVERAL_FLOWS_TEXT =
  "Several flows: a row is the first flow, `all flows` the goodput of all forward ones, `jain` their Jain's index.";

/** What a value is, and what it means that it has no interval. */
export function cellsText(summary: readonly SummaryRow[], seeds: readonly number[]): string {
  return [intervalsText(seeds), oneOutcomeText(summary)].filter(Boolean).join(". ");
}

function marksText(seeds: readonly number[]): string {
  return `Green: best of the link; framed: tied with it (${tiesText(seeds)}); neither where all are. References do not compete. ${BARRED_RULE}`;
}

export function tableKey(
  headline: Headline,
  summary: readonly SummaryRow[],
  seeds: readonly number[],
): string {
  return `${HEADLINE_TEXT[headline]} In each cell: ${cellsText(summary, seeds)}. ${marksText(seeds)}`;
}
