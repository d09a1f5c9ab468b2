/** Means over seeds: one row per contender and link, and where several flows take part, what each of them got. */
import type { Completion, FlowSummary } from "../testbeds/results.ts";
import type { BenchmarkRecord } from "./benchmark.ts";
import { groupBy } from "./group-by.ts";
import { type MetricKey, metricKeys } from "./metrics.ts";
import { type Estimate, estimate, mean } from "./statistics.ts";

/** Quantities that every record has, unless there was nothing to measure. */
export const SUMMARISED = [
  "goodputMbps",
  "utilisation",
  "meanQueueDelayMs",
  "p95QueueDelayMs",
  "meanOneWayDelayMs",
  "p95OneWayDelayMs",
  "lossRate",
  "score",
  "power",
  "reward",
] as const;
export type Quantity = (typeof SUMMARISED)[number];

/** Quantities of links with several forward flows (the first two), with generated transfers, or of a finite flow (the last). */
export const SUMMARISED_OF_COMPANY = [
  "jainIndex",
  "totalGoodputMbps",
  "completedShare",
  "medianCompletionMs",
  "p99CompletionMs",
  "completionMs",
  "maxMinShare",
  "starvationRatio",
  "convergenceSec",
  "harm",
  "delayHarm",
] as const;
export type CompanyQuantity = (typeof SUMMARISED_OF_COMPANY)[number];

/** Undefined where a record has no such thing. */
export function measuredIn(
  record: BenchmarkRecord,
  quantity: Quantity | CompanyQuantity | MetricKey,
): number | undefined {
  const { flows = [], transfers } = record;
  switch (quantity) {
    case "totalGoodputMbps":
      return flows.filter(({ direction }) => direction === "forward").length > 1
        ? totalGoodputMbps(flows)
        : undefined;
    case "completedShare":
      return transfers && transfers.started > 0 ? transfers.completed / transfers.started : undefined;
    case "medianCompletionMs":
      return transfers && transfers.completed > 0 ? transfers.medianMs : undefined;
    case "p99CompletionMs":
      return transfers && transfers.completed > 0 ? transfers.p99Ms : undefined;
    default:
      return record[quantity];
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
  /** of a finite flow, over the seeds in which it was done; absent: in none */
  readonly completionMs?: Estimate;
  readonly ends?: FlowEnds;
}

/** How a finite flow ended over the seeds. */
export interface FlowEnds {
  readonly runs: number;
  readonly completed: number;
  /** where the scenario gives one: in how many runs it was met, and the run that took longest */
  readonly deadline?: {
    readonly sec: number;
    readonly met: number;
    /** null: it was not done by the end of its run */
    readonly worst: { readonly seed: number; readonly completionMs: number | null };
  };
}

/** One contender on one link, over all seeds; a quantity is absent where no seed has a value. */
export interface SummaryRow
  extends Readonly<Partial<Record<Exclude<Quantity, "goodputMbps"> | CompanyQuantity, Estimate>>> {
  readonly scenario: string;
  readonly link: string;
  readonly algorithm: string;
  readonly detail?: string;
  readonly reproducible?: false;
  readonly goodputMbps: Estimate;
  /** of a finite flow under test */
  readonly ends?: FlowEnds;
  /** of one's own: over the seeds that have a value */
  readonly [metric: MetricKey]: Estimate | undefined;
  /** where there are several, in the order of the scenario */
  readonly flows?: readonly FlowRow[];
  /** quantity -> seed -> value: contenders meet the same links seed by seed; absent: one seed */
  readonly bySeed?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Rows in the order of the records. */
export function summarise(records: readonly BenchmarkRecord[]): SummaryRow[] {
  const groups = groupBy(records, ({ scenario, link, algorithm }) => `${scenario}\n${link}\n${algorithm}`);
  return [...groups.values()].map((group) => {
    const first = group[0]!;
    const flows = summariseFlows(group);
    const quantities = [...SUMMARISED, ...SUMMARISED_OF_COMPANY, ...metricKeys(first)];
    return {
      scenario: first.scenario,
      link: first.link,
      algorithm: first.algorithm,
      ...(first.detail === undefined || group.some((each) => each.detail !== first.detail)
        ? {}
        : { detail: first.detail }),
      ...(first.reproducible === false ? { reproducible: false } : {}),
      goodputMbps: estimate(group.map(({ goodputMbps }) => goodputMbps)),
      ...estimates(quantities, (quantity) => group.map((record) => measuredIn(record, quantity))),
      ...endsOf(group),
      ...(flows.length === 0 ? {} : { flows }),
      ...(group.length > 1 && { bySeed: bySeed(group, quantities) }),
    };
  });
}

/** Each over the seeds that have a value: another seed of a drawn scenario may have fewer flows. */
function estimates<Q extends string>(
  quantities: readonly Q[],
  valuesOf: (quantity: Q) => readonly (number | undefined)[],
): Partial<Record<Q, Estimate>> {
  const found: Partial<Record<Q, Estimate>> = {};
  for (const quantity of quantities) {
    const values = valuesOf(quantity).filter(isKnown);
    if (values.length > 0) found[quantity] = estimate(values);
  }
  return found;
}

function bySeed(
  group: readonly BenchmarkRecord[],
  quantities: readonly (Quantity | CompanyQuantity | MetricKey)[],
): NonNullable<SummaryRow["bySeed"]> {
  const measured = quantities.map((quantity) => {
    const values = group.map((record) => [String(record.seed), measuredIn(record, quantity)] as const);
    const known = values.filter((pair): pair is [string, number] => isKnown(pair[1]));
    return [quantity, Object.fromEntries(known)] as const;
  });
  return Object.fromEntries(measured.filter(([, values]) => Object.keys(values).length > 0));
}

function isKnown(value: number | undefined): value is number {
  return value !== undefined && !Number.isNaN(value);
}

type Ended = Partial<Completion> & { readonly seed: number };

/** Nothing for a flow without an end. */
function endsOf(group: readonly Ended[]): { ends?: FlowEnds } {
  const finite = group.filter(({ completionMs }) => completionMs !== undefined);
  if (finite.length === 0) return {};
  const ends = { runs: finite.length, completed: finite.filter(isCompleted).length };
  const { deadlineSec: sec } = finite[0]!;
  if (sec === undefined) return { ends };
  const met = finite.filter(({ deadlineMet }) => deadlineMet === true).length;
  const spanMs = (run: Ended): number => (isCompleted(run) ? run.completionMs! : Number.POSITIVE_INFINITY);
  const slowest = finite.reduce((worst, run) => (spanMs(run) > spanMs(worst) ? run : worst));
  const completionMs = isCompleted(slowest) ? slowest.completionMs! : null;
  return { ends: { ...ends, deadline: { sec, met, worst: { seed: slowest.seed, completionMs } } } };
}

function isCompleted({ completionMs }: Ended): boolean {
  return completionMs !== undefined && !Number.isNaN(completionMs);
}

function summariseFlows(records: readonly BenchmarkRecord[]): FlowRow[] {
  const flows = records.flatMap(({ flows: own = [], seed }) => own.map((flow) => ({ ...flow, seed })));
  return [...groupBy(flows, ({ id }) => id).values()].map((group) => {
    const { id, algorithm, direction } = group[0]!;
    return {
      id,
      algorithm,
      direction,
      startSec: mean(group.map(({ startSec }) => startSec)),
      goodputMbps: estimate(group.map(({ goodputMbps }) => goodputMbps)),
      ...estimates(["p95OneWayDelayMs", "completionMs"] as const, (quantity) =>
        group.filter(({ goodputMbps }) => goodputMbps > 0).map((flow) => flow[quantity]),
      ),
      ...endsOf(group),
    };
  });
}
