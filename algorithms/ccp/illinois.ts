/**
 * TCP-Illinois (Liu, Basar and Srikant, "TCP-Illinois: a loss and delay-based congestion control algorithm for high-speed
 * networks", VALUETOOLS 2006): loss says when to cut, delay says how fast to grow and how deep to cut. Far from congestion
 * it adds ten packets a round and cuts an eighth, near it 0.3 packets and half.
 */
import type { Micros } from "../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "./parts/interval-flow.ts";

/** Section 5: below so many packets it is Reno, since a delay of few packets says nothing. */
const WINDOW_THRESHOLD_PACKETS = 15;
/** Section 3.3: the delay must have been below the first threshold for so many rounds before growth is fastest again. */
const LOW_ROUNDS = 5;
/** Section 3.2: eta 1, 2 and 3 of the largest queueing delay */
const FASTEST_BELOW = 0.01;
const SHALLOW_BELOW = 0.1;
const DEEP_ABOVE = 0.8;

class IllinoisRules implements Rules {
  readonly #params: ParamValues;
  #maxRttUs: Micros = 0;
  #lowRounds = 0;
  #growth = 1;
  #cut = 0.5;

  constructor(params: ParamValues) {
    this.#params = params;
  }

  onInterval(interval: Interval): Decision | undefined {
    const { samples, meanRttUs, minRttUs, highRttUs, cwndPackets, slowStart } = interval;
    if (samples === 0) return undefined;
    this.#maxRttUs = Math.max(this.#maxRttUs, highRttUs);
    if (cwndPackets < WINDOW_THRESHOLD_PACKETS || slowStart) this.#beReno();
    else this.#adapt(meanRttUs - minRttUs, this.#maxRttUs - minRttUs);
    return { growthPackets: this.#growth };
  }

  #beReno(): void {
    this.#growth = 1;
    this.#cut = 0.5;
  }

  /** @param delay mean queueing delay of the round, in us; `most`: the largest seen */
  #adapt(delay: Micros, most: Micros): void {
    const { alphaMin, alphaMax, betaMin, betaMax } = this.#params as Record<string, number>;
    const first = FASTEST_BELOW * most;
    if (delay <= first) {
      this.#lowRounds += 1;
      // one quiet round after congestion may be chance
      if (this.#growth < alphaMax! && this.#lowRounds >= LOW_ROUNDS) this.#growth = alphaMax!;
    } else {
      this.#lowRounds = 0;
      // alpha = k1 / (k2 + d), alphaMax at the first threshold and alphaMin at the largest delay     equation (6)
      const k1 = ((most - first) * alphaMin! * alphaMax!) / (alphaMax! - alphaMin!);
      const k2 = ((most - first) * alphaMin!) / (alphaMax! - alphaMin!) - first;
      this.#growth = k1 / (k2 + delay);
    }
    // beta rises linearly between the second and the third                                            equation (7)
    const share = most === 0 ? 0 : (delay / most - SHALLOW_BELOW) / (DEEP_ABOVE - SHALLOW_BELOW);
    this.#cut = betaMin! + (betaMax! - betaMin!) * Math.min(1, Math.max(0, share));
  }

  onLoss({ cwndPackets }: Interval, kind: "loss" | "timeout"): number {
    const left = cwndPackets * (1 - this.#cut);
    if (kind === "timeout") {
      this.#maxRttUs = 0;
      this.#lowRounds = 0;
      this.#beReno();
    }
    return left;
  }
}

export const illinois: AlgorithmSpec = {
  name: "illinois",
  summary: "loss says when to cut; queueing delay how much to add (0.3 to 10 packets a round) and to cut",
  source: "Liu, Basar and Srikant, VALUETOOLS 2006",
  reads: ["loss", "timeout", "rtt"],
  params: [
    {
      name: "alphaMin",
      unit: "packets",
      low: 0.1,
      high: 1,
      default: 0.3,
      why: "added per round where the queue is full: 0.3 (section 5)",
    },
    {
      name: "alphaMax",
      unit: "packets",
      low: 1.5,
      high: 100,
      default: 10,
      why: "added per round where there is no queue: 10 (section 5)",
    },
    {
      name: "betaMin",
      unit: "1",
      low: 0.05,
      high: 0.5,
      default: 0.125,
      why: "cut where there is no queue: an eighth (section 5)",
    },
    {
      name: "betaMax",
      unit: "1",
      low: 0.05,
      high: 0.9,
      default: 0.5,
      why: "cut where the queue is full: half (section 5)",
    },
  ],
  refuses: ({ betaMin, betaMax }) =>
    betaMin! > betaMax!
      ? `betaMin: got ${betaMin}, expected at most betaMax, which is ${betaMax}`
      : undefined,
  ccp: (params) => intervalAlgorithm("illinois", "round", () => ({ rules: new IllinoisRules(params) })),
};
