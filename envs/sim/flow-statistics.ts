/** What is measured of one flow: counters, queueing delays and equal bins over time. */
import type { Nanos } from "../../core/units.ts";
import { DelayHistogram } from "./delay-histogram.ts";

export class FlowStatistics {
  readonly queueDelay: DelayHistogram = new DelayHistogram();
  readonly #startNs: Nanos;
  readonly #binNs: Nanos;
  /** payload packets that arrived for the first time, per bin of their arrival */
  readonly binDelivered: number[] = [];
  readonly binDelaySumUs: number[] = [];
  readonly binDelayCount: number[] = [];
  /** window at the end of each bin that is over */
  readonly binCwndPackets: number[] = [];
  nextBinEndNs: Nanos;

  /** @param binNs Infinity: no bins */
  constructor(startNs: Nanos, binNs: Nanos) {
    this.#startNs = startNs;
    this.#binNs = binNs;
    this.nextBinEndNs = startNs + binNs;
  }

  onArrival(atNs: Nanos): void {
    if (this.#binNs === Number.POSITIVE_INFINITY) return;
    const bin = Math.floor((atNs - this.#startNs) / this.#binNs);
    while (this.binDelivered.length <= bin) this.binDelivered.push(0);
    this.binDelivered[bin] = this.binDelivered[bin]! + 1;
  }

  onDequeue(atNs: Nanos, queueDelayUs: number): void {
    this.queueDelay.record(queueDelayUs);
    if (this.#binNs === Number.POSITIVE_INFINITY) return;
    const bin = Math.floor((atNs - this.#startNs) / this.#binNs);
    while (this.binDelaySumUs.length <= bin) {
      this.binDelaySumUs.push(0);
      this.binDelayCount.push(0);
    }
    this.binDelaySumUs[bin] = this.binDelaySumUs[bin]! + queueDelayUs;
    this.binDelayCount[bin] = this.binDelayCount[bin]! + 1;
  }

  /** Closes the bins that end by now. */
  onTime(nowNs: Nanos, cwndPackets: number): void {
    while (this.nextBinEndNs <= nowNs) {
      this.binCwndPackets.push(cwndPackets);
      this.nextBinEndNs += this.#binNs;
    }
  }
}
