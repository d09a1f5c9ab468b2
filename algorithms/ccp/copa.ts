/**
 * Copa (Arun and Balakrishnan, "Copa: practical delay-based congestion control for the Internet", NSDI 2018): steers to a
 * rate of 1 / (delta dq) packets/s, dq being the queueing delay, which makes its window swing around one BDP so that the
 * queue empties every five RTTs. Where the queue never empties others fill it, and delta falls as long as nothing is lost.
 *
 *   cwnd / RTTstanding <= 1 / (delta dq): cwnd += v / delta per RTT, else cwnd -= v / delta
 *   v doubles each RTT once the direction has been the same for three, and is 1 again when it turns
 */
import { MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "./parts/interval-flow.ts";
import { WindowedMin } from "./parts/windowed-min.ts";

/** Section 2: RTTmin is taken over 10 s, in which every Copa flow has seen an empty queue. */
const MIN_RTT_SPAN_US = 10 * MICROS_PER_SEC;
/** Section 2.1: the direction has to be the same for so many RTTs before the velocity doubles. */
const SAME_DIRECTION_ROUNDS = 3;
/**
 * Section 2.2: the queue should be nearly empty once in five RTTs, which means below a tenth of its swing. An agent that hears
 * of a quarter of an RTT at a time swings more slowly, in six to seven.
 */
const EMPTY_WITHIN_ROUNDS = 8;
const NEARLY_EMPTY = 0.1;
/** Section 2.2: the top of the swing, over the last four RTTs. */
const SWING_ROUNDS = 4;
/** Ours: what a change does shows one RTT later, and velocity alone would then have changed as much again, and more. */
const MAX_CHANGE = 1 / 4;
/** Section 2.1: packets are paced at twice cwnd / RTTstanding, against bursts. */
const PACING_GAIN = 2;

class CopaRules implements Rules {
  readonly #defaultDelta: number;
  readonly #switches: boolean;
  readonly #takesLeast: boolean;
  readonly #minRtt = new WindowedMin(MIN_RTT_SPAN_US, 10);
  /** RTTs of the last two intervals, half an RTT, are the standing RTT's window */
  #lastRttUs: Micros = Number.POSITIVE_INFINITY;
  #velocity = 1;
  #direction: "up" | "down" = "up";
  #sameRounds = 0;
  /** largest standing RTTs of the last rounds, the running one last */
  readonly #tops: Micros[] = [0];
  #roundsSinceEmpty = 0;
  #delta: number;
  #lostInRound = false;

  constructor(params: ParamValues) {
    this.#delta = this.#defaultDelta = params["delta"]!;
    this.#switches = params["modeSwitching"] === 1;
    this.#takesLeast = params["leastRtt"] === 1;
  }

  onInterval(interval: Interval): Decision | undefined {
    const { nowUs, samples, lowRttUs, cwndPackets, deliveredPackets, slowStart } = interval;
    if (samples === 0) return undefined;
    this.#minRtt.add(nowUs, lowRttUs);
    const rttUs = this.#takesLeast ? lowRttUs : interval.meanRttUs;
    const standingUs = Math.min(rttUs, this.#lastRttUs);
    this.#lastRttUs = rttUs;
    const queueUs = standingUs - this.#minRtt.value;
    this.#watchQueue(standingUs, queueUs, standingUs / cwndPackets);
    if (interval.lostPackets > 0) this.#lostInRound = true;

    // current <= target: cwnd / standing <= 1 / (delta dq)
    const isBelow = cwndPackets * this.#delta * queueUs <= standingUs;
    const rate = (window: number): number => (PACING_GAIN * window * MICROS_PER_SEC) / standingUs;
    // section 2.3: slow start until the current rate exceeds the target
    if (slowStart && isBelow) return { ratePacketsPerSec: rate(2 * cwndPackets) };
    if (interval.endsRound) this.#endRound();
    if (isBelow && !interval.growing) return { ratePacketsPerSec: rate(cwndPackets) };
    this.#turn(isBelow ? "up" : "down");
    const perRound = Math.min(this.#velocity / this.#delta, MAX_CHANGE * cwndPackets);
    const change = (perRound * deliveredPackets) / cwndPackets;
    const window = cwndPackets + (isBelow ? change : -change);
    return { cwndPackets: window, ratePacketsPerSec: rate(window) };
  }

  #turn(direction: "up" | "down"): void {
    if (direction === this.#direction) return;
    this.#direction = direction;
    this.#sameRounds = 0;
    this.#velocity = 1;
  }

  /** Velocity, section 2.1; and delta in the competitive mode, section 2.2. */
  #endRound(): void {
    this.#sameRounds += 1;
    if (this.#sameRounds > SAME_DIRECTION_ROUNDS) this.#velocity *= 2;
    this.#tops.push(0);
    if (this.#tops.length > SWING_ROUNDS) this.#tops.shift();
    this.#roundsSinceEmpty += 1;
    const competes = this.#switches && this.#roundsSinceEmpty > EMPTY_WITHIN_ROUNDS;
    // AIMD on 1 / delta: one more per round without loss, half after one
    if (competes)
      this.#delta = this.#lostInRound
        ? Math.min(this.#defaultDelta, 2 * this.#delta)
        : this.#delta / (1 + this.#delta);
    else this.#delta = this.#defaultDelta;
    this.#lostInRound = false;
  }

  /** @param packetUs the path's time for one packet: less is no queue that could be told from none */
  #watchQueue(standingUs: Micros, queueUs: Micros, packetUs: Micros): void {
    this.#tops[this.#tops.length - 1] = Math.max(this.#tops.at(-1)!, standingUs);
    const swing = Math.max(...this.#tops) - this.#minRtt.value;
    if (queueUs <= Math.max(NEARLY_EMPTY * swing, packetUs)) this.#roundsSinceEmpty = 0;
  }

  /** The window does not react to loss, but delta does (section 2.2); a timeout starts anew. */
  onLoss({ cwndPackets }: Interval, kind: "loss" | "timeout"): number {
    this.#lostInRound = true;
    this.#velocity = 1;
    this.#sameRounds = 0;
    return kind === "loss" ? cwndPackets : cwndPackets / 2;
  }
}

export const copa: AlgorithmSpec = {
  name: "copa",
  summary:
    "steers to 1/(delta x queueing delay) packets/s around one BDP; competes where the queue never empties",
  source: "Arun and Balakrishnan, NSDI 2018",
  reads: ["rtt", "loss", "timeout"],
  params: [
    {
      name: "delta",
      unit: "1/packets",
      low: 0.02,
      high: 2,
      default: 0.5,
      why: "a flow keeps 1/delta packets in the queue on average: 0.5, two packets (section 2.1)",
    },
    {
      name: "modeSwitching",
      unit: "1",
      low: 0,
      high: 1,
      default: 1,
      whole: true,
      why: "1: delta falls where the queue has not emptied for five RTTs (section 2.2)",
    },
    {
      name: "leastRtt",
      unit: "1",
      low: 0,
      high: 1,
      default: 1,
      whole: true,
      why: "1: of each report the least RTT counts (section 2.2); 0: the mean, which compressed ACKs make out to be a queue",
    },
  ],
  ccp: (params) => intervalAlgorithm("copa", "quarter", () => ({ rules: new CopaRules(params) })),
};
