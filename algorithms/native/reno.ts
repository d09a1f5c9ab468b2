/**
 * Reno in the datapath: RFC 5681 slow start, congestion avoidance and fast recovery, as Linux applies them (the window
 * counts delivered bytes, grows only while it limits the flow, and halves cwnd rather than the flight size).
 * ECN halves as a loss does (RFC 3168), or takes less (RFC 8511); spurious congestion is undone as in Linux. How the host gets from one window to
 * the next (PRR, or silence until inflight is below cwnd) is its own affair. Left out: window inflation by duplicate ACKs
 * (SACK hosts need none).
 */

import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  CongestionEvent,
  FlowStart,
} from "../../ccp-bridge/congestion-control.ts";
import type { Bytes, BytesPerSec } from "../../core/units.ts";
import { PerAckSlowStart } from "../slow-start/per-ack.ts";
import { slowStartParams } from "../slow-start/registry.ts";
import type { AlgorithmParam, ParamValues } from "../spec.ts";
import { abeParam, hasAbe, RENO_ABE_BETA } from "./abe.ts";
import { LossEpisode } from "./loss-episode.ts";

/** RFC 5681 equation (4): half; the first published value, kept for fairness to every other Reno. */
export const RENO_BETA: AlgorithmParam = {
  name: "beta",
  unit: "1",
  low: 0.1,
  high: 0.95,
  default: 0.5,
  why: "what a cut leaves of the window: half (RFC 5681 equation (4))",
};
/** What may be varied of Reno, in the datapath and over CCP alike. */
export const RENO_PARAMS: readonly AlgorithmParam[] = [
  RENO_BETA,
  abeParam(RENO_ABE_BETA),
  ...slowStartParams("standard"),
];

/** RFC 5681 equation (4): at least two segments, or fast retransmit could never start again. */
const MIN_SSTHRESH_PACKETS = 2;
/** RFC 5681 section 3.1: the loss window is one segment. */
const LOSS_WINDOW_PACKETS = 1;

/**
 * What a cut leaves, in whole packets, as Linux counts windows: with half a packet more a window sends no more packets a
 * round, and waits for that half to be acknowledged before it grows.
 */
export function wholePackets(bytes: Bytes, mssBytes: Bytes): Bytes {
  return Math.floor(bytes / mssBytes) * mssBytes;
}

export class Reno implements CongestionControl {
  readonly name = "reno";
  readonly #mssBytes: Bytes;
  readonly #episode = new LossEpisode();
  #cwndBytes: Bytes;
  #ssthreshBytes: Bytes = Infinity;
  /** what the latest cut found */
  #before: { readonly cwndBytes: Bytes; readonly ssthreshBytes: Bytes } | undefined;
  readonly #ecnBeta: (() => number) | undefined;
  /** acknowledged in congestion avoidance and not yet turned into growth */
  #creditBytes: Bytes = 0;

  readonly #beta: number;
  /** of the flow's first slow start; undefined: only a loss ends it */
  #rules: PerAckSlowStart | undefined;

  /** @param ecnBeta what is left of the window after marks, read at each cut, fractions of packets included; default as after loss */
  constructor(
    start: FlowStart,
    beta: number = RENO_BETA.default,
    ecnBeta?: () => number,
    rules?: PerAckSlowStart,
  ) {
    this.#rules = rules;
    this.#beta = beta;
    this.#ecnBeta = ecnBeta;
    this.#mssBytes = start.mssBytes;
    this.#cwndBytes = start.initialCwndBytes;
  }

  get cwndBytes(): Bytes {
    return this.#cwndBytes;
  }

  get pacingRateBytesPerSec(): BytesPerSec | undefined {
    return this.#rules?.rateBytesPerSec;
  }

  get ssthreshBytes(): Bytes {
    return this.#ssthreshBytes;
  }

  onAck(ack: AckEvent): void {
    if (!this.#episode.mayGrow(ack)) return;
    if (ack.ackedBytes === 0) return;
    if (!ack.cwndLimited && this.#rules?.isUsed(ack, this.#cwndBytes) !== true) return;
    let remaining = ack.deliveredBytes;
    const share = this.#rules?.onAck(ack, this.#cwndBytes) ?? 1;
    if (share === 0) {
      this.#rules = undefined;
      this.#ssthreshBytes = this.#cwndBytes;
    } else if (share < 1) {
      this.#cwndBytes += share * remaining;
      return;
    }
    if (this.#cwndBytes < this.#ssthreshBytes) {
      const before = this.#cwndBytes;
      this.#cwndBytes = Math.min(before + remaining, this.#ssthreshBytes);
      remaining -= this.#cwndBytes - before;
    }
    if (remaining > 0) this.#avoidCongestion(remaining);
  }

  /** One segment per window of acknowledged bytes: RFC 5681 section 3.1, RFC 3465. */
  #avoidCongestion(ackedBytes: Bytes): void {
    this.#creditBytes += ackedBytes;
    while (this.#creditBytes >= this.#cwndBytes) {
      this.#creditBytes -= this.#cwndBytes;
      this.#cwndBytes += this.#mssBytes;
    }
  }

  onCongestion(event: CongestionEvent): void {
    const mss = this.#mssBytes;
    if (this.#episode.begins(event)) {
      const marked = event.kind === "ecn" ? this.#ecnBeta?.() : undefined;
      const left = this.#cwndBytes * (marked ?? this.#beta);
      this.#before = { cwndBytes: this.#cwndBytes, ssthreshBytes: this.#ssthreshBytes };
      const leftBytes = marked === undefined ? wholePackets(left, mss) : left;
      this.#ssthreshBytes = Math.max(leftBytes, MIN_SSTHRESH_PACKETS * mss);
      this.#cwndBytes = this.#ssthreshBytes;
      this.#creditBytes = 0;
      this.#rules = undefined;
    }
    if (event.kind === "timeout") this.#cwndBytes = LOSS_WINDOW_PACKETS * mss;
  }

  /** RFC 4015 3.2, with Linux's rule that neither window shrinks by it. */
  onSpuriousCongestion(): void {
    if (this.#before === undefined) return;
    this.#cwndBytes = Math.max(this.#cwndBytes, this.#before.cwndBytes);
    this.#ssthreshBytes = Math.max(this.#ssthreshBytes, this.#before.ssthreshBytes);
    this.#before = undefined;
    this.#episode.end();
  }
}

/** One with other constants. */
export function nativeReno(params: ParamValues): CongestionControlFactory {
  const ecnBeta = hasAbe(params) ? () => RENO_ABE_BETA : undefined;
  return (start) => new Reno(start, params[RENO_BETA.name], ecnBeta, PerAckSlowStart.of(params, start));
}

export const reno: CongestionControlFactory = (start) => new Reno(start);
