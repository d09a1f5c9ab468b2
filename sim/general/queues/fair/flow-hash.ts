/** Which bucket of a hashing discipline a flow falls into. */
import { mix } from "../../../../core/random.ts";

/** @param key a whole number, 0 to 2^32 - 1: another key spreads the flows otherwise */
export function bucketOf(flow: number, key: number, buckets: number): number {
  return (mix(flow ^ key) >>> 0) % buckets;
}
