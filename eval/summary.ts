/** Means over seeds: one row per contender and link, and where several flows take part, what each of them got. */
import type { FlowSummary } from "../testbeds/results.ts";
import type { BenchmarkRecord } from "./benchmark.ts";
import { groupBy } from "./group-by.ts";
import { type Estimate, estimate, mean } from "./statistics.ts";

/** Quantities that every record has. */
export const SUMMARISED = [
  "goodputMbps",
  "utilisation",
  "meanQueueDelayMs",
  "p95QueueDelayMs",
  "meanOneWayDelayMs",
  "p95OneWayDelayMs",
  "lossRate",
  "score",
  "reward",
] as const;
export type Quantity = (typeof SUMMARISED)[number];

/** Quantities of links with several forward flows (the first two) or with generated transfers. */
export const SUMMARISED_OF_COMPANY = [
  "jainIndex",
  "totalGoodputMbps",
  "completedShare",
  "medianCompletionMs",
  "p99CompletionMs",
] as const;
export type CompanyQuantity = (typeof SUMMARISED_OF_COMPANY)[number];

/** Undefined where a record has no such thing; a completion time needs a transfer that completed. */
function companyValue(
  { jainIndex, flows = [], transfers }: BenchmarkRecord,
  quantity: CompanyQuantity,
): number | undefined {
  switch (quantity) {
    case "jainIndex":
      return jainIndex;
    case "totalGoodputMbps":
      return jainIndex === undefined ? undefined : totalGoodputMbps(flows);
    case "completedShare":
      return transfers && transfers.started > 0 ? transfers.completed / transfers.started : undefined;
    case "medianCompletionMs":
      return transfers && transfers.completed > 0 ? transfers.medianMs : undefined;
    case "p99CompletionMs":
      return transfers && transfers.completed > 0 ? transfers.p99Ms : undefined;
  }
}

/** Payload of all forward flows / time from the first start to the last end: flows may start and stop at different times. */
export function totalGoodputMbps(flows: readonly FlowSummary[]): number {
  const forward = flows.filter(({ direction }) => direction === "forward");
  const fromSec = Math.min(...forward.map(({ startSec }) => startSec));
  const toSec = Math.max(...forward.map(({ startSec, durationSec }) => startSec + durationSec));
  const megabits = forward.reduce((sum, { goodputMbps, durationSec }) => sum + goodputMbps * durationSec, 0);
  return toSec > fromSec ? megabits / (toSec - fromSec) : 0;
}

/** One flow over the seeds that have it. */
export interface FlowRow extends Pick<FlowSummary, "id" | "algorithm" | "direction" | "startSec"> {
  readonly goodputMbps: Estimate;
  /** over the seeds in which a packet of it arrived; absent: in none */
  readonly p95OneWayDelayMs?: Estimate;
}

/** One contender on one link, over all seeds. */
export interface SummaryRow
  extends Readonly<Record<Quantity, Estimate>>,
    Readonly<Partial<Record<CompanyQuantity, Estimate>>> {
  readonly scenario: string;
  readonly link: string;
  readonly algorithm: string;
  readonly detail?: string;
  readonly reproducible?: false;
  /** where there are several, in the order of the scenario */
  readonly flows?: readonly FlowRow[];
}

/** Rows in the order of the records. */
export function summarise(records: readonly BenchmarkRecord[]): SummaryRow[] {
  const groups = groupBy(records, ({ scenario, link, algorithm }) => `${scenario}\n${link}\n${algorithm}`);
  return [...groups.values()].map((group) => {
    const first = group[0]!;
    const of = (quantity: Quantity): Estimate => estimate(group.map((record) => record[quantity]));
    const flows = summariseFlows(group.flatMap((record) => record.flows ?? []));
    return {
      scenario: first.scenario,
      link: first.link,
      algorithm: first.algorithm,
      ...(first.detail === undefined || group.some((each) => each.detail !== first.detail)
        ? {}
        : { detail: first.detail }),
      ...(first.reproducible === false ? { reproducible: false } : {}),
      goodputMbps: of("goodputMbps"),
      utilisation: of("utilisation"),
      meanQueueDelayMs: of("meanQueueDelayMs"),
      p95QueueDelayMs: of("p95QueueDelayMs"),
      meanOneWayDelayMs: of("meanOneWayDelayMs"),
      p95OneWayDelayMs: of("p95OneWayDelayMs"),
      lossRate: of("lossRate"),
      score: of("score"),
      reward: of("reward"),
      ...companyEstimates(group),
      ...(flows.length === 0 ? {} : { flows }),
    };
  });
}

/** Each over the seeds that have a value: another seed of a drawn scenario may have fewer flows. */
function companyEstimates(group: readonly BenchmarkRecord[]): Partial<Record<CompanyQuantity, Estimate>> {
  const estimates: Partial<Record<CompanyQuantity, Estimate>> = {};
  for (const quantity of SUMMARISED_OF_COMPANY) {
    const values = group
      .map((record) => companyValue(record, quantity))
      .filter((value) => value !== undefined);
    if (values.length > 0) estimates[quantity] = estimate(values);
  }
  return estimates;
}

function summariseFlows(flows: readonly FlowSummary[]): FlowRow[] {
  return [...groupBy(flows, ({ id }) => id).values()].map((group) => {
    const { id, algorithm, direction } = group[0]!;
    const arrived = group.filter(({ goodputMbps }) => goodputMbps > 0);
    return {
      id,
      algorithm,
      direction,
      startSec: mean(group.map(({ startSec }) => startSec)),
      goodputMbps: estimate(group.map(({ goodputMbps }) => goodputMbps)),
      ...(arrived.length === 0
        ? {}
        : { p95OneWayDelayMs: estimate(arrived.map(({ p95OneWayDelayMs }) => p95OneWayDelayMs)) }),
    };
  });
}
