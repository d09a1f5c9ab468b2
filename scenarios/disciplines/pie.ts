import * as z from "zod";
import { aqmMs, clockMs, delayMs } from "../schema/ranges.ts";
import type { Kind } from "../schema/shapes.ts";

/** RFC 8033. */
export interface PieSpec {
  readonly kind: "pie";
  readonly targetMs?: number;
  readonly updateMs?: number;
  readonly burstMs?: number;
  readonly ecn?: boolean;
}

export const PIE: Kind<PieSpec> = {
  fields: {
    targetMs: aqmMs.optional(),
    updateMs: clockMs.optional(),
    burstMs: delayMs.optional(),
    ecn: z.boolean().optional(),
  },
};
