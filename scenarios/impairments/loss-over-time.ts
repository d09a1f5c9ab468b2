import { clockSec, fraction, nonEmpty, timeSec } from "../schema/ranges.ts";
import { complain, fields, withRule } from "../schema/shapes.ts";
import { checkSchedule } from "../schema/times.ts";
import type { Impairment } from "./impairment.ts";

/** From `atSec` on each packet is lost with this probability, 0 to 1. */
export interface LossPoint {
  readonly atSec: number;
  readonly lossRate: number;
}

/** Independent loss whose rate changes at points of time; before the first one nothing is lost. */
export interface LossOverTimeSpec {
  readonly points: readonly LossPoint[];
  readonly periodSec?: number;
}

export const LOSS_OVER_TIME: Impairment = {
  schema: withRule<LossOverTimeSpec>(
    fields<LossOverTimeSpec>({
      points: nonEmpty(fields<LossPoint>({ atSec: timeSec, lossRate: fraction })),
      periodSec: clockSec.optional(),
    }),
    (spec, complaints) => {
      checkSchedule(spec, complaints);
      if (spec.points.at(-1)?.lossRate === 1 && spec.periodSec === undefined)
        complain(
          complaints,
          ["points", spec.points.length - 1, "lossRate"],
          "< 1 at the last point, or a period",
        );
    },
  ).optional(),
  label: "loss over time",
};
