/**
 * What one step measured, however it was measured: by the datapath program of the environment (`env-program.ts`) or by a
 * meter beside any congestion control (`meter.ts`). Observations and rewards are functions of it.
 */
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";

export interface Interval {
  /** whether anything was reported; without a report counters are zero and the RTT fields are held */
  report: boolean;
  stepUs: Micros;
  /** sum of Ack.bytes_acked: growth of the cumulative ACK */
  ackedBytes: Bytes;
  /** newly delivered in order, and out of order */
  ackedPackets: number;
  misorderedPackets: number;
  ecnBytes: Bytes;
  ecnPackets: number;
  /** Ack.lost_pkts_sample of the last ACK, and summed over the step */
  lastLostPackets: number;
  lostPackets: number;
  timeout: boolean;
  inflightPackets: number;
  pendingBytes: Bytes;
  /** last sample of the step; 0 before the first */
  rttUs: Micros;
  /** mean over the packets delivered in the step */
  meanRttUs: Micros;
  /** over the flow's life; 0 before the first sample */
  minRttUs: Micros;
  /** Flow.rate_outgoing and Flow.rate_incoming at the end of the step */
  sendRateBytesPerSec: BytesPerSec;
  deliveryRateBytesPerSec: BytesPerSec;
  mssBytes: Bytes;
}

export function emptyInterval(mssBytes: Bytes): Interval {
  return {
    report: false,
    stepUs: 0,
    ackedBytes: 0,
    ackedPackets: 0,
    misorderedPackets: 0,
    ecnBytes: 0,
    ecnPackets: 0,
    lastLostPackets: 0,
    lostPackets: 0,
    timeout: false,
    inflightPackets: 0,
    pendingBytes: 0,
    rttUs: 0,
    meanRttUs: 0,
    minRttUs: 0,
    sendRateBytesPerSec: 0,
    deliveryRateBytesPerSec: 0,
    mssBytes,
  };
}

/** Zeroes the counters and holds what is held: RTTs, rates and levels. */
export function clearCounters(interval: Interval): void {
  interval.report = false;
  interval.ackedBytes = 0;
  interval.ackedPackets = 0;
  interval.misorderedPackets = 0;
  interval.ecnBytes = 0;
  interval.ecnPackets = 0;
  interval.lastLostPackets = 0;
  interval.lostPackets = 0;
  interval.timeout = false;
}

/** Payload delivered in the step, in order or not. */
export function deliveredBytes(interval: Interval): Bytes {
  return (interval.ackedPackets + interval.misorderedPackets) * interval.mssBytes;
}

/** Payload delivered per second of the step; 0 for a step without length. */
export function throughputBytesPerSec(interval: Interval): BytesPerSec {
  return interval.stepUs === 0 ? 0 : (deliveredBytes(interval) * 1e6) / interval.stepUs;
}

/** Queueing delay as the flow can see it: mean RTT of the step over the smallest RTT so far. */
export function queueDelayUs(interval: Interval): Micros {
  return Math.max(0, interval.meanRttUs - interval.minRttUs);
}
