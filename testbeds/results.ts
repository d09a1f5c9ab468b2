/** What a run yields: the measured quantities, the same for every contender, and its course over time. */

import type { Mbps } from "../core/units.ts";
import type { Recordings } from "./exports/recorder.ts";
import type { Fairness, FlowShare } from "./fairness.ts";
import type { RunTiming } from "./testbed.ts";
import type { StreamDelays } from "./traffic/media.ts";

/**
 * Measured quantities of one flow on one bottleneck over its life: from its start until now, or until all that a finite
 * flow had to send is acknowledged. NaN (null in JSON) is what has no value: the mean of no packets, a share of nothing.
 * - goodput: payload bytes first delivered / time
 * - utilisation: wire bytes the bottleneck served / wire bytes it could have served
 * - queueing delay: dequeue start - enqueue at the bottleneck, over the packets that have left it
 * - one-way delay: from leaving the sender to arriving at the receiver, over the packets that have arrived
 * - loss rate: dropped / sent, a fraction
 * - score: log2(max(goodput in B/s, 1448)) - 0.5 log2(max(mean queueing delay in us, 1000)); where nothing arrived, as if one
 *   packet per second had waited for the whole life, which is less than anything that arrived can get
 */
export interface FlowMetrics extends Partial<Completion> {
  /** of a call, by stream */
  readonly frames?: readonly StreamDelays[];
  readonly durationSec: number;
  readonly goodputMbps: Mbps;
  readonly utilisation: number;
  readonly meanQueueDelayMs: number;
  readonly p95QueueDelayMs: number;
  /** NaN where runs do not measure it: those without time series */
  readonly meanOneWayDelayMs: number;
  readonly p95OneWayDelayMs: number;
  readonly lossRate: number;
  readonly score: number;
  readonly sentPackets: number;
  readonly droppedPackets: number;
  /** wire bytes that the bottleneck served, and that it could have served but had nothing to serve */
  readonly servedBytes: number;
  readonly wastedBytes: number;
}

/** Of a finite flow: whether and when it was done. */
export interface Completion {
  /** from its start until all is acknowledged; NaN (null in JSON): it was not by the end of the run */
  readonly completionMs: number;
  /** from its start, where the scenario gives one */
  readonly deadlineSec?: number;
  /** absent: no deadline, or the run ended before it came */
  readonly deadlineMet?: boolean;
}

/** Equal bins over the flow's life; all arrays have one entry per bin, `timeSec` is the end of the bin. */
export interface TimeSeries {
  readonly binSec: number;
  readonly timeSec: readonly number[];
  /** payload delivered in the bin, at the receiver */
  readonly throughputMbps: readonly Mbps[];
  /** payload that the bottleneck could have delivered in the bin */
  readonly capacityMbps: readonly Mbps[];
  /** mean over the packets that left the queue in the bin; the last value is held where none did, NaN before the first */
  readonly queueDelayMs: readonly number[];
  /** at the end of the bin */
  readonly cwndPackets: readonly number[];
  /** of several forward flows: each one's part of what arrived, in bins from when all of them are there */
  readonly shares?: readonly FlowShare[];
}

/** One flow of a scenario over its own life. */
export interface FlowSummary extends Partial<Completion> {
  /** of a call, by stream */
  readonly frames?: readonly StreamDelays[];
  readonly id: string;
  /** `test`: under test */
  readonly algorithm: string;
  readonly direction: "forward" | "backward";
  /** from the start of the flow under test */
  readonly startSec: number;
  readonly durationSec: number;
  readonly goodputMbps: Mbps;
  readonly meanQueueDelayMs: number;
  readonly p95OneWayDelayMs: number;
  readonly lossRate: number;
  readonly sentPackets: number;
  readonly droppedPackets: number;
}

/**
 * Completion times of generated transfers, from a transfer's start to the arrival of its last byte; nearest rank. NaN (null
 * in JSON) where none completed.
 */
export interface TransferSummary {
  readonly started: number;
  readonly completed: number;
  readonly meanMs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How the actions of a policy came in real time; an action is late when a report came before it. */
export interface DecisionTiming {
  readonly count: number;
  readonly late: number;
  readonly missedReports: number;
  /** from the end of a step to the action of the next */
  readonly meanLatenessUs: number;
  readonly maxLatenessUs: number;
}

/** What an environment would have shown of a run, step by step. */
export interface RecordedSteps {
  /** float32 [steps + 1, observation]: the last is what the last step led to */
  readonly observations: Float32Array;
  /** float32 [steps, action], what comes nearest to what was done */
  readonly actions: Float32Array;
  /** float64 [steps] */
  readonly rewards: Float64Array;
}

export interface RunResult {
  /** the world that ran it */
  readonly testbed: string;
  readonly metrics: FlowMetrics;
  /** mean reward per step, over steps of equal length, computed from the same counters for every contender */
  readonly reward: number;
  readonly rewardName: string;
  readonly series: TimeSeries;
  /** where the scenario has more than one */
  readonly flows?: readonly FlowSummary[];
  /**
   * Jain's index of the forward flows' goodput, where there are two or more: each over its own life, or where some are
   * finite over the time in which all are there. Absent where they never are, or where nothing arrived.
   */
  readonly jainIndex?: number;
  /** the same flows while all are there, by other measures; absent as the index, and where there are no bins */
  readonly fairness?: Fairness;
  /** where the scenario generates transfers */
  readonly transfers?: TransferSummary;
  /** in real time: how far the world kept its promises */
  readonly timing?: RunTiming;
  /** of the programs that carried its packets, where they are not this one */
  readonly commandLine?: string;
  /** in real time, of a policy */
  readonly decisions?: DecisionTiming;
  /** where the run was recorded: by format */
  readonly recordings?: Recordings;
  /** of the first flow, where that was asked for */
  readonly steps?: RecordedSteps;
}
