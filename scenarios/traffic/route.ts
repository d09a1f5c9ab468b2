import { nonEmpty, text } from "../schema/ranges.ts";
import { fields, type Schema } from "../schema/shapes.ts";

/** Names of links in the order of travel: `forward`, `reverse` or a key of `links`. */
export interface RouteSpec {
  readonly forward: readonly string[];
  readonly reverse: readonly string[];
}

export const ROUTE_SCHEMA: Schema = fields<RouteSpec>({ forward: nonEmpty(text), reverse: nonEmpty(text) });
