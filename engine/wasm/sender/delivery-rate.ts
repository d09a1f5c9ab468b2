/** Delivery-rate samples (draft-cheng-iccrg-delivery-rate-estimation); names of the draft in the comments. */
import { MICRO, SECOND } from "../units";
import { SenderWords } from "./sender-words";
import { Transmission } from "./transmissions";

@unmanaged
export class DeliveryRate {
  /** C.delivered, in packets, C.delivered_time, C.first_sent_time */
  delivered: i64;
  deliveredNs: f64;
  firstSentNs: f64;
  /** samples are application-limited until this many packets are delivered (C.app_limited); 0: they are not */
  appLimitedUntil: i64;
  /** of the last sample */
  sampleIsAppLimited: bool;

  /** The first packet after none was in flight: intervals begin. */
  @inline
  begin(nowNs: f64): void {
    this.firstSentNs = this.deliveredNs = nowNs;
  }

  /** Notes the state that the transmission is sent with. */
  @inline
  note(row: Transmission): void {
    row.delivered = this.delivered;
    row.deliveredNs = this.deliveredNs;
    row.firstSentNs = this.firstSentNs;
    row.appLimited = this.appLimitedUntil !== 0;
  }

  /** The application has nothing to send. */
  limitByApplication(inflight: i64): void {
    this.appLimitedUntil = max<i64>(1, this.delivered + inflight);
  }

  /** An ACK delivers, and `sentNs` is when the newest of what it delivers was sent. */
  @inline
  onDelivered(nowNs: f64, sentNs: f64): void {
    this.deliveredNs = nowNs;
    this.firstSentNs = sentNs;
  }

  /** The sample that the newest transmission of an ACK makes; one that is not valid leaves the rates as they were. */
  @inline
  sample(nowNs: f64, row: Transmission, minRttUs: f64, words: SenderWords): void {
    const receiveNs = nowNs - row.deliveredNs;
    const sendNs = row.sentNs - row.firstSentNs;
    const bytes = <f64>(this.delivered - row.delivered) * words.mssBytes;
    this.sampleIsAppLimited = row.appLimited;
    if (this.appLimitedUntil > 0) {
      if (this.delivered > this.appLimitedUntil) this.appLimitedUntil = 0;
    }
    // "If an interval is shorter than min_rtt, the sample is not valid" (draft 3.2.1: compressed ACKs)
    const minRttNs = minRttUs * MICRO;
    if (receiveNs < minRttNs) {
      if (sendNs < minRttNs) return;
    }
    if (receiveNs > 0) words.deliveryRateBytesPerSec = (bytes * SECOND) / receiveNs;
    if (sendNs > 0) words.sendRateBytesPerSec = (bytes * SECOND) / sendNs;
  }
}
