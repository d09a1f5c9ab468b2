import {
  changesOfPoints,
  checkPoints,
  meanOfPoints,
  memoryOfPoints,
  peakOfPoints,
  pointFields,
  pointsMbps,
  type RatePoints,
} from "./points.ts";
import { type RateKind, shortList } from "./rate-kind.ts";

/** Linear between the points, constant before the first and after the last. */
export interface RampRate extends RatePoints {
  readonly kind: "ramp";
}

export const RAMP: RateKind<RampRate> = {
  fields: pointFields,
  check: checkPoints,
  peakMbps: peakOfPoints,
  meanBytesPerSec: meanOfPoints,
  changesPerSec: changesOfPoints,
  memoryBytes: memoryOfPoints,
  label: (rate) => `ramp ${shortList(pointsMbps(rate), " to ")} Mbit/s`,
};
