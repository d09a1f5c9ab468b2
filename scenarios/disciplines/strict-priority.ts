import type { Kind } from "../schema/shapes.ts";
import { bandCount } from "./lines.ts";

/** Band 0 first; packets of a priority beyond the bands belong to the last. */
export interface StrictPrioritySpec {
  readonly kind: "strict-priority";
  readonly bands?: number;
}

export const STRICT_PRIORITY: Kind<StrictPrioritySpec> = { fields: { bands: bandCount.optional() } };
