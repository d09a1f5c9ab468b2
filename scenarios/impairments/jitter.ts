import { z } from "zod";
import { delayMs } from "../schema/ranges.ts";
import { byKind } from "../schema/shapes.ts";
import type { Impairment } from "./impairment.ts";

/** Extra delay per packet; without `reorder` a packet waits for the one before it. */
export type JitterSpec =
  | { readonly kind: "uniform"; readonly maxMs: number; readonly reorder?: boolean }
  | { readonly kind: "exponential"; readonly meanMs: number; readonly reorder?: boolean };

export const JITTER: Impairment = {
  schema: byKind<JitterSpec>({
    uniform: { fields: { maxMs: delayMs, reorder: z.boolean().optional() } },
    exponential: { fields: { meanMs: delayMs, reorder: z.boolean().optional() } },
  }).optional(),
  label: "jitter",
};
