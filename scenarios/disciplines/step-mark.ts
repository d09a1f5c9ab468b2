import { bytes, count } from "../schema/ranges.ts";
import { complain, type Kind } from "../schema/shapes.ts";

/** DCTCP (RFC 8257): CE where a packet finds more than the threshold waiting; absent: 65 packets. */
export interface StepMarkSpec {
  readonly kind: "step-mark";
  readonly thresholdPackets?: number;
  readonly thresholdBytes?: number;
}

export const STEP_MARK: Kind<StepMarkSpec> = {
  fields: { thresholdPackets: count.optional(), thresholdBytes: bytes.optional() },
  check({ thresholdPackets, thresholdBytes }, complaints) {
    if (thresholdPackets !== undefined && thresholdBytes !== undefined) {
      complain(complaints, ["thresholdBytes"], "thresholdPackets or thresholdBytes, not both");
    }
  },
};
