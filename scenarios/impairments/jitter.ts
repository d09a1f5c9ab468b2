import * as z from "zod";
import { clockSec, delayMs, nonEmpty, timeSec } from "../schema/ranges.ts";
import { byKind, fields, type Schema } from "../schema/shapes.ts";
import { checkSchedule } from "../schema/times.ts";
import type { Impairment } from "./impairment.ts";

/** Extra delay per packet, whose draws do not depend on the time. */
export type SteadyJitterSpec =
  | { readonly kind: "uniform"; readonly maxMs: number }
  | { readonly kind: "exponential"; readonly meanMs: number }
  /**
   * Wi-Fi beside networks on its channel (draft-huitema-ccwg-c4-test): N1 ~ Poisson(1) waits of 1 ms for the channel, less
   * U(0, 1 ms) where there is one, and for a share (meanMs - 1) / 90 of the packets N2 ~ Poisson(12) repetitions of 7.5 ms.
   */
  | { readonly kind: "wifi"; readonly meanMs: number };

/** Without `reorder` a packet waits for the one before it. */
export type JitterSpec = { readonly reorder?: boolean } & (
  | SteadyJitterSpec
  /** another jitter from each point on; before the first one there is none */
  | {
      readonly kind: "steps";
      readonly points: readonly JitterPoint[];
      readonly periodSec?: number;
    }
);

export interface JitterPoint {
  readonly atSec: number;
  readonly jitter: SteadyJitterSpec;
}

const UNIFORM = { maxMs: delayMs };
const MEAN = { meanMs: delayMs };
const reorder: Schema = z.boolean().optional();

const steady: Schema = byKind<SteadyJitterSpec>({
  uniform: { fields: UNIFORM },
  exponential: { fields: MEAN },
  wifi: { fields: MEAN },
});

export const JITTER: Impairment = {
  schema: byKind<JitterSpec>({
    uniform: { fields: { ...UNIFORM, reorder } },
    exponential: { fields: { ...MEAN, reorder } },
    wifi: { fields: { ...MEAN, reorder } },
    steps: {
      fields: {
        points: nonEmpty(fields<JitterPoint>({ atSec: timeSec, jitter: steady })),
        periodSec: clockSec.optional(),
        reorder,
      },
      check: checkSchedule,
    },
  }).optional(),
  label: "jitter",
};
