/** Rates given as points over time, with laps of `periodSec` if that is given. */
import { type Bytes, type BytesPerSec, fromMbps, type Mbps } from "../../core/units.ts";
import { clockSec, mbpsOrZero, nonEmpty, timeSec } from "../schema/ranges.ts";
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
  periodSec: clockSec.optional(),
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
  return pointsMbps(rate).reduce((peak, mbps) => Math.max(peak, mbps), 0);
}

/** The mean of the points, however long each holds. */
export function meanOfPoints(rate: RatePoints): BytesPerSec {
  const mbps = pointsMbps(rate);
  return fromMbps(mbps.reduce((sum, each) => sum + each, 0) / mbps.length);
}

/** Laps only: the points of a schedule without period are passed once. */
export function changesOfPoints({ points, periodSec }: RatePoints): number {
  return periodSec === undefined ? 0 : points.length / periodSec;
}

/** Four numbers of a piece, and the object that holds them. */
const BYTES_PER_POINT = 100;

export function memoryOfPoints({ points }: RatePoints): Bytes {
  return points.length * BYTES_PER_POINT;
}
