import type { RateKind } from "./rate-kind.ts";

export interface UnlimitedRate {
  readonly kind: "unlimited";
}

export const UNLIMITED: RateKind<UnlimitedRate> = {
  fields: {},
  peakMbps: () => undefined,
  meanBytesPerSec: () => undefined,
  label: () => "unlimited",
};
