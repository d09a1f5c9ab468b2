/** What features are made of that are ratios to what the path itself has shown. */
import { log2 } from "../../../core/math.ts";
import { type Bytes, MICROS_PER_SEC } from "../../../core/units.ts";
import type { Feature, FlowView } from "../observations.ts";

export const clip = (value: number, low: number, high: number): number =>
  Math.min(Math.max(value, low), high);

/** log2(a / b) / `octaves`, within +-1; `none` where either is not known. */
export function ratio(a: number, b: number, octaves: number, none = 0): number {
  return a > 0 && b > 0 ? clip(log2(a / b) / octaves, -1, 1) : none;
}

/** Of the step. */
export function lossRate({ interval }: FlowView): number {
  const { lostPackets, ackedPackets, misorderedPackets } = interval;
  return lostPackets === 0 ? 0 : lostPackets / (lostPackets + ackedPackets + misorderedPackets);
}

/** Rates of loss differ by orders of magnitude: 1 % is a third, 10 % is 1. */
export const lossScale = (rate: number): number => Math.min(1, Math.sqrt(10 * rate));

/** Bytes that the path holds without a queue; 0 before that is known. */
export const productBytes = ({ path, interval }: FlowView): Bytes =>
  (path.maxRateBytesPerSec * interval.minRttUs) / MICROS_PER_SEC;

export const signed = (name: string, definition: string, of: Feature["of"]): Feature => ({
  name,
  unit: "1",
  low: -1,
  high: 1,
  definition,
  of,
});

export const share = (name: string, definition: string, of: Feature["of"]): Feature => ({
  name,
  unit: "1",
  low: 0,
  high: 1,
  definition,
  of,
});
