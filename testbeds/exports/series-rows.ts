/** A run's course over time as rows: one per bin, as CSV with a head or as JSON Lines. */
import type { TimeSeries } from "../results.ts";

interface SeriesRow {
  readonly timeSec: number;
  readonly throughputMbps: number;
  readonly capacityMbps: number;
  readonly queueDelayMs: number;
  readonly cwndPackets: number;
}

function seriesRows(series: TimeSeries): SeriesRow[] {
  return series.timeSec.map((timeSec, i) => ({
    timeSec,
    throughputMbps: series.throughputMbps[i]!,
    capacityMbps: series.capacityMbps[i]!,
    queueDelayMs: series.queueDelayMs[i]!,
    cwndPackets: series.cwndPackets[i]!,
  }));
}

const COLUMNS = ["timeSec", "throughputMbps", "capacityMbps", "queueDelayMs", "cwndPackets"] as const;

/** RFC 4180 with lines of one feed; comments with # before the head say what the run was. */
export function seriesCsv(series: TimeSeries, comments: readonly string[]): string {
  const cell = (value: number): string => (Number.isNaN(value) ? "" : String(value));
  const lines = seriesRows(series).map((row) => COLUMNS.map((column) => cell(row[column])).join(","));
  return `${[...comments.map((each) => `# ${each}`), COLUMNS.join(","), ...lines].join("\n")}\n`;
}

/** @param run what each row carries besides: scenario, algorithm, seed */
export function seriesJsonLines(series: TimeSeries, run: Readonly<Record<string, unknown>>): string {
  return seriesRows(series)
    .map((row) => `${JSON.stringify({ ...run, ...row })}\n`)
    .join("");
}
