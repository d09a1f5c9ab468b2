import type { Mbps } from "../../core/units.ts";
import { bytes, mbps } from "../schema/ranges.ts";
import { fields } from "../schema/shapes.ts";
import type { Impairment } from "./impairment.ts";

/** Drops what exceeds a token bucket. */
export interface PolicerSpec {
  readonly mbps: Mbps;
  /** at least a full packet and the header of a TUN device: a smaller burst would pass none */
  readonly burstBytes: number;
}

export const POLICER: Impairment = {
  schema: fields<PolicerSpec>({ mbps, burstBytes: bytes }).optional(),
  label: "policer",
};
