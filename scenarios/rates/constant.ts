import { fromMbps, type Mbps } from "../../core/units.ts";
import { mbps } from "../schema/ranges.ts";
import type { RateKind } from "./rate-kind.ts";

export interface ConstantRate {
  readonly kind: "constant";
  readonly mbps: Mbps;
}

export const CONSTANT: RateKind<ConstantRate> = {
  fields: { mbps },
  peakMbps: (rate) => rate.mbps,
  meanBytesPerSec: (rate) => fromMbps(rate.mbps),
  label: (rate) => `${rate.mbps} Mbit/s`,
};
