/** What a flow can know of its path from its reports alone: the rate that it carries, and whether slow start has found it. */
import { log2 } from "../../../core/math.ts";
import { type BytesPerSec, MICROS_PER_MILLI, type Micros } from "../../../core/units.ts";
import { type Interval, queueDelayUs, throughputBytesPerSec } from "../interval.ts";

/** BBR's filter of the highest rate is 10 rounds; a little less follows a link that changes. */
const MAX_REPORTS = 8;
/** The rate moves half of the way to each report's: noise of one report is halved, and a change is followed in two or three. */
const RATE_GAIN = 0.5;
/** BBR: the pipe is full where the rate has not grown by a quarter in three rounds. */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
/** In a round without growth loss says the same at once, unless that is as rare as chance makes it. */
const FULL_LOSS_RATE = 0.05;
/** So does queueing delay. */
const FULL_DELAY_RTT = 0.25;
const FULL_DELAY_US = 2 * MICROS_PER_MILLI;
/** More than this comes through by the rate of delivery where ACKs come in bunches. */
const BUNCH_RATIO = 2;
const BUNCHED = 0.6;
/** A rate that changes by more octaves than this from report to report does so by itself, or packets go at random. */
const VARYING = 0.05;
/** The same where more than this share of reports had a bunch of ACKs, which make changes of their own. */
const SOME_BUNCHES = 0.05;
const VARYING_IN_BUNCHES = 0.2;
const CHANGE_REPORTS = 16;
/** Losses are remembered over about so many reports. */
const LOSS_MEMORY_REPORTS = 32;

export class PathModel {
  /**
   * at which packets left and arrived alike, smoothed, in slow start the highest; 0 before the first report. Not the highest
   * later on: that would be the rate of what a policy tries out, and less than it once it tries nothing any more
   */
  rateBytesPerSec: BytesPerSec = 0;
  /** the highest of the last eight reports */
  maxRateBytesPerSec: BytesPerSec = 0;
  /** the rate grows as fast as a slow start makes it */
  isStartup = true;
  /** reports so far */
  reports = 0;
  /** since the rate was as high as now */
  reportsSinceMax = 0;
  /** share of packets lost, over some 32 reports */
  lossRate = 0;
  /** how far the mean RTT of a report lies from that of the one before, over some eight reports */
  rttChangeUs: Micros = 0;
  #lastRttUs: Micros = 0;
  /** octaves by which the throughput of a report differs from that of the one before, over some 16 reports: a constant rate has next to none */
  rateChange = 0;
  #lastThroughput: BytesPerSec = 0;
  /** share of reports, over some eight, in which more came through than the rate of delivery says: ACKs come in bunches */
  bunching = 0;
  readonly #rates = new Float64Array(MAX_REPORTS);
  #fullRate: BytesPerSec = 0;
  #fullRounds = 0;

  /** So often that the RTT tells of the wait for a bunch more than of a queue. */
  get isBunched(): boolean {
    return this.bunching > BUNCHED;
  }

  /** Queueing delay, less half of a step where ACKs come in bunches: so long they wait for one on average. */
  delayUs(interval: Interval): Micros {
    return Math.max(0, queueDelayUs(interval) - (this.isBunched ? interval.stepUs / 2 : 0));
  }

  /** A step has ended with a report. */
  push(interval: Interval): void {
    const { deliveryRateBytesPerSec: delivery, sendRateBytesPerSec: send } = interval;
    // ACKs that come together make a rate of delivery that nothing was sent at
    const sampled = send > 0 ? Math.min(delivery, send) : delivery;
    // a report with the first ACK of a bunch has the rate of that one, and the others come with the next
    const throughput = throughputBytesPerSec(interval);
    const isBunch = throughput > BUNCH_RATIO * sampled;
    // the lesser of two rates that change by themselves is less than what the path carries
    const varying = this.bunching > SOME_BUNCHES ? VARYING_IN_BUNCHES : VARYING;
    const rate = isBunch || this.rateChange > varying ? throughput : sampled;
    if (this.#lastThroughput > 0 && throughput > 0 && !this.isStartup) {
      const change = Math.abs(log2(throughput / this.#lastThroughput));
      this.rateChange += (change - this.rateChange) / CHANGE_REPORTS;
    }
    this.#lastThroughput = throughput;
    this.bunching += ((isBunch ? 1 : 0) - this.bunching) / Math.min(this.reports + 1, MAX_REPORTS);
    if (this.#lastRttUs > 0) {
      const changeUs = Math.abs(interval.meanRttUs - this.#lastRttUs);
      this.rttChangeUs += (changeUs - this.rttChangeUs) / MAX_REPORTS;
    }
    this.#lastRttUs = interval.meanRttUs;
    this.#rates[this.reports % MAX_REPORTS] = rate;
    this.reports++;
    let highest = 0;
    for (let i = 0; i < MAX_REPORTS; i++) highest = Math.max(highest, this.#rates[i]!);
    this.reportsSinceMax = rate >= highest ? 0 : Math.min(this.reportsSinceMax + 1, MAX_REPORTS);
    this.maxRateBytesPerSec = highest;
    this.rateBytesPerSec = this.isStartup
      ? highest
      : this.rateBytesPerSec + RATE_GAIN * (rate - this.rateBytesPerSec);
    const { lostPackets, ackedPackets, misorderedPackets } = interval;
    const handled = lostPackets + ackedPackets + misorderedPackets;
    const lossRate = handled === 0 ? 0 : lostPackets / handled;
    this.lossRate += (lossRate - this.lossRate) / Math.min(this.reports, LOSS_MEMORY_REPORTS);
    if (this.isStartup) this.#watchStartup(interval, lossRate);
  }

  #watchStartup(interval: Interval, lossRate: number): void {
    if (this.maxRateBytesPerSec >= FULL_GROWTH * this.#fullRate) {
      this.#fullRate = this.maxRateBytesPerSec;
      this.#fullRounds = 0;
    } else this.#fullRounds++;
    const isSlow = this.delayUs(interval) > FULL_DELAY_US + FULL_DELAY_RTT * interval.minRttUs;
    const isFull = this.#fullRounds > 0 && (isSlow || lossRate > FULL_LOSS_RATE);
    if (isFull || interval.timeout || this.#fullRounds >= FULL_ROUNDS) this.isStartup = false;
  }
}
