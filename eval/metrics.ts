/** Metrics of one's own: formulas over the measured quantities of a run, columns of every table. */
import { CcparkError } from "../core/errors.ts";
import { compileFormula, type Owner, type Variable } from "../core/formula.ts";
import type { BenchmarkRecord, BenchmarkRun } from "./benchmark.ts";

/** Key of a metric's value in records and summaries. */
export type MetricKey = `metric.${string}`;

export interface Metric {
  readonly key: MetricKey;
  readonly text: string;
  /** NaN: not finite, such as a quotient by 0; absent from means then */
  of(record: BenchmarkRecord): number;
}

type RunFact = Variable<BenchmarkRecord>;

const fact = (
  name: keyof BenchmarkRecord & string,
  unit: string,
  definition: string,
  high = Number.POSITIVE_INFINITY,
): RunFact => ({
  name,
  unit,
  low: 0,
  high,
  definition,
  of: (record) => (record[name] as number | undefined) ?? Number.NaN,
});

const BOTTOMLESS = { low: Number.NEGATIVE_INFINITY } as const;

export const RUN_FACTS: readonly RunFact[] = [
  fact("goodputMbps", "Mbit/s", "payload first delivered / time"),
  fact("utilisation", "1", "wire bytes that the bottleneck served / could have served", 1),
  fact("meanQueueDelayMs", "ms", "mean queueing delay of the packets that left the queue"),
  fact("p95QueueDelayMs", "ms", "95th percentile of the same"),
  fact("meanOneWayDelayMs", "ms", "mean delay from sender to receiver, propagation included"),
  fact("p95OneWayDelayMs", "ms", "95th percentile of the same"),
  fact("lossRate", "1", "packets dropped / sent", 1),
  {
    ...fact("score", "1", "log2(max(goodput in B/s, 1448)) - 0.5 log2(max(mean queueing delay in us, 1000))"),
    ...BOTTOMLESS,
  },
  fact("baseRttMs", "ms", "two-way propagation delay of the link, at its start"),
  fact("power", "1", "utilisation x (1 - loss) x base RTT / (base RTT + mean queueing delay)", 1),
  { ...fact("reward", "1", "mean of --reward per step of 100 ms"), ...BOTTOMLESS },
  fact("durationSec", "s", "life of the flow"),
  fact("sentPackets", "packets", "sent"),
  fact("droppedPackets", "packets", "dropped on the way"),
  fact(
    "jainIndex",
    "1",
    "Jain's index of the forward flows' goodput, (sum)^2 / (flows x sum of squares): 1 where all get the same, 1/n where one of n has everything; no value with one flow",
    1,
  ),
  fact(
    "maxMinShare",
    "1",
    "smallest goodput of a forward flow / its max-min fair share of the forward link, while all are there; no value with one flow",
  ),
  fact(
    "starvationRatio",
    "1",
    "goodput of the slowest forward flow / of the fastest, while all are there: a flow is s-starved below 1/s (Arun et al., SIGCOMM 2022)",
    1,
  ),
  fact(
    "convergenceSec",
    "s",
    "from when all forward flows are there until Jain's index of their shares is 0.9 and more in five bins in a row; no value: never",
  ),
  fact(
    "harm",
    "1",
    "the part of what another forward flow has without the contender that is gone beside it, (without - beside) / without of goodput, of the one that is harmed most (Ware et al., HotNets 2019); no value where no other flow is",
    1,
  ),
  fact(
    "delayHarm",
    "1",
    "the same of the 95th percentile of the one-way delay: (beside - without) / beside",
    1,
  ),
  fact("completionMs", "ms", "completion time of a finite flow; no value without end"),
];

/** Of links with several flows, and what comparisons of several runs measure; not among the facts of one. */
export const COMPARATIVE_METRICS: readonly Omit<RunFact, "of">[] = [
  {
    name: "shares",
    unit: "1",
    low: 0,
    high: 1,
    definition:
      "over time: each forward flow's part of what arrived in a bin, from when all of them are there (`shares` in series.json)",
  },
  {
    name: "utility",
    unit: "1",
    low: 0,
    high: 1,
    definition:
      "w min(throughput / t_ref, 1) + (1 - w) min(l_ref / latency, 1), after AdvNet (`ccpark attack`)",
  },
  {
    name: "regret",
    unit: "1",
    low: 0,
    high: Number.POSITIVE_INFINITY,
    definition:
      "score over the horizon of the best of a few alternatives to a decision, less the decision's own (`ccpark fork --regret`)",
  },
];

const OWNER: Owner = { part: "bench", what: "metric", listedBy: "ccpark explain facts" };

/** `power = goodputMbps / meanQueueDelayMs`, or the formula alone, which is its name then. */
const NAMED = /^\s*([A-Za-z][\w-]*)\s*=(?!=)\s*(.*)$/s;

/** @throws CcparkError not-found: an unknown name; invalid-argument: no formula, or a name that is taken */
export function parseMetrics(texts: readonly string[]): Metric[] {
  const metrics = texts.map((text): Metric => {
    const [, name = text.trim(), formula = text] = NAMED.exec(text) ?? [];
    const { of } = compileFormula(formula, RUN_FACTS, OWNER);
    return {
      key: `metric.${name}`,
      text,
      of: (record) => {
        const value = of(record);
        return Number.isFinite(value) ? value : Number.NaN;
      },
    };
  });
  const keys = metrics.map(({ key }) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice === undefined) return metrics;
  throw new CcparkError(
    "invalid-argument",
    `[bench] two metrics are called \`${twice.slice("metric.".length)}\``,
  );
}

/** The run with the values of the metrics in its record. */
export function withMetrics<R extends BenchmarkRun>(run: R, metrics: readonly Metric[]): R {
  if (metrics.length === 0) return run;
  const values = metrics.map(({ key, of }) => [key, of(run.record)] as const);
  return { ...run, record: { ...run.record, ...Object.fromEntries(values) } };
}

export function metricKeys(row: object): MetricKey[] {
  return Object.keys(row).filter((key): key is MetricKey => key.startsWith("metric."));
}
