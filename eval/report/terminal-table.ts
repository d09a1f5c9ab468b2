/** The summary as a table for a terminal: means with the half width of the 95 % confidence interval, best marked `*`. */
import Table from "cli-table3";
import type { SummaryRow } from "../benchmark.ts";
import { byLink, COLUMNS, type Column, formatCi, formatMean, isBest } from "./columns.ts";

export interface TableOptions {
  /** ANSI bold for the best values and dim for the intervals */
  readonly colour: boolean;
  /** absent: `COLUMNS` */
  readonly columns?: readonly Column[];
}

const ANSI = { bold: "\u001b[1m", dim: "\u001b[2m", reset: "\u001b[0m" };

export function terminalTable(
  summary: readonly SummaryRow[],
  seeds: readonly number[],
  rewardName: string,
  { colour, columns = COLUMNS }: TableOptions,
): string {
  const paint = (text: string, style: "bold" | "dim"): string =>
    colour && text !== "" ? ANSI[style] + text + ANSI.reset : text;
  const parts: string[] = [];
  for (const rows of byLink(summary)) {
    const first = rows[0]!;
    const table = new Table({
      head: [
        "",
        ...columns.map(
          (column) => `${column.title}\n${column.quantity === "reward" ? rewardName : column.unit}`,
        ),
      ],
      colAligns: ["left", ...columns.map(() => "right" as const)],
      style: { head: [], border: [], compact: true, "padding-left": 1, "padding-right": 1 },
      chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    });
    for (const row of rows) {
      table.push([
        row.reproducible === false ? `${row.algorithm} [1]` : row.algorithm,
        ...columns.map((column) => {
          const best = isBest(column, row, rows);
          const value = formatMean(column, row[column.quantity]);
          const interval = paint(formatCi(column, row[column.quantity]), "dim");
          const marked = best ? paint(`${value}*`, "bold") : `${value} `;
          return interval === "" ? marked : `${marked} ${interval}`;
        }),
      ]);
    }
    const notes = rows.flatMap((row) =>
      row.detail === undefined ? [] : [`  ${row.algorithm}: ${row.detail}`],
    );
    parts.push([`${paint(first.scenario, "bold")}  ${first.link}`, table.toString(), ...notes].join("\n"));
  }
  const intervals =
    seeds.length > 1
      ? `mean ± half width of the 95 % confidence interval over ${seeds.length} seeds (Student's t)`
      : "one seed: no confidence interval";
  const oneWay = columns.some(({ quantity }) => quantity.endsWith("OneWayDelayMs"));
  const delays = oneWay ? "one-way delays include propagation" : "delays are queueing delays";
  const foreign = summary.some((row) => row.reproducible === false)
    ? "[1] driven by a process outside: a second run gives similar results, not the same bytes.\n"
    : "";
  return `${parts.join("\n\n")}\n\n${intervals}; * best of its link; ${delays}.\n${foreign}`;
}
