/**
 * Reno in the datapath: RFC 5681 slow start, congestion avoidance and fast recovery, as Linux applies them (the window
 * counts delivered bytes, grows only while it limits the flow, and halves cwnd rather than the flight size).
 * Left out: window inflation by duplicate ACKs (SACK hosts need none) and proportional rate reduction: after a cut the
 * host is silent until inflight is below cwnd.
 */
import type { Bytes, BytesPerSec } from "../../core/units.ts";
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  CongestionEvent,
  FlowStart,
} from "../congestion-control.ts";
import { LossEpisode } from "./loss-episode.ts";

/** RFC 5681 equation (4): half; the first published value, kept for fairness to every other Reno. */
const BETA = 0.5;
/** RFC 5681 equation (4): at least two segments, or fast retransmit could never start again. */
const MIN_SSTHRESH_PACKETS = 2;
/** RFC 5681 section 3.1: the loss window is one segment. */
const LOSS_WINDOW_PACKETS = 1;

export class Reno implements CongestionControl {
  readonly name = "reno";
  readonly pacingRateBytesPerSec: BytesPerSec | undefined = undefined;
  readonly #mssBytes: Bytes;
  readonly #episode = new LossEpisode();
  #cwndBytes: Bytes;
  #ssthreshBytes: Bytes = Infinity;
  /** acknowledged in congestion avoidance and not yet turned into growth */
  #creditBytes: Bytes = 0;

  constructor(start: FlowStart) {
    this.#mssBytes = start.mssBytes;
    this.#cwndBytes = start.initialCwndBytes;
  }

  get cwndBytes(): Bytes {
    return this.#cwndBytes;
  }

  get ssthreshBytes(): Bytes {
    return this.#ssthreshBytes;
  }

  onAck(ack: AckEvent): void {
    if (!this.#episode.mayGrow(ack)) return;
    if (!ack.cwndLimited || ack.ackedBytes === 0) return;
    let remaining = ack.deliveredBytes;
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
      this.#ssthreshBytes = Math.max(this.#cwndBytes * BETA, MIN_SSTHRESH_PACKETS * mss);
      this.#cwndBytes = this.#ssthreshBytes;
      this.#creditBytes = 0;
    }
    if (event.kind === "timeout") this.#cwndBytes = LOSS_WINDOW_PACKETS * mss;
  }
}

export const reno: CongestionControlFactory = (start) => new Reno(start);
