/** Scopes and bands as they travel. */
import type { Band } from "../../../flows/bands.ts";
import type { Scope } from "../../../flows/directory.ts";
import { FlowBand, FlowScope } from "../generated/ccpark/v1/environment.ts";

export const SCOPE_OF: ReadonlyMap<FlowScope, Scope> = new Map<FlowScope, Scope>([
  [FlowScope.FLOW_SCOPE_UNSPECIFIED, "all"],
  [FlowScope.FLOW_SCOPE_SELF, "self"],
  [FlowScope.FLOW_SCOPE_HOST, "host"],
  [FlowScope.FLOW_SCOPE_BOTTLENECK, "bottleneck"],
  [FlowScope.FLOW_SCOPE_ALL, "all"],
]);

export const BAND_OF: ReadonlyMap<FlowBand, Band> = new Map<FlowBand, Band>([
  [FlowBand.FLOW_BAND_MEMBERSHIP, "membership"],
  [FlowBand.FLOW_BAND_CONTROL, "control"],
  [FlowBand.FLOW_BAND_FAULT, "fault"],
  [FlowBand.FLOW_BAND_MEASUREMENT, "measurement"],
  [FlowBand.FLOW_BAND_TRUTH, "truth"],
]);
