import type { Kind } from "../schema/shapes.ts";

export interface DropHeadSpec {
  readonly kind: "drop-head";
}

export const DROP_HEAD: Kind<DropHeadSpec> = { fields: {} };
