import * as z from "zod";
import { DELAYS_SCHEMA, type DelaySpecs } from "../delays/registry.ts";
import { anyTimeSec, clockSec, flowCount, flowDelayMs, priority, text, timeSec } from "../schema/ranges.ts";
import { ACK_POLICY_SCHEMA, SENDER_SCHEMA } from "../schema/senders.ts";
import { fields, increasing, type Schema } from "../schema/shapes.ts";
import type { AckPolicy, SenderOptions } from "../sender-options.ts";
import { APPLICATION_SCHEMA, type ApplicationSpec } from "./applications.ts";
import { AGGREGATES_SCHEMA, type AggregateSpec, WEIGHT_SCHEMA } from "./named-flows.ts";
import { PARAMETER_CHANGES_SCHEMA, type ParameterChange } from "./parameter-change.ts";
import { ROUTE_SCHEMA, type RouteSpec } from "./route.ts";
import { STACK_SCHEMA, type StackSpec } from "./stack.ts";

/** backward: its data go where the others' ACKs go; absent: forward */
export type FlowDirection = "forward" | "backward";

export const FLOW_DIRECTION_SCHEMA: Schema = z.enum(["forward", "backward"]);

/** One flow, or `count` alike. */
export interface FlowPlan {
  /** absent: `flow-N` by its place */
  readonly id?: string;
  readonly count?: number;
  /** `test`: under test like the first flow, in an environment with its own agent; otherwise a named algorithm */
  readonly algorithm: string;
  readonly direction?: FlowDirection;
  /** from the start of the flow under test, negative: before it; absent: 0 */
  readonly startSec?: number;
  /** each flow starts later by U(0, this); absent: 0 */
  readonly startJitterSec?: number;
  /** of `count` flows each starts so much after the one before; absent: 0 */
  readonly startEverySec?: number;
  /** absent: it stays */
  readonly stopSec?: number;
  /** one way; absent: the scenario's */
  readonly propagationDelayMs?: number;
  /** each flow's round trip is scaled by U(1 - this, 1 + this); absent: 0 */
  readonly propagationSpread?: number;
  readonly delay?: DelaySpecs;
  readonly route?: RouteSpec;
  /** chunnels that it sends by; absent: the engine's sender */
  readonly stack?: StackSpec;
  readonly application?: ApplicationSpec;
  /** a finite application should be done by then, seconds from the flow's own start; absent: whenever */
  readonly deadlineSec?: number;
  readonly sender?: SenderOptions;
  readonly ackPolicy?: AckPolicy;
  /** of the disciplines that serve by it: 0 is served first; absent: 0 */
  readonly priority?: number;
  /** of its algorithm's parameters, while it lives; absent: none */
  readonly changes?: readonly ParameterChange[];
  /** among its siblings, for algorithms that control several flows as one; absent: 1 */
  readonly weight?: number;
  /** flows of flows that it belongs to, from the outermost in; absent: none */
  readonly aggregates?: readonly AggregateSpec[];
}

export const FLOW_PLAN_SCHEMA: Schema = increasing(
  fields<FlowPlan>({
    id: text.optional(),
    count: flowCount.optional(),
    algorithm: text,
    direction: FLOW_DIRECTION_SCHEMA.optional(),
    startSec: anyTimeSec.optional(),
    startJitterSec: timeSec.optional(),
    startEverySec: timeSec.optional(),
    stopSec: anyTimeSec.optional(),
    propagationDelayMs: flowDelayMs.optional(),
    propagationSpread: z.number().min(0).lt(1).optional(),
    delay: DELAYS_SCHEMA.optional(),
    route: ROUTE_SCHEMA.optional(),
    stack: STACK_SCHEMA.optional(),
    application: APPLICATION_SCHEMA.optional(),
    deadlineSec: clockSec.optional(),
    sender: SENDER_SCHEMA.optional(),
    ackPolicy: ACK_POLICY_SCHEMA.optional(),
    priority: priority.optional(),
    changes: PARAMETER_CHANGES_SCHEMA.optional(),
    weight: WEIGHT_SCHEMA.optional(),
    aggregates: AGGREGATES_SCHEMA.optional(),
  }),
  "startSec",
  "stopSec",
);
