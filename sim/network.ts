/**
 * What a network of links and flows is, whichever runs it, in virtual time. Two networks implement it:
 * `fifo-network.ts`, fast, for one drop-tail bottleneck per direction, and `general-network.ts` for everything else.
 * Where both can run a spec they give the same bytes; `makeNetwork` takes the fast one then.
 */
import type { CongestionControlFactory } from "../ccp-bridge/congestion-control.ts";
import type { Bytes, Nanos } from "../core/units.ts";
import type { Sender } from "../engine/sender.ts";
import type { DisciplineSpec } from "../scenarios/disciplines/registry.ts";
import type { AckPolicy, SenderOptions } from "../scenarios/sender-options.ts";
import type { FlowStatistics } from "./flow-statistics.ts";
import type { Impairments } from "./general/impairments/impairments.ts";
import type { QueueLimit } from "./general/link.ts";
import type { DelayProcess } from "./servers/delay-process.ts";
import type { LinkRate } from "./servers/make-server.ts";
import type { Outage } from "./servers/outages.ts";

export interface LinkSpec {
  readonly rate: LinkRate;
  readonly queue: QueueLimit;
  /** Bernoulli loss before the queue, 0-1 */
  readonly lossRate: number;
  /** absent: drop-tail */
  readonly discipline?: DisciplineSpec;
  /** what else happens to packets on entering and on leaving the link */
  readonly impairments?: Impairments;
  /** no service in these times; packets wait */
  readonly outages?: readonly Outage[];
  /** the link's own propagation delay, beside the flows'; absent: 0 */
  readonly propagationNs?: Nanos;
  /** largest IP packet, which queueing disciplines take for a full one; absent: 1500 */
  readonly mtuBytes?: Bytes;
  /** wire bytes of a data packet and of a pure ACK on this link; a datagram brings its own */
  readonly dataBytes: Bytes;
  readonly ackBytes: Bytes;
}

export interface FlowSpec {
  readonly control: CongestionControlFactory;
  readonly startNs: Nanos;
  /** Infinity: never */
  readonly stopNs: Nanos;
  /** one way, data direction; the ACK direction's is the same unless given */
  readonly propagationNs: Nanos;
  readonly reversePropagationNs?: Nanos;
  readonly ackPolicy: AckPolicy;
  readonly sender?: SenderOptions;
  /** payload of a full segment; absent: 1448. The links' `dataBytes` are those of its packets on the wire */
  readonly mssBytes?: Bytes;
  /** upper bound of the uniform send jitter per packet; 0: none */
  readonly sendJitterNs: Nanos;
  /** bins of the time series; Infinity: none */
  readonly seriesBinNs: Nanos;
  /** measure one-way delays too (queueing delays always are) */
  readonly oneWayDelay?: boolean;
  /** numbers of links in the order of travel; absent: forward alone, reverse alone */
  readonly route?: Route;
  /** one-way propagation delays that change over time, instead of the constants; a flow's packets keep their order */
  readonly delay?: { readonly forward?: DelayProcess; readonly reverse?: DelayProcess };
  /** strict priority: 0 is served first; absent: 0 */
  readonly priority?: number;
  /** its packets come from outside, and who sends them keeps its books too: it never starts by itself */
  readonly isOutside?: boolean;
  /** number of its path among those of `OutsideSpec`, where a real link carries its packets */
  readonly path?: number;
  /**
   * Called once when the flow starts, before its first packet: attaches an application. Absent: a bulk flow.
   * @param sender of packets from outside; absent: the flow's own
   */
  readonly onStart?: (flow: NetworkFlow, network: Network, sender?: Supplied) => void;
}

/** What an application supplies with data. */
export type Supplied = Pick<Sender, "mssBytes" | "supply" | "withdraw" | "finish" | "onDrained">;

/** Links by number: 0 is forward, 1 is reverse, 2 and up are the further ones. */
export interface Route {
  readonly forward: readonly number[];
  readonly reverse: readonly number[];
}

/** Packets without feedback: a Poisson process or a constant rate of any sizes. */
export interface DatagramSpec {
  readonly startNs: Nanos;
  /** Infinity: never */
  readonly stopNs: Nanos;
  /** between two packets, drawn for each; must be >= 0 */
  readonly gapNs: () => Nanos;
  /** wire bytes, drawn for each packet; may have fractions */
  readonly bytes: () => Bytes;
  readonly route: readonly number[];
  readonly propagationNs: Nanos;
  readonly priority?: number;
}

/** Packets of others that come to the forward link at once: one a nanosecond, the first a nanosecond after the start. */
export interface BurstSpec {
  readonly startNs: Nanos;
  readonly packets: number;
  /** wire bytes of each */
  readonly bytes: Bytes;
  /** from the link to whoever they are for */
  readonly propagationNs: Nanos;
}

/** What a path is, whoever's packets take it: as of a flow. */
export type PathSpec = Pick<
  FlowSpec,
  "route" | "propagationNs" | "reversePropagationNs" | "delay" | "priority"
>;

/** Packets from outside, such as those of a device: the general network alone carries them. */
export interface OutsideSpec {
  /** each has two ways: 2 * i there, 2 * i + 1 back */
  readonly paths: readonly PathSpec[];
  /** how many flows they are told apart as, by a number below */
  readonly flows: number;
}

export interface NetworkSpec {
  readonly forward: LinkSpec;
  readonly reverse: LinkSpec;
  /** further links, for routes */
  readonly links?: readonly LinkSpec[];
  readonly flows: readonly FlowSpec[];
  readonly datagrams?: readonly DatagramSpec[];
  readonly burst?: BurstSpec;
  readonly outside?: OutsideSpec;
}

/** One flow as its user sees it. */
export interface NetworkFlow {
  readonly index: number;
  readonly spec: FlowSpec;
  readonly statistics: FlowStatistics;
  /** undefined until the flow starts */
  readonly sender: Sender | undefined;
  /** packets that are at the receiver, and those of them that brought a payload for the first time, as of `advance` */
  readonly arrivedPackets: number;
  readonly firstArrivedPackets: number;
  /** data packets dropped anywhere on their way */
  readonly droppedPackets: number;
  /** wire bytes that the measured link had served when the flow started */
  readonly servedBytesAtStart: Bytes;
  /** Brings the counts of arrived packets up to now. */
  advance(nowNs: Nanos): void;
}

/** What is measured of a link. */
export interface LinkMeter {
  readonly offeredPackets: number;
  /** by the queue, not by loss before it */
  readonly droppedPackets: number;
  readonly queuedPackets: number;
  readonly queuedBytes: Bytes;
  readonly maxQueuedPackets: number;
  readonly maxQueuedBytes: Bytes;
  /** Wire bytes of the packets that have departed by now. */
  servedBytes(nowNs: Nanos): Bytes;
  /** Bytes that could have been served in (fromNs, toNs]. */
  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes;
}

export interface Network {
  readonly nowNs: Nanos;
  /** the measured links of the two directions */
  readonly forward: LinkMeter;
  readonly reverse: LinkMeter;
  /** flows of the spec, in its order */
  readonly flows: readonly NetworkFlow[];
  /** Runs `run` at a point of virtual time, before the packets of that instant. */
  schedule(atNs: Nanos, run: () => void): void;
  /** Makes `runUntil` return after the event at hand. */
  requestStop(): void;
  /** Something changed between events (a decision, new data to send): plan the flow's next packet anew. */
  refresh(flow: NetworkFlow): void;
  /**
   * Runs all events up to and including `untilNs`.
   * @returns true if it got there, false if a stop was requested before
   */
  runUntil(untilNs: Nanos): boolean;
  /** Its memory serves the next network, and nothing may be asked of this one any more. To be called once at most. */
  release(): void;
}
