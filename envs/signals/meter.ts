/**
 * Measures the interval beside any congestion control, from the same ACK events that it sees, so that a reward is computed
 * in the same way for a learned policy, a CCP algorithm and a native one.
 */
import type { AckEvent } from "../../ccp-bridge/congestion-control.ts";
import type { AckObserver } from "../../ccp-bridge/observed-control.ts";
import { type Bytes, MSS_BYTES } from "../../core/units.ts";
import { clearCounters, emptyInterval, type Interval, Silence, type SilentSender } from "./interval.ts";

export class Meter implements AckObserver {
  readonly interval: Interval;
  #rttSumUs = 0;
  readonly #silence = new Silence();

  constructor(mssBytes: Bytes = MSS_BYTES) {
    this.interval = emptyInterval(mssBytes);
  }

  record(ack: AckEvent): void {
    const interval = this.interval;
    interval.report = true;
    interval.ackedBytes += ack.ackedBytes;
    interval.ackedPackets += ack.ackedPackets;
    interval.misorderedPackets += ack.misorderedPackets;
    interval.ecnBytes += ack.ecnBytes;
    interval.ecnPackets += ack.ecnPackets;
    interval.lastLostPackets = ack.lostPackets;
    interval.lostPackets += ack.lostPackets;
    if (ack.timeout) interval.timeout = true;
    interval.inflightPackets = ack.inflightPackets;
    interval.pendingBytes = ack.pendingBytes;
    if (ack.rttUs > 0) {
      interval.rttUs = ack.rttUs;
      interval.minRttUs = ack.minRttUs;
      this.#rttSumUs += ack.rttUs * (ack.ackedPackets + ack.misorderedPackets);
    }
    interval.sendRateBytesPerSec = ack.sendRateBytesPerSec;
    interval.deliveryRateBytesPerSec = ack.deliveryRateBytesPerSec;
  }

  /** Closes the interval of `stepUs`, hands it to `use`, and begins the next. @param sender as it is now */
  close<T>(stepUs: number, sender: SilentSender, use: (interval: Interval) => T): T {
    const interval = this.interval;
    interval.stepUs = stepUs;
    const delivered = interval.ackedPackets + interval.misorderedPackets;
    if (delivered > 0) interval.meanRttUs = this.#rttSumUs / delivered;
    this.#silence.endStep(interval, stepUs, sender);
    const result = use(interval);
    clearCounters(interval);
    this.#rttSumUs = 0;
    return result;
  }
}
