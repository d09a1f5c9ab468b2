import { type BytesPerSec, NANOS_PER_SEC, type Nanos } from "../../../core/units.ts";
import { RandomPieces } from "../random-pieces.ts";
import { CLOSED, type Serve, servePieces } from "./link-servers.ts";

/** A new rate, uniform between the two, after each span, which is uniform between the two as well (both > 0). */
export interface RandomStepsLinkRate {
  readonly kind: "random-steps";
  readonly minBytesPerSec: BytesPerSec;
  readonly maxBytesPerSec: BytesPerSec;
  readonly minEveryNs: Nanos;
  readonly maxEveryNs: Nanos;
}

export const serveRandomSteps: Serve<RandomStepsLinkRate> = (rate, parts) => {
  if (rate.maxBytesPerSec === 0) return servePieces(CLOSED, parts);
  const pieces = new RandomPieces(parts.rng, (rng) => ({
    bytesPerNs: rng.uniform(rate.minBytesPerSec, rate.maxBytesPerSec) / NANOS_PER_SEC,
    spanNs: rng.uniform(rate.minEveryNs, rate.maxEveryNs),
    state: 0,
  }));
  return servePieces(pieces, parts);
};
