/**
 * Flows that come, go and change at one bottleneck, in virtual time: what each of them delivers, second by second. What the
 * experiments of fairness and priority have in common.
 */
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { fromMbps, type Mbps, MSS_BYTES, NANOS_PER_SEC, PACKET_BYTES, toMbps } from "../../core/units.ts";
import type { DisciplineSpec } from "../../scenarios/disciplines/registry.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { ParameterChange } from "../../scenarios/traffic/parameter-change.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";

/** A flow of an experiment. */
export interface Contestant {
  /** unique; as in tables and pictures */
  readonly id: string;
  /** a reference as in scenario files; native where there is a native one */
  readonly algorithm: string;
  readonly startSec: number;
  /** absent: it stays */
  readonly stopSec?: number;
  readonly changes?: readonly ParameterChange[];
}

export interface Bottleneck {
  readonly mbps: Mbps;
  readonly rttMs: number;
  readonly queuePackets: number;
  /** absent: drop-tail */
  readonly discipline?: DisciplineSpec;
  readonly durationSec: number;
}

/** One flow in one bin. */
export interface ShareRow {
  readonly flow: string;
  readonly seed: number;
  /** the bin's beginning */
  readonly atSec: number;
  /** payload that arrived for the first time */
  readonly mbps: Mbps;
}

/** Packets in `ms` of the bottleneck's rate, at least one. */
export function packetsIn(mbps: Mbps, ms: number): number {
  return Math.max(1, Math.round((fromMbps(mbps) * ms) / 1000 / PACKET_BYTES));
}

/** The payload that a link can carry: full packets, less their headers. */
export function payloadMbps(mbps: Mbps): Mbps {
  return (mbps * MSS_BYTES) / PACKET_BYTES;
}

function scenarioOf(
  name: string,
  source: string,
  { mbps, rttMs, queuePackets, discipline, durationSec }: Bottleneck,
  contestants: readonly Contestant[],
): Scenario {
  const [first, ...others] = contestants;
  return {
    name,
    source,
    description: name,
    forward: {
      rate: { kind: "constant", mbps },
      queue: { packets: queuePackets, ...(discipline && { discipline }) },
      lossRate: 0,
    },
    reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
    propagationDelayMs: rttMs / 2,
    durationSec,
    ackPolicy: "delayed",
    ...(first!.changes && { changes: first!.changes }),
    flows: others.map(({ id, algorithm, startSec, stopSec, changes }) => ({
      id,
      algorithm,
      startSec,
      ...(stopSec !== undefined && { stopSec }),
      ...(changes && { changes }),
    })),
  };
}

export interface ShareOptions {
  readonly name: string;
  readonly source: string;
  readonly seed: number;
  /** default 1 s */
  readonly binSec?: number;
}

/** The first contestant starts at 0 and stays. */
export function runShares(
  link: Bottleneck,
  contestants: readonly Contestant[],
  { name, source, seed, binSec = 1 }: ShareOptions,
): ShareRow[] {
  const scenario = scenarioOf(name, source, link, contestants);
  const run = SIMULATED.open(scenario, seed, {
    control: () => crossTrafficAlgorithm(contestants[0]!.algorithm),
    algorithms: crossTrafficAlgorithm,
  });
  const rows: ShareRow[] = [];
  const before = contestants.map(() => 0);
  const bins = Math.round(link.durationSec / binSec);
  for (let bin = 0; bin < bins; bin++) {
    run.runUntil(run.startNs + (bin + 1) * binSec * NANOS_PER_SEC);
    run.flows.forEach(({ path }, i) => {
      path.advance(run.nowNs);
      const bytes = (path.firstArrivedPackets - before[i]!) * MSS_BYTES;
      before[i] = path.firstArrivedPackets;
      rows.push({ flow: contestants[i]!.id, seed, atSec: bin * binSec, mbps: toMbps(bytes / binSec) });
    });
  }
  run.close();
  return rows;
}

/** Mean rate of a flow between two points of time. */
export function meanMbps(rows: readonly ShareRow[], flow: string, fromSec: number, toSec: number): Mbps {
  const kept = rows.filter((row) => row.flow === flow && row.atSec >= fromSec && row.atSec < toSec);
  return kept.reduce((sum, { mbps }) => sum + mbps, 0) / kept.length;
}
