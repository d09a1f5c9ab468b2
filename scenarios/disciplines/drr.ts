import { quantumBytes } from "../schema/ranges.ts";
import type { Kind } from "../schema/shapes.ts";

/** Shreedhar and Varghese 1995: one line per flow; a quantum of at least the largest packet sends one in each turn. */
export interface DrrSpec {
  readonly kind: "drr";
  readonly quantumBytes?: number;
}

export const DRR: Kind<DrrSpec> = { fields: { quantumBytes: quantumBytes.optional() } };
