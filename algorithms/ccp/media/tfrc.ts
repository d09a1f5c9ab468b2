/**
 * TFRC (RFC 5348): paces at the rate that TCP would have at the same loss event rate and RTT, so that a stream has TCP's share
 * without its sawtooth. A loss event is what is lost within an RTT; its rate is one over the mean of eight loss intervals.
 * Left out, as the RFC allows: history discounting (5.5), and less rate for a growing RTT (4.5).
 */
import { MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "../parts/interval-flow.ts";
import { RoundMax } from "../parts/round-max.ts";

/** Section 5.4: the latest four intervals count in full, older ones less and less. */
const WEIGHTS: readonly number[] = [1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2];
/** Section 4.3: what has arrived per second, over the last two RTTs, at most doubles. */
const RECEIVE_ROUNDS = 2;
const RECEIVE_LIMIT = 2;
/** Section 4.3: t_mbi: one packet in 64 s at least. */
const MIN_PACKETS_PER_SEC: number = 1 / 64;
/** Section 3.1: t_RTO = 4 R, and b = 1 packet per ACK. */
const RTO_ROUNDS = 4;
/** Section 6.3.1 solves the equation for p; halving this often is exact to its 5 % many times over. */
const BISECTIONS = 40;
/** The window only stops a flow whose ACKs do not come. */
const WINDOW_ROUNDS = 2;

/** X / s of section 3.1: packets per second at a loss event rate. */
export function tcpPacketsPerSec(lossEventRate: number, rttSec: number): number {
  const p = lossEventRate;
  const rto = RTO_ROUNDS * (3 * Math.sqrt((3 * p) / 8)) * p * (1 + 32 * p * p);
  return 1 / (rttSec * (Math.sqrt((2 * p) / 3) + rto));
}

/** The loss event rate at which the equation gives a rate. */
function lossEventRateAt(packetsPerSec: number, rttSec: number): number {
  let low = 1e-12;
  let high = 1;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = Math.sqrt(low * high);
    if (tcpPacketsPerSec(middle, rttSec) > packetsPerSec) low = middle;
    else high = middle;
  }
  return high;
}

/** Section 5.4: 1 / p, from the intervals with the open one first. */
function meanInterval(open: number, closed: readonly number[]): number {
  const weighted = (intervals: readonly number[]): number =>
    intervals.reduce((sum, packets, i) => sum + packets * (WEIGHTS[i] ?? 0), 0);
  const weights = WEIGHTS.slice(0, closed.length).reduce((sum, weight) => sum + weight, 0);
  return Math.max(weighted([open, ...closed].slice(0, closed.length)), weighted(closed)) / weights;
}

class TfrcRules implements Rules {
  readonly #rttWeight: number;
  #rttUs: Micros = 0;
  /** X */
  #packetsPerSec = 0;
  readonly #received = new RoundMax(RECEIVE_ROUNDS);
  /** packets since the last loss event began */
  #open = 0;
  /** loss intervals, newest first; empty: slow start */
  #closed: number[] = [];

  constructor(params: ParamValues) {
    this.#rttWeight = params["rttWeight"]!;
  }

  onInterval(interval: Interval): Decision | undefined {
    this.#count(interval);
    if (this.#rttUs === 0) return undefined;
    const rttSec = this.#rttUs / MICROS_PER_SEC;
    if (this.#packetsPerSec === 0) this.#packetsPerSec = interval.cwndPackets / rttSec;
    const limit = RECEIVE_LIMIT * (this.#received.value || Number.POSITIVE_INFINITY);
    if (this.#closed.length > 0) {
      const lossEventRate = 1 / meanInterval(this.#open, this.#closed);
      this.#packetsPerSec = Math.min(tcpPacketsPerSec(lossEventRate, rttSec), limit);
    } else if (interval.endsRound) {
      this.#packetsPerSec = Math.min(2 * this.#packetsPerSec, limit);
    }
    if (interval.endsRound) this.#received.advance();
    this.#packetsPerSec = Math.max(this.#packetsPerSec, MIN_PACKETS_PER_SEC);
    return {
      ratePacketsPerSec: this.#packetsPerSec,
      cwndPackets: WINDOW_ROUNDS * this.#packetsPerSec * rttSec,
    };
  }

  #count({ samples, meanRttUs, ratePacketsPerSec, deliveredPackets, lostPackets }: Interval): void {
    this.#open += deliveredPackets + lostPackets;
    this.#received.add(ratePacketsPerSec);
    // R = q R + (1 - q) R_sample                                                                    section 4.3
    if (samples === 0) return;
    const q = this.#rttUs === 0 ? 0 : this.#rttWeight;
    this.#rttUs = q * this.#rttUs + (1 - q) * meanRttUs;
  }

  onLoss(interval: Interval, kind: "loss" | "timeout"): number {
    this.#count(interval);
    // section 4.4: no feedback for 4 RTTs halves the rate, by what it believes to have been received
    if (kind === "timeout") {
      this.#received.advance();
      this.#received.advance();
      this.#received.add(this.#packetsPerSec / (2 * RECEIVE_LIMIT));
      this.#packetsPerSec /= 2;
    }
    const isFirst = this.#closed.length === 0;
    // section 6.3.1: slow start has overshot, so the first interval is one that gives half of what arrived
    const halfRate = Math.max(this.#received.value / 2, MIN_PACKETS_PER_SEC);
    const rttSec = Math.max(this.#rttUs, 1) / MICROS_PER_SEC;
    this.#closed.unshift(isFirst ? 1 / lossEventRateAt(halfRate, rttSec) : this.#open);
    if (this.#closed.length > WEIGHTS.length) this.#closed.pop();
    this.#open = 0;
    return interval.cwndPackets;
  }
}

export const tfrc: AlgorithmSpec = {
  name: "tfrc",
  summary:
    "paces at the rate that TCP would have on average at the same loss event rate and RTT, without its sawtooth",
  source: "RFC 5348",
  reads: ["loss", "timeout", "rtt", "delivery-rate"],
  params: [
    {
      name: "rttWeight",
      unit: "1",
      low: 0,
      high: 0.99,
      default: 0.9,
      why: "weight of what is known of the RTT against a new sample: 0.9 (RFC 5348 section 4.3)",
    },
  ],
  ccp: (params) =>
    intervalAlgorithm("tfrc", "quarter", () => ({ rules: new TfrcRules(params), slowStart: false })),
};
