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
import { Reno } from "./reno.ts";

/** RFC 8257 4.2: estimation gain; small enough to average over the sawtooth, a power of two. */
const GAIN = 1 / 16;
/** RFC 8257 4.2: before anything is known the first mark halves the window, as any ECN flow would. */
const INITIAL_ALPHA = 1;

export class Dctcp implements CongestionControl {
  readonly name = "dctcp";
  readonly pacingRateBytesPerSec: BytesPerSec | undefined = undefined;
  readonly #reno: Reno;
  /** DCTCP.Alpha: estimated share of marked packets, 0-1 */
  #alpha = INITIAL_ALPHA;
  /** DCTCP.WindowEnd: the observation window ends when the cumulative ACK passes this sequence */
  #windowEnd = 0;
  #deliveredBytes: Bytes = 0;
  #markedBytes: Bytes = 0;

  constructor(start: FlowStart) {
    // cwnd = cwnd * (1 - alpha / 2)                                                     RFC 8257 3.3
    this.#reno = new Reno(start, () => 1 - this.#alpha / 2);
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
    this.#alpha = this.#alpha * (1 - GAIN) + GAIN * share;
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

export const dctcp: CongestionControlFactory = (start) => new Dctcp(start);
