/**
 * Flows that come, go and change at one bottleneck, in virtual time: what each of them delivers, second by second. What the
 * experiments of fairness and priority have in common.
 */
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { fromMbps, type Mbps, MSS_BYTES, NANOS_PER_SEC, PACKET_BYTES, toMbps } from "../../core/units.ts";
import type { DisciplineSpec } from "../../scenarios/disciplines/registry.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { ParameterChange } from "../../scenarios/traffic/parameter-change.ts";
import type { StackSpec } from "../../scenarios/traffic/stack.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { expectAccepts, type Testbed } from "../../testbeds/testbed.ts";
import { UDP } from "../../testbeds/udp/udp.ts";

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

/** The reliable stream of `ccpark/transport`, without secret and flow control. */
const STREAM: StackSpec = ["order", "reliable", "cc", "sack", "frame", "simulated"];

/** What carries the flows: the engine's senders, or stacks of chunnels, in virtual time or over loopback UDP and a relay. */
export const CARRIERS = ["engine", "transport", "transport-udp"] as const;
export type Carrier = (typeof CARRIERS)[number];

const WORLDS: Readonly<Record<Carrier, { readonly testbed: Testbed; readonly stack?: StackSpec }>> = {
  engine: { testbed: SIMULATED },
  transport: { testbed: SIMULATED, stack: STREAM },
  "transport-udp": { testbed: UDP, stack: STREAM },
};

function scenarioOf(
  name: string,
  source: string,
  { mbps, rttMs, queuePackets, discipline, durationSec }: Bottleneck,
  contestants: readonly Contestant[],
  stack: StackSpec | undefined,
): Scenario {
  const [first, ...others] = contestants;
  const sentBy = stack && { stack };
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
    ...sentBy,
    ...(first!.changes && { changes: first!.changes }),
    flows: others.map(({ id, algorithm, startSec, stopSec, changes }) => ({
      id,
      algorithm,
      startSec,
      ...sentBy,
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
  /** default: the engine's senders */
  readonly over?: Carrier;
}

/** The first contestant starts at 0 and stays. @throws CcparkError (failed-precondition) if the world refuses the link */
export async function runShares(
  link: Bottleneck,
  contestants: readonly Contestant[],
  { name, source, seed, binSec = 1, over = "engine" }: ShareOptions,
): Promise<ShareRow[]> {
  const { testbed, stack } = WORLDS[over];
  const scenario = scenarioOf(name, source, link, contestants, stack);
  expectAccepts(testbed, scenario);
  const run = await testbed.open(scenario, seed, {
    control: () => crossTrafficAlgorithm(contestants[0]!.algorithm),
    algorithms: crossTrafficAlgorithm,
  });
  const rows: ShareRow[] = [];
  const before = contestants.map(() => 0);
  const bins = Math.round(link.durationSec / binSec);
  try {
    for (let bin = 0; bin < bins; bin++) {
      await run.runUntil(run.startNs + (bin + 1) * binSec * NANOS_PER_SEC);
      run.flows.forEach(({ path, mssBytes }, i) => {
        path!.advance(run.nowNs);
        const bytes = (path!.firstArrivedPackets - before[i]!) * mssBytes;
        before[i] = path!.firstArrivedPackets;
        rows.push({ flow: contestants[i]!.id, seed, atSec: bin * binSec, mbps: toMbps(bytes / binSec) });
      });
    }
  } finally {
    await run.close();
  }
  return rows;
}

/** Mean rate of a flow between two points of time. */
export function meanMbps(rows: readonly ShareRow[], flow: string, fromSec: number, toSec: number): Mbps {
  const kept = rows.filter((row) => row.flow === flow && row.atSec >= fromSec && row.atSec < toSec);
  return kept.reduce((sum, { mbps }) => sum + mbps, 0) / kept.length;
}
