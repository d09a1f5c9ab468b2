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

/** Constant between the points; the first holds before its time too. Rate 0 is an outage in which packets wait. */
export interface StepsRate extends RatePoints {
  readonly kind: "steps";
}

export const STEPS: RateKind<StepsRate> = {
  fields: pointFields,
  check: checkPoints,
  peakMbps: peakOfPoints,
  meanBytesPerSec: meanOfPoints,
  changesPerSec: changesOfPoints,
  memoryBytes: memoryOfPoints,
  label: (rate) => `steps ${shortList(pointsMbps(rate), "/")} Mbit/s`,
};
