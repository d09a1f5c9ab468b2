/**
 * One algorithm in several worlds: what differs from the world that the others are measured against. Means are over seeds;
 * distributions are of the values per RTT of all seeds.
 */
import type { BenchmarkRun } from "../benchmark.ts";
import { mean } from "../statistics.ts";
import { kolmogorovSmirnov, wasserstein } from "./distance.ts";

/** How much a world may differ before it says so. */
export interface Bounds {
  /** of the reference's goodput */
  readonly goodputShare: number;
  /** of the reference's mean queueing delay, or so many ms, whichever is more */
  readonly delayShare: number;
  readonly delayMs: number;
}

export const DEFAULT_BOUNDS: Bounds = { goodputShare: 0.05, delayShare: 0.2, delayMs: 2 };

/** A world beside the reference. */
export interface Difference {
  /** goodput as a share of the reference's, less 1 */
  readonly goodputShare: number;
  readonly meanQueueDelayMs: number;
  readonly isGoodputWithin: boolean;
  readonly isDelayWithin: boolean;
  /** between the distributions of throughput per RTT */
  readonly throughput: Distance;
  /** between the distributions of queueing delay per RTT */
  readonly queueDelay: Distance;
}

export interface Distance {
  /** 0 to 1 */
  readonly kolmogorovSmirnov: number;
  /** Mbit/s, or ms */
  readonly wasserstein: number;
}

export interface ComparisonRow {
  readonly scenario: string;
  readonly link: string;
  readonly algorithm: string;
  readonly testbed: string;
  readonly seeds: number;
  readonly goodputMbps: number;
  readonly utilisation: number;
  readonly meanQueueDelayMs: number;
  readonly p95QueueDelayMs: number;
  readonly lossRate: number;
  readonly score: number;
  /** absent: it is the reference */
  readonly difference?: Difference;
}

interface Cell {
  readonly scenario: string;
  readonly algorithm: string;
  readonly testbed: string;
  readonly runs: readonly BenchmarkRun[];
}

/** Runs by scenario, algorithm and world, in the order in which they come. */
function cellsOf(runs: readonly BenchmarkRun[]): Cell[] {
  const cells = new Map<string, Cell & { runs: BenchmarkRun[] }>();
  for (const run of runs) {
    const { scenario, algorithm, testbed } = run.record;
    const key = JSON.stringify([scenario, algorithm, testbed]);
    const cell = cells.get(key) ?? { scenario, algorithm, testbed, runs: [] };
    cell.runs.push(run);
    cells.set(key, cell);
  }
  return [...cells.values()];
}

function perRtt(cell: Cell, of: "throughputMbps" | "queueDelayMs"): number[] {
  return cell.runs.flatMap(({ series }) => series[of].filter((value) => Number.isFinite(value)));
}

function distance(cell: Cell, reference: Cell, of: "throughputMbps" | "queueDelayMs"): Distance {
  const samples = [perRtt(reference, of), perRtt(cell, of)] as const;
  return { kolmogorovSmirnov: kolmogorovSmirnov(...samples), wasserstein: wasserstein(...samples) };
}

function means(cell: Cell): Omit<ComparisonRow, "difference"> {
  const { scenario, algorithm, testbed, runs } = cell;
  const of = (
    quantity: "goodputMbps" | "utilisation" | "meanQueueDelayMs" | "p95QueueDelayMs" | "lossRate" | "score",
  ) => mean(runs.map(({ record }) => record[quantity]));
  return {
    scenario,
    link: runs[0]!.record.link,
    algorithm,
    testbed,
    seeds: runs.length,
    goodputMbps: of("goodputMbps"),
    utilisation: of("utilisation"),
    meanQueueDelayMs: of("meanQueueDelayMs"),
    p95QueueDelayMs: of("p95QueueDelayMs"),
    lossRate: of("lossRate"),
    score: of("score"),
  };
}

/** @param reference the world that the others are measured against */
export function compareWorlds(
  runs: readonly BenchmarkRun[],
  reference: string,
  bounds: Bounds = DEFAULT_BOUNDS,
): ComparisonRow[] {
  const cells = cellsOf(runs);
  return cells.map((cell): ComparisonRow => {
    const row = means(cell);
    const beside = cells.find(
      ({ scenario, algorithm, testbed }) =>
        scenario === cell.scenario && algorithm === cell.algorithm && testbed === reference,
    );
    if (beside === undefined || beside === cell) return row;
    const than = means(beside);
    const goodputShare = row.goodputMbps / than.goodputMbps - 1;
    const meanQueueDelayMs = row.meanQueueDelayMs - than.meanQueueDelayMs;
    const allowedMs = Math.max(bounds.delayShare * than.meanQueueDelayMs, bounds.delayMs);
    const difference: Difference = {
      goodputShare,
      meanQueueDelayMs,
      isGoodputWithin: Math.abs(goodputShare) <= bounds.goodputShare,
      isDelayWithin: Math.abs(meanQueueDelayMs) <= allowedMs,
      throughput: distance(cell, beside, "throughputMbps"),
      queueDelay: distance(cell, beside, "queueDelayMs"),
    };
    return { ...row, difference };
  });
}
