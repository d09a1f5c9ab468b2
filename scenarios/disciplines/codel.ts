import * as z from "zod";
import { aqmMs } from "../schema/ranges.ts";
import { type Complaints, complain, type Kind } from "../schema/shapes.ts";

/** RFC 8289. */
export interface CodelSpec {
  readonly kind: "codel";
  readonly targetMs?: number;
  readonly intervalMs?: number;
  readonly ecn?: boolean;
}

/** Of CoDel, alone or in each of FQ-CoDel's lines. */
export function checkControl(
  { targetMs, intervalMs }: { readonly targetMs?: number; readonly intervalMs?: number },
  complaints: Complaints,
): void {
  if (targetMs !== undefined && intervalMs !== undefined && intervalMs <= targetMs) {
    complain(complaints, ["intervalMs"], `> ${targetMs} (targetMs)`);
  }
}

export const CODEL: Kind<CodelSpec> = {
  fields: { targetMs: aqmMs.optional(), intervalMs: aqmMs.optional(), ecn: z.boolean().optional() },
  check: checkControl,
};
