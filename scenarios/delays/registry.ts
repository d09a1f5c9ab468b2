/** A one-way propagation delay over time: every kind, one file each. */
import { byKind, fields, type Kinds, type Schema } from "../schema/shapes.ts";
import { RANDOM_WALK, type RandomWalkDelay } from "./random-walk.ts";
import { STEPS, type StepsDelay } from "./steps.ts";
import { TRACE, type TraceDelay } from "./trace.ts";

export type DelaySpec = StepsDelay | TraceDelay | RandomWalkDelay;

/** Delays that change instead of the constants, of a flow or of all flows without one. */
export interface DelaySpecs {
  readonly forward?: DelaySpec;
  readonly reverse?: DelaySpec;
}

const KINDS: Kinds<DelaySpec> = {
  steps: STEPS,
  trace: TRACE,
  "random-walk": RANDOM_WALK,
};

const delay = byKind<DelaySpec>(KINDS);

export const DELAYS_SCHEMA: Schema = fields<DelaySpecs>({
  forward: delay.optional(),
  reverse: delay.optional(),
});
