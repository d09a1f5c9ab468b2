import type { Kind } from "../schema/shapes.ts";
import { checkSchedule } from "../schema/times.ts";
import { type DelayPoints, pointFields } from "./points.ts";

/** A recorded delay: linear between the points. */
export interface TraceDelay extends DelayPoints {
  readonly kind: "trace";
}

export const TRACE: Kind<TraceDelay> = { fields: pointFields, check: checkSchedule };
