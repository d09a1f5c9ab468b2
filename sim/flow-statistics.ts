/** What is measured of one flow: counters, queueing delays and equal bins over time. */
import type { Nanos } from "../core/units.ts";
import { NANOS_PER_MICRO } from "../core/units.ts";
import { DelayHistogram } from "./delay-histogram.ts";

/** Copies in this module: V8 folds a module's own constants into the code of a hot path, imported ones it reads. */
const MICRO = NANOS_PER_MICRO;

/** A day in bins of 50 ms, the longest run: a slow link knows departures that lie years behind its end. */
const MAX_BINS = 86_400 * 20;

/** A packet whose arrival is known and has not come. */
interface Taken {
  readonly arrivalNs: Nanos;
  readonly delayNs: Nanos;
}

/** Packets under way that are looked through again only when there are more. */
const UNDER_WAY_KEPT = 1024;

export class FlowStatistics {
  readonly queueDelay: DelayHistogram = new DelayHistogram();
  /** from leaving the sender to reaching the receiver, of the packets that have, as of `settle`; only where asked for */
  declare readonly oneWayDelay: DelayHistogram | undefined;
  /** packets that will reach the receiver later: an arrival is known from the enqueueing on */
  #underWay: Taken[] = [];
  #settleAt = UNDER_WAY_KEPT;
  /** when a payload reached the receiver for the first time, the latest so far */
  lastArrivalNs: Nanos = 0;
  readonly #startNs: Nanos = 0;
  readonly #binNs: Nanos = Number.POSITIVE_INFINITY;
  /** payload packets that arrived for the first time, per bin of their arrival */
  binDelivered: number[] = [];
  binDelaySumUs: number[] = [];
  binDelayCount: number[] = [];
  /** window at the end of each bin that is over */
  readonly binCwndPackets: number[] = [];
  nextBinEndNs: Nanos = Number.POSITIVE_INFINITY;
  readonly #hasBins: boolean;

  /** @param binNs Infinity: no bins */
  constructor(startNs: Nanos, binNs: Nanos, oneWayDelay = false) {
    this.#startNs = startNs;
    this.#binNs = binNs;
    this.#hasBins = binNs !== Number.POSITIVE_INFINITY;
    this.nextBinEndNs = startNs + binNs;
    this.oneWayDelay = oneWayDelay ? new DelayHistogram() : undefined;
  }

  /** There are bins, which want each packet's arrival and delay. */
  get hasBins(): boolean {
    return this.#hasBins;
  }

  /** The path has taken a packet: it is at the receiver at `arrivalNs`, `delayNs` after it left the sender. */
  onTaken(arrivalNs: Nanos, delayNs: Nanos, nowNs: Nanos): void {
    if (this.oneWayDelay !== undefined) this.#take(this.oneWayDelay, arrivalNs, delayNs, nowNs);
  }

  #take(oneWayDelay: DelayHistogram, arrivalNs: Nanos, delayNs: Nanos, nowNs: Nanos): void {
    // in the order of taking, so that sums of fractions do not depend on when somebody looks
    if (this.#underWay.length === 0 && arrivalNs <= nowNs) {
      oneWayDelay.record(delayNs / MICRO);
      return;
    }
    this.#underWay.push({ arrivalNs, delayNs });
    if (this.#underWay.length < this.#settleAt) return;
    this.settle(nowNs);
    this.#settleAt = Math.max(UNDER_WAY_KEPT, 2 * this.#underWay.length);
  }

  /** Counts the one-way delays of the packets that have arrived by now. */
  settle(nowNs: Nanos): void {
    if (this.#underWay.length === 0) return;
    this.#underWay = this.#underWay.filter(({ arrivalNs, delayNs }) => {
      if (arrivalNs > nowNs) return true;
      this.oneWayDelay!.record(delayNs / MICRO);
      return false;
    });
  }

  /** A payload reaches the receiver for the first time. */
  onArrival(atNs: Nanos): void {
    this.lastArrivalNs = atNs;
    if (this.#hasBins) this.#countArrival(atNs);
  }

  #countArrival(atNs: Nanos): void {
    const bin = Math.floor((atNs - this.#startNs) / this.#binNs);
    if (bin >= MAX_BINS) return;
    while (this.binDelivered.length <= bin) this.binDelivered.push(0);
    this.binDelivered[bin] = this.binDelivered[bin]! + 1;
  }

  /** A packet's service starts. */
  onDequeue(atNs: Nanos, queueDelayUs: number): void {
    this.queueDelay.record(queueDelayUs);
    if (this.#hasBins) this.#countDelay(atNs, queueDelayUs);
  }

  #countDelay(atNs: Nanos, queueDelayUs: number): void {
    const bin = Math.floor((atNs - this.#startNs) / this.#binNs);
    if (bin >= MAX_BINS) return;
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
