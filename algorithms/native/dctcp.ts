/**
 * DCTCP in the datapath (RFC 8257): the window shrinks in proportion to the share of packets that were marked, which the
 * sender estimates once per window of data. Growth, loss and timeouts are Reno's (RFC 8257 3.5). It needs a host
 * with accurate ECN feedback: with classic ECN each echoing ACK counts as marked, and the share comes out too high.
 */

import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  CongestionEvent,
  FlowStart,
} from "../../ccp-bridge/congestion-control.ts";
import type { Bytes, BytesPerSec } from "../../core/units.ts";
import { type AlgorithmParam, defaultParams, type ParamValues } from "../spec.ts";
import { RENO_BETA, Reno } from "./reno.ts";

/** What may be varied of DCTCP, in the datapath and over CCP alike. */
export const DCTCP_PARAMS: readonly AlgorithmParam[] = [
  {
    name: "g",
    unit: "1",
    low: 0.001,
    high: 1,
    default: 1 / 16,
    why: "weight of the newest window in the share of marked packets: small enough to average over the sawtooth (RFC 8257 4.2)",
  },
  {
    name: "alpha",
    unit: "1",
    low: 0,
    high: 1,
    default: 1,
    why: "share that is assumed before anything is known: the first mark halves the window, as any ECN flow would (RFC 8257 4.2)",
  },
];

export class Dctcp implements CongestionControl {
  readonly name = "dctcp";
  readonly pacingRateBytesPerSec: BytesPerSec | undefined = undefined;
  readonly #reno: Reno;
  /** DCTCP.Alpha: estimated share of marked packets, 0-1 */
  #alpha: number;
  readonly #g: number;
  /** DCTCP.WindowEnd: the observation window ends when the cumulative ACK passes this sequence */
  #windowEnd = 0;
  #deliveredBytes: Bytes = 0;
  #markedBytes: Bytes = 0;

  constructor(start: FlowStart, params: ParamValues = defaultParams({ params: DCTCP_PARAMS })) {
    this.#alpha = params["alpha"]!;
    this.#g = params["g"]!;
    // cwnd = cwnd * (1 - alpha / 2)                                                     RFC 8257 3.3
    this.#reno = new Reno(start, RENO_BETA.default, () => 1 - this.#alpha / 2);
  }

  get cwndBytes(): Bytes {
    return this.#reno.cwndBytes;
  }

  get ssthreshBytes(): Bytes {
    return this.#reno.ssthreshBytes;
  }

  /** Estimated share of marked packets, 0-1. */
  get alpha(): number {
    return this.#alpha;
  }

  onAck(ack: AckEvent): void {
    this.#deliveredBytes += ack.deliveredBytes;
    this.#markedBytes += ack.ecnBytes;
    if (ack.cumulativeSequence > this.#windowEnd) this.#endWindow(ack.nextSequence);
    this.#reno.onAck(ack);
  }

  #endWindow(nextSequence: number): void {
    // M = marked / acknowledged, at most 1 (copies may be marked too)                    RFC 8257 3.3
    const share = this.#deliveredBytes === 0 ? 0 : Math.min(1, this.#markedBytes / this.#deliveredBytes);
    // alpha = alpha * (1 - g) + g * M                                                   RFC 8257 3.3
    this.#alpha = this.#alpha * (1 - this.#g) + this.#g * share;
    this.#windowEnd = nextSequence;
    this.#deliveredBytes = this.#markedBytes = 0;
  }

  onCongestion(event: CongestionEvent): void {
    this.#reno.onCongestion(event);
  }

  onSpuriousCongestion(): void {
    this.#reno.onSpuriousCongestion();
  }
}

/** One with other constants. */
export function nativeDctcp(params: ParamValues): CongestionControlFactory {
  return (start) => new Dctcp(start, params);
}

export const dctcp: CongestionControlFactory = (start) => new Dctcp(start);
