/** Worlds side by side for a terminal: below each algorithm's reference, what the other worlds differ by. */
import Table from "cli-table3";
import { groupBy } from "../group-by.ts";
import type { Bounds, ComparisonRow, Difference } from "./comparison.ts";

const NO_MIDDLE = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

function signed(value: number, digits: number): string {
  return `${value > 0 ? "+" : ""}${value.toFixed(digits)}`;
}

function beside(difference: Difference | undefined): string[] {
  if (difference === undefined) return ["", "", "", ""];
  const { goodputShare, meanQueueDelayMs, isGoodputWithin, isDelayWithin, throughput, queueDelay } =
    difference;
  return [
    `${signed(100 * goodputShare, 1)}${isGoodputWithin ? " " : "!"}`,
    `${signed(meanQueueDelayMs, 1)}${isDelayWithin ? " " : "!"}`,
    throughput.kolmogorovSmirnov.toFixed(2),
    queueDelay.kolmogorovSmirnov.toFixed(2),
  ];
}

export function comparisonTable(rows: readonly ComparisonRow[], reference: string, bounds: Bounds): string {
  const parts: string[] = [];
  for (const group of groupBy(rows, ({ scenario }) => scenario).values()) {
    const first = group[0]!;
    const table = new Table({
      head: ["", "", "goodput", "mean", "p95", "loss", "goodput", "mean", "KS", "KS"].map(
        (title, i) => `${title}\n${["", "", "Mbit/s", "ms", "ms", "%", "by %", "by ms", "rate", "delay"][i]}`,
      ),
      colAligns: ["left", "left", ...new Array<"right">(8).fill("right")],
      style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 1 },
      chars: NO_MIDDLE,
    });
    let last = "";
    for (const row of group) {
      table.push([
        row.algorithm === last ? "" : row.algorithm,
        row.testbed,
        row.goodputMbps.toFixed(2),
        row.meanQueueDelayMs.toFixed(1),
        row.p95QueueDelayMs.toFixed(1),
        (100 * row.lossRate).toFixed(2),
        ...beside(row.difference),
      ]);
      last = row.algorithm;
    }
    parts.push(`${first.scenario}  ${first.link}\n${table.toString()}`);
  }
  const { goodputShare, delayShare, delayMs } = bounds;
  const outside = rows.filter(
    ({ difference }) => difference !== undefined && !(difference.isGoodputWithin && difference.isDelayWithin),
  ).length;
  const compared = rows.filter(({ difference }) => difference !== undefined).length;
  parts.push(
    `by: differs from ${reference}; ! by more than ${100 * goodputShare} % of its goodput, or by more than ${100 * delayShare} % and ${delayMs} ms of its mean queueing delay.
KS: largest difference of the distributions per RTT, of throughput and of queueing delay, 0 to 1.
${compared - outside} of ${compared} cells within the bounds.`,
  );
  return `${parts.join("\n\n")}\n`;
}
