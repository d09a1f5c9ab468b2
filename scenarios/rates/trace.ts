import * as z from "zod";
import { type BytesPerSec, TUN_HEADER_BYTES, toMbps } from "../../core/units.ts";
import { checkOpportunities, OPPORTUNITY_BYTES, TraceError } from "../../traces/mahimahi.ts";
import { words } from "../schema/ranges.ts";
import { complain } from "../schema/shapes.ts";
import type { RateKind } from "./rate-kind.ts";

/** Replayed by mm-link's rules: each entry is one opportunity of 1504 bytes, the last entry is the period. */
export interface TraceRate {
  readonly kind: "trace";
  readonly name: string;
  readonly opportunitiesMs: readonly number[];
  /** what follows the last entry; absent: loop */
  readonly end?: "loop" | "stop";
}

const opportunities = z
  .custom<number[]>((value) => Array.isArray(value), { error: "a list of whole milliseconds" })
  .superRefine((value, complaints) => {
    try {
      checkOpportunities(value, "opportunitiesMs");
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      complain(complaints, [error.line - 1], error.message.split(", expected ").at(-1)!);
    }
  });

function meanBytesPerSec({ opportunitiesMs }: TraceRate): BytesPerSec | undefined {
  const periodMs = opportunitiesMs.at(-1) ?? 0;
  return periodMs > 0 ? (opportunitiesMs.length * OPPORTUNITY_BYTES * 1000) / periodMs : undefined;
}

/** A trace's name without the folder it lies in, which differs between machines. */
export function traceBaseName({ name }: Pick<TraceRate, "name">): string {
  return name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
}

export const TRACE: RateKind<TraceRate> = {
  fields: { name: words.min(1), opportunitiesMs: opportunities, end: z.enum(["loop", "stop"]).optional() },
  peakMbps(rate) {
    const mean = meanBytesPerSec(rate);
    return mean === undefined ? undefined : toMbps(mean);
  },
  meanBytesPerSec,
  label: traceBaseName,
  headerBytes: TUN_HEADER_BYTES,
  memoryBytes: (rate) => rate.opportunitiesMs.length * Float64Array.BYTES_PER_ELEMENT,
};
