/**
 * When a loss-based controller may cut and when it may grow. One cut per window of data (RFC 5681 3.2, RFC 6675 5): the
 * sequence that was next to be sent at the cut is the recovery point, and until the cumulative ACK passes it no
 * further cut happens. During fast recovery the window stands still; after a timeout it grows (slow start). The reaction
 * to ECN is one as to loss (RFC 3168 6.1.2: the same once per window).
 *
 *        loss or ecn                       timeout
 *   open ────────────▶ recovery ──────────────────────▶ timed-out
 *    ▲ ▲   cumulative ACK │        (no second cut)          │
 *    │ └── passes point ──┘                                 │
 *    └──────────────── cumulative ACK passes point ─────────┘
 */
import type { AckEvent, CongestionEvent } from "../../ccp-bridge/congestion-control.ts";

type Episode =
  | { readonly kind: "open" }
  /** `point`: sequence in packets, undefined until the ACK that follows the congestion event tells it */
  | { readonly kind: "recovery" | "timed-out"; readonly point: number | undefined };

const OPEN: Episode = { kind: "open" };

export class LossEpisode {
  #episode: Episode = OPEN;

  /** Call from `onCongestion`; whether this event starts an episode, so that the window is to be cut. */
  begins(event: CongestionEvent): boolean {
    const episode = this.#episode;
    if (event.kind !== "timeout") {
      if (episode.kind !== "open") return false;
      this.#episode = { kind: "recovery", point: undefined };
      return true;
    }
    // RFC 5681 (4): ssthresh is set once, however often the same data times out.
    this.#episode = { kind: "timed-out", point: undefined };
    return episode.kind === "open";
  }

  /** The latest episode was none. */
  end(): void {
    this.#episode = OPEN;
  }

  /** Call first in `onAck`; whether the window may grow on this ACK. */
  mayGrow(ack: AckEvent): boolean {
    const episode = this.#episode;
    if (episode.kind === "open") return true;
    if (episode.point === undefined) {
      this.#episode = { kind: episode.kind, point: ack.nextSequence };
      return false;
    }
    if (ack.cumulativeSequence >= episode.point) this.#episode = OPEN;
    // as in Linux, what the ACK that ends fast recovery delivers counts
    return episode.kind === "timed-out" || this.#episode.kind === "open";
  }
}
