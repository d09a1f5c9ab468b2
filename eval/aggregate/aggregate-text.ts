/** The aggregate of a benchmark as a table. */
import Table from "cli-table3";
import { PLAIN_TABLE } from "../experiments/plain-table.ts";
import type { Estimate } from "../statistics.ts";
import { type ContenderAggregate, PROFILE_LEVELS } from "./aggregate.ts";

function interval({ mean, low, high }: Estimate): string {
  const range = low === undefined || high === undefined ? "" : ` [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  return `${mean.toFixed(3)}${range}`;
}

export function aggregateText(rows: readonly ContenderAggregate[]): string {
  const shown = PROFILE_LEVELS.filter((_, i) => i % 2 === 0);
  const head = [
    "power, all links",
    "IQM",
    "median",
    ...shown.map((level) => `> ${level}`),
    ...(rows.length > 1 ? [`P(better than ${rows[0]!.algorithm})`, "Cliff's delta"] : []),
  ];
  const table = new Table({
    ...PLAIN_TABLE,
    head,
    colAligns: head.map((_, i) => (i === 0 ? "left" : "right")),
  });
  for (const { algorithm, interquartileMean, median, profile, against } of rows) {
    table.push([
      algorithm,
      interval(interquartileMean),
      interval(median),
      ...profile.filter((_, i) => i % 2 === 0).map((share) => `${(100 * share).toFixed(0)} %`),
      ...(rows.length > 1
        ? against === undefined
          ? ["", ""]
          : [interval(against.probabilityOfImprovement), interval(against.cliffsDelta)]
        : []),
    ]);
  }
  return `${table.toString()}\n`;
}
