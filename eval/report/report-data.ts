/** All that a report shows and that result files store: plain data, without clock, host or path. */
import type { TrainingFacts } from "../../agents/learner.ts";
import type { TimeSeries } from "../../testbeds/results.ts";
import type { BenchmarkRecord, BenchmarkRun } from "../benchmark.ts";
import type { StoredScenario } from "../links.ts";
import { type SummaryRow, summarise } from "../summary.ts";
import { DEFAULT_HEADLINE, type Headline } from "../verdicts/headline.ts";

export interface ContenderInfo {
  readonly name: string;
  readonly description: string;
}

/** What reproduces the results. */
export interface Provenance {
  readonly command: string;
  /** normalised options of that command; files by base name and digest */
  readonly options: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
}

/** The course of one run; arrays as in `TimeSeries`, rounded as stored. */
export interface SeriesEntry extends TimeSeries {
  readonly scenario: string;
  readonly link: string;
  readonly algorithm: string;
  readonly seed: number;
}

export interface ReportData {
  readonly title: string;
  readonly provenance: Provenance;
  readonly scenarios: readonly StoredScenario[];
  readonly contenders: readonly ContenderInfo[];
  readonly seeds: readonly number[];
  readonly rewardName: string;
  /** what verdicts rank by */
  readonly headline: Headline;
  readonly records: readonly BenchmarkRecord[];
  readonly summary: readonly SummaryRow[];
  readonly series: readonly SeriesEntry[];
  /** after each update of the training that made the agent; empty: no learning curve */
  readonly learning: readonly TrainingFacts[];
}

/** Digits after the point that are stored of a series: far below what a plot or a reader resolves. */
const SERIES_DIGITS = {
  timeSec: 3,
  throughputMbps: 4,
  capacityMbps: 4,
  queueDelayMs: 4,
  cwndPackets: 2,
  share: 4,
} as const;

function rounded(values: readonly number[], digits: number): number[] {
  return values.map((value) => Number(value.toFixed(digits)));
}

function toSeriesEntry({ record, series }: BenchmarkRun): SeriesEntry {
  return {
    scenario: record.scenario,
    link: record.link,
    algorithm: record.algorithm,
    seed: record.seed,
    binSec: series.binSec,
    timeSec: rounded(series.timeSec, SERIES_DIGITS.timeSec),
    throughputMbps: rounded(series.throughputMbps, SERIES_DIGITS.throughputMbps),
    capacityMbps: rounded(series.capacityMbps, SERIES_DIGITS.capacityMbps),
    queueDelayMs: rounded(series.queueDelayMs, SERIES_DIGITS.queueDelayMs),
    cwndPackets: rounded(series.cwndPackets, SERIES_DIGITS.cwndPackets),
    ...(series.shares && {
      shares: series.shares.map(({ id, share }) => ({ id, share: rounded(share, SERIES_DIGITS.share) })),
    }),
  };
}

export function makeReportData(
  parts: Omit<ReportData, "records" | "summary" | "series" | "headline"> & {
    /** absent: the score */
    readonly headline?: Headline;
    readonly runs: readonly BenchmarkRun[];
  },
): ReportData {
  const { runs, headline = DEFAULT_HEADLINE, ...rest } = parts;
  const records = runs.map((run) => run.record);
  return { ...rest, headline, records, summary: summarise(records), series: runs.map(toSeriesEntry) };
}
