/**
 * A scenario: links, flows and traffic around the flow under test, with units in names. Plain data, so that it can be
 * stored beside a result. Presets and files live in `scenarios/`.
 *
 * Every scenario has two measured links, `forward` (data of the flow under test) and `reverse` (its ACKs); further hops are
 * named in `links` and joined by routes. Times are seconds from the start of the flow under test.
 */
import type { Mbps } from "../core/units.ts";
import type { DisciplineSpec } from "./discipline.ts";
import type { AckPolicy, SenderOptions } from "./sender-options.ts";

/** How the capacity of one direction behaves. */
export type RateSpec =
  | { readonly kind: "constant"; readonly mbps: Mbps }
  /**
   * Replayed by mm-link's rules: each entry is one opportunity of 1504 bytes, the last entry is the period.
   * `end`: what follows the last entry; absent: loop.
   */
  | {
      readonly kind: "trace";
      readonly name: string;
      readonly opportunitiesMs: readonly number[];
      readonly end?: "loop" | "stop";
    }
  | { readonly kind: "unlimited" }
  /** Constant between the points; the first holds before its time too. Rate 0 is an outage in which packets wait. */
  | { readonly kind: "steps"; readonly points: readonly RatePoint[]; readonly periodSec?: number }
  /** Linear between the points, constant before the first and after the last. */
  | { readonly kind: "ramp"; readonly points: readonly RatePoint[]; readonly periodSec?: number }
  /** Dwells in a state for an exponential time, then goes to one of the others with equal probability. */
  | { readonly kind: "markov"; readonly states: readonly MarkovState[] }
  /** A new rate every `everySec`, uniform between the two. */
  | {
      readonly kind: "random-steps";
      readonly minMbps: Mbps;
      readonly maxMbps: Mbps;
      readonly everySec: number;
    }
  /** Opportunities of 1504 bytes as a Poisson process of this mean rate. */
  | { readonly kind: "poisson"; readonly mbps: Mbps };

export interface RatePoint {
  readonly atSec: number;
  readonly mbps: Mbps;
}

export interface MarkovState {
  readonly mbps: Mbps;
  readonly meanSec: number;
}

/** Limits of the whole queue (a missing limit is no limit) and what it does before they are reached. */
export interface QueueSpec {
  readonly packets?: number;
  readonly bytes?: number;
  /** absent: drop-tail */
  readonly discipline?: DisciplineSpec;
}

/** One link: what happens to a packet on entering, in the queue, in service and on the wire, in this order. */
export interface DirectionSpec {
  /** drops what exceeds a token bucket, before everything else */
  readonly policer?: { readonly mbps: Mbps; readonly burstBytes: number };
  /** what arrives in these times is lost */
  readonly blackholes?: readonly TimeSpan[];
  /** Bernoulli loss on entering the link, a fraction 0-1 */
  readonly lossRate: number;
  /** two-state loss (Gilbert 1960, Elliott 1963): transitions per packet, then loss by state */
  readonly gilbertElliott?: {
    readonly goodToBad: number;
    readonly badToGood: number;
    readonly lossInGood?: number;
    readonly lossInBad?: number;
  };
  /** every n-th packet is lost, the first after `offset` packets */
  readonly periodicLoss?: { readonly everyPackets: number; readonly offsetPackets?: number };
  /** an ACK is thinned out: of the ACKs that wait in the queue for one flow, only the newest stays */
  readonly ackThinning?: boolean;
  readonly queue: QueueSpec;
  readonly rate: RateSpec;
  /** no service in these times; packets wait */
  readonly outages?: readonly TimeSpan[];
  /** fraction of packets that arrive damaged: they use the link, and the receiver throws them away */
  readonly corruptionRate?: number;
  /** fraction of packets that arrive twice */
  readonly duplicationRate?: number;
  /** packets go on together at the next multiple of the period (Wi-Fi and cable aggregation); `maxPackets` at most in one */
  readonly slots?: { readonly everyMs: number; readonly maxPackets?: number };
  /** this link's own propagation delay, beside the flows'; absent: 0 */
  readonly delayMs?: number;
  /** extra delay per packet; without `reorder` a packet waits for the one before it */
  readonly jitter?: JitterSpec;
}

export interface TimeSpan {
  readonly fromSec: number;
  readonly toSec: number;
}

export type JitterSpec =
  | { readonly kind: "uniform"; readonly maxMs: number; readonly reorder?: boolean }
  | { readonly kind: "exponential"; readonly meanMs: number; readonly reorder?: boolean };

/** A one-way propagation delay over time. */
export type DelaySpec =
  | { readonly kind: "steps"; readonly points: readonly DelayPoint[]; readonly periodSec?: number }
  /** linear between the points: a recorded delay */
  | { readonly kind: "trace"; readonly points: readonly DelayPoint[]; readonly periodSec?: number }
  /** every `everyMs` up or down by up to `stepMs`, reflected at the bounds */
  | {
      readonly kind: "random-walk";
      readonly startMs: number;
      readonly everyMs: number;
      readonly stepMs: number;
      readonly minMs: number;
      readonly maxMs: number;
    };

export interface DelayPoint {
  readonly atSec: number;
  readonly delayMs: number;
}

/** Names of links in the order of travel: `forward`, `reverse` or a key of `links`. */
export interface RouteSpec {
  readonly forward: readonly string[];
  readonly reverse: readonly string[];
}

/** What a flow has to send; absent: always more than it can. */
export type ApplicationSpec =
  | { readonly kind: "bulk" }
  /** one transfer, then the flow ends */
  | { readonly kind: "finite"; readonly bytes: number }
  /** bulk for an exponential time, silent for an exponential time */
  | { readonly kind: "on-off"; readonly meanOnSec: number; readonly meanOffSec: number }
  /** as much as a constant rate makes */
  | { readonly kind: "constant-rate"; readonly mbps: Mbps }
  /** frames at a frame rate, every n-th a key frame: log-normal sizes around the mean */
  | {
      readonly kind: "video";
      readonly mbps: Mbps;
      readonly framesPerSec?: number;
      readonly keyFrameEvery?: number;
      readonly keyFrameRatio?: number;
      readonly sigma?: number;
    }
  /** transfers one after the other with exponential pauses, sizes uniform */
  | {
      readonly kind: "short-transfers";
      readonly minBytes: number;
      readonly maxBytes: number;
      readonly meanOffSec: number;
    }
  /** bulk except in these times */
  | { readonly kind: "pauses"; readonly pauses: readonly TimeSpan[] };

/** One flow, or `count` alike. */
export interface FlowPlan {
  /** absent: `flow-N` by its place */
  readonly id?: string;
  readonly count?: number;
  /** `test`: under test like the first flow, in an environment with its own agent; otherwise a named algorithm */
  readonly algorithm: string;
  /** backward: its data go where the others' ACKs go; absent: forward */
  readonly direction?: "forward" | "backward";
  /** from the start of the flow under test, negative: before it; absent: 0 */
  readonly startSec?: number;
  /** each flow starts later by U(0, this); absent: 0 */
  readonly startJitterSec?: number;
  /** of `count` flows each starts so much after the one before; absent: 0 */
  readonly startEverySec?: number;
  /** absent: it stays */
  readonly stopSec?: number;
  /** one way; absent: the scenario's */
  readonly propagationDelayMs?: number;
  /** each flow's round trip is scaled by U(1 - this, 1 + this); absent: 0 */
  readonly propagationSpread?: number;
  readonly delay?: { readonly forward?: DelaySpec; readonly reverse?: DelaySpec };
  readonly route?: RouteSpec;
  readonly application?: ApplicationSpec;
  readonly sender?: SenderOptions;
  readonly ackPolicy?: AckPolicy;
  /** strict priority: 0 is served first; absent: 0 */
  readonly priority?: number;
}

/** Sizes of transfers, bytes. */
export type SizeSpec =
  | { readonly kind: "fixed"; readonly bytes: number }
  | { readonly kind: "uniform"; readonly minBytes: number; readonly maxBytes: number }
  | { readonly kind: "exponential"; readonly meanBytes: number }
  | {
      readonly kind: "pareto";
      readonly shape: number;
      readonly minBytes: number;
      readonly maxBytes: number;
    }
  /** heavy-tailed, web-like: 97.6 % of requests are 10 KB or less */
  | { readonly kind: "web" }
  /** piecewise linear between points of the distribution function, which ends at 1 */
  | {
      readonly kind: "empirical";
      readonly points: readonly { readonly bytes: number; readonly probability: number }[];
    };

export type TrafficSpec =
  /** finite flows that arrive as a Poisson process; give `load` (a fraction of the forward link) or `flowsPerSec` */
  | {
      readonly kind: "transfers";
      readonly algorithm: string;
      readonly sizes: SizeSpec;
      readonly load?: number;
      readonly flowsPerSec?: number;
      readonly direction?: "forward" | "backward";
      readonly startSec?: number;
      readonly stopSec?: number;
      readonly propagationDelayMs?: number;
      readonly route?: RouteSpec;
      readonly sender?: SenderOptions;
      readonly ackPolicy?: AckPolicy;
    }
  /** N senders that each send one transfer at the same time, again and again */
  | {
      readonly kind: "incast";
      readonly algorithm: string;
      readonly senders: number;
      readonly bytes: number;
      /** each sender starts within U(0, this) */
      readonly jitterUs?: number;
      readonly startSec?: number;
      /** absent: once */
      readonly everySec?: number;
      readonly propagationDelayMs?: number;
      readonly sender?: SenderOptions;
      readonly ackPolicy?: AckPolicy;
    }
  /** packets without feedback (UDP) */
  | {
      readonly kind: "datagrams";
      readonly arrivals: "constant" | "poisson";
      readonly mbps: Mbps;
      /** wire bytes; absent: 1500 each */
      readonly sizes?: SizeSpec;
      readonly direction?: "forward" | "backward";
      readonly startSec?: number;
      readonly stopSec?: number;
      readonly propagationDelayMs?: number;
      readonly route?: RouteSpec;
      readonly priority?: number;
    };

/** Id of the flow under test that every scenario has. */
export const FIRST_FLOW = "flow-0";

export interface Scenario {
  readonly name: string;
  /** where the parameters come from */
  readonly source: string;
  readonly description: string;
  /** data direction */
  readonly forward: DirectionSpec;
  /** ACK direction */
  readonly reverse: DirectionSpec;
  /** further links by name, for routes */
  readonly links?: Readonly<Record<string, DirectionSpec>>;
  /** of the flow under test, and of flows without one; absent: `forward` and `reverse` alone */
  readonly route?: RouteSpec;
  /** one way, the same in both directions unless `reversePropagationDelayMs` is given */
  readonly propagationDelayMs: number;
  /** the ACK direction's; absent: the same */
  readonly reversePropagationDelayMs?: number;
  /** changes over time instead of the constants; of the flow under test, and of flows without one */
  readonly delay?: { readonly forward?: DelaySpec; readonly reverse?: DelaySpec };
  /** from the flow's start to the end of the episode */
  readonly durationSec: number;
  readonly ackPolicy: AckPolicy;
  readonly sender?: SenderOptions;
  /** what the flow under test has to send */
  readonly application?: ApplicationSpec;
  /** flows beside the flow under test */
  readonly flows?: readonly FlowPlan[];
  readonly traffic?: readonly TrafficSpec[];
  /** What a seed draws unless the scenario fixes it (absent: drawn). */
  readonly fixed?: {
    /** seconds from the beginning of the simulation; absent: U(0, 1 s) */
    readonly startSec?: number;
    /** milliseconds into the trace; absent: U(0, period) */
    readonly traceOffsetMs?: number;
    /** upper bound of the uniform per-packet send jitter, microseconds; 0: none */
    readonly sendJitterUs?: number;
  };
}
