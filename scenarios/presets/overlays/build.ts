/** What overlay scenarios are made of: links by rate and delay, and the first node's own. */
import type { Mbps } from "../../../core/units.ts";
import type { DirectionSpec } from "../../direction.ts";
import { UNDER_TEST } from "../../flows.ts";
import { bdpPackets, constantRate } from "../../links.ts";
import type { FlowEnds, OverlayLinkSpec } from "../../overlay/overlay.ts";
import type { FlowPlan } from "../../traffic/flow-plan.ts";

/** Of a queue that is full. */
const QUEUE_MS = 100;
const LEAST_QUEUE_PACKETS = 16;
/** The overlay's links have delays of their own; what is left is the host's. */
export const HOST_DELAY_MS = 0.5;

export interface WayParts extends Partial<Omit<DirectionSpec, "rate" | "queue" | "delayMs">> {
  readonly delayMs: number;
  /** absent: unlimited */
  readonly mbps?: Mbps;
  readonly queueMs?: number;
}

export function way({ mbps, delayMs, queueMs = QUEUE_MS, lossRate = 0, ...rest }: WayParts): DirectionSpec {
  return {
    rate: mbps === undefined ? { kind: "unlimited" } : constantRate(mbps),
    queue:
      mbps === undefined
        ? {}
        : { packets: Math.max(LEAST_QUEUE_PACKETS, Math.round(bdpPackets(mbps, queueMs))) },
    lossRate,
    delayMs,
    ...rest,
  };
}

/** @param back absent: as there */
export function join(from: string, to: string, there: WayParts, back?: WayParts): OverlayLinkSpec {
  return { from, to, there: way(there), ...(back && { back: way(back) }) };
}

/** Fields of a scenario whose first node is joined to the rest by such ways. */
export function firstNode(parts: WayParts): {
  readonly forward: DirectionSpec;
  readonly reverse: DirectionSpec;
  readonly propagationDelayMs: number;
} {
  return { forward: way(parts), reverse: way(parts), propagationDelayMs: HOST_DELAY_MS };
}

/** All flows of the overlay beside the first are under test, too. */
export function othersUnderTest(ends: readonly FlowEnds[]): { readonly flows?: readonly FlowPlan[] } {
  return ends.length === 1 ? {} : { flows: [{ algorithm: UNDER_TEST, count: ends.length - 1 }] };
}

/** `c0`, `c1` and so on. */
export function named(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
