import type { Bytes } from "../../core/units.ts";

/** IPv4 and UDP headers. */
export const DATAGRAM_HEADER_BYTES: Bytes = 28;
/** Of the usual stacks' chunnels, encrypted ones too: what a full packet has beside payload, IPv4 and UDP. */
const CHUNNEL_BYTES: Bytes = 44;

/** What a stack's messages carry, so that their packets are full ones. */
export function stackPayloadBytes(mtuBytes: Bytes): Bytes {
  return mtuBytes - DATAGRAM_HEADER_BYTES - CHUNNEL_BYTES;
}
