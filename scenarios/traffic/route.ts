import { MAX_LINKS, nonEmpty, text } from "../schema/ranges.ts";
import { fields, type Schema } from "../schema/shapes.ts";

/** Names of links in the order of travel: `forward`, `reverse` or a key of `links`. */
export interface RouteSpec {
  readonly forward: readonly string[];
  readonly reverse: readonly string[];
}

const hops = nonEmpty(text).max(MAX_LINKS);

export const ROUTE_SCHEMA: Schema = fields<RouteSpec>({ forward: hops, reverse: hops });
