/**
 * How the capacity of one direction behaves: every kind of rate, one file each. A new kind is a member of the type and an
 * entry of the table; schema, buffers, labels and memory follow from its file.
 */
import type { Bytes, BytesPerSec, Mbps } from "../../core/units.ts";
import { byKind, type Schema } from "../schema/shapes.ts";
import { CONSTANT, type ConstantRate } from "./constant.ts";
import { MARKOV, type MarkovRate } from "./markov.ts";
import { POISSON, type PoissonRate } from "./poisson.ts";
import { RAMP, type RampRate } from "./ramp.ts";
import { RANDOM_STEPS, type RandomStepsRate } from "./random-steps.ts";
import type { RateKind } from "./rate-kind.ts";
import { STEPS, type StepsRate } from "./steps.ts";
import { TRACE, type TraceRate } from "./trace.ts";
import { UNLIMITED, type UnlimitedRate } from "./unlimited.ts";

export type RateSpec =
  | ConstantRate
  | TraceRate
  | UnlimitedRate
  | StepsRate
  | RampRate
  | MarkovRate
  | RandomStepsRate
  | PoissonRate;

const KINDS: { readonly [K in RateSpec["kind"]]: RateKind<Extract<RateSpec, { readonly kind: K }>> } = {
  constant: CONSTANT,
  trace: TRACE,
  unlimited: UNLIMITED,
  steps: STEPS,
  ramp: RAMP,
  markov: MARKOV,
  "random-steps": RANDOM_STEPS,
  poisson: POISSON,
};

export const RATE_SCHEMA: Schema = byKind<RateSpec>(KINDS);

function kindOf(rate: RateSpec): RateKind<RateSpec> {
  return KINDS[rate.kind] as RateKind<RateSpec>;
}

/** The highest rate of a schedule, the long-term mean of opportunities; undefined: no limit. */
export function peakMbps(rate: RateSpec): Mbps | undefined {
  return kindOf(rate).peakMbps(rate);
}

/** Long-term rate on the wire (of a schedule: the mean of its points); undefined: no limit. */
export function meanRateBytesPerSec(rate: RateSpec): BytesPerSec | undefined {
  return kindOf(rate).meanBytesPerSec(rate);
}

/** A few words for a reader: `48 Mbit/s`, `lte-driving`. */
export function rateLabel(rate: RateSpec): string {
  return kindOf(rate).label(rate);
}

/** Bytes that the link carries with each packet beside the packet's own. */
export function rateHeaderBytes(rate: RateSpec): Bytes {
  return kindOf(rate).headerBytes ?? 0;
}

/** What a run of so many seconds keeps of a rate in memory. */
export function rateMemoryBytes(rate: RateSpec, durationSec: number): Bytes {
  return kindOf(rate).memoryBytes?.(rate, durationSec) ?? 0;
}

/** How often a rate changes or draws, whether or not packets come. */
export function rateChangesPerSec(rate: RateSpec): number {
  return kindOf(rate).changesPerSec?.(rate) ?? 0;
}
