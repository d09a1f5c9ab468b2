/** Nimbus's two rules (Goyal et al., SIGCOMM 2022): one that holds a small queue, one that stands its ground among TCPs. */
import { cbrt } from "../../../core/math.ts";
import { MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import { renoFriendlyAlpha } from "../../native/cubic.ts";

/** What a report says, rates in packets/s. */
export interface Sample {
  readonly nowUs: Micros;
  readonly rttUs: Micros;
  readonly minRttUs: Micros;
  readonly deliveredPackets: number;
  readonly sendRate: number;
  readonly crossRate: number;
  readonly linkRate: number;
}

/** Section 4.1: how fast the spare capacity is taken, and the queue brought to its target. */
const SPARE_GAIN = 0.8;
const QUEUE_GAIN = 0.5;

/** S + 0.8 (mu - S - z) + 0.5 mu / x (x_min + d_t - x)                                         equation (5) */
export function delayRate(
  { sendRate, crossRate, linkRate, rttUs, minRttUs }: Sample,
  targetUs: Micros,
): number {
  const spare = linkRate - sendRate - crossRate;
  return sendRate + SPARE_GAIN * spare + (QUEUE_GAIN * linkRate * (minRttUs + targetUs - rttUs)) / rttUs;
}

/** RFC 9438 4.1, 4.6: C in packets/s^3 and what a cut leaves. */
const C = 0.4;
const BETA = 0.7;
const ALPHA: number = renoFriendlyAlpha(BETA);
/** RFC 9438 4.2: the target is at most half a window ahead. */
const MAX_AHEAD = 1.5;
const MIN_WINDOW_PACKETS = 2;
/** A round, and the time in which a loss is noticed and reported. */
const EPISODE_ROUNDS = 1.25;

/**
 * What is held, in least RTTs at the link's rate. With 1.75 one BBR gets a quarter to a third of a link whose buffer holds as much,
 * between a flow's part and two flows' part beside four. Where the buffer holds less, it becomes less until hardly anything is lost,
 * and slowly more again: senders whose windows are gone hold nothing.
 */
const HELD = { most: 1.75, least: 1.3, less: 0.1, morePerSec: 0.01 };
/**
 * BBR has eight packets more in flight than two RTTs (three bursts of two, and two to probe), which is much of a short path: they take
 * no more from others if these have three times as many, as beside a flow with a quarter of the link. It grows by one a second, as
 * long as senders fill all that is held and hardly anything is lost: what they lose they may not get back.
 */
const BEYOND = { packets: 24, morePerSec: 1, lessPerSec: 2, filled: 0.9, lossRate: 0.002 };
/** while others measure the path: less than it carries, so that the queue goes */
const DRAINED = 0.7;
/** Losses are counted for so long, and are many from there on. */
const LOSSES = { spanUs: MICROS_PER_SEC, rate: 0.02 };
/** in least RTTs */
const NO_QUEUE = 1.05;

/** @returns packets/s by which the queue goes; undefined: there is none */
export function drainRate({ linkRate, rttUs, minRttUs }: Sample): number | undefined {
  return rttUs > NO_QUEUE * minRttUs ? (DRAINED * linkRate * minRttUs) / rttUs : undefined;
}

/** What goes on while cross traffic answers. */
export interface CompetitiveRule {
  /**
   * open: at the link's rate, but for dips in the place of pulses; pulsed: at the rule's rate and pulses; steady: at the rule's rate
   */
  readonly gate: "open" | "pulsed" | "steady";
  /** @returns packets/s until the next report */
  rate(sample: Sample, lostPackets: number): number;
}

/**
 * For a group of senders that have windows of their own (Bundler, Cardwell et al., EuroSys 2021): they compete, and this lets pass
 * what they send, as it comes. Bundler's own rule keeps 10 ms of it back, to make pulses of. That queue takes a scheduler's turns
 * at the senders' packets, so that each loss in the network is one of all of them, where the others' bursts cost one of them at a
 * time (Aggarwal et al., "Understanding the performance of TCP pacing", INFOCOM 2000): beside as many Cubics a bundle ended up
 * with half of its part. So there is no queue here but in dips, which are what this has for pulses.
 */
export class Passage implements CompetitiveRule {
  readonly gate = "open";
  readonly #overUs: Micros;
  #rate: number;
  #atUs: Micros;

  /** @param overUs what the senders' rate is averaged over, so that it has no pulses of its own */
  constructor(nowUs: Micros, rate: number, overUs: Micros) {
    this.#atUs = nowUs;
    this.#rate = rate;
    this.#overUs = overUs;
  }

  /** @returns what the senders send in the mean */
  rate({ nowUs, sendRate }: Sample): number {
    const share = Math.min(1, (nowUs - this.#atUs) / this.#overUs);
    this.#atUs = nowUs;
    this.#rate += share * (sendRate - this.#rate);
    return this.#rate;
  }
}

/**
 * For a group beside BBR, which has at most twice the RTT that it measured in flight (Ware et al., "Modeling BBR's interactions with
 * loss-based congestion control", IMC 2019): who holds W RTTs of the link leaves it 1 - W / 2, if what it measured is the path without
 * a queue. What a group's own windows leave in the queue while it measures counts as path, and BBR takes half of the link or more. So
 * this holds W back from growing.
 */
export class Holding implements CompetitiveRule {
  readonly gate = "steady";
  #rounds = HELD.most;
  #beyondPackets = 0;
  #rate = 0;
  /** packets, and sums of rates */
  readonly #lately: { fromUs: Micros; sent: number; lost: number; allowed: number; used: number };

  constructor(nowUs: Micros) {
    this.#lately = { fromUs: nowUs, sent: 0, lost: 0, allowed: 0, used: 0 };
  }

  rate(sample: Sample, lostPackets: number): number {
    const { rttUs, minRttUs, linkRate } = sample;
    this.#heed(sample, lostPackets);
    this.#rate = (this.#rounds * linkRate * minRttUs + this.#beyondPackets * MICROS_PER_SEC) / rttUs;
    return this.#rate;
  }

  #heed({ nowUs, deliveredPackets, sendRate }: Sample, lost: number): void {
    const lately = this.#lately;
    lately.sent += deliveredPackets + lost;
    lately.lost += lost;
    lately.allowed += this.#rate;
    lately.used += Math.min(this.#rate, sendRate);
    if (nowUs - lately.fromUs < LOSSES.spanUs) return;
    const isMany = lately.lost > LOSSES.rate * lately.sent;
    const change = isMany ? -HELD.less : HELD.morePerSec;
    this.#rounds = Math.min(HELD.most, Math.max(HELD.least, this.#rounds + change));
    const hasRoom =
      lately.used > BEYOND.filled * lately.allowed && lately.lost <= BEYOND.lossRate * lately.sent;
    const beyond = this.#beyondPackets + (hasRoom ? BEYOND.morePerSec : -BEYOND.lessPerSec);
    this.#beyondPackets = Math.min(BEYOND.packets, Math.max(0, beyond));
    Object.assign(lately, { fromUs: nowUs, sent: 0, lost: 0, allowed: 0, used: 0 });
  }
}

/**
 * Cubic's window (RFC 9438), told of reports; as of several flows of which one is cut at a time (MulTCP, Crowcroft and Oechslin, CCR
 * 1998).
 */
export class CubicWindow implements CompetitiveRule {
  readonly gate = "pulsed";
  readonly #flows: number;
  #packets: number;
  #originPackets: number;
  #renoPackets: number;
  #startUs: Micros;
  #k = 0;
  /** in slow start, until the first loss */
  #starts: boolean;
  /** losses until then are of what was sent before the last cut */
  #recoverUs: Micros;

  /** @param starts `packets` say nothing of its part: it begins as any Cubic does, by slow start */
  constructor(nowUs: Micros, packets: number, flows: number, starts: boolean) {
    this.#starts = starts;
    this.#flows = flows;
    this.#packets = this.#originPackets = this.#renoPackets = Math.max(MIN_WINDOW_PACKETS, packets);
    this.#startUs = this.#recoverUs = nowUs;
  }

  rate(sample: Sample, lostPackets: number): number {
    if (lostPackets > 0) this.#cut(sample.nowUs, sample.rttUs);
    else this.#grow(sample);
    return (this.#packets * MICROS_PER_SEC) / sample.rttUs;
  }

  #grow({ nowUs, rttUs, deliveredPackets }: Sample): void {
    if (this.#starts) {
      this.#packets += deliveredPackets;
      this.#originPackets = this.#renoPackets = this.#packets;
      this.#startUs = nowUs;
      return;
    }
    const rounds = Math.min(1, deliveredPackets / this.#packets);
    const d = (nowUs - this.#startUs + rttUs) / MICROS_PER_SEC - this.#k;
    // W_cubic(t) = C (t - K)^3 + W_max, W_est = W_est + alpha * acked / cwnd                 equations (1), (4)
    const target = Math.min(this.#originPackets + this.#flows * C * d * d * d, MAX_AHEAD * this.#packets);
    this.#renoPackets += this.#flows * ALPHA * rounds;
    if (target > this.#packets) this.#packets += (target - this.#packets) * rounds;
    this.#packets = Math.max(this.#packets, this.#renoPackets);
  }

  /** Losses in one round are one episode. */
  #cut(nowUs: Micros, rttUs: Micros): void {
    if (nowUs < this.#recoverUs) return;
    this.#recoverUs = nowUs + EPISODE_ROUNDS * rttUs;
    this.#startUs = nowUs;
    this.#starts = false;
    const left = 1 - (1 - BETA) / this.#flows;
    const givesUp = this.#packets < this.#originPackets;
    this.#originPackets = givesUp ? (this.#packets * (1 + left)) / 2 : this.#packets;
    this.#packets = this.#renoPackets = Math.max(MIN_WINDOW_PACKETS, left * this.#packets);
    // K = cbrt((W_max - cwnd_epoch) / C)                                                        equation (2)
    this.#k = cbrt(Math.max(0, this.#originPackets - this.#packets) / (this.#flows * C));
  }
}
