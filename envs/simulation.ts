/** A scenario and a seed become a network with one flow under test, and its measured quantities. */
import type { CongestionControlFactory } from "../ccp-bridge/congestion-control.ts";
import { Rng } from "../core/random.ts";
import {
  ACK_BYTES,
  fromMbps,
  MSS_BYTES,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  type Nanos,
  PACKET_BYTES,
  TUN_HEADER_BYTES,
  toMbps,
} from "../core/units.ts";
import type { FlowMetrics, TimeSeries } from "./results.ts";
import { powerScore } from "./rewards.ts";
import type { DirectionSpec, Scenario } from "./scenario.ts";
import { FifoNetwork } from "./sim/fifo-network.ts";
import type { LinkSpec, Network, NetworkFlow } from "./sim/network.ts";
import type { LinkRate } from "./sim/servers/rate.ts";

/** Send jitter of a packet is drawn from U(0, 20 us): the scheduling noise of a quiet host, far below a packet time. */
export const DEFAULT_SEND_JITTER_US = 20;

export interface Simulation {
  readonly network: Network;
  readonly flow: NetworkFlow;
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly seriesBinNs: Nanos;
  /** payload share of the wire bytes of a data packet */
  readonly payloadRatio: number;
  /** one way, of the data direction */
  readonly propagationMs: number;
}

function linkRate(direction: DirectionSpec, offsetMs: number | undefined, rng: Rng): LinkRate {
  const { rate } = direction;
  switch (rate.kind) {
    case "constant":
      return { kind: "constant", rateBytesPerSec: fromMbps(rate.mbps) };
    case "unlimited":
      return rate;
    case "trace": {
      const { opportunitiesMs } = rate;
      const periodMs = opportunitiesMs[opportunitiesMs.length - 1]!;
      const drawn = rng.uniform(0, periodMs);
      const offsetNs = (offsetMs === undefined ? drawn : offsetMs % periodMs) * NANOS_PER_MILLI;
      return { kind: "trace", opportunitiesMs, offsetNs };
    }
    default:
      throw new Error(`rate ${rate.kind} is not wired yet`);
  }
}

function linkSpec(direction: DirectionSpec, offsetMs: number | undefined, rng: Rng): LinkSpec {
  const tunBytes = direction.rate.kind === "trace" ? TUN_HEADER_BYTES : 0;
  return {
    rate: linkRate(direction, offsetMs, rng),
    queue: {
      packets: direction.queue.packets ?? Number.POSITIVE_INFINITY,
      bytes: direction.queue.bytes ?? Number.POSITIVE_INFINITY,
    },
    lossRate: direction.lossRate,
    dataBytes: PACKET_BYTES + tunBytes,
    ackBytes: ACK_BYTES + tunBytes,
  };
}

/**
 * Builds the simulation; the flow starts when the network is run.
 * @param seed draws the flow's start in U(0, 1 s), the trace offsets in U(0, period) and the send jitter, unless fixed
 * @param seriesBinSec length of the bins of the time series; Infinity: none
 */
export function simulate(
  scenario: Scenario,
  seed: number,
  control: CongestionControlFactory,
  seriesBinSec: number,
): Simulation {
  const rng = Rng.fromSeed(seed);
  const fixed = scenario.fixed ?? {};
  const startNs = (fixed.startSec ?? rng.fork("flow.start").next()) * NANOS_PER_SEC;
  const endNs = startNs + scenario.durationSec * NANOS_PER_SEC;
  const forward = linkSpec(scenario.forward, fixed.traceOffsetMs, rng.fork("forward.offset"));
  const reverse = linkSpec(scenario.reverse, fixed.traceOffsetMs, rng.fork("reverse.offset"));
  const seriesBinNs = seriesBinSec * NANOS_PER_SEC;
  const network = new FifoNetwork(
    {
      forward,
      reverse,
      flows: [
        {
          control,
          startNs,
          stopNs: Number.POSITIVE_INFINITY,
          propagationNs: scenario.propagationDelayMs * NANOS_PER_MILLI,
          ackPolicy: scenario.ackPolicy,
          sendJitterNs: (fixed.sendJitterUs ?? DEFAULT_SEND_JITTER_US) * NANOS_PER_MICRO,
          seriesBinNs,
        },
      ],
    },
    rng,
  );
  const payloadRatio = MSS_BYTES / forward.dataBytes;
  const propagationMs = scenario.propagationDelayMs;
  return { network, flow: network.flows[0]!, startNs, endNs, seriesBinNs, payloadRatio, propagationMs };
}

/** The measured quantities from the flow's start until now. */
export function measure({ network, flow, startNs, propagationMs }: Simulation): FlowMetrics {
  const { nowNs } = network;
  const servedBytes = network.forward.servedBytes(nowNs) - flow.servedBytesAtStart;
  flow.advance(nowNs);
  const durationSec = (nowNs - startNs) / NANOS_PER_SEC;
  const goodputBytesPerSec = durationSec > 0 ? (flow.firstArrivedPackets * MSS_BYTES) / durationSec : 0;
  const couldServeBytes = network.forward.capacityBytes(startNs, nowNs);
  const { queueDelay } = flow.statistics;
  const sentPackets = flow.sender?.sentPackets ?? 0;
  return {
    durationSec,
    goodputMbps: toMbps(goodputBytesPerSec),
    utilisation: couldServeBytes > 0 ? servedBytes / couldServeBytes : 0,
    meanQueueDelayMs: queueDelay.meanUs() / 1000,
    p95QueueDelayMs: queueDelay.quantileUs(0.95) / 1000,
    meanOneWayDelayMs: propagationMs + queueDelay.meanUs() / 1000,
    p95OneWayDelayMs: propagationMs + queueDelay.quantileUs(0.95) / 1000,
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
