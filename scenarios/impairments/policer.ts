import type { Mbps } from "../../core/units.ts";
import { bytes, mbps } from "../schema/ranges.ts";
import { fields } from "../schema/shapes.ts";
import type { Impairment } from "./impairment.ts";

/** Drops what exceeds a token bucket. */
export interface PolicerSpec {
  readonly mbps: Mbps;
  readonly burstBytes: number;
}

export const POLICER: Impairment = {
  // a smaller burst would pass no full packet
  schema: fields<PolicerSpec>({ mbps, burstBytes: bytes.min(1504) }).optional(),
  label: "policer",
};
