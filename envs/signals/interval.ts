/**
 * What one step measured, however it was measured: by the datapath program of the environment (`env-program.ts`) or by a
 * meter beside any congestion control (`meter.ts`). Observations and rewards are functions of it.
 */
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import type { RunFlow } from "../../testbeds/testbed.ts";

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
  /** how long, up to the end of the step, packets have been in flight and nothing came back */
  silentUs: Micros;
  /** payload that the link could carry in the step / flows on it; a fact of the simulator, 0 where it is not known or not asked for */
  fairShareBytesPerSec: BytesPerSec;
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
    silentUs: 0,
    fairShareBytesPerSec: 0,
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

/** What the sender itself knows: a report may be due later than the ACKs came. */
export type SilentSender = Pick<RunFlow, "acks" | "inflightPackets">;

/** 33 minutes: no reward leaves its range for longer ones. */
const MAX_SILENCE_US: Micros = 2e9;

/** How long nothing has come back to a flow that waits for something, step by step. */
export class Silence {
  #acks = 0;
  #us: Micros = 0;

  /** A step of `stepUs` is over: writes `silentUs`. @param sender as it is now */
  endStep(interval: Interval, stepUs: Micros, sender: SilentSender): void {
    const { acks } = sender;
    const isHeard = acks !== this.#acks && interval.minRttUs > 0; // before the first report nothing is known
    this.#acks = acks;
    if (isHeard) this.#us = 0;
    else if (this.#us > 0 || sender.inflightPackets > 0) {
      // nothing in flight any more: it was given up, and is still to be delivered
      this.#us = Math.min(this.#us + stepUs, MAX_SILENCE_US);
    }
    interval.silentUs = this.#us;
  }
}

/** Payload delivered in the step, in order or not. */
export function deliveredBytes(interval: Interval): Bytes {
  return (interval.ackedPackets + interval.misorderedPackets) * interval.mssBytes;
}

/** Payload delivered per second of the step; 0 for a step without length. */
export function throughputBytesPerSec(interval: Interval): BytesPerSec {
  return interval.stepUs === 0 ? 0 : (deliveredBytes(interval) * 1e6) / interval.stepUs;
}

/** Queueing delay as the flow can see it: mean RTT of the step over the smallest RTT so far, held in silence. */
export function queueDelayUs(interval: Interval): Micros {
  return Math.max(0, interval.meanRttUs - interval.minRttUs);
}

/**
 * The same for rewards, in silence at least the silence less a round trip: what has not come back has been on its way for as
 * long as nothing came. So silence is never worth more than the sample that might have come, nor a dead link than a bad one.
 */
export function queueDelayAtLeastUs(interval: Interval): Micros {
  return Math.max(queueDelayUs(interval), interval.silentUs - interval.minRttUs);
}

/** Mean RTT of the step; in silence at least the silence. */
export function rttAtLeastUs({ meanRttUs, silentUs }: Interval): Micros {
  return Math.max(meanRttUs, silentUs);
}

/** Rate of delivery as CCP measures it; in a silence of more than a round trip at most a packet in that time. */
export function deliveryRateAtMostBytesPerSec(interval: Interval): BytesPerSec {
  const { deliveryRateBytesPerSec: held, silentUs, meanRttUs, mssBytes } = interval;
  return silentUs > meanRttUs ? Math.min(held, (mssBytes * 1e6) / silentUs) : held;
}
