import * as z from "zod";
import { aqmMs, fraction } from "../schema/ranges.ts";
import type { Kind } from "../schema/shapes.ts";

/**
 * RFC 9332 with appendix A: packets of ECT(1) and CE in the L queue, the others in the classic one. Delays are
 * `targetMs` of the classic queue and, in the L queue, the ramp of marking from `minThresholdMs` on over `rangeMs`.
 */
export interface DualPi2Spec {
  readonly kind: "dualpi2";
  readonly targetMs?: number;
  /** the largest RTT that the controller is stable for */
  readonly maxRttMs?: number;
  readonly minThresholdMs?: number;
  readonly rangeMs?: number;
  /** k: the L queue is marked with k times the probability whose square the classic one has */
  readonly coupling?: number;
  /** of the link, which the classic queue has at least while both wait */
  readonly classicShare?: number;
}

export const DUALPI2: Kind<DualPi2Spec> = {
  fields: {
    targetMs: aqmMs.optional(),
    maxRttMs: aqmMs.optional(),
    minThresholdMs: aqmMs.optional(),
    rangeMs: aqmMs.optional(),
    coupling: z.number().min(1).max(16).optional(),
    classicShare: fraction.gt(0).lt(1).optional(),
  },
};
