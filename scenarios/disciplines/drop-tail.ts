import type { Kind } from "../schema/shapes.ts";

export interface DropTailSpec {
  readonly kind: "drop-tail";
}

export const DROP_TAIL: Kind<DropTailSpec> = { fields: {} };
