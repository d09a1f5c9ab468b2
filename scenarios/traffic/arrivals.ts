/** How often generated traffic begins something new: for bounds, and for estimates of time and memory. */
import { type Bytes, fromMbps } from "../../core/units.ts";
import type { DirectionSpec } from "../direction.ts";
import { peakMbps } from "../rates/registry.ts";
import { roughMeanBytes } from "./sizes.ts";
import type { TrafficSpec } from "./traffic.ts";

/** @param forward the link that a load is a fraction of */
export function transfersPerSec(spec: TrafficSpec, forward: DirectionSpec): number {
  switch (spec.kind) {
    case "datagrams":
      return 0;
    case "incast":
      return spec.everySec === undefined ? 0 : spec.senders / spec.everySec;
    case "transfers":
      if (spec.flowsPerSec !== undefined) return spec.flowsPerSec;
      return ((spec.load ?? 0) * fromMbps(peakMbps(forward.rate) ?? 0)) / roughMeanBytes(spec.sizes);
  }
}

/** @param mtuBytes of datagrams without sizes */
export function datagramsPerSec(spec: TrafficSpec, mtuBytes: Bytes): number {
  if (spec.kind !== "datagrams") return 0;
  return fromMbps(spec.mbps) / (spec.sizes === undefined ? mtuBytes : roughMeanBytes(spec.sizes));
}
