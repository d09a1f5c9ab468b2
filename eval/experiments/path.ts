/** Networks of the experiments: one bottleneck in the data direction, an ACK direction that never limits. */

import { cubic } from "../../algorithms/native/cubic.ts";
import { reno } from "../../algorithms/native/reno.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { ACK_BYTES, type Nanos, PACKET_BYTES } from "../../core/units.ts";
import type { FlowSpec, LinkSpec } from "../../sim/network.ts";

/** The in-datapath algorithms of the experiments. */
export const NATIVE: Readonly<Record<"reno" | "cubic", CongestionControlFactory>> = { reno, cubic };
export type NativeName = keyof typeof NATIVE;

const NO_LIMIT = { packets: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY } as const;

/** A link that delays nothing and drops nothing. */
export const OPEN_LINK: LinkSpec = {
  rate: { kind: "unlimited" },
  queue: NO_LIMIT,
  lossRate: 0,
  dataBytes: PACKET_BYTES,
  ackBytes: ACK_BYTES,
};

/** A bottleneck with a drop-tail queue. */
export function bottleneck(rateBytesPerSec: number, queuePackets: number): LinkSpec {
  return {
    ...OPEN_LINK,
    rate: { kind: "constant", rateBytesPerSec },
    queue: { ...NO_LIMIT, packets: queuePackets },
  };
}

/** A flow that starts at `startNs` and stays, with half of the round trip in each direction. */
export function flowOf(
  control: CongestionControlFactory,
  rttNs: Nanos,
  startNs: Nanos,
  options: Partial<FlowSpec> = {},
): FlowSpec {
  return {
    control,
    startNs,
    stopNs: Number.POSITIVE_INFINITY,
    propagationNs: rttNs / 2,
    ackPolicy: "per-packet",
    sendJitterNs: 0,
    seriesBinNs: Number.POSITIVE_INFINITY,
    ...options,
  };
}
