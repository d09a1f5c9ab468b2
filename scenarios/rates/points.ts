/** Rates given as points over time, with laps of `periodSec` if that is given. */
import { type BytesPerSec, fromMbps, type Mbps } from "../../core/units.ts";
import { mbpsOrZero, nonEmpty, spanSec, timeSec } from "../schema/ranges.ts";
import { type Complaints, complain, fields, type Shape } from "../schema/shapes.ts";
import { checkSchedule } from "../schema/times.ts";

export interface RatePoint {
  readonly atSec: number;
  readonly mbps: Mbps;
}

export interface RatePoints {
  readonly points: readonly RatePoint[];
  readonly periodSec?: number;
}

export const pointFields: Shape<RatePoints> = {
  points: nonEmpty(fields<RatePoint>({ atSec: timeSec, mbps: mbpsOrZero })),
  periodSec: spanSec.optional(),
};

export function checkPoints(rate: RatePoints, complaints: Complaints): void {
  checkSchedule(rate, complaints);
  if (pointsMbps(rate).every((mbps) => mbps === 0)) {
    complain(complaints, ["points", 0, "mbps"], "a rate above 0 in at least one point");
  }
}

export function pointsMbps({ points }: RatePoints): readonly Mbps[] {
  return points.map((point) => point.mbps);
}

export function peakOfPoints(rate: RatePoints): Mbps {
  return Math.max(...pointsMbps(rate));
}

/** The mean of the points, however long each holds. */
export function meanOfPoints(rate: RatePoints): BytesPerSec {
  const mbps = pointsMbps(rate);
  return fromMbps(mbps.reduce((sum, each) => sum + each, 0) / mbps.length);
}
