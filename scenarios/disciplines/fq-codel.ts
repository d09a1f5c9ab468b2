import * as z from "zod";
import { aqmMs, quantumBytes } from "../schema/ranges.ts";
import type { Kind } from "../schema/shapes.ts";
import { checkControl } from "./codel.ts";
import { bucketCount } from "./lines.ts";

/** RFC 8290. */
export interface FqCodelSpec {
  readonly kind: "fq-codel";
  readonly buckets?: number;
  readonly quantumBytes?: number;
  readonly targetMs?: number;
  readonly intervalMs?: number;
  readonly ecn?: boolean;
}

export const FQ_CODEL: Kind<FqCodelSpec> = {
  fields: {
    buckets: bucketCount.optional(),
    quantumBytes: quantumBytes.optional(),
    targetMs: aqmMs.optional(),
    intervalMs: aqmMs.optional(),
    ecn: z.boolean().optional(),
  },
  check: checkControl,
};
