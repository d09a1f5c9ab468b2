import { fromMbps, type Mbps } from "../../core/units.ts";
import { clockSec, mbps, mbpsOrZero } from "../schema/ranges.ts";
import { complain } from "../schema/shapes.ts";
import { BLOCK_START_BYTES, CHANGES_PER_BLOCK, type RateKind, shortList } from "./rate-kind.ts";

/** A new rate every `everySec`, uniform between the two. */
export interface RandomStepsRate {
  readonly kind: "random-steps";
  readonly minMbps: Mbps;
  readonly maxMbps: Mbps;
  readonly everySec: number;
}

export const RANDOM_STEPS: RateKind<RandomStepsRate> = {
  fields: { minMbps: mbpsOrZero, maxMbps: mbps, everySec: clockSec },
  check({ minMbps, maxMbps }, complaints) {
    if (maxMbps < minMbps) complain(complaints, ["maxMbps"], `>= ${minMbps} (minMbps)`);
  },
  peakMbps: (rate) => rate.maxMbps,
  meanBytesPerSec: (rate) => fromMbps((rate.minMbps + rate.maxMbps) / 2),
  changesPerSec: ({ everySec }) => 1 / everySec,
  memoryBytes: ({ everySec }, durationSec) =>
    ((durationSec / everySec) * BLOCK_START_BYTES) / CHANGES_PER_BLOCK,
  label: (rate) => `random ${shortList([rate.minMbps, rate.maxMbps], " to ")} Mbit/s`,
};
