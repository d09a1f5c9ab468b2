/** Measured quantities of a run, the same for every world and contender, from the run's own books. */
import { assert } from "../core/errors.ts";
import { MSS_BYTES, NANOS_PER_MILLI, NANOS_PER_SEC, toMbps } from "../core/units.ts";
import type { FlowMetrics, FlowSummary, TimeSeries, TransferSummary } from "./results.ts";
import { powerScore } from "./score.ts";
import { expectTruth, type FlowPath, type Run, type RunFlow } from "./testbed.ts";

/**
 * The measured quantities from the start of the flow under test until now. NaN where the world does not know: the link's
 * without `truth`, and the path's without `FlowPath`, where goodput is what the sender knows to be delivered.
 */
export function measure({ nowNs, flows, startNs, truth }: Run): FlowMetrics {
  const flow = flows[0]!;
  const { path, sentPackets } = flow;
  const served = truth === undefined ? Number.NaN : truth.forward.servedBytes(nowNs);
  path?.advance(nowNs);
  const servedBytes = served - (path?.servedBytesAtStart ?? Number.NaN);
  const durationSec = (nowNs - startNs) / NANOS_PER_SEC;
  const arrivedBytes = (path?.firstArrivedPackets ?? flow.deliveredPackets) * MSS_BYTES;
  const goodputBytesPerSec = durationSec > 0 ? arrivedBytes / durationSec : 0;
  const couldServeBytes = truth?.forward.capacityBytes(startNs, nowNs) ?? Number.NaN;
  const delayUs = path?.statistics.queueDelay.meanUs() ?? Number.NaN;
  const { queueDelay, oneWayDelay } = path?.statistics ?? {};
  const droppedPackets = path?.droppedPackets ?? flow.lostPackets;
  return {
    durationSec,
    goodputMbps: toMbps(goodputBytesPerSec),
    utilisation: couldServeBytes === 0 ? 0 : servedBytes / couldServeBytes,
    meanQueueDelayMs: delayUs / 1000,
    p95QueueDelayMs: (queueDelay?.quantileUs(0.95) ?? Number.NaN) / 1000,
    meanOneWayDelayMs: (oneWayDelay?.meanUs() ?? Number.NaN) / 1000,
    p95OneWayDelayMs: (oneWayDelay?.quantileUs(0.95) ?? Number.NaN) / 1000,
    lossRate: sentPackets > 0 ? droppedPackets / sentPackets : 0,
    score: powerScore(goodputBytesPerSec, delayUs),
    sentPackets,
    droppedPackets,
    servedBytes,
    wastedBytes: couldServeBytes - servedBytes,
  };
}

/** The flow's course in whole bins up to now; call `measure` before. */
export function timeSeries(run: Run): TimeSeries {
  const { nowNs, startNs, seriesBinNs } = run;
  const { forward, payloadRatio } = expectTruth(run);
  const flow = run.flows[0]!;
  const { statistics } = expectPath(flow);
  const bins = seriesBinNs === Number.POSITIVE_INFINITY ? 0 : Math.round((nowNs - startNs) / seriesBinNs);
  const binSec = seriesBinNs / NANOS_PER_SEC;
  statistics.onTime(startNs + bins * seriesBinNs + 1, flow.cwndPackets);
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
    const durationSec = Math.max(0, Math.min(nowNs, flow.stopNs) - flow.startNs) / NANOS_PER_SEC;
    return {
      id,
      algorithm,
      direction: flow.isBackward ? "backward" : "forward",
      startSec: (flow.startNs - startNs) / NANOS_PER_SEC,
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
export function summariseTransfers({ transfers }: Run): TransferSummary {
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

function expectPath(flow: RunFlow): FlowPath {
  assert(flow.path !== undefined, "the world knows what became of the packets");
  return flow.path;
}
