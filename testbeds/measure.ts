/** Measured quantities of a run, the same for every world and contender, from the run's own books. */
import { assert } from "../core/errors.ts";
import {
  type Micros,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  type Nanos,
  toMbps,
} from "../core/units.ts";
import type { DelayHistogram } from "../sim/delay-histogram.ts";
import type { Completion, FlowMetrics, FlowSummary, TimeSeries, TransferSummary } from "./results.ts";
import { powerScore } from "./score.ts";
import { expectTruth, type FlowPath, type Run, type RunFlow } from "./testbed.ts";

/**
 * The measured quantities over the life of the flow under test, until now at the latest. NaN where the world does not know:
 * the link's without `truth`, and the path's without `FlowPath`, where goodput is what the sender knows to be delivered.
 */
export function measure({ nowNs, flows, startNs, truth }: Run): FlowMetrics {
  const flow = flows[0]!;
  const { path, sentPackets } = flow;
  const endNs = endOf(flow, nowNs);
  // brings the books of the link up to now
  const served = truth === undefined ? Number.NaN : truth.forward.servedBytes(nowNs);
  path?.advance(nowNs);
  const servedBytes =
    (flow.life?.completed?.servedBytes ?? served) - (path?.servedBytesAtStart ?? Number.NaN);
  const durationSec = (endNs - startNs) / NANOS_PER_SEC;
  const arrivedBytes = (path?.firstArrivedPackets ?? flow.deliveredPackets) * flow.mssBytes;
  const goodputBytesPerSec = durationSec > 0 ? arrivedBytes / durationSec : 0;
  const couldServeBytes = truth?.forward.capacityBytes(startNs, endNs) ?? Number.NaN;
  const { queueDelay, oneWayDelay } = path?.statistics ?? {};
  const meanQueueDelayUs = meanUs(queueDelay);
  const droppedPackets = path?.droppedPackets ?? flow.lostPackets;
  return {
    durationSec: toNanosecond(durationSec),
    goodputMbps: toMbps(goodputBytesPerSec),
    utilisation: ratio(servedBytes, couldServeBytes),
    meanQueueDelayMs: meanQueueDelayUs / 1000,
    p95QueueDelayMs: p95Us(queueDelay) / 1000,
    meanOneWayDelayMs: meanUs(oneWayDelay) / 1000,
    p95OneWayDelayMs: p95Us(oneWayDelay) / 1000,
    lossRate: ratio(droppedPackets, sentPackets),
    score:
      path !== undefined && arrivedBytes === 0
        ? powerScore(0, (endNs - startNs) / NANOS_PER_MICRO)
        : powerScore(goodputBytesPerSec, meanQueueDelayUs),
    sentPackets,
    droppedPackets,
    servedBytes,
    wastedBytes: couldServeBytes - servedBytes,
    ...(flow.call && { frames: flow.call.delays(nowNs) }),
    ...completionOf(flow, nowNs),
  };
}

/** Seconds as somebody would write them: a run that begins at a fraction of a nanosecond lasts 1 s, not 0.9999999999999999. */
export function toNanosecond(sec: number): number {
  return Number(sec.toFixed(9));
}

/** When its life ended, now at the latest. */
function endOf({ life, stopNs }: RunFlow, nowNs: Nanos): Nanos {
  return Math.min(nowNs, stopNs, life?.completed?.atNs ?? Number.POSITIVE_INFINITY);
}

/** Empty for a flow without an end. */
function completionOf({ life, startNs }: RunFlow, nowNs: Nanos): Partial<Completion> {
  if (life === undefined) return {};
  const { deadlineSec } = life;
  const completionMs = ((life.completed?.atNs ?? Number.NaN) - startNs) / NANOS_PER_MILLI;
  if (deadlineSec === undefined) return { completionMs };
  const isDecided = life.completed !== undefined || nowNs - startNs >= deadlineSec * NANOS_PER_SEC;
  const deadlineMet = completionMs <= deadlineSec * 1000;
  return { completionMs, deadlineSec, ...(isDecided && { deadlineMet }) };
}

/** NaN of an empty sample, and where there is none. */
function meanUs(delays: DelayHistogram | undefined): Micros {
  return delays === undefined || delays.count === 0 ? Number.NaN : delays.meanUs();
}

/** The same. */
function p95Us(delays: DelayHistogram | undefined): Micros {
  return delays === undefined || delays.count === 0 ? Number.NaN : delays.quantileUs(0.95);
}

/** NaN: a share of nothing. */
function ratio(part: number, whole: number): number {
  return whole === 0 ? Number.NaN : part / whole;
}

/** The flow's course in whole bins up to now; call `measure` before. */
export function timeSeries(run: Run): TimeSeries {
  const { nowNs, startNs, seriesBinNs } = run;
  const { forward, payloadRatio } = expectTruth(run);
  const flow = run.flows[0]!;
  const { statistics } = expectPath(flow);
  const bins = seriesBinNs === Number.POSITIVE_INFINITY ? 0 : Math.round((nowNs - startNs) / seriesBinNs);
  const binSec = seriesBinNs / NANOS_PER_SEC;
  if (bins > 0) statistics.onTime(startNs + bins * seriesBinNs + 1, flow.cwndPackets);
  const timeSec: number[] = [];
  const throughputMbps: number[] = [];
  const capacityMbps: number[] = [];
  const queueDelayMs: number[] = [];
  const cwndPackets: number[] = [];
  let heldDelayMs = Number.NaN;
  for (let bin = 0; bin < bins; bin++) {
    const fromNs = startNs + bin * seriesBinNs;
    timeSec.push((bin + 1) * binSec);
    throughputMbps.push(toMbps(((statistics.binDelivered[bin] ?? 0) * flow.mssBytes) / binSec));
    capacityMbps.push(toMbps((forward.capacityBytes(fromNs, fromNs + seriesBinNs) * payloadRatio) / binSec));
    const count = statistics.binDelayCount[bin] ?? 0;
    if (count > 0) heldDelayMs = statistics.binDelaySumUs[bin]! / count / 1000;
    queueDelayMs.push(heldDelayMs);
    cwndPackets.push(statistics.binCwndPackets[bin] ?? 0);
  }
  return { binSec, timeSec, throughputMbps, capacityMbps, queueDelayMs, cwndPackets };
}

/** Each flow of the scenario over its own life up to now; call `measure` before. */
export function summariseFlows({ nowNs, startNs, flows }: Run): FlowSummary[] {
  return flows.map((flow) => {
    const path = expectPath(flow);
    path.advance(nowNs);
    const { statistics, firstArrivedPackets, droppedPackets } = path;
    const { id, algorithm, sentPackets } = flow;
    const durationSec = Math.max(0, endOf(flow, nowNs) - flow.startNs) / NANOS_PER_SEC;
    return {
      id,
      algorithm,
      direction: flow.isBackward ? "backward" : "forward",
      startSec: (flow.startNs - startNs) / NANOS_PER_SEC,
      durationSec: toNanosecond(durationSec),
      goodputMbps: durationSec > 0 ? toMbps((firstArrivedPackets * flow.mssBytes) / durationSec) : 0,
      meanQueueDelayMs: meanUs(statistics.queueDelay) / 1000,
      p95OneWayDelayMs: p95Us(statistics.oneWayDelay) / 1000,
      lossRate: ratio(droppedPackets, sentPackets),
      sentPackets,
      droppedPackets,
      ...(flow.call && { frames: flow.call.delays(nowNs) }),
      ...completionOf(flow, nowNs),
    };
  });
}

/** Completion times of the transfers so far. */
export function summariseTransfers({ transfers }: Run): TransferSummary {
  const sortedMs = transfers.completed
    .map(({ startNs, completedNs }) => (completedNs - startNs) / NANOS_PER_MILLI)
    .sort((a, b) => a - b);
  const count = sortedMs.length;
  const quantile = (q: number): number => sortedMs[Math.ceil(q * count) - 1] ?? Number.NaN;
  return {
    started: transfers.started,
    completed: count,
    meanMs: ratio(
      sortedMs.reduce((sum, each) => sum + each, 0),
      count,
    ),
    medianMs: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
  };
}

function expectPath(flow: RunFlow): FlowPath {
  assert(flow.path !== undefined, "the world knows what became of the packets");
  return flow.path;
}
