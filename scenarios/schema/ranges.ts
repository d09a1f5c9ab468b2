/**
 * Schemas of single values with their ranges, named as the fields that hold them. Every time and rate has two ends: a clock
 * that ticks faster than anything in it can notice costs more than all packets do, and a slower one never ticks.
 */
import * as z from "zod";
import type { Schema } from "./shapes.ts";

/** Mbit/s: a packet of 1500 bytes in 12 s; below it a run has nothing but timeouts in it. */
const MIN_MBPS = 0.001;
/** Mbit/s; above it one packet takes less than the simulator's nanosecond fractions are tested for. */
const MAX_MBPS = 400_000;
/** 0.1 ms, the time of a packet at 120 Mbit/s: what changes more often than this, packets see as its mean. */
export const MIN_CLOCK_SEC = 1e-4;
const MIN_CLOCK_MS = MIN_CLOCK_SEC * 1000;
/** One day. */
const MAX_DURATION_SEC = 86_400;
/** 1 us: light goes 200 m in fibre. Shorter round trips than two of them are within one rack, and ACKs clock no link then. */
const MIN_PROPAGATION_DELAY_MS = 0.001;
/** Farther than any satellite. */
const MAX_PROPAGATION_DELAY_MS = 10_000;
/** 1 us: an AQM's target below a packet's time at 12 Gbit/s would be a queue of no packet. */
const MIN_AQM_MS = 0.001;
/** Linux's floor of a quantum (fq_codel): with less, a packet takes many turns, each over all lines. */
const MIN_QUANTUM_BYTES = 256;
/** Linux's sch_sfq knows whole seconds; every change hashes all waiting packets anew. */
const MIN_PERTURB_SEC = 0.1;
/** 1.5 TB in packets: more than a day at 100 Mbit/s. */
const MAX_COUNT = 1_000_000_000;
/** Flows of one plan, senders of one incast: beyond what the networks are measured with. */
const MAX_FLOWS = 100_000;
/** The longest list of points, flows or links: beyond any source, far below what a mistake in a generator makes. */
const MAX_ENTRIES = 100_000;
/** Links of a scenario, links of a route: beyond any path and any fat tree that a packet simulator runs. */
export const MAX_LINKS = 1_000;
/** 1 TB: a transfer at 100 Gbit/s for over a minute. */
const MAX_BYTES = 1e12;
/** Below it headers are more than a sixth of every packet. */
const MIN_MTU_BYTES = 300;
/** What switches call jumbo frames. */
const MAX_MTU_BYTES = 9216;
/** Names stand in tables and on the wire. */
const MAX_NAME_LENGTH = 200;
/** A paragraph of words for a reader, or the path of a file. */
const MAX_WORDS_LENGTH = 4_096;
/** Transfers that begin in a second, over all senders: each is a flow that is made and measured. */
export const MAX_TRANSFERS_PER_SEC = 100_000;
/** Datagrams in a second: 100 Gbit/s in packets of 1250 bytes. */
export const MAX_DATAGRAMS_PER_SEC = 10_000_000;

/** What is 0 or less is told so: the lower end itself would be an odd answer to it. */
export function positive(low: number, high: number): z.ZodNumber {
  return z.number().gt(0).min(low).max(high);
}

/** Control characters and those that turn the direction of text: they would write to a terminal where a name is shown. */
const UNPRINTABLE = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
/** The same but for line ends and tabs. */
const UNPRINTABLE_IN_WORDS = /(?![\n\t])[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

/** a name */
export const text: z.ZodString = z
  .string()
  .min(1)
  .max(MAX_NAME_LENGTH)
  .refine((value) => !UNPRINTABLE.test(value), { error: "text without control characters" });
/** for a reader, may be empty */
export const words: z.ZodString = z
  .string()
  .max(MAX_WORDS_LENGTH)
  .refine((value) => !UNPRINTABLE_IN_WORDS.test(value), { error: "text without control characters" });
export const fraction: z.ZodNumber = z.number().min(0).max(1);
/** a fraction of packets that is lost, damaged or doubled */
export const lossRate: z.ZodNumber = z.number().min(0).lt(1);
export const mbps: z.ZodNumber = positive(MIN_MBPS, MAX_MBPS);
export const mbpsOrZero: z.ZodNumber = z
  .number()
  .min(0)
  .max(MAX_MBPS)
  .refine((value) => value === 0 || value >= MIN_MBPS, { error: `0, or >= ${MIN_MBPS}` });
/** a point in time */
export const timeSec: z.ZodNumber = z.number().min(0).max(MAX_DURATION_SEC);
export const laterSec: z.ZodNumber = z.number().gt(0).max(MAX_DURATION_SEC);
export const anyTimeSec: z.ZodNumber = z.number().min(-MAX_DURATION_SEC).max(MAX_DURATION_SEC);
/** a span that comes again, its mean where it is drawn */
export const clockSec: z.ZodNumber = positive(MIN_CLOCK_SEC, MAX_DURATION_SEC);
export const clockMs: z.ZodNumber = positive(MIN_CLOCK_MS, MAX_PROPAGATION_DELAY_MS);
export const perturbSec: z.ZodNumber = timeSec.refine((value) => value === 0 || value >= MIN_PERTURB_SEC, {
  error: `0, or >= ${MIN_PERTURB_SEC}`,
});
export const delayMs: z.ZodNumber = z.number().min(0).max(MAX_PROPAGATION_DELAY_MS);
export const flowDelayMs: z.ZodNumber = positive(MIN_PROPAGATION_DELAY_MS, MAX_PROPAGATION_DELAY_MS);
/** a target or an interval of an AQM */
export const aqmMs: z.ZodNumber = positive(MIN_AQM_MS, MAX_PROPAGATION_DELAY_MS);
export const count: z.ZodNumber = z.number().int().min(1).max(MAX_COUNT);
export const bytes: z.ZodNumber = z.number().int().min(1).max(MAX_BYTES);
export const mtuBytes: z.ZodNumber = z.number().int().min(MIN_MTU_BYTES).max(MAX_MTU_BYTES);
export const quantumBytes: z.ZodNumber = bytes.min(MIN_QUANTUM_BYTES);
export const meanBytes: z.ZodNumber = positive(1, MAX_BYTES);
export const flowCount: z.ZodNumber = count.max(MAX_FLOWS);
/** strict priority: 0 is served first */
export const priority: z.ZodNumber = z.number().int().min(0).max(255);

export function list(entry: Schema): z.ZodArray<Schema> {
  return z.array(entry).max(MAX_ENTRIES);
}

export function nonEmpty(entry: Schema): z.ZodArray<Schema> {
  return list(entry).min(1);
}
