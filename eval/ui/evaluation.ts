/** What the page says of a folder of `ccpark evaluate ccwg`: the words of its report. */
import { join } from "node:path";
import type { RowRecord } from "../ccwg/evaluate.ts";
import { countsText, passText, type RowLine, rowLines } from "../ccwg/report.ts";
import { jsonLinesOf } from "./json-lines.ts";

export interface EvaluationOfFolder {
  readonly title: string;
  readonly sentences: readonly string[];
  readonly rows: readonly RowLine[];
}

const isRow = ({ row, requirement, quantities }: Partial<RowRecord>): boolean =>
  row !== undefined && requirement !== undefined && Array.isArray(quantities);

/** Undefined: the folder has other results. */
export function evaluationOf(path: string): EvaluationOfFolder | undefined {
  const records = jsonLinesOf<RowRecord>(join(path, "results.jsonl"));
  const [first] = records;
  if (first === undefined || !records.every(isRow)) return undefined;
  return {
    title: `RFC 9743: ${first.algorithm}`,
    sentences: [passText(records, first.algorithm), `${countsText(records).join("; ")}.`],
    rows: rowLines(records),
  };
}
