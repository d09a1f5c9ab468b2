import { perturbSec, quantumBytes } from "../schema/ranges.ts";
import type { Kind } from "../schema/shapes.ts";
import { bucketCount } from "./lines.ts";

/** McKenney 1990, as Linux's sch_sfq: round robin by quantum over hashed buckets. */
export interface SfqSpec {
  readonly kind: "sfq";
  readonly buckets?: number;
  readonly quantumBytes?: number;
  /** flows are hashed anew at whole multiples of this; absent or 0: never */
  readonly perturbSec?: number;
}

export const SFQ: Kind<SfqSpec> = {
  fields: {
    buckets: bucketCount.optional(),
    quantumBytes: quantumBytes.optional(),
    perturbSec: perturbSec.optional(),
  },
};
