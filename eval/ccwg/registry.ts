/** All rows of `ccpark evaluate ccwg`, in the order of RFC 9743's sections. */
import { namedEntry } from "../../core/errors.ts";
import type { Row } from "./row.ts";
import { GENERAL_ROWS } from "./rows/general-use.ts";
import { mixedRows } from "./rows/mixed.ts";
import { SINGLE_ROWS } from "./rows/single.ts";
import { SPECIAL_ROWS } from "./rows/special-cases.ts";
import { WRITTEN_ROWS } from "./rows/written.ts";

function bySection(a: Row, b: Row): number {
  const [left, right] = [a.section, b.section].map((section) => section.split(".").map(Number));
  for (let i = 0; i < Math.max(left!.length, right!.length); i++) {
    const difference = (left![i] ?? 0) - (right![i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @param against further algorithms to compete with */
export function ccwgRows(against: readonly string[]): readonly Row[] {
  return [...WRITTEN_ROWS, ...SINGLE_ROWS, ...mixedRows(against), ...GENERAL_ROWS, ...SPECIAL_ROWS].toSorted(
    bySection,
  );
}

/** @throws CcparkError (not-found) with the name probably meant */
export function findRow(rows: readonly Row[], name: string): Row {
  return namedEntry("evaluate", "row", new Map(rows.map((row) => [row.name, row])), name);
}
