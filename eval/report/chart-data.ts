/** Rows that the plots of one link read: flat, one object per mark. */
import { isReference } from "../contenders/contender.ts";
import { barredBy } from "../verdicts/standing.ts";
import type { ReportData } from "./report-data.ts";

export interface TradeoffRow {
  readonly algorithm: string;
  readonly goodputMbps: number;
  readonly goodputLow: number;
  readonly goodputHigh: number;
  readonly goodputCi: number;
  /** NaN here and below, which draws nothing: no packet left the queue */
  readonly p95QueueDelayMs: number;
  readonly p95Low: number;
  readonly p95High: number;
  readonly p95Ci: number;
  readonly score: number;
  readonly scoreLow: number;
  readonly scoreHigh: number;
  readonly scoreCi: number;
  readonly power: number;
  readonly powerLow: number;
  readonly powerHigh: number;
  readonly powerCi: number;
  /** false: a reference, or one that leaves the link unused or floods it */
  readonly ranked: boolean;
}

export interface SeedRow {
  readonly algorithm: string;
  readonly seed: number;
  readonly goodputMbps: number;
  readonly p95QueueDelayMs: number;
}

export interface LinkKey {
  readonly scenario: string;
  readonly link: string;
}

/** The links of a report, in order. */
export function linksOf(data: Pick<ReportData, "summary">): LinkKey[] {
  const links = new Map(
    data.summary.map(({ scenario, link }) => [`${scenario}\n${link}`, { scenario, link }]),
  );
  return [...links.values()];
}

const same = (a: LinkKey, b: LinkKey): boolean => a.scenario === b.scenario && a.link === b.link;

export function tradeoffRows(data: ReportData, link: LinkKey): TradeoffRow[] {
  const rows = data.summary.filter((row) => same(row, link));
  return rows.map((row) => {
    const goodputCi = row.goodputMbps.ci95 ?? 0;
    const p95 = row.p95QueueDelayMs?.mean ?? Number.NaN;
    const p95Ci = row.p95QueueDelayMs?.ci95 ?? 0;
    const score = row.score?.mean ?? Number.NaN;
    const scoreCi = row.score?.ci95 ?? 0;
    const power = row.power?.mean ?? Number.NaN;
    return {
      algorithm: row.algorithm,
      goodputMbps: row.goodputMbps.mean,
      goodputLow: Math.max(0, row.goodputMbps.low ?? row.goodputMbps.mean),
      goodputHigh: row.goodputMbps.high ?? row.goodputMbps.mean,
      goodputCi,
      p95QueueDelayMs: p95,
      p95Low: Math.max(0, row.p95QueueDelayMs?.low ?? p95),
      p95High: row.p95QueueDelayMs?.high ?? p95,
      p95Ci,
      score,
      scoreLow: row.score?.low ?? score,
      scoreHigh: row.score?.high ?? score,
      scoreCi,
      power,
      powerLow: row.power?.low ?? power,
      powerHigh: row.power?.high ?? power,
      powerCi: row.power?.ci95 ?? 0,
      ranked: !isReference(row.algorithm) && barredBy(row, rows) === undefined,
    };
  });
}

export function seedRows(data: ReportData, link: LinkKey): SeedRow[] {
  return data.records
    .filter((record) => same(record, link))
    .map(({ algorithm, seed, goodputMbps, p95QueueDelayMs }) => ({
      algorithm,
      seed,
      goodputMbps,
      p95QueueDelayMs,
    }));
}
