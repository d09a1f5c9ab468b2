/**
 * Recordings of two emulators built on Mahimahi, which have a file of opportunities and one of delays: LeoReplayer (LeoCC, SIGCOMM 2025: a
 * one-way delay for each 10 ms) and CellReplay (NSDI 2025: `time base-delay light opportunities...`, between whose times the base
 * delay is interpolated). Pure text and numbers.
 */
import { quote, TraceError } from "./mahimahi.ts";

export const REPLAYERS = ["leoreplayer", "cellreplay"] as const;
export type Replayer = (typeof REPLAYERS)[number];

/** One-way delays over time, whose laps are `periodSec` long. */
export interface RecordedDelay {
  /** `steps`: each holds until the next; `trace`: linear between them */
  readonly kind: "steps" | "trace";
  readonly points: readonly { readonly atSec: number; readonly delayMs: number }[];
  readonly periodSec: number;
}

/** Of LeoReplayer's delays. */
const GRID_MS = 10;
/** CellReplay itself wants as many lines. */
const LEAST_LINES = 3;
const MAX_DELAY_MS = 10_000;

function fail(name: string, line: number, got: string, expected: string): never {
  throw new TraceError(`[trace] bad delay, ${name} line ${line}: got ${got}, expected ${expected}`, line);
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}

function whole(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

function delayOf(text: string, name: string, line: number, got: string): number {
  const delayMs = whole(text);
  if (delayMs <= MAX_DELAY_MS) return delayMs;
  return fail(name, line, quote(got), `a delay in whole milliseconds, 0 to ${MAX_DELAY_MS}`);
}

/** Line i is the delay of the i-th 10 ms. */
function leoReplayerDelay(text: string, name: string): RecordedDelay {
  const points: { atSec: number; delayMs: number }[] = [];
  const lines = linesOf(text);
  lines.forEach((content, i) => {
    const delayMs = delayOf(content.trim(), name, i + 1, content);
    // what does not change needs no point
    if (points.at(-1)?.delayMs !== delayMs) points.push({ atSec: (i * GRID_MS) / 1000, delayMs });
  });
  return { kind: "steps", points, periodSec: (lines.length * GRID_MS) / 1000 };
}

function cellReplayDelay(text: string, name: string): RecordedDelay {
  const points: { atSec: number; delayMs: number }[] = [];
  let firstMs = 0;
  linesOf(text).forEach((content, i) => {
    const [at = "", delay = ""] = content.trim().split(/\s+/);
    const atMs = whole(at);
    if (Number.isNaN(atMs))
      fail(name, i + 1, quote(content), "`time base-delay` and what may follow, in milliseconds");
    const delayMs = delayOf(delay, name, i + 1, content);
    if (i === 0) firstMs = atMs;
    const atSec = (atMs - firstMs) / 1000;
    const before = points.at(-1);
    if (before !== undefined && atSec < before.atSec)
      fail(name, i + 1, quote(content), "times that do not go back");
    if (before?.atSec === atSec) points.pop();
    points.push({ atSec, delayMs });
  });
  if (points.length < LEAST_LINES)
    fail(name, points.length, `${points.length} times`, `at least ${LEAST_LINES}`);
  // a lap ends with the last time
  const periodSec = points.pop()!.atSec;
  return { kind: "trace", points, periodSec };
}

/** @throws TraceError with the line */
export function parseRecordedDelay(replayer: Replayer, text: string, name: string): RecordedDelay {
  if (text.trim() === "") fail(name, 1, "no line", "delays in milliseconds");
  return replayer === "leoreplayer" ? leoReplayerDelay(text, name) : cellReplayDelay(text, name);
}

export const REPLAYER_NOTES: Readonly<Record<Replayer, string>> = {
  leoreplayer: "the opportunities of a millisecond are 12 Mbit/s each; delays are one way, for each 10 ms",
  cellreplay:
    "heavy opportunities are the link's; base delays are one way, linear between their times; light opportunities and offsets by size are not taken along",
};
