/**
 * A scenario: links, flows and traffic around the flow under test, with units in names. Plain data, so that it can be
 * stored beside a result. Its parts lie in folders, one file per kind with its type, schema and limits.
 *
 * Every scenario has two measured links, `forward` (data of the flow under test) and `reverse` (its ACKs); further hops are
 * named in `links` and joined by routes. Times are seconds from the start of the flow under test.
 */
import { type Bytes, PACKET_BYTES } from "../core/units.ts";
import type { DelaySpecs } from "./delays/registry.ts";
import type { DirectionSpec } from "./direction.ts";
import type { OverlaySpec } from "./overlay/overlay.ts";
import type { AckPolicy, SenderOptions } from "./sender-options.ts";
import type { ApplicationSpec } from "./traffic/applications.ts";
import type { BundleSpec } from "./traffic/bundles.ts";
import type { FlowPlan } from "./traffic/flow-plan.ts";
import type { AggregateSpec, MoveSpec, StandbySpec } from "./traffic/named-flows.ts";
import type { ParameterChange } from "./traffic/parameter-change.ts";
import type { RouteSpec } from "./traffic/route.ts";
import type { StackSpec } from "./traffic/stack.ts";
import type { TrafficSpec } from "./traffic/traffic.ts";
import type { Variation } from "./variation.ts";

/** Id of the flow under test that every scenario has. */
export const FIRST_FLOW = "flow-0";

export interface Scenario {
  readonly name: string;
  /** where the parameters come from */
  readonly source: string;
  readonly description: string;
  /** data direction */
  readonly forward: DirectionSpec;
  /** ACK direction */
  readonly reverse: DirectionSpec;
  /** further links by name, for routes */
  readonly links?: Readonly<Record<string, DirectionSpec>>;
  /** of the flow under test, and of flows without one; absent: `forward` and `reverse` alone */
  readonly route?: RouteSpec;
  /** largest IP packet of the path, which full data packets have, whole bytes, 300 to 9216; absent: 1500 */
  readonly mtuBytes?: Bytes;
  /** one way, the same in both directions unless `reversePropagationDelayMs` is given */
  readonly propagationDelayMs: number;
  /** the ACK direction's; absent: the same */
  readonly reversePropagationDelayMs?: number;
  /** changes over time instead of the constants; of the flow under test, and of flows without one */
  readonly delay?: DelaySpecs;
  /** from the flow's start to the end of the episode */
  readonly durationSec: number;
  readonly ackPolicy: AckPolicy;
  readonly sender?: SenderOptions;
  /** chunnels that the flow under test sends by; absent: the engine's sender */
  readonly stack?: StackSpec;
  /** what the flow under test has to send */
  readonly application?: ApplicationSpec;
  /** a finite application should be done by then, seconds from the flow's start; absent: whenever */
  readonly deadlineSec?: number;
  /** of the parameters of the flow under test, while it lives; absent: none */
  readonly changes?: readonly ParameterChange[];
  /** of the flow under test, to other links while it lives; absent: it stays */
  readonly moves?: readonly MoveSpec[];
  /** names of `links` that no route takes until somebody moves a flow there; absent: none */
  readonly spareLinks?: readonly string[];
  /** of the agent of the flows under test; absent: it lives */
  readonly standby?: StandbySpec;
  /** of the flow under test among its siblings, for algorithms that control several as one; absent: 1 */
  readonly weight?: number;
  /** flows of flows that the flow under test belongs to, from the outermost in; absent: none */
  readonly aggregates?: readonly AggregateSpec[];
  /** flows beside the flow under test */
  readonly flows?: readonly FlowPlan[];
  readonly traffic?: readonly TrafficSpec[];
  /** of what goes over a link, controlled as one; absent: none */
  readonly bundles?: readonly BundleSpec[];
  /** hosts that send for each other, and the ways between them; absent: the two ends of the path alone */
  readonly overlay?: OverlaySpec;
  /** what real runs vary and a seed draws; absent: nothing of it */
  readonly variation?: Variation;
  /** What a seed draws unless the scenario fixes it (absent: drawn). */
  readonly fixed?: {
    /** seconds from the beginning of the simulation; absent: U(0, 1 s) */
    readonly startSec?: number;
    /** milliseconds into the trace; absent: U(0, period) */
    readonly traceOffsetMs?: number;
    /** upper bound of the uniform per-packet send jitter, microseconds; 0: none */
    readonly sendJitterUs?: number;
  };
}

/** Bytes of a full data packet on the wire, headers included. */
export function mtuOf({ mtuBytes = PACKET_BYTES }: Pick<Scenario, "mtuBytes">): Bytes {
  return mtuBytes;
}

/** Propagation there and back of the flow under test, without the noise of binary fractions. */
export function roundTripMs({
  propagationDelayMs,
  reversePropagationDelayMs = propagationDelayMs,
}: Scenario): number {
  return +(propagationDelayMs + reversePropagationDelayMs).toPrecision(12);
}
