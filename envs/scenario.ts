/**
 * A scenario: one bottleneck per direction and the flow under test, with units in names. Plain data, so that it can be
 * stored beside a result. Presets live in `scenarios/`.
 */
import type { Mbps } from "../core/units.ts";

/** How the capacity of one direction behaves. */
export type RateSpec =
  | { readonly kind: "constant"; readonly mbps: Mbps }
  /** Replayed by mm-link's rules: each entry is one opportunity of 1504 bytes, the last entry is the period. */
  | { readonly kind: "trace"; readonly name: string; readonly opportunitiesMs: readonly number[] }
  | { readonly kind: "unlimited" };

/** Drop-tail limits; a missing limit is no limit. */
export interface QueueSpec {
  readonly packets?: number;
  readonly bytes?: number;
}

export interface DirectionSpec {
  readonly rate: RateSpec;
  readonly queue: QueueSpec;
  /** Bernoulli loss on entering the link, a fraction 0-1 */
  readonly lossRate: number;
}

export interface Scenario {
  readonly name: string;
  /** where the parameters come from */
  readonly source: string;
  readonly description: string;
  /** data direction */
  readonly forward: DirectionSpec;
  /** ACK direction */
  readonly reverse: DirectionSpec;
  /** one way, the same in both directions */
  readonly propagationDelayMs: number;
  /** from the flow's start to the end of the episode */
  readonly durationSec: number;
  /** delayed: an ACK for every second packet or after 40 ms; per-packet: one each */
  readonly ackPolicy: "delayed" | "per-packet";
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
