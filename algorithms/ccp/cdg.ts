/**
 * CAIA delay-gradient (Hayes and Armitage, "Revisiting TCP congestion control using delay gradients", IFIP Networking 2011):
 * backs off by chance, the more surely the faster the RTT grows, and takes losses without a sign of a full queue for none
 * of its own making. A shadow window remembers what Reno would have, so that it does not starve beside loss-based flows.
 */
import { exp } from "../../core/math.ts";
import type { Rng } from "../../core/random.ts";
import { MICROS_PER_MILLI } from "../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "./parts/interval-flow.ts";

/** Section 3.2: back-offs in a row that did not help mean competition with loss-based flows ... */
const INEFFECTIVE_BACKOFFS = 5;
/** ... and are followed by so many that are left out. */
const SKIPPED_BACKOFFS = 5;

/** The mean change per round of a measure, over a moving window. */
class Gradient {
  readonly #changes: number[] = [];
  readonly #rounds: number;
  #last: number | undefined;

  constructor(rounds: number) {
    this.#rounds = rounds;
  }

  add(value: number): number {
    if (this.#last !== undefined) this.#changes.push(value - this.#last);
    this.#last = value;
    if (this.#changes.length > this.#rounds) this.#changes.shift();
    if (this.#changes.length === 0) return 0;
    return this.#changes.reduce((sum, change) => sum + change, 0) / this.#changes.length;
  }
}

class CdgRules implements Rules {
  readonly #params: ParamValues;
  readonly #rng: Rng;
  /** of the least and the largest RTT of each round, in ms */
  readonly #low: Gradient;
  readonly #high: Gradient;
  #shadowPackets = 0;
  #queueIsFull = false;
  #inARow = 0;
  #toSkip = 0;

  constructor(params: ParamValues, rng: Rng) {
    this.#params = params;
    this.#rng = rng;
    this.#low = new Gradient(params["rounds"]!);
    this.#high = new Gradient(params["rounds"]!);
  }

  onInterval(interval: Interval): Decision | undefined {
    const { samples, lowRttUs, highRttUs, cwndPackets, growing, slowStart } = interval;
    if (samples === 0) return undefined;
    const low = this.#low.add(lowRttUs / MICROS_PER_MILLI);
    const high = this.#high.add(highRttUs / MICROS_PER_MILLI);
    // the largest RTT has stopped to grow while the least still does: nothing more fits into the queue       section 3.3
    this.#queueIsFull = low > 0 && high <= 0;
    if (growing && !slowStart) this.#shadowPackets = Math.max(this.#shadowPackets + 1, cwndPackets);
    if (!(growing && this.#backsOff(low > 0 ? low : high))) return { growthPackets: 1 };
    this.#shadowPackets = Math.max(this.#shadowPackets, cwndPackets);
    return { cwndPackets: cwndPackets * this.#params["beta"]!, growthPackets: 1 };
  }

  /** P = 1 - exp(-g / G)                                                                              equation (2) */
  #backsOff(gradientMs: number): boolean {
    if (gradientMs <= 0) {
      this.#inARow = 0;
      return false;
    }
    if (this.#rng.next() >= 1 - exp(-gradientMs / this.#params["scaleMs"]!)) return false;
    if (this.#toSkip > 0) {
      this.#toSkip -= 1;
      return false;
    }
    this.#inARow += 1;
    if (this.#inARow >= INEFFECTIVE_BACKOFFS) {
      this.#inARow = 0;
      this.#toSkip = SKIPPED_BACKOFFS;
    }
    return true;
  }

  onLoss({ cwndPackets }: Interval, kind: "loss" | "timeout"): number {
    // a loss without a full queue is not congestion                                                      section 3.3
    if (kind === "loss" && !this.#queueIsFull && this.#params["tolerance"] === 1) return cwndPackets;
    const left = Math.max(cwndPackets, this.#shadowPackets) / 2;
    this.#shadowPackets = kind === "timeout" ? 0 : left;
    return left;
  }
}

export const cdg: AlgorithmSpec = {
  name: "cdg",
  summary: "backs off by chance as the RTT grows from round to round; tolerates losses without a queue",
  source: "Hayes and Armitage, IFIP Networking 2011",
  reads: ["rtt", "loss", "timeout"],
  params: [
    {
      name: "scaleMs",
      unit: "ms",
      low: 0.1,
      high: 100,
      default: 3,
      why: "G: growth per round at which two back-offs of three happen: 3 ms (section 3.1)",
    },
    {
      name: "beta",
      unit: "1",
      low: 0.1,
      high: 0.95,
      default: 0.7,
      why: "what a back-off leaves: 0.7 (section 3.1)",
    },
    {
      name: "rounds",
      unit: "rounds",
      low: 1,
      high: 64,
      default: 8,
      whole: true,
      why: "over which gradients are averaged: 8 (section 3.1)",
    },
    {
      name: "tolerance",
      unit: "1",
      low: 0,
      high: 1,
      default: 1,
      whole: true,
      why: "1: a loss without a full queue costs nothing (section 3.3)",
    },
  ],
  ccp: (params) => intervalAlgorithm("cdg", "round", ({ rng }) => ({ rules: new CdgRules(params, rng) })),
};
