import * as z from "zod";
import type { Mbps } from "../../core/units.ts";
import {
  anyTimeSec,
  bytes,
  clockSec,
  flowCount,
  flowDelayMs,
  MAX_TRANSFERS_PER_SEC,
  mbps,
  positive,
  priority,
  text,
} from "../schema/ranges.ts";
import { ACK_POLICY_SCHEMA, SENDER_SCHEMA } from "../schema/senders.ts";
import { byKind, complain, increasing, type Schema } from "../schema/shapes.ts";
import type { AckPolicy, SenderOptions } from "../sender-options.ts";
import { FLOW_DIRECTION_SCHEMA, type FlowDirection } from "./flow-plan.ts";
import { ROUTE_SCHEMA, type RouteSpec } from "./route.ts";
import { SIZE_SCHEMA, type SizeSpec } from "./sizes.ts";

/** One in eleven days: below it none begins in the longest scenario. */
const MIN_TRANSFERS_PER_SEC = 1e-6;

/** What sends beside the flows that are named one by one. */
export type TrafficSpec = TransfersSpec | IncastSpec | DatagramsSpec;

/** Finite flows that arrive as a Poisson process; give `load` (a fraction of the forward link) or `flowsPerSec`. */
export interface TransfersSpec {
  readonly kind: "transfers";
  readonly algorithm: string;
  readonly sizes: SizeSpec;
  readonly load?: number;
  readonly flowsPerSec?: number;
  readonly direction?: FlowDirection;
  readonly startSec?: number;
  readonly stopSec?: number;
  readonly propagationDelayMs?: number;
  readonly route?: RouteSpec;
  readonly sender?: SenderOptions;
  readonly ackPolicy?: AckPolicy;
}

/** N senders that each send one transfer at the same time, again and again. */
export interface IncastSpec {
  readonly kind: "incast";
  readonly algorithm: string;
  readonly senders: number;
  readonly bytes: number;
  /** each sender starts within U(0, this) */
  readonly jitterUs?: number;
  readonly startSec?: number;
  /** absent: once */
  readonly everySec?: number;
  readonly propagationDelayMs?: number;
  readonly sender?: SenderOptions;
  readonly ackPolicy?: AckPolicy;
}

/** Packets without feedback (UDP). */
export interface DatagramsSpec {
  readonly kind: "datagrams";
  readonly arrivals: "constant" | "poisson";
  readonly mbps: Mbps;
  /** wire bytes; absent: full packets */
  readonly sizes?: SizeSpec;
  readonly direction?: FlowDirection;
  readonly startSec?: number;
  readonly stopSec?: number;
  readonly propagationDelayMs?: number;
  readonly route?: RouteSpec;
  readonly priority?: number;
}

export const TRAFFIC_SCHEMA: Schema = increasing(
  byKind<TrafficSpec>({
    transfers: {
      fields: {
        algorithm: text,
        sizes: SIZE_SCHEMA,
        load: z.number().gt(0).max(10).optional(),
        flowsPerSec: positive(MIN_TRANSFERS_PER_SEC, MAX_TRANSFERS_PER_SEC).optional(),
        direction: FLOW_DIRECTION_SCHEMA.optional(),
        startSec: anyTimeSec.optional(),
        stopSec: anyTimeSec.optional(),
        propagationDelayMs: flowDelayMs.optional(),
        route: ROUTE_SCHEMA.optional(),
        sender: SENDER_SCHEMA.optional(),
        ackPolicy: ACK_POLICY_SCHEMA.optional(),
      },
      check({ load, flowsPerSec }, complaints) {
        if (load !== undefined && flowsPerSec !== undefined) {
          complain(complaints, ["flowsPerSec"], "load or flowsPerSec, not both");
        } else if (load === undefined && flowsPerSec === undefined) {
          complain(complaints, ["load"], "a load, or flowsPerSec");
        }
      },
    },
    incast: {
      fields: {
        algorithm: text,
        senders: flowCount,
        bytes,
        jitterUs: z.number().min(0).max(10_000_000).optional(),
        startSec: anyTimeSec.optional(),
        everySec: clockSec.optional(),
        propagationDelayMs: flowDelayMs.optional(),
        sender: SENDER_SCHEMA.optional(),
        ackPolicy: ACK_POLICY_SCHEMA.optional(),
      },
    },
    datagrams: {
      fields: {
        arrivals: z.enum(["constant", "poisson"]),
        mbps,
        sizes: SIZE_SCHEMA.optional(),
        direction: FLOW_DIRECTION_SCHEMA.optional(),
        startSec: anyTimeSec.optional(),
        stopSec: anyTimeSec.optional(),
        propagationDelayMs: flowDelayMs.optional(),
        route: ROUTE_SCHEMA.optional(),
        priority: priority.optional(),
      },
    },
  }),
  "startSec",
  "stopSec",
);
