/** What a sender's ACKs have said since the host last emptied it, as a meter beside its congestion control wants it. */
import { SenderWords } from "../sender/sender-words";

@unmanaged
export class AckTotalsWords {
  /** events, ACKs and timeouts, since the words were last cleared */
  events: f64;
  ackedBytes: f64;
  ackedPackets: f64;
  misorderedPackets: f64;
  ecnBytes: f64;
  ecnPackets: f64;
  lostPackets: f64;
  timeouts: f64;
  /** RTT samples, each times the packets that its ACK delivered */
  rttSumUs: f64;
  // of the last event, and of the last with a sample; held
  lastLostPackets: f64;
  inflightPackets: f64;
  pendingBytes: f64;
  rttUs: f64;
  minRttUs: f64;
  sendRateBytesPerSec: f64;
  deliveryRateBytesPerSec: f64;
}

@unmanaged
export class AckTotals extends AckTotalsWords {
  /** Nothing was lost, marked or out of order. */
  @inline
  recordPlain(
    sender: SenderWords,
    ackedPackets: f64,
    inflightPackets: f64,
    pendingBytes: f64,
    rttUs: f64,
    minRttUs: f64,
  ): void {
    this.events += 1;
    this.ackedPackets += ackedPackets;
    this.ackedBytes += ackedPackets * sender.mssBytes;
    this.lastLostPackets = 0;
    this.inflightPackets = inflightPackets;
    this.pendingBytes = pendingBytes;
    if (rttUs > 0) {
      this.rttUs = rttUs;
      this.minRttUs = minRttUs;
      this.rttSumUs += rttUs * ackedPackets;
    }
    this.sendRateBytesPerSec = sender.sendRateBytesPerSec;
    this.deliveryRateBytesPerSec = sender.deliveryRateBytesPerSec;
  }

  record(ack: SenderWords): void {
    this.events += 1;
    this.ackedBytes += ack.ackedBytes;
    this.ackedPackets += ack.ackedPackets;
    this.misorderedPackets += ack.misorderedPackets;
    this.ecnBytes += ack.ecnBytes;
    this.ecnPackets += ack.ecnPackets;
    this.lastLostPackets = ack.lostPackets;
    this.lostPackets += ack.lostPackets;
    this.timeouts += ack.timeout;
    this.inflightPackets = ack.inflightPackets;
    this.pendingBytes = ack.pendingBytes;
    if (ack.rttUs > 0) {
      this.rttUs = ack.rttUs;
      this.minRttUs = ack.minRttUs;
      this.rttSumUs += ack.rttUs * (ack.ackedPackets + ack.misorderedPackets);
    }
    this.sendRateBytesPerSec = ack.sendRateBytesPerSec;
    this.deliveryRateBytesPerSec = ack.deliveryRateBytesPerSec;
  }
}
