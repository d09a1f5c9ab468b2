import type { AckEvent } from "../../ccp-bridge/congestion-control.ts";

/** An ACK of one full segment on a quiet path; `changes` say what the test is about. */
export function makeAck(changes: Partial<AckEvent> = {}): AckEvent {
  return {
    nowUs: 0,
    ackedBytes: 1448,
    ackedPackets: 1,
    misorderedBytes: 0,
    misorderedPackets: 0,
    deliveredBytes: 1448,
    lostPackets: 0,
    lostBytes: 0,
    ecnPackets: 0,
    ecnBytes: 0,
    rttUs: 20_000,
    srttUs: 20_000,
    minRttUs: 20_000,
    inflightBytes: 14_480,
    inflightPackets: 10,
    pendingBytes: 28_960,
    deliveryRateBytesPerSec: 1_000_000,
    sendRateBytesPerSec: 1_000_000,
    appLimited: false,
    timeout: false,
    nextSequence: 0,
    cumulativeSequence: 0,
    cwndLimited: true,
    ...changes,
  };
}
