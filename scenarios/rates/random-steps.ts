import { fromMbps, type Mbps } from "../../core/units.ts";
import { mbps, mbpsOrZero, spanSec } from "../schema/ranges.ts";
import { complain } from "../schema/shapes.ts";
import { type RateKind, shortList } from "./rate-kind.ts";

/** A new rate every `everySec`, uniform between the two. */
export interface RandomStepsRate {
  readonly kind: "random-steps";
  readonly minMbps: Mbps;
  readonly maxMbps: Mbps;
  readonly everySec: number;
}

export const RANDOM_STEPS: RateKind<RandomStepsRate> = {
  fields: { minMbps: mbpsOrZero, maxMbps: mbps, everySec: spanSec },
  check({ minMbps, maxMbps }, complaints) {
    if (maxMbps < minMbps) complain(complaints, ["maxMbps"], `>= ${minMbps} (minMbps)`);
  },
  peakMbps: (rate) => rate.maxMbps,
  meanBytesPerSec: (rate) => fromMbps((rate.minMbps + rate.maxMbps) / 2),
  label: (rate) => `random ${shortList([rate.minMbps, rate.maxMbps], " to ")} Mbit/s`,
};
