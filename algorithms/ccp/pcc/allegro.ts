/**
 * PCC Allegro (Dong et al., "PCC: re-architecting congestion control for consistent high performance", NSDI 2015): trusts what
 * rates do, not what losses mean. Randomised controlled trials of four rounds, two at a higher and two at a lower rate, decide.
 *
 *   u = T sigmoid(L - 0.05) - x L, T = x (1 - L), sigmoid(y) = 1 / (1 + e^(alpha y))                          section 2.2
 *
 *   STARTING: doubles while u grows ──▶ DECIDING: r(1+e) and r(1-e), twice each ──▶ both times the same won? ──▶ ADJUSTING:
 *      ▲                                    ▲ │ no: e grows                                                  r(1 + n e) while u
 *      └── timeout                          └─┴──────────────────────────────────────────────── u falls ──── grows, n = 1, 2, ..
 */
import { exp } from "../../../core/math.ts";
import type { Rng } from "../../../core/random.ts";
import type { AlgorithmSpec, ParamValues } from "../../spec.ts";
import { type MonitorRules, monitorAlgorithm, type Trial } from "./monitor-flow.ts";

/** Section 2.2: how sharply the utility falls at the tolerated loss; at least 100 for fair sharing. */
const ALPHA = 100;
/** Section 3.2: trials begin with 1 % and go up to 5 % where they are not clear. */
const MAX_EPSILON = 0.05;
const TRIALS = 4;
/** e^x beyond it is 0 or infinity for our purpose, and stays a number. */
const MAX_EXPONENT = 500;
/** Ours: of the rate, after a timeout, when everything in flight was lost. */
const AFTER_TIMEOUT = 0.5;

type Phase =
  | { readonly kind: "starting" }
  | { readonly kind: "deciding"; readonly epsilon: number }
  | { readonly kind: "adjusting"; readonly sign: 1 | -1; readonly step: number };

interface Result {
  readonly rate: number;
  readonly utility: number;
}

class AllegroRules implements MonitorRules {
  readonly #params: ParamValues;
  readonly #rng: Rng;
  /** packets/s */
  #rate = 0;
  #phase: Phase = { kind: "starting" };
  #toTry: number[] = [];
  #results: Result[] = [];
  /** the best while starting and adjusting */
  #best: Result | undefined;

  constructor(params: ParamValues, rng: Rng) {
    this.#params = params;
    this.#rng = rng;
  }

  start(packetsPerSec: number): void {
    this.#phase = { kind: "starting" };
    this.#best = undefined;
    this.#try(packetsPerSec);
  }

  onTimeout(): void {
    if (this.#rate > 0) this.start(this.#rate * AFTER_TIMEOUT);
  }

  next(): { packetsPerSec: number; isTrial: boolean } {
    const rate = this.#toTry.shift();
    return { packetsPerSec: rate ?? this.#rate, isTrial: rate !== undefined };
  }

  onTrial(trial: Trial): void {
    if (trial.limitedTo !== undefined) {
      this.start(trial.limitedTo);
      return;
    }
    const phase = this.#phase;
    const result = { rate: trial.packetsPerSec, utility: this.#utilityOf(trial) };
    if (phase.kind === "deciding") {
      this.#results.push(result);
      if (this.#results.length === TRIALS) this.#decide(phase.epsilon);
    } else if (this.#best !== undefined && result.utility <= this.#best.utility) {
      this.#rate = this.#best.rate;
      this.#decideAnew(this.#params["epsilon"]!);
    } else {
      this.#best = result;
      this.#goOn(phase);
    }
  }

  #utilityOf({ packetsPerSec: x, lossRate }: Trial): number {
    const y = ALPHA * (lossRate - this.#params["tolerated"]!);
    const sigmoid = 1 / (1 + exp(Math.min(MAX_EXPONENT, Math.max(-MAX_EXPONENT, y))));
    return x * (1 - lossRate) * sigmoid - x * lossRate;
  }

  #try(rate: number): void {
    this.#rate = rate;
    this.#toTry = [rate];
  }

  /** In two pairs, each in random order                                                                   section 3.2 */
  #decideAnew(epsilon: number): void {
    this.#phase = { kind: "deciding", epsilon };
    this.#results = [];
    this.#toTry = [];
    for (let pair = 0; pair < TRIALS / 2; pair++) {
      const sign = this.#rng.next() < 0.5 ? 1 : -1;
      this.#toTry.push(this.#rate * (1 + sign * epsilon), this.#rate * (1 - sign * epsilon));
    }
  }

  #decide(epsilon: number): void {
    const winners = [0, 2].map((first) => {
      const [one, other] = this.#results.slice(first, first + 2) as [Result, Result];
      return Math.sign((one.rate - other.rate) * (one.utility - other.utility));
    });
    const [sign] = winners;
    const least = this.#params["epsilon"]!;
    if (sign === 0 || winners.some((each) => each !== sign)) {
      this.#decideAnew(Math.min(epsilon + least, Math.max(MAX_EPSILON, least)));
      return;
    }
    this.#best = undefined;
    this.#phase = { kind: "adjusting", sign: sign as 1 | -1, step: 1 };
    this.#try(this.#rate * (1 + sign! * epsilon));
  }

  /** r_n = r_(n-1) (1 + n e_min sign)                                                                       section 3.2 */
  #goOn(phase: Exclude<Phase, { kind: "deciding" }>): void {
    if (phase.kind === "starting") {
      this.#try(2 * this.#rate);
      return;
    }
    const { sign, step } = phase;
    const share = Math.min(AFTER_TIMEOUT, step * this.#params["epsilon"]!);
    this.#phase = { kind: "adjusting", sign, step: step + 1 };
    this.#try(this.#rate * (1 + sign * share));
  }
}

export const pccAllegro: AlgorithmSpec = {
  name: "pcc-allegro",
  summary:
    "decides by randomised trials which rate has the better utility, and takes up to 5 % of loss for noise",
  source: "Dong et al., NSDI 2015",
  reads: ["delivery-rate", "loss", "timeout"],
  params: [
    {
      name: "epsilon",
      unit: "1",
      low: 0.005,
      high: 0.1,
      default: 0.01,
      why: "how far above and below is tried at first, and the step of adjusting: 0.01 (section 3.2)",
    },
    {
      name: "tolerated",
      unit: "1",
      low: 0,
      high: 0.5,
      default: 0.05,
      why: "loss rate at which the utility falls: 5 % (section 2.2)",
    },
  ],
  ccp: (params) => monitorAlgorithm("pcc-allegro", ({ rng }) => new AllegroRules(params, rng)),
};
