import { z } from "zod";
import { delayMs, spanMs } from "../schema/ranges.ts";
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
    targetMs: spanMs.optional(),
    updateMs: spanMs.optional(),
    burstMs: delayMs.optional(),
    ecn: z.boolean().optional(),
  },
};
