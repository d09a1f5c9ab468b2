/** Delays given as points over time, with laps of `periodSec` if that is given. */
import { clockSec, delayMs, nonEmpty, timeSec } from "../schema/ranges.ts";
import { fields, type Shape } from "../schema/shapes.ts";

export interface DelayPoint {
  readonly atSec: number;
  readonly delayMs: number;
}

export interface DelayPoints {
  readonly points: readonly DelayPoint[];
  readonly periodSec?: number;
}

export const pointFields: Shape<DelayPoints> = {
  points: nonEmpty(fields<DelayPoint>({ atSec: timeSec, delayMs })),
  periodSec: clockSec.optional(),
};
