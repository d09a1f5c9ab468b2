import type { Kind } from "../schema/shapes.ts";
import { checkSchedule } from "../schema/times.ts";
import { type DelayPoints, pointFields } from "./points.ts";

/** Constant between the points; the first holds before its time too. */
export interface StepsDelay extends DelayPoints {
  readonly kind: "steps";
}

export const STEPS: Kind<StepsDelay> = { fields: pointFields, check: checkSchedule };
