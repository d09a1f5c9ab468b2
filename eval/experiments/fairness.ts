/**
 * How flows of one algorithm share a bottleneck with a drop-tail queue of one bandwidth-delay product: Jain's index (Jain,
 * Chiu, Hawe, DEC TR-301, 1984) among flows of nearly equal RTTs, and by how much a flow with a longer RTT loses.
 */
import Table from "cli-table3";
import { log } from "../../core/math.ts";
import { Rng } from "../../core/random.ts";
import { fromMbps, type Mbps, NANOS_PER_MILLI, NANOS_PER_SEC, PACKET_BYTES } from "../../core/units.ts";
import { jainIndex } from "../../envs/measured-run.ts";
import { FifoNetwork } from "../../sim/fifo/fifo-network.ts";
import type { FlowSpec } from "../../sim/network.ts";
import { mean } from "../statistics.ts";
import { bottleneck, flowOf, NATIVE, type NativeName, OPEN_LINK } from "./path.ts";
import { PLAIN_TABLE } from "./plain-table.ts";

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

export interface FairnessOutcome {
  readonly setting: typeof FAIRNESS_SETTING;
  readonly unfairnessSetting: typeof UNFAIRNESS_SETTING;
  readonly jain: readonly {
    readonly flows: number;
    readonly seeds: readonly number[];
    readonly median: number;
    readonly minimum: number;
  }[];
  readonly rttRatios: readonly {
    readonly rttRatio: number;
    readonly seed: number;
    readonly throughputRatio: number;
  }[];
  /** of throughput ratio ~ RTT ratio ^ exponent */
  readonly exponent: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}

/** Reno among its like: 2, 4 and 10 flows, and two flows with RTTs 1 : 2, 1 : 4 and 1 : 8. */
export function runFairness(): FairnessOutcome {
  const jain = [2, 4, 10].map((flows) => {
    const values = JAIN_SEEDS.map(
      (seed) => measureFairness({ ...FAIRNESS_SETTING, algorithm: "reno", flows, seed }).jain,
    );
    return { flows, seeds: JAIN_SEEDS, median: median(values), minimum: Math.min(...values) };
  });
  const rttRatios = [2, 4, 8].flatMap((rttRatio) =>
    UNFAIRNESS_SEEDS.map((seed) => {
      const plan = { ...UNFAIRNESS_SETTING, algorithm: "reno", rttRatio, seed } as const;
      return { rttRatio, seed, throughputRatio: measureRttUnfairness(plan) };
    }),
  );
  const exponent = fittedExponent(rttRatios.map(({ rttRatio: x, throughputRatio: y }) => ({ x, y })));
  return {
    setting: FAIRNESS_SETTING,
    unfairnessSetting: UNFAIRNESS_SETTING,
    jain,
    rttRatios,
    exponent,
  };
}

export function fairnessTable({
  setting,
  unfairnessSetting,
  jain,
  rttRatios,
  exponent,
}: FairnessOutcome): string {
  const shares = new Table({ ...PLAIN_TABLE, head: ["Reno flows", "Jain, median", "minimum", "seeds"] });
  for (const row of jain) {
    shares.push([row.flows, row.median.toFixed(3), row.minimum.toFixed(3), row.seeds.length]);
  }
  const ratios = new Table({ ...PLAIN_TABLE, head: ["RTT ratio", "throughput ratio, by seed"] });
  for (const ratio of new Set(rttRatios.map(({ rttRatio }) => rttRatio))) {
    const measured = rttRatios.filter(({ rttRatio }) => rttRatio === ratio);
    ratios.push([ratio, measured.map(({ throughputRatio }) => throughputRatio.toFixed(3)).join("  ")]);
  }
  return (
    `${shares.toString()}\n${setting.mbps} Mbit/s, ${setting.rttMs} ms ± ${100 * setting.rttSpread} %, drop-tail queue of one ` +
    `BDP, starts in U(0, ${setting.startWithinSec} s), seconds ${setting.fromSec} to ${setting.toSec}.\n\n` +
    `${ratios.toString()}\nfitted exponent ${exponent.toFixed(2)}: throughput ~ RTT^exponent; two Reno flows, ` +
    `${unfairnessSetting.mbps} Mbit/s, ${unfairnessSetting.rttMs} ms and its multiples.\n`
  );
}
