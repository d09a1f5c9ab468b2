/**
 * Cubic in the datapath: RFC 9438 with HyStart, as Linux applies it (time counts from the epoch's start plus the
 * minimum RTT, the window grows only while it limits the flow). Windows are in packets, fractions included.
 * ECN cuts as a loss does (RFC 9438 4.6), or less (RFC 8511); a spurious timeout or loss restores the curve too (RFC 9438 4.9). How the host
 * gets from one window to the next (PRR, or silence until inflight is below cwnd) is its own affair.
 */

import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  CongestionEvent,
  FlowStart,
} from "../../ccp-bridge/congestion-control.ts";
import { cbrt } from "../../core/math.ts";
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import { HyStart } from "../slow-start/hystart.ts";
import { PerAckSlowStart } from "../slow-start/per-ack.ts";
import { slowStartOf, slowStartParams } from "../slow-start/registry.ts";
import { type AlgorithmParam, defaultParams, type ParamValues } from "../spec.ts";
import { abeParam, CUBIC_ABE_BETA, hasAbe } from "./abe.ts";
import { LossEpisode } from "./loss-episode.ts";

/** What may be varied of Cubic, in the datapath and over CCP alike. */
export const CUBIC_PARAMS: readonly AlgorithmParam[] = [
  {
    name: "beta",
    unit: "1",
    low: 0.1,
    high: 0.95,
    default: 0.7,
    why: "what a cut leaves of the window: less severe than Reno's 0.5, keeps utilisation high, converges more slowly (RFC 9438 4.6)",
  },
  {
    name: "c",
    unit: "packets/s^3",
    low: 0.001,
    high: 100,
    default: 0.4,
    why: "how fast the window returns to where it was cut (RFC 9438 4.1, 5.1)",
  },
  {
    name: "fastConvergence",
    unit: "1",
    low: 0,
    high: 1,
    default: 1,
    whole: true,
    why: "1: a flow that lost ground since its last cut gives up more of it (RFC 9438 4.7)",
  },
  {
    name: "fullSlope",
    unit: "1",
    low: 0,
    high: 1,
    default: 0,
    whole: true,
    why: "1: Reno's estimate grows by a packet per round once it has reached the window from before the cut (RFC 9438 4.3); 0: never, as in Linux, whose goodput under loss it then has",
  },
  abeParam(CUBIC_ABE_BETA),
  ...slowStartParams("hystart"),
];

/** RFC 9438 4.3: growth, packets per window, that gives Reno's average window. */
export function renoFriendlyAlpha(beta: number): number {
  return (3 * (1 - beta)) / (1 + beta);
}

/** RFC 9438 4.2: the target is at most half a window ahead, so growth stays below half of slow start's. */
const MAX_TARGET_RATIO = 1.5;
/** Linux: in the plateau the window still grows by one packet per hundred windows, so that it never freezes. */
const PLATEAU_GROWTH_PACKETS = 1 / 100;
/** Linux: before the first loss the window grows by at least one packet per 20 acknowledged. */
const FIRST_EPOCH_SHARE = 1 / 20;
/** RFC 9438 4.6: at least two packets after a cut. */
const MIN_CWND_PACKETS = 2;
/** RFC 9438 4.8, RFC 5681: after a timeout one packet. */
const LOSS_WINDOW_PACKETS = 1;

/** From one cut to the next: the curve that the window follows. */
interface Epoch {
  startUs: Micros;
  /** window at the curve's plateau */
  readonly originPackets: number;
  /** seconds from the start to the plateau, the K of RFC 9438 */
  readonly k: number;
  /** what Reno would have by now, the W_est of RFC 9438 */
  renoPackets: number;
}

/** What a cut changes, for its undoing. */
interface BeforeCut {
  readonly cwndPackets: number;
  readonly ssthreshPackets: number;
  readonly wMaxPackets: number;
  readonly priorPackets: number;
  readonly epoch: Epoch | undefined;
  readonly hystart: HyStart | undefined;
}

export class Cubic implements CongestionControl {
  readonly name = "cubic";
  readonly #mssBytes: Bytes;
  readonly #episode = new LossEpisode();
  /** with trains of ACKs, which only a datapath sees */
  #hystart: HyStart | undefined;
  /** of another slow start, in the flow's first */
  #rules: PerAckSlowStart | undefined;
  #cwndPackets: number;
  #ssthreshPackets = Infinity;
  /** window before the last cut; 0: none since the start or the last timeout */
  #wMaxPackets = 0;
  /** cwnd_prior of RFC 9438: where Reno's growth resumes its full slope */
  #priorPackets = Infinity;
  #epoch: Epoch | undefined;
  #before: BeforeCut | undefined;
  /** when the flow last stopped using its window; undefined while it uses it */
  #idleSinceUs: Micros | undefined;

  readonly #beta: number;
  readonly #c: number;
  readonly #alpha: number;
  /** the same beyond cwnd_prior */
  readonly #fullAlpha: number;
  /** what a mark leaves of the window */
  readonly #ecnBeta: number;
  readonly #convergesFast: boolean;
  readonly #hasHystart: boolean;

  constructor(start: FlowStart, params: ParamValues = defaultParams({ params: CUBIC_PARAMS })) {
    this.#beta = params["beta"]!;
    this.#c = params["c"]!;
    this.#alpha = renoFriendlyAlpha(this.#beta);
    this.#ecnBeta = hasAbe(params) ? CUBIC_ABE_BETA : this.#beta;
    this.#convergesFast = params["fastConvergence"] === 1;
    this.#hasHystart = slowStartOf(params).name === "hystart";
    if (!this.#hasHystart) this.#rules = PerAckSlowStart.of(params, start);
    this.#fullAlpha = params["fullSlope"] === 1 ? 1 : this.#alpha;
    this.#mssBytes = start.mssBytes;
    this.#cwndPackets = start.initialCwndBytes / start.mssBytes;
    this.#hystart = this.#hasHystart ? new HyStart(start.nowUs) : undefined;
  }

  get cwndBytes(): Bytes {
    return this.#cwndPackets * this.#mssBytes;
  }

  get pacingRateBytesPerSec(): BytesPerSec | undefined {
    return this.#rules?.rateBytesPerSec;
  }

  get ssthreshBytes(): Bytes {
    return this.#ssthreshPackets * this.#mssBytes;
  }

  onAck(ack: AckEvent): void {
    if (!this.#episode.mayGrow(ack) || ack.ackedBytes === 0) return;
    if (!ack.cwndLimited && this.#rules?.isUsed(ack, this.cwndBytes) !== true) {
      this.#idleSinceUs ??= ack.nowUs;
      return;
    }
    let remaining = ack.deliveredBytes / this.#mssBytes;
    const share = this.#shareOfSlowStart(ack);
    if (share < 1) {
      this.#cwndPackets += share * remaining;
      return;
    }
    if (this.#cwndPackets < this.#ssthreshPackets) {
      const before = this.#cwndPackets;
      this.#cwndPackets = Math.min(before + remaining, this.#ssthreshPackets);
      remaining -= this.#cwndPackets - before;
      if (this.#hystart?.onAck(ack, before)) {
        this.#ssthreshPackets = this.#cwndPackets;
        this.#hystart = undefined;
      }
    }
    if (remaining > 0) this.#avoidCongestion(remaining, ack);
  }

  /** What part of an ACK the window grows by while rules watch its slow start; 1 where none do, or once they have ended it. */
  #shareOfSlowStart(ack: AckEvent): number {
    if (this.#rules === undefined) return 1;
    const share = this.#rules.onAck(ack, this.cwndBytes);
    if (share > 0) return share;
    this.#rules = undefined;
    this.#ssthreshPackets = this.#cwndPackets;
    return 1;
  }

  #avoidCongestion(ackedPackets: number, ack: AckEvent): void {
    const nowUs = ack.nowUs;
    const cwnd = this.#cwndPackets;
    this.#epoch ??= this.#newEpoch(nowUs);
    const epoch = this.#epoch;
    if (this.#idleSinceUs !== undefined) {
      // RFC 9438 5.8: time in which the window was not used does not count.
      epoch.startUs += Math.max(0, nowUs - Math.max(this.#idleSinceUs, epoch.startUs));
      this.#idleSinceUs = undefined;
    }

    // W_cubic(t) = C * (t - K)^3 + W_max                                               RFC 9438 equation (1)
    const t = (nowUs - epoch.startUs + ack.minRttUs) / MICROS_PER_SEC;
    const d = t - epoch.k;
    const target = Math.min(epoch.originPackets + this.#c * d * d * d, MAX_TARGET_RATIO * cwnd);
    let growth = Math.max(target - cwnd, PLATEAU_GROWTH_PACKETS);
    if (this.#wMaxPackets === 0) growth = Math.max(growth, cwnd * FIRST_EPOCH_SHARE);

    // W_est = W_est + alpha * segments_acked / cwnd                                    RFC 9438 equation (4)
    const alpha = epoch.renoPackets < this.#priorPackets ? this.#alpha : this.#fullAlpha;
    epoch.renoPackets += (alpha * ackedPackets) / cwnd;
    growth = Math.max(growth, epoch.renoPackets - cwnd);

    this.#cwndPackets = cwnd + Math.min(growth, (MAX_TARGET_RATIO - 1) * cwnd) * (ackedPackets / cwnd);
  }

  #newEpoch(nowUs: Micros): Epoch {
    const cwnd = this.#cwndPackets;
    const originPackets = Math.max(this.#wMaxPackets, cwnd);
    // K = cbrt((W_max - cwnd_epoch) / C)                                               RFC 9438 equation (2)
    return { startUs: nowUs, originPackets, k: cbrt((originPackets - cwnd) / this.#c), renoPackets: cwnd };
  }

  onCongestion(event: CongestionEvent): void {
    const cwnd = this.#cwndPackets;
    if (this.#episode.begins(event)) {
      this.#before = {
        cwndPackets: cwnd,
        ssthreshPackets: this.#ssthreshPackets,
        wMaxPackets: this.#wMaxPackets,
        priorPackets: this.#priorPackets,
        epoch: this.#epoch,
        hystart: this.#hystart,
      };
      // Fast convergence, RFC 9438 4.7: a flow that lost ground gives up more of it.
      const givesUp = this.#convergesFast && cwnd < this.#wMaxPackets;
      this.#wMaxPackets = givesUp ? (cwnd * (1 + this.#beta)) / 2 : cwnd;
      this.#priorPackets = cwnd;
      this.#ssthreshPackets = Math.max(
        cwnd * (event.kind === "ecn" ? this.#ecnBeta : this.#beta),
        MIN_CWND_PACKETS,
      );
      this.#cwndPackets = this.#ssthreshPackets;
      this.#epoch = undefined;
      this.#idleSinceUs = undefined;
      this.#rules = undefined;
    }
    if (event.kind === "timeout") this.#forget(event.nowUs);
  }

  /** RFC 9438 4.9: the curve goes on as if nothing had been; with Linux's rule that neither window shrinks by it. */
  onSpuriousCongestion(): void {
    const before = this.#before;
    if (before === undefined) return;
    this.#cwndPackets = Math.max(this.#cwndPackets, before.cwndPackets);
    this.#ssthreshPackets = Math.max(this.#ssthreshPackets, before.ssthreshPackets);
    this.#wMaxPackets = before.wMaxPackets;
    this.#priorPackets = before.priorPackets;
    this.#epoch = before.epoch;
    this.#hystart = before.hystart;
    this.#before = undefined;
    this.#episode.end();
  }

  /** RFC 9438 4.8: a timeout starts anew; the curve before it says nothing of the path after it. */
  #forget(nowUs: Micros): void {
    this.#cwndPackets = LOSS_WINDOW_PACKETS;
    this.#wMaxPackets = 0;
    this.#priorPackets = Infinity;
    this.#epoch = undefined;
    this.#hystart = this.#hasHystart ? new HyStart(nowUs) : undefined;
  }
}

/** One with other constants. */
export function nativeCubic(params: ParamValues): CongestionControlFactory {
  return (start) => new Cubic(start, params);
}

export const cubic: CongestionControlFactory = (start) => new Cubic(start);
