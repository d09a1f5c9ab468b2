/**
 * How flows of one algorithm share a bottleneck with a drop-tail queue of one bandwidth-delay product: Jain's index (Jain,
 * Chiu, Hawe, DEC TR-301, 1984) among flows of nearly equal RTTs, and by how much a flow with a longer RTT loses.
 */
import Table from "cli-table3";
import { log } from "../../../core/math.ts";
import { Rng } from "../../../core/random.ts";
import { fromMbps, type Mbps, NANOS_PER_MILLI, NANOS_PER_SEC, PACKET_BYTES } from "../../../core/units.ts";
import { FifoNetwork } from "../../../sim/fifo/fifo-network.ts";
import type { FlowSpec } from "../../../sim/network.ts";
import { jainIndex } from "../../../testbeds/fairness.ts";
import { mean, median } from "../../statistics.ts";
import { type Claim, type Experiment, experiment, type Figure, judge } from "../experiment.ts";
import { axis, marks, page } from "../figures.ts";
import { bottleneck, flowOf, NATIVE, type NativeName, OPEN_LINK } from "../path.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

export interface FairnessPlan {
  readonly algorithm: NativeName;
  readonly flows: number;
  readonly mbps: Mbps;
  readonly rttMs: number;
  /** each flow's RTT is scaled by U(1 - this, 1 + this) */
  readonly rttSpread: number;
  /** each flow starts in U(0, this) */
  readonly startWithinSec: number;
  readonly fromSec: number;
  readonly toSec: number;
  readonly seed: number;
}

export interface FairnessResult extends FairnessPlan {
  /** packets that arrived for the first time, per second */
  readonly packetsPerSec: readonly number[];
  readonly jain: number;
}

/** The setting of the acceptance tests: at 10 flows a fair share is 16 packets, half of it in the queue. */
export const FAIRNESS_SETTING = {
  mbps: 48,
  rttMs: 40,
  rttSpread: 0.1,
  startWithinSec: 2,
  fromSec: 10,
  toSec: 60,
} as const;

function bdpPackets(mbps: Mbps, rttMs: number): number {
  return Math.max(1, Math.round((fromMbps(mbps) * rttMs) / 1000 / PACKET_BYTES));
}

/** Upper bound of the send jitter: as in scenarios, so that flows are not locked in step by exact arithmetic. */
const SEND_JITTER_NS = 20_000;

/** Packets per second that each flow delivers between two points of time. */
function shares(
  setting: Pick<FairnessPlan, "mbps" | "fromSec" | "toSec" | "seed">,
  queuePackets: number,
  flows: readonly FlowSpec[],
): number[] {
  const { mbps, fromSec, toSec, seed } = setting;
  const forward = bottleneck(fromMbps(mbps), queuePackets);
  const network = new FifoNetwork({ forward, reverse: OPEN_LINK, flows }, Rng.fromSeed(seed));
  const arrived = (atSec: number): number[] => {
    network.runUntil(atSec * NANOS_PER_SEC);
    return network.flows.map((flow) => {
      flow.advance(network.nowNs);
      return flow.firstArrivedPackets;
    });
  };
  const before = arrived(fromSec);
  return arrived(toSec).map((packets, i) => (packets - before[i]!) / (toSec - fromSec));
}

export function measureFairness(plan: FairnessPlan): FairnessResult {
  const { algorithm, mbps, rttMs, rttSpread, startWithinSec, seed } = plan;
  const rng = Rng.fromSeed(seed);
  const starts = rng.fork("fairness.start");
  const rtts = rng.fork("fairness.rtt");
  const flows = Array.from({ length: plan.flows }, () =>
    flowOf(
      NATIVE[algorithm],
      rttMs * rtts.uniform(1 - rttSpread, 1 + rttSpread) * NANOS_PER_MILLI,
      starts.uniform(0, startWithinSec) * NANOS_PER_SEC,
      { sendJitterNs: SEND_JITTER_NS, ackPolicy: "delayed" },
    ),
  );
  const packetsPerSec = shares(plan, bdpPackets(mbps, rttMs), flows);
  return { ...plan, packetsPerSec, jain: jainIndex(packetsPerSec) };
}

export interface RttUnfairnessPlan {
  readonly algorithm: NativeName;
  readonly mbps: Mbps;
  /** of the flow with the shorter RTT; the queue is one bandwidth-delay product of it */
  readonly rttMs: number;
  /** the longer RTT over the shorter */
  readonly rttRatio: number;
  readonly fromSec: number;
  readonly toSec: number;
  readonly seed: number;
}

/** Throughput of the flow with the longer RTT over that of the other. */
export function measureRttUnfairness(plan: RttUnfairnessPlan): number {
  const { algorithm, mbps, rttMs, rttRatio, seed } = plan;
  const starts = Rng.fromSeed(seed).fork("unfairness.start");
  const flows = [1, rttRatio].map((scale) =>
    flowOf(NATIVE[algorithm], scale * rttMs * NANOS_PER_MILLI, starts.uniform(0, 2) * NANOS_PER_SEC, {
      sendJitterNs: SEND_JITTER_NS,
      ackPolicy: "delayed",
    }),
  );
  const [short, long] = shares(plan, bdpPackets(mbps, rttMs), flows);
  return long! / short!;
}

/** Slope of the least-squares line through (log x, log y): the exponent of y ~ x^slope. */
export function fittedExponent(points: readonly { readonly x: number; readonly y: number }[]): number {
  const xs = points.map(({ x }) => log(x));
  const ys = points.map(({ y }) => log(y));
  const meanX = mean(xs);
  const meanY = mean(ys);
  const covariance = xs.reduce((sum, x, i) => sum + (x - meanX) * (ys[i]! - meanY), 0);
  return covariance / xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
}

const UNFAIRNESS_SETTING = { mbps: 48, rttMs: 20, fromSec: 20, toSec: 80 } as const;
const JAIN_SEEDS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const UNFAIRNESS_SEEDS: readonly number[] = [1, 2, 3];

interface JainRow {
  readonly kind: "jain";
  readonly flows: number;
  readonly seed: number;
  readonly jain: number;
}

interface RatioRow {
  readonly kind: "rtt-ratio";
  readonly rttRatio: number;
  readonly seed: number;
  /** of the flow with the longer RTT over the other */
  readonly throughputRatio: number;
}

export type FairnessRow = JainRow | RatioRow;

const FLOW_COUNTS: readonly number[] = [2, 4, 10];
const RTT_RATIOS: readonly number[] = [2, 4, 8];

/** Reno among its like: 2, 4 and 10 flows, and two flows with RTTs 1 : 2, 1 : 4 and 1 : 8. */
export function* fairnessRows(): Generator<FairnessRow> {
  for (const flows of FLOW_COUNTS) {
    for (const seed of JAIN_SEEDS) {
      const { jain } = measureFairness({ ...FAIRNESS_SETTING, algorithm: "reno", flows, seed });
      yield { kind: "jain", flows, seed, jain };
    }
  }
  for (const rttRatio of RTT_RATIOS) {
    for (const seed of UNFAIRNESS_SEEDS) {
      const plan = { ...UNFAIRNESS_SETTING, algorithm: "reno", rttRatio, seed } as const;
      yield { kind: "rtt-ratio", rttRatio, seed, throughputRatio: measureRttUnfairness(plan) };
    }
  }
}

interface Summary {
  readonly jain: readonly { readonly flows: number; readonly median: number; readonly minimum: number }[];
  /** of throughput ratio ~ RTT ratio ^ exponent */
  readonly exponent: number;
}

function summarise(rows: readonly FairnessRow[]): Summary {
  const jain = FLOW_COUNTS.map((flows) => {
    const values = rows.flatMap((row) => (row.kind === "jain" && row.flows === flows ? [row.jain] : []));
    return { flows, median: median(values), minimum: Math.min(...values) };
  });
  const points = ratioRows(rows).map(({ rttRatio: x, throughputRatio: y }) => ({ x, y }));
  return { jain, exponent: fittedExponent(points) };
}

function ratioRows(rows: readonly FairnessRow[]): RatioRow[] {
  return rows.filter((row) => row.kind === "rtt-ratio");
}

function tableOf(rows: readonly FairnessRow[], { jain, exponent }: Summary): string {
  const shares = new Table({ ...PLAIN_TABLE, head: ["Reno flows", "Jain, median", "minimum", "seeds"] });
  for (const row of jain) {
    shares.push([row.flows, row.median.toFixed(3), row.minimum.toFixed(3), JAIN_SEEDS.length]);
  }
  const ratios = new Table({ ...PLAIN_TABLE, head: ["RTT ratio", "throughput ratio, by seed"] });
  for (const ratio of RTT_RATIOS) {
    const measured = ratioRows(rows).filter(({ rttRatio }) => rttRatio === ratio);
    ratios.push([ratio, measured.map(({ throughputRatio }) => throughputRatio.toFixed(3)).join("  ")]);
  }
  const { mbps, rttMs, rttSpread, startWithinSec, fromSec, toSec } = FAIRNESS_SETTING;
  return (
    `${shares.toString()}\n${mbps} Mbit/s, ${rttMs} ms ± ${100 * rttSpread} %, drop-tail queue of one ` +
    `BDP, starts in U(0, ${startWithinSec} s), seconds ${fromSec} to ${toSec}.\n\n` +
    `${ratios.toString()}\nfitted exponent ${exponent.toFixed(2)}: throughput ~ RTT^exponent; two Reno flows, ` +
    `${UNFAIRNESS_SETTING.mbps} Mbit/s, ${UNFAIRNESS_SETTING.rttMs} ms and its multiples.\n`
  );
}

/** Left Jain's index of every seed by number of flows, right the throughput ratio over the RTT ratio. */
function figureOf(rows: readonly FairnessRow[]): Figure {
  const names = ["reno"];
  const named = (kept: readonly FairnessRow[]): object[] => kept.map((row) => ({ ...row, name: "reno" }));
  const title = "Reno flows at one bottleneck";
  return page({ title, subtitle: ["one mark per seed"] }, names, [
    marks(names, {
      title: "Among flows of one RTT",
      values: named(rows.filter((row) => row.kind === "jain")),
      x: { field: "flows", type: "ordinal", title: "Flows", axis: { labelAngle: 0 } },
      y: axis({ field: "jain", title: "Jain's index", zero: false }),
    }),
    marks(names, {
      title: "Against a flow of a shorter RTT",
      values: named(ratioRows(rows)),
      x: axis({ field: "rttRatio", title: "RTT ratio", log: true, values: RTT_RATIOS }),
      y: axis({ field: "throughputRatio", title: "Throughput ratio", log: true }),
    }),
  ]);
}

function claimsOf({ jain, exponent }: Summary): Claim[] {
  return [
    ...jain.map(({ flows, median }) =>
      judge({
        claim: `${flows} Reno flows: median of Jain's index`,
        measured: median,
        unit: "1",
        threshold: { low: 0.95 },
      }),
    ),
    judge({
      claim: "exponent of Reno's throughput over the RTT",
      published: "-2 to -1",
      measured: exponent,
      unit: "1",
      threshold: { low: -2.2, high: -0.9 },
    }),
  ];
}

export const fairness: Experiment = experiment({
  name: "fairness",
  summary: "Jain's index among Reno flows, and the exponent of Reno's RTT unfairness",
  source: "Jain, Chiu and Hawe, DEC TR-301, 1984; Lakshman and Madhow, IEEE/ACM ToN 5(3), 1997",
  options: {},
  count: () => FLOW_COUNTS.length * JAIN_SEEDS.length + RTT_RATIOS.length * UNFAIRNESS_SEEDS.length,
  run: fairnessRows,
  describe: (row) => (row.kind === "jain" ? `${row.flows} flows` : `RTT ratio ${row.rttRatio}`),
  report(rows) {
    const summary = summarise(rows);
    return {
      text: tableOf(rows, summary),
      claims: claimsOf(summary),
      summary,
      figure: figureOf(rows),
    };
  },
});
