/**
 * Measures the interval beside any congestion control, from the same ACK events that it sees, so that a reward is computed
 * in the same way for a learned policy, a CCP algorithm and a native one.
 */
import type { AckEvent } from "../../ccp-bridge/congestion-control.ts";
import type { AckObserver, AckTotals } from "../../ccp-bridge/observed-control.ts";
import { type Bytes, MSS_BYTES } from "../../core/units.ts";
import { clearCounters, emptyInterval, type Interval, Silence, type SilentSender } from "./interval.ts";

/** The sums of a host that shows each ACK. */
class RecordedAcks implements AckTotals {
  events = 0;
  ackedBytes = 0;
  ackedPackets = 0;
  misorderedPackets = 0;
  ecnBytes = 0;
  ecnPackets = 0;
  lostPackets = 0;
  timeouts = 0;
  rttSumUs = 0;
  lastLostPackets = 0;
  inflightPackets = 0;
  pendingBytes = 0;
  rttUs = 0;
  minRttUs = 0;
  sendRateBytesPerSec = 0;
  deliveryRateBytesPerSec = 0;

  record(ack: AckEvent): void {
    this.events++;
    this.ackedBytes += ack.ackedBytes;
    this.ackedPackets += ack.ackedPackets;
    this.misorderedPackets += ack.misorderedPackets;
    this.ecnBytes += ack.ecnBytes;
    this.ecnPackets += ack.ecnPackets;
    this.lastLostPackets = ack.lostPackets;
    this.lostPackets += ack.lostPackets;
    if (ack.timeout) this.timeouts++;
    this.inflightPackets = ack.inflightPackets;
    this.pendingBytes = ack.pendingBytes;
    if (ack.rttUs > 0) {
      this.rttUs = ack.rttUs;
      this.minRttUs = ack.minRttUs;
      this.rttSumUs += ack.rttUs * (ack.ackedPackets + ack.misorderedPackets);
    }
    this.sendRateBytesPerSec = ack.sendRateBytesPerSec;
    this.deliveryRateBytesPerSec = ack.deliveryRateBytesPerSec;
  }

  clear(): void {
    this.events = this.ackedBytes = this.ackedPackets = this.misorderedPackets = 0;
    this.ecnBytes = this.ecnPackets = this.lostPackets = this.timeouts = this.rttSumUs = 0;
  }
}

export class Meter implements AckObserver {
  readonly interval: Interval;
  readonly #recorded = new RecordedAcks();
  #totals: AckTotals = this.#recorded;
  readonly #silence = new Silence();

  constructor(mssBytes: Bytes = MSS_BYTES) {
    this.interval = emptyInterval(mssBytes);
  }

  record(ack: AckEvent): void {
    this.#recorded.record(ack);
  }

  readFrom(totals: AckTotals): void {
    this.#totals = totals;
  }

  /** Closes the interval of `stepUs`, hands it to `use`, and begins the next. @param sender as it is now */
  close<T>(stepUs: number, sender: SilentSender, use: (interval: Interval) => T): T {
    const interval = this.interval;
    const totals = this.#totals;
    interval.stepUs = stepUs;
    if (totals.events > 0) this.#read(totals);
    this.#silence.endStep(interval, stepUs, sender);
    const result = use(interval);
    clearCounters(interval);
    totals.clear();
    return result;
  }

  #read(totals: AckTotals): void {
    const interval = this.interval;
    interval.report = true;
    interval.ackedBytes = totals.ackedBytes;
    interval.ackedPackets = totals.ackedPackets;
    interval.misorderedPackets = totals.misorderedPackets;
    interval.ecnBytes = totals.ecnBytes;
    interval.ecnPackets = totals.ecnPackets;
    interval.lastLostPackets = totals.lastLostPackets;
    interval.lostPackets = totals.lostPackets;
    interval.timeout = totals.timeouts > 0;
    interval.inflightPackets = totals.inflightPackets;
    interval.pendingBytes = totals.pendingBytes;
    interval.rttUs = totals.rttUs;
    interval.minRttUs = totals.minRttUs;
    interval.sendRateBytesPerSec = totals.sendRateBytesPerSec;
    interval.deliveryRateBytesPerSec = totals.deliveryRateBytesPerSec;
    const delivered = totals.ackedPackets + totals.misorderedPackets;
    if (delivered > 0) interval.meanRttUs = totals.rttSumUs / delivered;
  }
}
