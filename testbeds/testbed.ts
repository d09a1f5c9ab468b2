/**
 * A testbed is a world that can run a scenario: the simulator in virtual time, or real packets in real time. A run is one
 * scenario with one seed in it. Environments, measured runs and the evaluation know worlds only through this contract.
 *
 *   open ──▶ runUntil (stops at `untilNs`, or earlier where a call-back asked for it) ──▶ ... ──▶ close
 *
 * Times are nanoseconds on the run's own clock, which begins at 0 when the run is opened. What a world cannot know is
 * absent with a reason, never zero.
 */
import type { AlgorithmResolver } from "../algorithms/cross-traffic.ts";
import type { FlowAlgorithm } from "../ccp-bridge/in-process-flow.ts";
import type { AckObserver } from "../ccp-bridge/observed-control.ts";
import { CcparkError } from "../core/errors.ts";
import type { Bytes, BytesPerSec, Micros, Nanos } from "../core/units.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import type { MoveTarget } from "../scenarios/traffic/named-flows.ts";
import type { FlowStatistics } from "../sim/flow-statistics.ts";
import type { LinkMeter } from "../sim/network.ts";
import type { RecordedFormat, RunRecorder } from "./exports/recorder.ts";
import type { FlowLife } from "./lives.ts";
import type { MediaCall } from "./traffic/media.ts";
import type { TransferLog } from "./traffic/traffic.ts";

export type { LinkMeter } from "../sim/network.ts";

/** `seriesBinSec` of a run whose course nobody looks at. */
export const NO_SERIES: number = Number.POSITIVE_INFINITY;

export interface OpenOptions {
  /**
   * The congestion control of each flow under test, by its id; called once for each flow, when the run is opened. Flows of
   * one CCP algorithm share a datapath and an agent, which knows them by their ids (`FlowInfo.name`).
   */
  readonly control: (flowId: string) => FlowAlgorithm;
  /** sees the ACKs of a flow under test; where they are counted outside of this process, several come as one event */
  readonly observer?: (flowId: string) => AckObserver | undefined;
  /** finds the algorithms that the scenario names for cross traffic; absent: those that need no agent */
  readonly algorithms?: AlgorithmResolver;
  /** bins of the flows' time series, or NO_SERIES; absent: one-way delays are not measured either */
  readonly seriesBinSec?: number;
  /** listens to the run; for what the testbed `records` */
  readonly recorder?: RunRecorder;
}

interface TestbedFacts {
  /** as on the command line and in results */
  readonly name: string;
  /** one sentence: what moves the packets, and what that needs */
  readonly summary: string;
  /** what of a run can be recorded packet by packet */
  readonly records: readonly RecordedFormat[];
  /** One sentence why it cannot run the scenario, or why not on this machine; undefined: it can. */
  refuses(scenario: Scenario): string | undefined;
}

/** The same scenario, seed and decisions give the same bytes, and time stands still between calls. */
export interface VirtualTestbed extends TestbedFacts {
  readonly clock: "virtual";
  /** @throws CcparkError (not-found) for an algorithm of cross traffic that the resolver does not know */
  open(scenario: Scenario, seed: number, options: OpenOptions): VirtualRun;
}

/** Time goes on between calls: what was decided late acts late. */
export interface RealTimeTestbed extends TestbedFacts {
  readonly clock: "real";
  /** @throws CcparkError (failed-precondition) with the sentence of `refuses` */
  open(scenario: Scenario, seed: number, options: OpenOptions): Promise<RealTimeRun>;
}

export type Testbed = VirtualTestbed | RealTimeTestbed;

/** What the owner of a flow's sender knows of it. */
export interface RunFlow {
  readonly id: string;
  /** `test`, or the name of the algorithm */
  readonly algorithm: string;
  readonly isBackward: boolean;
  /** of a finite one: when it ended, and by when it should have */
  readonly life: FlowLife | undefined;
  /** of a call: how late its frames are; absent: it is none, or the world does not know */
  readonly call?: MediaCall | undefined;
  readonly startNs: Nanos;
  /** Infinity: never */
  readonly stopNs: Nanos;
  /** one way, as the scenario has them */
  readonly propagationNs: Nanos;
  readonly reversePropagationNs: Nanos;
  /** payload of a full segment */
  readonly mssBytes: Bytes;
  readonly hasStarted: boolean;
  /** all that it will ever send has been acknowledged */
  readonly isComplete: boolean;
  /** ACKs that its sender has processed */
  readonly acks: number;
  readonly sentPackets: number;
  readonly deliveredPackets: number;
  readonly lostPackets: number;
  readonly timeouts: number;
  readonly inflightPackets: number;
  /** 0 before its start */
  readonly cwndPackets: number;
  /** undefined: ACK-clocked */
  readonly pacingRateBytesPerSec: BytesPerSec | undefined;
  /** 0 before the first sample */
  readonly srttUs: Micros;
  /** 0 before the first sample */
  readonly minRttUs: Micros;
  /** what became of its packets; known to who owns the path */
  readonly path?: FlowPath;
}

/** What became of a flow's packets on their way. */
export interface FlowPath {
  readonly statistics: FlowStatistics;
  /** payloads that reached the receiver for the first time, as of `advance` */
  readonly firstArrivedPackets: number;
  readonly droppedPackets: number;
  /** wire bytes that the measured link had served when the flow started */
  readonly servedBytesAtStart: Bytes;
  /** Brings the counts up to now. */
  advance(nowNs: Nanos): void;
}

/** What the owner of the links knows of them. */
export interface LinkTruth {
  /** the measured links of the two directions */
  readonly forward: LinkMeter;
  readonly reverse: LinkMeter;
  /** all links of the scenario: forward, reverse, then the further ones in their order */
  readonly links: readonly LinkMeter[];
  /** payload share of the wire bytes of a data packet */
  readonly payloadRatio: number;
}

/** Paths, parents and shares, chosen from outside. */
export interface OverlayChoices {
  /** @param value 0 to 1: place in the flow's list of choices, or its weight in a split */
  choose(flowId: string, value: number): void;
}

interface RunFacts {
  readonly nowNs: Nanos;
  /** of the flow under test */
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  /** flows of the scenario, the first flow under test before the others; those of generated traffic are not among them */
  readonly flows: readonly RunFlow[];
  /** transfers of generated traffic */
  readonly transfers: TransferLog;
  /** payloads of each forward flow that arrived while all of them were there; absent: all are endless */
  readonly shares?: () => readonly number[] | undefined;
  /** what flows of an overlay choose; absent: there is none */
  readonly overlay?: OverlayChoices | undefined;
  /** Infinity: none */
  readonly seriesBinNs: Nanos;
  readonly truth?: LinkTruth;
  /** why there is no `truth` */
  readonly truthAbsent?: string;
  /**
   * What the flow sends from now on takes these links where its route says `forward` and `reverse`, until somebody or the scenario moves
   * it again; window, estimates and counts go along. Absent: the flows of this world stay.
   * @throws CcparkError: not-found, invalid-argument for links that it cannot take, failed-precondition for a scenario in which none moves
   */
  move?(flowId: string, to: MoveTarget): void;
  /** Calls at a point of the run's time, before the packets of that instant. */
  schedule(atNs: Nanos, call: () => void): void;
  /** Makes `runUntil` return after the event at hand; to be called from call-backs. */
  requestStop(): void;
}

export interface VirtualRun extends RunFacts {
  /** @returns true when `untilNs` was reached, false when a stop was asked for before */
  runUntil(untilNs: Nanos): boolean;
  close(): void;
  /** What it holds serves the next run, and nothing may be asked of this one any more; may be called twice. Absent: nothing could serve another. */
  release?(): void;
}

export interface RealTimeRun extends RunFacts {
  /**
   * The same. Time begins with the first call and goes on between calls; when it settles it may have gone a little beyond
   * `untilNs`, and for a time that has passed it settles at once. Call-backs come only while somebody waits in it or in between, never before the first call.
   */
  runUntil(untilNs: Nanos): Promise<boolean>;
  /** Gives sockets and threads back; may be called twice. */
  close(): Promise<void>;
  /** How far the world itself kept its promises: what a difference to another world may come from. */
  readonly timing: RunTiming;
  /** programs that carry its packets, as one would start them by hand; absent: none but this one, or they do not run yet */
  readonly commandLine?: readonly string[] | undefined;
}

/** How late things happened that a real clock cannot do at once. */
export interface RunTiming {
  /** packets against the time at which the link model let them go */
  readonly packetLatenessUs: Lateness;
  /** packets that the world lost outside the link model, such as in full socket buffers */
  readonly strayLosses: number;
}

export interface Lateness {
  readonly medianUs: Micros;
  readonly p99Us: Micros;
  readonly maxUs: Micros;
}

export type Run = VirtualRun | RealTimeRun;

/** @throws CcparkError (failed-precondition) where a world does not know its link */
export function expectTruth(run: Pick<Run, "truth" | "truthAbsent">): LinkTruth {
  if (run.truth !== undefined) return run.truth;
  throw new CcparkError("failed-precondition", `[testbed] the link is not known: ${run.truthAbsent}`);
}

/** @throws CcparkError as `Run.move`, and failed-precondition in a world whose flows stay */
export function moveFlow(run: Pick<Run, "move">, flowId: string, to: MoveTarget): void {
  if (run.move === undefined) {
    throw new CcparkError("failed-precondition", "[testbed] flows move in the simulator alone");
  }
  run.move(flowId, to);
}

/** @throws CcparkError (failed-precondition) with the testbed's sentence if it cannot run the scenario */
export function expectAccepts(testbed: Testbed, scenario: Scenario): void {
  const why = testbed.refuses(scenario);
  if (why === undefined) return;
  throw new CcparkError(
    "failed-precondition",
    `[testbed] ${testbed.name} cannot run ${scenario.name}: ${why}`,
    {
      field: "testbed",
    },
  );
}

/** It has started, and neither stopped nor sent all that it will ever send. */
export function isLive(flow: RunFlow, nowNs: Nanos): boolean {
  return flow.hasStarted && !flow.isComplete && flow.stopNs > nowNs;
}
