/** A scenario and a seed become a network with the flow under test and what is around it, and measured quantities. */

import { type AlgorithmResolver, nativeAlgorithm } from "../../algorithms/resolver.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { Rng } from "../../core/random.ts";
import { MSS_BYTES, NANOS_PER_MILLI, NANOS_PER_SEC, type Nanos, toMbps } from "../../core/units.ts";
import { leadSec } from "../../scenarios/flows.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import { makeNetwork } from "../../sim/make-network.ts";
import type { Network, NetworkFlow, NetworkSpec } from "../../sim/network.ts";
import type { RunRecorder } from "../exports/recorder.ts";
import type { FlowMetrics, FlowSummary, TimeSeries, TransferSummary } from "../results.ts";
import { powerScore } from "../score.ts";
import { addIncast, addTransfers, datagramSpec, type TransferLog } from "../traffic/traffic.ts";
import {
  type PlanContext,
  type PlannedFlow,
  planDatagrams,
  planFlows,
  planLink,
  planTransfer,
} from "./network-plan.ts";

/** A flow of the scenario as it runs. */
export interface SimulatedFlow extends PlannedFlow {
  readonly flow: NetworkFlow;
}

export interface Simulation {
  readonly network: Network;
  /** the flow under test */
  readonly flow: NetworkFlow;
  /** it and the scenario's other flows; flows of generated traffic are not among them */
  readonly flows: readonly SimulatedFlow[];
  /** transfers of generated traffic */
  readonly transfers: TransferLog;
  /** of the flow under test */
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly seriesBinNs: Nanos;
  /** payload share of the wire bytes of a data packet */
  readonly payloadRatio: number;
}

export interface SimulateExtras {
  /** finds the algorithms that the scenario names for cross traffic; absent: reno, cubic and dctcp, native */
  readonly algorithms?: AlgorithmResolver;
  /** one control for each flow under test by its id, instead of one for all */
  readonly controlOf?: (id: string) => CongestionControlFactory;
  /** listens to the run, which the general engine carries out then */
  readonly recorder?: RunRecorder;
}

/** One factory per name: the flows of one CCP algorithm share a datapath and an agent. */
function resolveOnce(resolve: AlgorithmResolver): AlgorithmResolver {
  const resolved = new Map<string, CongestionControlFactory>();
  return (name) => {
    const known = resolved.get(name) ?? resolve(name);
    resolved.set(name, known);
    return known;
  };
}

/**
 * Builds the simulation; flows start when the network is run.
 * @param seed draws the start of the flow under test in U(0, 1 s), the trace offsets in U(0, period), the send jitter,
 *   unless fixed, and everything else that the scenario leaves to chance
 * @param seriesBinSec length of the bins of the time series; Infinity: none, and no one-way delays
 * @throws CcparkError (not-found) for an algorithm of cross traffic that the resolver does not know
 */
export function simulate(
  scenario: Scenario,
  seed: number,
  control: CongestionControlFactory,
  seriesBinSec: number,
  extras: SimulateExtras = {},
): Simulation {
  const rng = Rng.fromSeed(seed);
  const drawnStartSec = scenario.fixed?.startSec ?? rng.fork("flow.start").next();
  const startNs = (leadSec(scenario) + drawnStartSec) * NANOS_PER_SEC;
  const endNs = startNs + scenario.durationSec * NANOS_PER_SEC;
  const seriesBinNs = seriesBinSec * NANOS_PER_SEC;
  const context: PlanContext = {
    scenario,
    rng,
    zeroNs: startNs,
    seriesBinNs,
    controlOf: extras.controlOf ?? (() => control),
    algorithms: resolveOnce(extras.algorithms ?? nativeAlgorithm),
  };
  const { recorder } = extras;
  const planned = planFlows(context).map((flow, i) =>
    i === 0 && recorder !== undefined ? watched(flow, recorder) : flow,
  );
  const spec = networkSpec(context, planned);
  const transfers: TransferLog = { started: 0, completed: [] };
  const isOpen = hasTransfers(scenario) || recorder !== undefined;
  const network = isOpen ? new GeneralNetwork(spec, rng) : makeNetwork(spec, rng);
  if (network instanceof GeneralNetwork) {
    addTraffic(network, context, transfers, endNs);
    recorder?.watchNetwork(network);
  }
  return {
    network,
    flow: network.flows[0]!,
    flows: planned.map((each, i) => ({ ...each, flow: network.flows[i]! })),
    transfers,
    startNs,
    endNs,
    seriesBinNs,
    payloadRatio: MSS_BYTES / spec.forward.dataBytes,
  };
}

function networkSpec(context: PlanContext, planned: readonly PlannedFlow[]): NetworkSpec {
  const { scenario, rng, zeroNs } = context;
  const datagrams = (scenario.traffic ?? []).flatMap((traffic, i) =>
    traffic.kind === "datagrams"
      ? [
          datagramSpec(traffic, {
            ...planDatagrams(context, traffic, i),
            rng: rng.fork(`traffic.${i}`),
            zeroNs,
          }),
        ]
      : [],
  );
  return {
    forward: planLink(context, "forward", scenario.forward),
    reverse: planLink(context, "reverse", scenario.reverse),
    links: Object.entries(scenario.links ?? {}).map(([name, link]) => planLink(context, name, link)),
    flows: planned.map(({ spec }) => spec),
    datagrams,
  };
}

function hasTransfers({ traffic = [] }: Scenario): boolean {
  return traffic.some(({ kind }) => kind !== "datagrams");
}

function addTraffic(network: GeneralNetwork, context: PlanContext, log: TransferLog, endNs: Nanos): void {
  const { scenario, rng, zeroNs } = context;
  const sec = (endNs - zeroNs) / NANOS_PER_SEC;
  (scenario.traffic ?? []).forEach((traffic, i) => {
    const options = { rng: rng.fork(`traffic.${i}`), zeroNs, log };
    if (traffic.kind === "transfers") {
      const capacityBytesPerSec = network.forward.capacityBytes(zeroNs, endNs) / sec;
      const template = planTransfer(context, traffic, i);
      addTransfers(network, traffic, { ...options, template, capacityBytesPerSec });
    } else if (traffic.kind === "incast") {
      addIncast(network, traffic, { ...options, template: planTransfer(context, traffic, i) });
    }
  });
}

function watched(flow: PlannedFlow, recorder: RunRecorder): PlannedFlow {
  const { onStart } = flow.spec;
  return {
    ...flow,
    spec: {
      ...flow.spec,
      onStart: (started, network) => {
        recorder.watchFlow(started, network.nowNs);
        onStart?.(started, network);
      },
    },
  };
}

/** The measured quantities from the flow's start until now. */
export function measure({ network, flow, startNs }: Simulation): FlowMetrics {
  const { nowNs } = network;
  const servedBytes = network.forward.servedBytes(nowNs) - flow.servedBytesAtStart;
  flow.advance(nowNs);
  const durationSec = (nowNs - startNs) / NANOS_PER_SEC;
  const goodputBytesPerSec = durationSec > 0 ? (flow.firstArrivedPackets * MSS_BYTES) / durationSec : 0;
  const couldServeBytes = network.forward.capacityBytes(startNs, nowNs);
  const { queueDelay, oneWayDelay } = flow.statistics;
  const sentPackets = flow.sender?.sentPackets ?? 0;
  return {
    durationSec,
    goodputMbps: toMbps(goodputBytesPerSec),
    utilisation: couldServeBytes > 0 ? servedBytes / couldServeBytes : 0,
    meanQueueDelayMs: queueDelay.meanUs() / 1000,
    p95QueueDelayMs: queueDelay.quantileUs(0.95) / 1000,
    meanOneWayDelayMs: (oneWayDelay?.meanUs() ?? Number.NaN) / 1000,
    p95OneWayDelayMs: (oneWayDelay?.quantileUs(0.95) ?? Number.NaN) / 1000,
    lossRate: sentPackets > 0 ? flow.droppedPackets / sentPackets : 0,
    score: powerScore(goodputBytesPerSec, queueDelay.meanUs()),
    sentPackets,
    droppedPackets: flow.droppedPackets,
    servedBytes,
    wastedBytes: couldServeBytes - servedBytes,
  };
}

/** The flow's course in whole bins up to now; call `measure` before. */
export function timeSeries(simulation: Simulation): TimeSeries {
  const { network, flow, startNs, seriesBinNs, payloadRatio } = simulation;
  const { statistics } = flow;
  const bins =
    seriesBinNs === Number.POSITIVE_INFINITY ? 0 : Math.round((network.nowNs - startNs) / seriesBinNs);
  const binSec = seriesBinNs / NANOS_PER_SEC;
  statistics.onTime(startNs + bins * seriesBinNs + 1, flow.sender?.cwndPackets ?? 0);
  const timeSec: number[] = [];
  const throughputMbps: number[] = [];
  const capacityMbps: number[] = [];
  const queueDelayMs: number[] = [];
  const cwndPackets: number[] = [];
  let heldDelayMs = 0;
  for (let bin = 0; bin < bins; bin++) {
    const fromNs = startNs + bin * seriesBinNs;
    timeSec.push((bin + 1) * binSec);
    throughputMbps.push(toMbps(((statistics.binDelivered[bin] ?? 0) * MSS_BYTES) / binSec));
    capacityMbps.push(
      toMbps((network.forward.capacityBytes(fromNs, fromNs + seriesBinNs) * payloadRatio) / binSec),
    );
    const count = statistics.binDelayCount[bin] ?? 0;
    if (count > 0) heldDelayMs = statistics.binDelaySumUs[bin]! / count / 1000;
    queueDelayMs.push(heldDelayMs);
    cwndPackets.push(statistics.binCwndPackets[bin] ?? 0);
  }
  return { binSec, timeSec, throughputMbps, capacityMbps, queueDelayMs, cwndPackets };
}

/** Each flow of the scenario over its own life up to now; call `measure` before. */
export function summariseFlows(simulation: Simulation): FlowSummary[] {
  const { network, flows } = simulation;
  const { nowNs } = network;
  return flows.map(({ id, algorithm, isBackward, spec, flow }) => {
    flow.advance(nowNs);
    const { statistics, firstArrivedPackets, droppedPackets, sender } = flow;
    const durationSec = Math.max(0, Math.min(nowNs, spec.stopNs) - spec.startNs) / NANOS_PER_SEC;
    const sentPackets = sender?.sentPackets ?? 0;
    return {
      id,
      algorithm,
      direction: isBackward ? "backward" : "forward",
      startSec: (spec.startNs - simulation.startNs) / NANOS_PER_SEC,
      durationSec,
      goodputMbps: durationSec > 0 ? toMbps((firstArrivedPackets * MSS_BYTES) / durationSec) : 0,
      meanQueueDelayMs: statistics.queueDelay.meanUs() / 1000,
      p95OneWayDelayMs: (statistics.oneWayDelay?.quantileUs(0.95) ?? Number.NaN) / 1000,
      lossRate: sentPackets > 0 ? droppedPackets / sentPackets : 0,
      sentPackets,
      droppedPackets,
    };
  });
}

/** Completion times of the transfers so far. */
export function summariseTransfers({ transfers }: Simulation): TransferSummary {
  const sortedMs = transfers.completed
    .map(({ startNs, completedNs }) => (completedNs - startNs) / NANOS_PER_MILLI)
    .sort((a, b) => a - b);
  const count = sortedMs.length;
  const quantile = (q: number): number => (count === 0 ? 0 : sortedMs[Math.ceil(q * count) - 1]!);
  return {
    started: transfers.started,
    completed: count,
    meanMs: count === 0 ? 0 : sortedMs.reduce((sum, each) => sum + each, 0) / count,
    medianMs: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
  };
}
