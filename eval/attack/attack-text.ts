/** What a terminal says of an attack. */
import Table from "cli-table3";
import { PLAIN_TABLE } from "../experiments/plain-table.ts";
import type { AttackResult, Found } from "./attack.ts";
import { scenarioText } from "./attack-files.ts";
import { type Utility, utilityMetric } from "./utility.ts";

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

function plainTable([head = [], ...body]: string[][]): string {
  const table = new Table({
    ...PLAIN_TABLE,
    head,
    colAligns: head.map((_, i) => (i === 0 ? "left" : "right")),
  });
  table.push(...body);
  return `${table.toString()}\n`;
}

function rows({ target, reference }: AttackResult, { duel }: Found): string[][] {
  const row = (name: string, { utility, throughputShare, latencyShare }: Utility): string[] => [
    name,
    utility.toFixed(3),
    percent(throughputShare),
    percent(latencyShare),
  ];
  return [row(target, duel.target), row(reference, duel.reference)];
}

/** @param weight of throughput in the utility */
export function attackText(result: AttackResult, weight: number): string {
  const { target, reference, tried, simplified, found, method, seed } = result;
  const head =
    `${target} against ${reference}: gap ${found.duel.gap.toFixed(3)} after ${tried} environments (${method}, seed ${seed}); ` +
    `made short: gap ${simplified.duel.gap.toFixed(3)}\n\n`;
  const table = plainTable([
    ["", "utility", "goodput / capacity", "delay without queue / mean"],
    ...rows(result, simplified),
  ]);
  const formula = `utility = ${weight} x goodput / capacity + ${+(1 - weight).toPrecision(6)} x delay without queue / mean delay (AdvNet)`;
  const replay = `The gap is of this utility. A replay ranks by the score, which may say otherwise, and has the utility beside it with\n${utilityMetric(simplified.duel.reference, weight)}`;
  const note = `\n${formula}\n${replay}\n\n`;
  return `${head}${table}${note}${scenarioText(simplified.scenario, [])}`;
}

/** Gaps of all pairs: the row is attacked, the column is the reference. */
export function matrixText(names: readonly string[], results: readonly AttackResult[]): string {
  const gapOf = (target: string, reference: string): string => {
    const found = results.find((result) => result.target === target && result.reference === reference);
    return found === undefined ? "" : found.simplified.duel.gap.toFixed(3);
  };
  const table = plainTable([
    ["attacked", ...names.map((name) => `vs ${name}`)],
    ...names.map((target) => [target, ...names.map((reference) => gapOf(target, reference))]),
  ]);
  return `gap of utility (AdvNet's, not the score: docs/evaluation.md) on the link that was found for each pair\n\n${table}`;
}
