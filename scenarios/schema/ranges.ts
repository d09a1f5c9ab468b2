/** Schemas of single values with their ranges, named as the fields that hold them. */
import { z } from "zod";
import type { Schema } from "./shapes.ts";

/** Mbit/s; above it one packet takes less than the simulator's nanosecond fractions are tested for. */
const MAX_MBPS = 100_000;
/** One day. */
const MAX_DURATION_SEC = 86_400;
/** Farther than any satellite. */
const MAX_PROPAGATION_DELAY_MS = 10_000;
/** Flows of one plan, senders of one incast: beyond what the networks are measured with. */
const MAX_FLOWS = 100_000;
/** The longest list of points, flows or links: beyond any source, far below what a mistake in a generator makes. */
const MAX_ENTRIES = 100_000;
/** 1 TB: a transfer at 100 Gbit/s for over a minute. */
const MAX_BYTES = 1e12;

export const text: z.ZodString = z.string().min(1);
export const fraction: z.ZodNumber = z.number().min(0).max(1);
/** a fraction of packets that is lost, damaged or doubled */
export const lossRate: z.ZodNumber = z.number().min(0).lt(1);
export const mbps: z.ZodNumber = z.number().gt(0).max(MAX_MBPS);
export const mbpsOrZero: z.ZodNumber = z.number().min(0).max(MAX_MBPS);
export const timeSec: z.ZodNumber = z.number().min(0).max(MAX_DURATION_SEC);
export const spanSec: z.ZodNumber = z.number().gt(0).max(MAX_DURATION_SEC);
export const anyTimeSec: z.ZodNumber = z.number().min(-MAX_DURATION_SEC).max(MAX_DURATION_SEC);
export const delayMs: z.ZodNumber = z.number().min(0).max(MAX_PROPAGATION_DELAY_MS);
export const flowDelayMs: z.ZodNumber = z.number().gt(0).max(MAX_PROPAGATION_DELAY_MS);
export const spanMs: z.ZodNumber = z.number().gt(0).max(MAX_PROPAGATION_DELAY_MS);
export const count: z.ZodNumber = z.number().int().min(1);
export const bytes: z.ZodNumber = z.number().int().min(1).max(MAX_BYTES);
export const meanBytes: z.ZodNumber = z.number().gt(0).max(MAX_BYTES);
export const flowCount: z.ZodNumber = count.max(MAX_FLOWS);
/** strict priority: 0 is served first */
export const priority: z.ZodNumber = z.number().int().min(0).max(255);

export function list(entry: Schema): z.ZodArray<Schema> {
  return z.array(entry).max(MAX_ENTRIES);
}

export function nonEmpty(entry: Schema): z.ZodArray<Schema> {
  return list(entry).min(1);
}
