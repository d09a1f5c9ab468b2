import { fromMbps, type Mbps, TUN_HEADER_BYTES } from "../../core/units.ts";
import { mbps } from "../schema/ranges.ts";
import type { RateKind } from "./rate-kind.ts";

/** Opportunities of 1504 bytes as a Poisson process of this mean rate. */
export interface PoissonRate {
  readonly kind: "poisson";
  readonly mbps: Mbps;
}

export const POISSON: RateKind<PoissonRate> = {
  fields: { mbps },
  peakMbps: (rate) => rate.mbps,
  meanBytesPerSec: (rate) => fromMbps(rate.mbps),
  label: (rate) => `Poisson ${rate.mbps} Mbit/s`,
  headerBytes: TUN_HEADER_BYTES,
};
