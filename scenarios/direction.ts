/** One direction of a link: what happens to a packet on entering, in the queue, in service and on the wire. */
import { DISCIPLINE_SCHEMA, type DisciplineSpec } from "./disciplines/registry.ts";
import {
  type EntryImpairments,
  type ExitImpairments,
  entryFields,
  exitFields,
} from "./impairments/registry.ts";
import { RATE_SCHEMA, type RateSpec } from "./rates/registry.ts";
import { bytes, count } from "./schema/ranges.ts";
import { type Elsewhere, fields, type Schema, type Shape } from "./schema/shapes.ts";

/** Limits of the whole queue (a missing limit is no limit) and what it does before they are reached. */
export interface QueueSpec {
  readonly packets?: number;
  readonly bytes?: number;
  /** absent: drop-tail */
  readonly discipline?: DisciplineSpec;
}

export interface DirectionSpec extends EntryImpairments, ExitImpairments {
  readonly queue: QueueSpec;
  readonly rate: RateSpec;
}

const queue = fields<QueueSpec>({
  packets: count.optional(),
  bytes: bytes.optional(),
  discipline: DISCIPLINE_SCHEMA.optional(),
});

/** Fields in the order of travel: it is the order in which results store them. */
const directionFields: Shape<DirectionSpec> = { ...entryFields, queue, rate: RATE_SCHEMA, ...exitFields };

/** What is asked for beside `queue` and `rate`, and is in them. */
export const INSIDE_DIRECTION: readonly Elsewhere[] = [
  { path: "rate", fields: ["mbps"] },
  { path: "queue", fields: ["packets", "bytes", "bdp", "discipline"] },
];

export const DIRECTION_SCHEMA: Schema = fields<DirectionSpec>(directionFields, INSIDE_DIRECTION);
export const DIRECTION_FIELDS: readonly string[] = Object.keys(directionFields);
