/** What each flow of a link got: one line per flow, contenders across; the same lines in terminal and page. */
import type { FlowRow, SummaryRow } from "../summary.ts";
import { ABSENT } from "./columns.ts";
import { endsText } from "./flow-ends.ts";

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
  /** some are finite */
  readonly haveEnds: boolean;
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
  const haveEnds = [...flows.values()].some(({ ends }) => ends !== undefined);
  return { lines, more: flows.size - lines.length, haveEnds };
}

/** A flow's mean goodput, Mbit/s: short transfers get little, so small values have a digit more. */
export function goodputText({ goodputMbps: { mean } }: FlowRow): string {
  return mean.toFixed(mean < 0.1 ? 3 : 2);
}

/** ms; a dash where no packet arrived */
export function delayText({ p95OneWayDelayMs }: FlowRow): string {
  return p95OneWayDelayMs === undefined ? ABSENT : p95OneWayDelayMs.mean.toFixed(1);
}

/** s; a dash where a finite flow was not done, and for an endless one */
export function completionText({ completionMs }: FlowRow): string {
  return completionMs === undefined ? ABSENT : (completionMs.mean / 1000).toFixed(2);
}

/** Each flow's deadline, and what else its mean does not say, contender by contender: `cubic, flow-1: deadline 12 s: ...`. */
export function endNotes(rowsOfLink: readonly SummaryRow[]): string[] {
  return rowsOfLink.flatMap(({ algorithm, ends, flows = [] }) => {
    const own = flows.length > 0 ? flows : [{ id: undefined, ends }];
    return own.flatMap(({ id, ends: each }) => {
      const text = each && endsText(each);
      if (text === undefined) return [];
      return [`${id === undefined ? algorithm : `${algorithm}, ${id}`}: ${text}`];
    });
  });
}
