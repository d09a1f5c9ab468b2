/**
 * Link traces in Mahimahi's format: one whole number of milliseconds per line, non-decreasing; each line is one
 * opportunity to deliver up to 1504 bytes (a 1500-byte packet and its TUN header), equal lines are several opportunities
 * in that millisecond. mm-link repeats the file; its last line is the period (mahimahi, src/frontend/link_queue.cc).
 * Reading, writing and summary; pure text and numbers, files are read in trace-files.ts.
 */
import { CcparkError } from "../core/errors.ts";
import type { Mbps } from "../core/units.ts";
import { PACKET_BYTES, TUN_HEADER_BYTES } from "../core/units.ts";

/** Bytes that one opportunity delivers at most. */
export const OPPORTUNITY_BYTES: number = PACKET_BYTES + TUN_HEADER_BYTES;

/** Linux's smallest retransmission timeout: a sender notices a silence longer than this. */
export const OUTAGE_GAP_MS = 200;

export interface MahimahiTrace {
  /** file name or shipped name, for messages and reports */
  readonly name: string;
  /** milliseconds from the start of a lap, whole, non-decreasing; the last one is the period, > 0 */
  readonly opportunitiesMs: readonly number[];
}

/** A trace that breaks the format; `line` is its first bad line, from 1. */
export class TraceError extends CcparkError {
  readonly line: number;
  constructor(message: string, line: number) {
    super("invalid-argument", message);
    this.name = "TraceError";
    this.line = line;
  }
}

/** Largest accepted time: 2^31 - 1 ms, about 24 days. */
export const MAX_TIME_MS: number = 2 ** 31 - 1;

/** More would not fit a file that anyone wants: about 70 MB. */
export const MAX_OPPORTUNITIES = 10_000_000;

/** A word of a file in a message, shortened. */
export function quote(text: string): string {
  return `\`${text.length > 40 ? `${text.slice(0, 40)}…` : text}\``;
}

/**
 * Reads a trace; accepts CRLF and blank lines at the end.
 * @throws TraceError naming the first bad line
 */
export function parseMahimahiTrace(text: string, name: string): MahimahiTrace {
  const lines = text.split("\n");
  let count = lines.length;
  while (count > 0 && lines[count - 1]!.trim() === "") count--;
  if (count === 0) {
    throw new TraceError(
      `[trace] empty trace, ${name}: got no line, expected one whole number of milliseconds per line`,
      1,
    );
  }
  const opportunitiesMs = new Array<number>(count);
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const word = lines[i]!.trim();
    if (!/^[0-9]+$/.test(word)) {
      throw new TraceError(
        `[trace] not a whole number of milliseconds, ${name} line ${i + 1}: got ${quote(word)}, expected digits only, such as \`${previous}\``,
        i + 1,
      );
    }
    const timeMs = Number(word);
    if (timeMs > MAX_TIME_MS) {
      throw new TraceError(
        `[trace] time too large, ${name} line ${i + 1}: got ${quote(word)}, expected at most ${MAX_TIME_MS} ms`,
        i + 1,
      );
    }
    if (timeMs < previous) {
      throw new TraceError(
        `[trace] times go backwards, ${name} line ${i + 1}: got ${timeMs}, expected at least ${previous} as on the line before`,
        i + 1,
      );
    }
    opportunitiesMs[i] = previous = timeMs;
  }
  if (previous === 0) {
    throw new TraceError(
      `[trace] no period, ${name} line ${count}: got a last time of 0 ms, expected more than 0, since the last line is the period`,
      count,
    );
  }
  return { name, opportunitiesMs };
}

/**
 * Checks numbers that did not come from a file by the same rules as a file.
 * @throws TraceError; `line` is the index + 1
 */
export function checkOpportunities(opportunitiesMs: readonly number[], name: string): void {
  const fail = (index: number, got: string, expected: string): never => {
    throw new TraceError(
      `[trace] bad opportunity, ${name} entry ${index + 1}: got ${got}, expected ${expected}`,
      index + 1,
    );
  };
  if (opportunitiesMs.length === 0) fail(0, "an empty list", "at least one opportunity");
  let previous = 0;
  for (let i = 0; i < opportunitiesMs.length; i++) {
    const timeMs = opportunitiesMs[i]!;
    if (!Number.isInteger(timeMs) || timeMs < 0 || timeMs > MAX_TIME_MS) {
      fail(i, String(timeMs), `whole milliseconds, 0 to ${MAX_TIME_MS}`);
    }
    if (timeMs < previous) fail(i, String(timeMs), `at least ${previous}, the time before`);
    previous = timeMs;
  }
  if (previous === 0) fail(opportunitiesMs.length - 1, "0", "more than 0, since the last time is the period");
}

/** The file's text: one time per line, a newline after each. */
export function formatMahimahiTrace(trace: MahimahiTrace): string {
  return `${trace.opportunitiesMs.join("\n")}\n`;
}

export interface TraceInfo {
  readonly name: string;
  readonly opportunities: number;
  /** the last line: after it the trace begins again */
  readonly periodMs: number;
  /** Mbit/s of opportunities at 1504 bytes, over one lap */
  readonly meanMbps: Mbps;
  /** least and most in any whole second of a lap; the mean where a lap is shorter than 1 s */
  readonly minMbps: Mbps;
  readonly maxMbps: Mbps;
  /** longest time without an opportunity, over the wrap too */
  readonly longestGapMs: number;
  /** fraction 0-1 of a lap inside gaps longer than `OUTAGE_GAP_MS` */
  readonly outageShare: number;
}

/** Opportunities in each whole second of a lap; empty if a lap is shorter. */
export function countPerSecond(trace: MahimahiTrace, periodMs: number): number[] {
  const counts = new Array<number>(Math.floor(periodMs / 1000)).fill(0);
  for (const timeMs of trace.opportunitiesMs) {
    const second = Math.floor((timeMs % periodMs) / 1000);
    if (second < counts.length) counts[second] = counts[second]! + 1;
  }
  return counts;
}

/** Rate of so many opportunities of `bytesEach` in a span. */
export function mbpsOf(opportunities: number, spanMs: number, bytesEach: number): Mbps {
  return (opportunities * bytesEach * 8) / (spanMs * 1000);
}

/** Summary of one lap as mm-link replays it. */
export function traceInfo(trace: MahimahiTrace): TraceInfo {
  const times = trace.opportunitiesMs;
  const periodMs = times[times.length - 1]!;
  const meanMbps = mbpsOf(times.length, periodMs, OPPORTUNITY_BYTES);
  let longestGapMs = 0;
  let outageMs = 0;
  let previous = 0; // the last line of the lap before, at this lap's time 0
  for (const timeMs of times) {
    const gap = timeMs - previous;
    previous = timeMs;
    if (gap > longestGapMs) longestGapMs = gap;
    if (gap > OUTAGE_GAP_MS) outageMs += gap;
  }
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const count of countPerSecond(trace, periodMs)) {
    least = Math.min(least, count);
    most = Math.max(most, count);
  }
  const wholeSeconds = least !== Number.POSITIVE_INFINITY;
  return {
    name: trace.name,
    opportunities: times.length,
    periodMs,
    meanMbps,
    minMbps: wholeSeconds ? mbpsOf(least, 1000, OPPORTUNITY_BYTES) : meanMbps,
    maxMbps: wholeSeconds ? mbpsOf(most, 1000, OPPORTUNITY_BYTES) : meanMbps,
    longestGapMs,
    outageShare: outageMs / periodMs,
  };
}
