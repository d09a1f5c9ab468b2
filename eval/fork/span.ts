/** What a flow got between two points of a run's time. */
import { NANOS_PER_MICRO, NANOS_PER_SEC, toMbps } from "../../core/units.ts";
import { powerScore } from "../../testbeds/score.ts";
import type { FlowPath, VirtualRun } from "../../testbeds/testbed.ts";

/** Counters of the flow under test. */
export interface Mark {
  readonly atNs: number;
  readonly arrivedPackets: number;
  readonly sentPackets: number;
  readonly droppedPackets: number;
  readonly queueDelaySumUs: number;
  readonly queueDelayCount: number;
  readonly cwndPackets: number;
  readonly servedBytes: number;
}

export interface Span {
  readonly fromSec: number;
  readonly toSec: number;
  readonly goodputMbps: number;
  /** of the packets that left the queue; NaN: none */
  readonly meanQueueDelayMs: number;
  /** dropped / sent; NaN: nothing was sent */
  readonly lossRate: number;
  readonly utilisation: number;
  /** as of a whole run: log2(goodput) - 0.5 log2(queueing delay), floored */
  readonly score: number;
}

export function markOf(run: VirtualRun): Mark {
  const flow = run.flows[0]!;
  const path = flow.path as FlowPath;
  path.advance(run.nowNs);
  const { queueDelay } = path.statistics;
  return {
    atNs: run.nowNs,
    arrivedPackets: path.firstArrivedPackets,
    sentPackets: flow.sentPackets,
    droppedPackets: path.droppedPackets,
    queueDelaySumUs: queueDelay.sumUs,
    queueDelayCount: queueDelay.count,
    cwndPackets: flow.cwndPackets,
    servedBytes: run.truth!.forward.servedBytes(run.nowNs),
  };
}

/** Without the noise of the clock's fractions. */
const wholeMicros = (nanos: number): number => Number((nanos / NANOS_PER_SEC).toFixed(6));

export function spanOf(run: VirtualRun, from: Mark, to: Mark): Span {
  const sec = (to.atNs - from.atNs) / NANOS_PER_SEC;
  const { mssBytes } = run.flows[0]!;
  const goodput = sec > 0 ? ((to.arrivedPackets - from.arrivedPackets) * mssBytes) / sec : 0;
  const delays = to.queueDelayCount - from.queueDelayCount;
  const delayUs = delays > 0 ? (to.queueDelaySumUs - from.queueDelaySumUs) / delays : Number.NaN;
  const sent = to.sentPackets - from.sentPackets;
  const capacityBytes = run.truth!.forward.capacityBytes(from.atNs, to.atNs);
  return {
    fromSec: wholeMicros(from.atNs - run.startNs),
    toSec: wholeMicros(to.atNs - run.startNs),
    goodputMbps: toMbps(goodput),
    meanQueueDelayMs: delayUs / 1000,
    lossRate: sent > 0 ? (to.droppedPackets - from.droppedPackets) / sent : Number.NaN,
    utilisation: capacityBytes > 0 ? (to.servedBytes - from.servedBytes) / capacityBytes : Number.NaN,
    // in silence the delay is at least the silence
    score: powerScore(goodput, delays > 0 ? delayUs : (to.atNs - from.atNs) / NANOS_PER_MICRO),
  };
}
