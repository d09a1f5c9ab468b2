/**
 * Proportional rate reduction: how many packets each ACK of one fast recovery lets out, so that inflight ends at the
 * congestion control's target. RFC 6937 with its slow start reduction bound (the variant that it recommends), and RFC 9937,
 * which is conservative unless an ACK shows that recovery goes well (`safeAck`). Letters of the RFCs in the comments;
 * all counts in packets.
 */
export const enum PrrVersion {
  off,
  rfc6937,
  rfc9937,
}

@unmanaged
export class Prr {
  version: PrrVersion;
  /** it, not the congestion control, sets the window */
  isActive: bool;
  /** RecoverFS: what was in flight when recovery began */
  recoverFlight: f64;
  /** prr_delivered, prr_out: since recovery began */
  delivered: f64;
  out: f64;
  /** inflight may rise to it until the next ACK */
  windowPackets: f64;

  begin(recoverFlight: f64): void {
    this.isActive = true;
    this.recoverFlight = recoverFlight;
    this.delivered = this.out = this.windowPackets = 0;
  }

  onSent(): void {
    this.out += 1;
  }

  /**
   * Call for the ACK that begins recovery and for each one in it.
   * @param inflight after this ACK and after the losses that it revealed
   * @param target ssthresh: the congestion control's window after its cut
   * @param safeAck the cumulative ACK advanced and no further loss showed
   */
  onAck(delivered: f64, inflight: f64, target: f64, safeAck: bool): void {
    this.delivered += delivered;
    let allowed: f64;
    if (inflight > target) {
      allowed = ceil<f64>((this.delivered * target) / this.recoverFlight) - this.out;
    } else {
      let limit = max<f64>(this.delivered - this.out, delivered);
      if (this.version === PrrVersion.rfc6937 || safeAck) limit += 1;
      allowed = min<f64>(target - inflight, limit);
    }
    // RFC 9937 6.2, and Linux under RFC 6937: the fast retransmit itself always goes
    if (this.out === 0) allowed = max<f64>(1, allowed);
    this.windowPackets = inflight + max<f64>(0, allowed);
  }
}
