/**
 * PCC Vivace (Dong et al., "PCC Vivace: online-learning congestion control", NSDI 2018): climbs the gradient of a utility of
 * rate, RTT gradient and loss. Two rounds at rates just above and just below, in random order, give the gradient.
 *
 *   u(x) = x^0.9 - b x dRTT/dt - c x L, x in Mbit/s                                          section 4.1, equation (2)
 *
 *   STARTING: doubles while u grows ──▶ PROBING: r(1+e), r(1-e) ──▶ r += m(tau) theta gradient, within the boundary ──▶ PROBING
 *
 * A lone loss or a small RTT gradient is noise at a round's handful of packets, so gradients below `tolerance` count as none.
 */

import type { FlowInfo } from "../../../ccp-bridge/agent/algorithm.ts";
import { pow } from "../../../core/math.ts";
import type { Rng } from "../../../core/random.ts";
import { type Bytes, fromMbps, type Mbps, toMbps } from "../../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../../spec.ts";
import { type MonitorRules, monitorAlgorithm, type Trial } from "./monitor-flow.ts";

/** Section 4.1: the exponent t of the throughput. */
const EXPONENT = 0.9;
/** Section 4.2: the amplifier is tau for so many steps in one direction, 2 tau - 3 after them. */
const CAREFUL_STEPS = 3;
/** Section 4.3: the change boundary's step. */
const BOUNDARY_STEP = 0.1;
/** Of the rate, after a timeout: everything in flight was lost. */
const AFTER_TIMEOUT = 0.5;

class VivaceRules implements MonitorRules {
  readonly #params: ParamValues;
  readonly #rng: Rng;
  readonly #mssBytes: Bytes;
  /** packets/s */
  #rate = 0;
  #phase: "starting" | "probing" = "starting";
  #toTry: number[] = [];
  /** of the pair at hand, or the best so far while starting */
  #utilities: { readonly rate: number; readonly utility: number }[] = [];
  /** steps in the direction of the last one, with its sign */
  #steps = 0;
  #boundaryExcess = 0;

  constructor(params: ParamValues, { rng, mssBytes }: FlowInfo) {
    this.#params = params;
    this.#rng = rng;
    this.#mssBytes = mssBytes;
  }

  #mbps(packetsPerSec: number): Mbps {
    return toMbps(packetsPerSec * this.#mssBytes);
  }

  start(packetsPerSec: number): void {
    this.#phase = "starting";
    this.#rate = packetsPerSec;
    this.#utilities = [];
    this.#toTry = [packetsPerSec];
  }

  onTimeout(): void {
    this.#steps = this.#boundaryExcess = 0;
    if (this.#rate > 0) this.start(this.#rate * AFTER_TIMEOUT);
  }

  next(): { packetsPerSec: number; isTrial: boolean } {
    const rate = this.#toTry.shift();
    return { packetsPerSec: rate ?? this.#rate, isTrial: rate !== undefined };
  }

  onTrial(trial: Trial): void {
    if (trial.limitedTo !== undefined) this.start(trial.limitedTo);
    else if (this.#phase === "starting") this.#double(trial);
    else {
      this.#utilities.push({ rate: trial.packetsPerSec, utility: this.#utilityOf(trial) });
      if (this.#utilities.length === 2) this.#climb();
    }
  }

  #utilityOf({ packetsPerSec, rttSlope, lossRate }: Trial): number {
    const { latency, loss, tolerance } = this.#params as Record<string, number>;
    const x = this.#mbps(packetsPerSec);
    const slope = Math.abs(rttSlope) < tolerance! ? 0 : rttSlope;
    return pow(x, EXPONENT) - latency! * x * slope - loss! * x * lossRate;
  }

  #double(trial: Trial): void {
    const utility = this.#utilityOf(trial);
    const [best] = this.#utilities;
    if (best !== undefined && utility <= best.utility) {
      this.#rate = best.rate;
      this.#phase = "probing";
      this.#probe();
      return;
    }
    this.#utilities = [{ rate: trial.packetsPerSec, utility }];
    this.#rate = 2 * trial.packetsPerSec;
    this.#toTry = [this.#rate];
  }

  #probe(): void {
    const { epsilon } = this.#params as Record<string, number>;
    const pair = [this.#rate * (1 + epsilon!), this.#rate * (1 - epsilon!)];
    this.#toTry = this.#rng.next() < 0.5 ? pair : pair.reverse();
    this.#utilities = [];
  }

  /** gamma = (u(r(1+e)) - u(r(1-e))) / (2 e r); r += m(tau) theta0 gamma                       sections 4.2 and 4.3 */
  #climb(): void {
    const [low, high] = this.#utilities.sort((a, b) => a.rate - b.rate);
    const { theta, boundary } = this.#params as Record<string, number>;
    // two rates that the floor has made one
    const apart = this.#mbps(high!.rate - low!.rate);
    const gradient = apart > 0 ? (high!.utility - low!.utility) / apart : 1;
    const sign = gradient < 0 ? -1 : 1;
    if (sign * this.#steps < 0) this.#steps = this.#boundaryExcess = 0;
    this.#steps += sign;
    const tau = Math.abs(this.#steps);
    const wanted = (tau <= CAREFUL_STEPS ? tau : 2 * tau - CAREFUL_STEPS) * theta! * Math.abs(gradient);
    const share = wanted / this.#mbps(this.#rate);
    const most = boundary! + this.#boundaryExcess * BOUNDARY_STEP;
    if (share > most) this.#boundaryExcess++;
    else this.#boundaryExcess = Math.max(0, Math.ceil((share - boundary!) / BOUNDARY_STEP));
    const change = Math.min(share, most, 1 - AFTER_TIMEOUT);
    this.#rate += sign * change * this.#rate;
    const least = fromMbps(0.01) / this.#mssBytes;
    if (this.#rate < least) this.#rate = least;
    this.#probe();
  }
}

export const vivace: AlgorithmSpec = {
  name: "vivace",
  summary:
    "tries rates a little above and below in rounds, and climbs the gradient of a utility of rate, RTT gradient and loss",
  source: "Dong et al., NSDI 2018",
  reads: ["delivery-rate", "rtt", "loss", "timeout"],
  params: [
    {
      name: "latency",
      unit: "1",
      low: 0,
      high: 10_000,
      default: 900,
      why: "weight b of the RTT gradient: 900 (section 4.1)",
    },
    {
      name: "loss",
      unit: "1",
      low: 0,
      high: 100,
      default: 11.35,
      why: "weight c of the loss rate: 11.35, which tolerates 5 % of random loss (section 4.1)",
    },
    {
      name: "epsilon",
      unit: "1",
      low: 0.005,
      high: 0.3,
      default: 0.05,
      why: "how far above and below is tried: 0.05 (section 4.2)",
    },
    {
      name: "theta",
      unit: "Mbit/s",
      low: 0.01,
      high: 100,
      default: 1,
      why: "step per unit of gradient before amplification: 1 (section 4.2)",
    },
    {
      name: "boundary",
      unit: "1",
      low: 0.005,
      high: 0.5,
      default: 0.05,
      why: "largest first step as a share of the rate: 0.05; it grows by 0.1 as long as steps exceed it (section 4.3)",
    },
    {
      name: "tolerance",
      unit: "1",
      low: 0,
      high: 1,
      default: 0.01,
      why: "RTT gradients below count as none: 0.01 (section 5)",
    },
  ],
  ccp: (params) => monitorAlgorithm("vivace", (info) => new VivaceRules(params, info)),
};
