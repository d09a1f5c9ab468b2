/**
 * What a reader of results should know about a trace: a valid file may still not replay at the rate its name says, or not
 * look as its author meant where one lap joins the next. Rates here count 1500-byte packets, as names and papers do.
 */
import type { Mbps } from "../core/units.ts";
import { PACKET_BYTES } from "../core/units.ts";
import { countPerSecond, type MahimahiTrace, mbpsOf, OUTAGE_GAP_MS, traceInfo } from "./mahimahi.ts";

export interface TraceFinding {
  /** warning: results may not mean what they seem to; info: good to know */
  readonly severity: "warning" | "info";
  readonly code:
    | "first-line-zero"
    | "wrap"
    | "wrap-gap"
    | "declared-rate"
    | "long-gap"
    | "slow-start"
    | "burst"
    | "short"
    | "single-line";
  /** one sentence with the numbers */
  readonly message: string;
}

/** A replayed rate further than this from the declared one is a warning. */
const DECLARED_TOLERANCE = 0.02;
/** The wrap is a warning if it raises the rate by more than this. */
const WRAP_TOLERANCE = 0.005;
const LONG_GAP_MS = 1000;
/** Leading seconds below this share of the mean rate are a slow start. */
const SLOW_START_SHARE = 0.1;
/** A silence at the wrap is an artefact if none is longer, and it exceeds an RTO and this many mean gaps. */
const WRAP_GAP_MEANS = 10;
/** So many opportunities in one millisecond, and so many times the mean: a queue of that size empties at once. */
const BURST_OPPORTUNITIES = 50;
const BURST_MEANS = 20;
/** The usual length of a run: a trace that is shorter, and not steady, is seen more than once. */
const USUAL_RUN_MS = 30_000;

/** The rate that a file's name promises: `12mbps`, `0.57mbps-poisson`, `wired96`; undefined: none. */
export function declaredByName(name: string): Mbps | undefined {
  const match = /(\d+(?:\.\d+)?)[-_ ]?mb(?:ps|it)/i.exec(name) ?? /^wired[-_]?(\d+(?:\.\d+)?)/i.exec(name);
  const mbps = Number(match?.[1]);
  return mbps > 0 ? mbps : undefined;
}

/** The most opportunities in one millisecond. */
function largestBurst(times: readonly number[]): number {
  let most = 0;
  let begin = 0;
  for (let i = 0; i < times.length; i++) {
    if (times[i] !== times[begin]) begin = i;
    most = Math.max(most, i - begin + 1);
  }
  return most;
}

/** True if the count so far is never further from a constant rate than one burst and one opportunity. */
function isSteady(times: readonly number[], periodMs: number, burst: number): boolean {
  return times.every((ms, i) => Math.abs(i + 1 - (ms / periodMs) * times.length) <= burst + 1);
}

/** @param declaredMbps the rate that its paper promises; absent: its name is asked */
export function lintTrace(trace: MahimahiTrace, declaredMbps?: Mbps): TraceFinding[] {
  const times = trace.opportunitiesMs;
  const firstMs = times[0]!;
  const periodMs = times[times.length - 1]!;
  const replayedMbps = mbpsOf(times.length, periodMs, PACKET_BYTES);
  const meanGapMs = periodMs / times.length;
  const findings: TraceFinding[] = [];
  const add = (severity: TraceFinding["severity"], code: TraceFinding["code"], message: string): void => {
    findings.push({ severity, code, message });
  };

  if (times.length === 1) {
    add(
      "info",
      "single-line",
      `one opportunity every ${periodMs} ms: ${replayedMbps.toFixed(3)} Mbit/s in the coarsest possible steps`,
    );
  }
  if (firstMs === 0 && times.length > 1) {
    const meantMbps = mbpsOf(times.length, periodMs + 1, PACKET_BYTES);
    add(
      "info",
      "first-line-zero",
      "the first line is 0: from the second lap on it falls into the same millisecond as the last line",
    );
    if (replayedMbps / meantMbps - 1 > WRAP_TOLERANCE) {
      add(
        "warning",
        "wrap",
        `the period is the last line, ${periodMs} ms, so ${periodMs + 1} ms of opportunities (0 to ${periodMs}) replay at ` +
          `${replayedMbps.toFixed(1)} Mbit/s, not ${meantMbps.toFixed(1)}; number the lines from 1 to avoid it`,
      );
    }
  }
  const promisedMbps = declaredMbps ?? declaredByName(trace.name);
  if (promisedMbps !== undefined && Math.abs(replayedMbps / promisedMbps - 1) > DECLARED_TOLERANCE) {
    const by = declaredMbps === undefined ? " by its name" : "";
    add(
      "warning",
      "declared-rate",
      `declared ${promisedMbps} Mbit/s${by}, but it replays at ${replayedMbps.toFixed(2)} Mbit/s`,
    );
  }
  const { longestGapMs } = traceInfo(trace);
  if (longestGapMs > LONG_GAP_MS) {
    add(
      "warning",
      "long-gap",
      `no opportunity for ${(longestGapMs / 1000).toFixed(2)} s: senders time out there`,
    );
  }
  const perSecond = countPerSecond(trace, periodMs);
  const meanPerSecond = 1000 / meanGapMs;
  const leading = perSecond.findIndex((count) => count >= SLOW_START_SHARE * meanPerSecond);
  if (leading > 0) {
    const slowSum = perSecond.slice(0, leading).reduce((sum, count) => sum + count, 0);
    add(
      "warning",
      "slow-start",
      `the first ${leading} s run at ${mbpsOf(slowSum, leading * 1000, PACKET_BYTES).toFixed(2)} Mbit/s, ` +
        `the whole at ${replayedMbps.toFixed(2)}: short runs from the beginning see less than the mean`,
    );
  } else if (
    times.length > 1 &&
    firstMs === longestGapMs &&
    firstMs > Math.max(OUTAGE_GAP_MS, WRAP_GAP_MEANS * meanGapMs)
  ) {
    add(
      "warning",
      "wrap-gap",
      `the first line is ${firstMs}, so every lap begins with that many silent milliseconds, ` +
        `${Math.round(firstMs / meanGapMs)} times the mean gap; times that do not begin near 0 do this`,
    );
  }
  const burst = largestBurst(times);
  if (burst >= BURST_OPPORTUNITIES && burst * meanGapMs >= BURST_MEANS) {
    add(
      "info",
      "burst",
      `up to ${burst} opportunities in one millisecond, ${Math.round(burst * meanGapMs)} times the mean: a smaller queue empties at once and wastes the rest`,
    );
  }
  if (periodMs < USUAL_RUN_MS && !isSteady(times, periodMs, burst)) {
    add(
      "info",
      "short",
      `it repeats every ${(periodMs / 1000).toFixed(3)} s: a run of 30 s sees it ${(USUAL_RUN_MS / periodMs).toFixed(1)} times`,
    );
  }
  return findings;
}
