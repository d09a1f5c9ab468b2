import { clockMs, count } from "../schema/ranges.ts";
import { fields } from "../schema/shapes.ts";
import type { Impairment } from "./impairment.ts";

/** Packets go on together at the next multiple of the period (Wi-Fi and cable aggregation); `maxPackets` at most in one. */
export interface SlotsSpec {
  readonly everyMs: number;
  readonly maxPackets?: number;
}

export const SLOTS: Impairment = {
  schema: fields<SlotsSpec>({ everyMs: clockMs, maxPackets: count.optional() }).optional(),
  label: "slots",
};
