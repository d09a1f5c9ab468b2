import { fromMbps, type Mbps, TUN_HEADER_BYTES } from "../../core/units.ts";
import { OPPORTUNITY_BYTES } from "../../traces/mahimahi.ts";
import { mbps } from "../schema/ranges.ts";
import { BLOCK_START_BYTES, type RateKind } from "./rate-kind.ts";

/** Opportunities of 1504 bytes as a Poisson process of this mean rate. */
export interface PoissonRate {
  readonly kind: "poisson";
  readonly mbps: Mbps;
}

/** Opportunities that are drawn at once. */
const OPPORTUNITIES_PER_BLOCK = 1024;

function opportunitiesPerSec({ mbps: rate }: PoissonRate): number {
  return fromMbps(rate) / OPPORTUNITY_BYTES;
}

export const POISSON: RateKind<PoissonRate> = {
  fields: { mbps },
  peakMbps: (rate) => rate.mbps,
  meanBytesPerSec: (rate) => fromMbps(rate.mbps),
  changesPerSec: opportunitiesPerSec,
  memoryBytes: (rate, durationSec) =>
    (opportunitiesPerSec(rate) * durationSec * BLOCK_START_BYTES) / OPPORTUNITIES_PER_BLOCK,
  label: (rate) => `Poisson ${rate.mbps} Mbit/s`,
  headerBytes: TUN_HEADER_BYTES,
};
