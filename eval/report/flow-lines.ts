/** What each flow of a link got: one line per flow, contenders across; the same lines in terminal and page. */
import type { FlowRow, SummaryRow } from "../summary.ts";

/** Flows that a reader still takes in; the others are counted. */
const SHOWN_FLOWS = 12;

export interface FlowLine extends Pick<FlowRow, "id"> {
  readonly algorithm: string;
  readonly startSec: string;
  /** per contender, in the order of the rows; undefined: it had no such flow */
  readonly got: readonly (FlowRow | undefined)[];
}

export interface FlowLines {
  readonly lines: readonly FlowLine[];
  /** flows that are not among the lines */
  readonly more: number;
}

/** Undefined where the link has one flow. */
export function flowLines(rowsOfLink: readonly SummaryRow[]): FlowLines | undefined {
  const flows = new Map(rowsOfLink.flatMap((row) => row.flows ?? []).map((flow) => [flow.id, flow]));
  if (flows.size === 0) return undefined;
  const lines = [...flows.values()].slice(0, SHOWN_FLOWS).map(
    ({ id, algorithm, direction, startSec }): FlowLine => ({
      id,
      algorithm: direction === "backward" ? `${algorithm}, backward` : algorithm,
      startSec: String(+startSec.toFixed(2)),
      got: rowsOfLink.map((row) => row.flows?.find((flow) => flow.id === id)),
    }),
  );
  return { lines, more: flows.size - lines.length };
}

/** A flow's mean goodput, Mbit/s: short transfers get little, so small values have a digit more. */
export function goodputText({ goodputMbps: { mean } }: FlowRow): string {
  return mean.toFixed(mean < 0.1 ? 3 : 2);
}

/** ms; a dash where no packet arrived */
export function delayText({ p95OneWayDelayMs }: FlowRow): string {
  return p95OneWayDelayMs === undefined ? "–" : p95OneWayDelayMs.mean.toFixed(1);
}
