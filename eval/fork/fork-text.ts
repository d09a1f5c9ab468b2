/** What a terminal says of a fork. */
import Table from "cli-table3";
import { PLAIN_TABLE } from "../experiments/plain-table.ts";
import { mean } from "../statistics.ts";
import { ALTERNATIVES, type Decision, type ForkResult } from "./fork.ts";
import type { Span } from "./span.ts";

const HEAD = ["", "goodput Mbit/s", "utilisation %", "queue delay ms", "loss %", "score"];

function fixed(value: number, digits: number): string {
  return Number.isNaN(value) ? "" : value.toFixed(digits);
}

function row(name: string, span: Span): string[] {
  return [
    name,
    fixed(span.goodputMbps, 3),
    fixed(100 * span.utilisation, 1),
    fixed(span.meanQueueDelayMs, 2),
    fixed(100 * span.lossRate, 3),
    fixed(span.score, 3),
  ];
}

const table = (head: string[], rows: string[][]): string => {
  const made = new Table({
    ...PLAIN_TABLE,
    head,
    colAligns: head.map((_, i) => (i === 0 ? "left" : "right")),
  });
  made.push(...rows);
  return `${made.toString()}\n`;
};

/** @param names of the original controller and of the other */
export function forkText({ original, forked }: ForkResult, names: readonly [string, string]): string {
  const { toSec } = original.after;
  const at = original.before.toSec;
  const rows = table(HEAD, [
    row(`0 to ${at} s: ${names[0]}`, original.before),
    row(`${at} to ${toSec} s: ${names[0]}, as it was`, original.after),
    row(`${at} to ${toSec} s: ${names[1]} instead`, forked.after),
  ]);
  return `${rows}${names[1]} begins at ${at} s with the window that it finds, and knows nothing else of the path: what that alone makes shows where a controller is forked to itself.\n`;
}

/** Of the best of a decision. */
function bestLossRate({ best, lossRate, alternativeLossRates }: Decision): number {
  return best === 1 ? lossRate : alternativeLossRates[ALTERNATIVES.indexOf(best)]!;
}

/** @param horizonSec over which decisions were judged */
export function regretText(decisions: readonly Decision[], horizonSec: number): string {
  const rows = decisions.map((decision) => [
    decision.atSec.toFixed(3),
    decision.cwndPackets.toFixed(0),
    decision.score.toFixed(3),
    ...decision.alternatives.map((score) => score.toFixed(3)),
    `x ${decision.best}`,
    decision.regret.toFixed(3),
    fixed(100 * decision.lossRate, 2),
    fixed(100 * bestLossRate(decision), 2),
  ]);
  const head = [
    "at s",
    "cwnd",
    "as it was",
    ...ALTERNATIVES.map((factor) => `x ${factor}`),
    "best",
    "regret",
    "loss %",
    "of best",
  ];
  const total = mean(decisions.map(({ regret }) => regret));
  const sentences = [
    `mean regret ${total.toFixed(3)} of the score, over ${decisions.length} decisions`,
    `Judged by the score of the ${+horizonSec.toFixed(3)} s after each decision (--horizon): losses are no part of the score, and what comes later is not seen.`,
  ];
  const costly = decisions.filter((decision) => bestLossRate(decision) > decision.lossRate).length;
  if (costly > 0) {
    sentences.push(
      `In ${costly} of ${decisions.length} the best by score loses more than what was done: a controller that backs off after losses has a shorter queue, whatever was lost for it.`,
    );
  }
  return `${table(head, rows)}${sentences.join("\n")}\n`;
}
