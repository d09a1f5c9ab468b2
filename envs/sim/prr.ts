/**
 * Proportional rate reduction: how many packets each ACK of one fast recovery lets out, so that inflight ends at the
 * congestion control's target. RFC 6937 with its slow start reduction bound (the variant that it recommends), and RFC 9937,
 * which is conservative unless an ACK shows that recovery goes well (`safeAck`). Letters of the RFCs in the comments;
 * all counts in packets.
 */
export type PrrVersion = "rfc6937" | "rfc9937";

export class Prr {
  readonly #version: PrrVersion;
  /** RecoverFS: what was in flight when recovery began */
  readonly #recoverFlight: number;
  /** prr_delivered, prr_out: since recovery began */
  #delivered = 0;
  #out = 0;
  /** inflight may rise to it until the next ACK */
  windowPackets = 0;

  constructor(version: PrrVersion, recoverFlightPackets: number) {
    this.#version = version;
    this.#recoverFlight = recoverFlightPackets;
  }

  onSent(): void {
    this.#out++;
  }

  /**
   * Call for the ACK that begins recovery and for each one in it.
   * @param inflight after this ACK and after the losses that it revealed
   * @param target ssthresh: the congestion control's window after its cut
   * @param safeAck the cumulative ACK advanced and no further loss showed
   */
  onAck(delivered: number, inflight: number, target: number, safeAck: boolean): void {
    this.#delivered += delivered;
    let allowed: number;
    if (inflight > target) {
      allowed = Math.ceil((this.#delivered * target) / this.#recoverFlight) - this.#out;
    } else {
      let limit = Math.max(this.#delivered - this.#out, delivered);
      if (this.#version === "rfc6937" || safeAck) limit++;
      allowed = Math.min(target - inflight, limit);
    }
    // RFC 9937 6.2, and Linux under RFC 6937: the fast retransmit itself always goes
    if (this.#out === 0) allowed = Math.max(1, allowed);
    this.windowPackets = inflight + Math.max(0, allowed);
  }
}
