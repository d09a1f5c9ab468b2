/**
 * A bulk TCP sender: SACK-style scoreboard, loss by a packet threshold of 3 (RFC 6675, RFC 9002 6.1.1), fast retransmit,
 * RTO (RFC 6298), pacing, delivery-rate samples (draft-cheng-iccrg-delivery-rate-estimation). It owns no events: a host
 * tells it of ACKs and timers and asks when the next packet may go.
 *
 * Each transmission has its own number, so a lost retransmission is found like any other loss. The path keeps the order
 * of a flow's packets, so an ACK is one number: the highest transmission that arrived; the host marks those that the path
 * dropped (`markDropped`), and the sender acts on a mark only when ACKs have proved the loss.
 * Left out on purpose: PRR (after a cut the sender waits until inflight < cwnd), TLP, undo.
 */
import type {
  AckEvent,
  CongestionControl,
  CongestionEvent,
  SentEvent,
} from "../../ccp-bridge/congestion-control.ts";
import type { Nanos } from "../../core/units.ts";
import { MSS_BYTES, NANOS_PER_MICRO, NANOS_PER_SEC } from "../../core/units.ts";
import { RttEstimator } from "./rtt-estimator.ts";

/** RFC 6675 DupThresh, RFC 9002 kPacketThreshold. */
const PACKET_THRESHOLD = 3;

/** RFC 6928 and Linux: initial window. */
export const INITIAL_CWND_PACKETS = 10;

/** A transmission's row in the ring: the columns lie side by side, so that it costs one cache line. */
const SEQUENCE = 0;
const SENT_NS = 1;
/** delivery-rate state when it was sent (draft-cheng-iccrg-delivery-rate-estimation, P.delivered and so on) */
const DELIVERED = 2;
const DELIVERED_NS = 3;
const FIRST_SENT_NS = 4;
const DROPPED = 5;
/** when it reaches the receiver, and 1 if it brings a payload that was not there before */
const ARRIVAL_NS = 6;
const FIRST = 7;
const ROW_SHIFT = 3;

const UNSENT = 0;
const IN_FLIGHT = 1;
const LOST = 2;
const ACKED = 3;

export class Sender {
  readonly control: CongestionControl;
  readonly rtt: RttEstimator = new RttEstimator();
  readonly #ack: AckEvent;
  readonly #sent: SentEvent = { nowUs: 0, sentBytes: MSS_BYTES, inflightBytes: 0 };

  /** ring of transmissions not yet covered by an ACK, one row each */
  #txnMask = 255;
  #txns = new Float64Array(256 << ROW_SHIFT);
  #nextTxn = 0;
  #nextUncoveredTxn = 0;

  // ring of sequences from the cumulative ACK to the next new packet
  #sequenceMask = 255;
  #state = new Uint8Array(256);
  #latestTxn = new Float64Array(256);
  #cumulative = 0;
  #nextSequence = 0;
  #sackedPackets = 0;

  /** covered transmissions that were dropped and are not yet judged lost: at most the last few */
  #suspects: number[] = [];
  /** lost sequences to retransmit, oldest first; entries acknowledged since are skipped */
  #retransmitQueue: number[] = [];
  #retransmitHead = 0;

  #inflightPackets = 0;
  #cwndPackets = INITIAL_CWND_PACKETS;
  #pacingGapNs = 0;
  /** recovery lasts until the cumulative ACK reaches this sequence (RFC 6675 RecoveryPoint) */
  #recoveryPoint = -1;

  #deliveredPackets = 0;
  #deliveredNs = 0;
  #firstSentNs = 0;

  #lastScheduledNs = Number.NEGATIVE_INFINITY;
  #lastLeaveNs = Number.NEGATIVE_INFINITY;
  #openSinceNs: Nanos = Number.NaN;
  #stopped = false;

  /** when the next packet leaves if nothing changes; Infinity: not before an ACK */
  sendAtNs: Nanos = Number.POSITIVE_INFINITY;
  /** retransmission timer; Infinity: off */
  rtoAtNs: Nanos = Number.POSITIVE_INFINITY;

  sentPackets = 0;
  retransmittedPackets = 0;
  lostPackets = 0;
  timeouts = 0;
  acks = 0;

  readonly #drawJitterNs: (() => Nanos) | undefined;
  #jitterNs: Nanos = 0;

  /** @param drawJitterNs extra wait of each packet, drawn in sending order; order is kept; undefined: none */
  constructor(control: CongestionControl, startNs: Nanos, drawJitterNs?: () => Nanos) {
    this.control = control;
    this.#drawJitterNs = drawJitterNs;
    this.#jitterNs = drawJitterNs === undefined ? 0 : drawJitterNs();
    this.#ack = {
      nowUs: 0,
      ackedBytes: 0,
      ackedPackets: 0,
      misorderedBytes: 0,
      misorderedPackets: 0,
      deliveredBytes: 0,
      lostPackets: 0,
      lostBytes: 0,
      ecnPackets: 0,
      ecnBytes: 0,
      rttUs: 0,
      srttUs: 0,
      minRttUs: Number.POSITIVE_INFINITY,
      inflightBytes: 0,
      inflightPackets: 0,
      pendingBytes: 0,
      deliveryRateBytesPerSec: 0,
      sendRateBytesPerSec: 0,
      appLimited: false,
      timeout: false,
      nextSequence: 0,
      cumulativeSequence: 0,
      cwndLimited: true,
    };
    this.applyDecision(startNs);
  }

  get inflightPackets(): number {
    return this.#inflightPackets;
  }

  get cwndPackets(): number {
    return this.#cwndPackets;
  }

  /** Payload packets known to be delivered (each sequence once). */
  get deliveredPackets(): number {
    return this.#deliveredPackets;
  }

  /** Reads the congestion control's window and rate, and plans the next packet by them. */
  applyDecision(nowNs: Nanos): void {
    this.#cwndPackets = Math.max(1, Math.floor(this.control.cwndBytes / MSS_BYTES));
    const rate = this.control.pacingRateBytesPerSec;
    this.#pacingGapNs = rate === undefined ? 0 : (MSS_BYTES * NANOS_PER_SEC) / rate;
    this.#plan(nowNs);
  }

  /** Ends the flow: nothing is sent any more. */
  stop(): void {
    this.#stopped = true;
    this.sendAtNs = this.rtoAtNs = Number.POSITIVE_INFINITY;
  }

  #plan(nowNs: Nanos): void {
    if (this.#stopped || this.#inflightPackets >= this.#cwndPackets) {
      this.#openSinceNs = Number.NaN;
      this.sendAtNs = Number.POSITIVE_INFINITY;
      return;
    }
    if (Number.isNaN(this.#openSinceNs)) this.#openSinceNs = nowNs;
    const leave = this.#scheduledNs() + this.#jitterNs;
    this.sendAtNs = Math.max(leave, this.#lastLeaveNs, nowNs);
  }

  /** When the window and the pacing rate let the next packet go, before jitter. */
  #scheduledNs(): Nanos {
    const paced = this.#lastScheduledNs + this.#pacingGapNs;
    return Math.max(paced, this.#openSinceNs);
  }

  /**
   * A packet leaves at `sendAtNs`. Retransmissions go first.
   * @returns its transmission number; `sequenceOf` names its sequence
   */
  transmit(nowNs: Nanos): number {
    let sequence = this.#nextRetransmission();
    if (sequence === -1) {
      sequence = this.#nextSequence++;
      if (sequence - this.#cumulative > this.#sequenceMask) this.#growSequences();
    } else {
      this.retransmittedPackets++;
    }
    const txn = this.#nextTxn++;
    if (txn - this.#nextUncoveredTxn + PACKET_THRESHOLD > this.#txnMask) this.#growTransmissions();
    const s = sequence & this.#sequenceMask;
    this.#state[s] = IN_FLIGHT;
    this.#latestTxn[s] = txn;
    if (this.#inflightPackets === 0) {
      this.#firstSentNs = this.#deliveredNs = nowNs;
    }
    const txns = this.#txns;
    const i = (txn & this.#txnMask) << ROW_SHIFT;
    txns[i + SEQUENCE] = sequence;
    txns[i + SENT_NS] = nowNs;
    txns[i + DELIVERED] = this.#deliveredPackets;
    txns[i + DELIVERED_NS] = this.#deliveredNs;
    txns[i + FIRST_SENT_NS] = this.#firstSentNs;
    txns[i + DROPPED] = 0;
    this.sentPackets++;
    this.#inflightPackets++;
    if (this.rtoAtNs === Number.POSITIVE_INFINITY) this.rtoAtNs = nowNs + this.rtt.rtoUs * NANOS_PER_MICRO;

    this.#lastScheduledNs = this.#scheduledNs();
    this.#lastLeaveNs = nowNs;
    if (this.#drawJitterNs !== undefined) this.#jitterNs = this.#drawJitterNs();
    if (this.control.onSent !== undefined) {
      this.#sent.nowUs = nowNs / NANOS_PER_MICRO;
      this.#sent.inflightBytes = this.#inflightPackets * MSS_BYTES;
      this.control.onSent(this.#sent);
    }
    this.#plan(nowNs);
    return txn;
  }

  sequenceOf(txn: number): number {
    return this.#txns[((txn & this.#txnMask) << ROW_SHIFT) + SEQUENCE]!;
  }

  /** The path dropped this transmission; the sender learns of it from later ACKs only. */
  markDropped(txn: number): void {
    this.#txns[((txn & this.#txnMask) << ROW_SHIFT) + DROPPED] = 1;
  }

  /** The path has taken this transmission; `first`: the receiver has not had its payload yet. */
  markArrival(txn: number, arrivalNs: Nanos, first: boolean): void {
    const i = (txn & this.#txnMask) << ROW_SHIFT;
    this.#txns[i + ARRIVAL_NS] = arrivalNs;
    this.#txns[i + FIRST] = first ? 1 : 0;
  }

  /**
   * Transmissions on their way to the receiver at `nowNs`: all of them, and those that bring something new. What an ACK
   * has covered has arrived, so only the last window is looked at.
   */
  underWay(nowNs: Nanos): { readonly packets: number; readonly firstPackets: number } {
    let packets = 0;
    let firstPackets = 0;
    for (let txn = this.#nextUncoveredTxn; txn < this.#nextTxn; txn++) {
      const i = (txn & this.#txnMask) << ROW_SHIFT;
      if (this.#txns[i + DROPPED] === 1 || this.#txns[i + ARRIVAL_NS]! <= nowNs) continue;
      packets++;
      firstPackets += this.#txns[i + FIRST]!;
    }
    return { packets, firstPackets };
  }

  #nextRetransmission(): number {
    while (this.#retransmitHead < this.#retransmitQueue.length) {
      const sequence = this.#retransmitQueue[this.#retransmitHead++]!;
      if (sequence >= this.#cumulative && this.#state[sequence & this.#sequenceMask] === LOST)
        return sequence;
    }
    if (this.#retransmitQueue.length > 0) {
      this.#retransmitQueue.length = 0;
      this.#retransmitHead = 0;
    }
    return -1;
  }

  /** An ACK arrives: all transmissions up to `highestTxn` have arrived or were dropped. */
  onAck(nowNs: Nanos, highestTxn: number): void {
    this.acks++;
    const ack = this.#ack;
    const inflightBefore = this.#inflightPackets;
    const cumulativeBefore = this.#cumulative;
    const sackedBefore = this.#sackedPackets;
    const deliveredBefore = this.#deliveredPackets;
    let firstRttNs = 0;
    let newestTxn = -1;
    const txns = this.#txns;
    for (let txn = this.#nextUncoveredTxn; txn <= highestTxn; txn++) {
      const i = (txn & this.#txnMask) << ROW_SHIFT;
      if (txns[i + DROPPED] === 1) {
        this.#suspects.push(txn);
        continue;
      }
      const sequence = txns[i + SEQUENCE]!;
      const s = sequence & this.#sequenceMask;
      if (sequence < this.#cumulative || this.#state[s] === ACKED) continue; // a copy of what has arrived before
      if (this.#state[s] === IN_FLIGHT) this.#inflightPackets--;
      this.#state[s] = ACKED;
      this.#sackedPackets++;
      this.#deliveredPackets++;
      if (newestTxn === -1) firstRttNs = nowNs - txns[i + SENT_NS]!;
      newestTxn = txn;
    }
    if (highestTxn >= this.#nextUncoveredTxn) this.#nextUncoveredTxn = highestTxn + 1;
    while (this.#state[this.#cumulative & this.#sequenceMask] === ACKED) {
      this.#state[this.#cumulative & this.#sequenceMask] = UNSENT;
      this.#cumulative++;
      this.#sackedPackets--;
    }

    if (newestTxn === -1) {
      ack.rttUs = 0;
    } else {
      const i = (newestTxn & this.#txnMask) << ROW_SHIFT;
      this.#deliveredNs = nowNs;
      this.#firstSentNs = txns[i + SENT_NS]!;
      ack.rttUs = (nowNs - this.#firstSentNs) / NANOS_PER_MICRO;
      this.rtt.onSample(firstRttNs / NANOS_PER_MICRO);
      if (ack.rttUs < this.rtt.minRttUs) this.rtt.minRttUs = ack.rttUs;
      this.#sampleDeliveryRate(nowNs, i);
      this.rtoAtNs =
        this.#cumulative === this.#nextSequence
          ? Number.POSITIVE_INFINITY
          : nowNs + this.rtt.rtoUs * NANOS_PER_MICRO;
    }
    const lost = this.#suspects.length > 0 ? this.#judgeLosses(highestTxn) : 0;
    if (this.#cumulative >= this.#recoveryPoint) this.#recoveryPoint = -1;
    if (lost > 0 && this.#recoveryPoint === -1) {
      this.#recoveryPoint = this.#nextSequence;
      this.#congest("loss", nowNs, lost);
    }

    const deliveredPackets = this.#deliveredPackets - deliveredBefore;
    ack.ackedBytes = (this.#cumulative - cumulativeBefore) * MSS_BYTES;
    ack.misorderedPackets = Math.max(0, this.#sackedPackets - sackedBefore);
    ack.ackedPackets = deliveredPackets - ack.misorderedPackets;
    ack.deliveredBytes = deliveredPackets * MSS_BYTES;
    ack.cwndLimited = inflightBefore + 2 >= this.#cwndPackets;
    this.#report(nowNs, lost, false);
  }

  #sampleDeliveryRate(nowNs: Nanos, i: number): void {
    const txns = this.#txns;
    const receiveNs = nowNs - txns[i + DELIVERED_NS]!;
    const sendNs = txns[i + SENT_NS]! - txns[i + FIRST_SENT_NS]!;
    const bytes = (this.#deliveredPackets - txns[i + DELIVERED]!) * MSS_BYTES;
    // "If an interval is shorter than min_rtt, the sample is not valid" (draft 3.2.1: compressed ACKs)
    const valid = Math.max(receiveNs, sendNs) >= this.rtt.minRttUs * NANOS_PER_MICRO;
    if (valid && receiveNs > 0) this.#ack.deliveryRateBytesPerSec = (bytes * NANOS_PER_SEC) / receiveNs;
    if (valid && sendNs > 0) this.#ack.sendRateBytesPerSec = (bytes * NANOS_PER_SEC) / sendNs;
  }

  /** Of the dropped transmissions that ACKs have passed, those are lost that lie 3 or more behind. */
  #judgeLosses(highestTxn: number): number {
    let lost = 0;
    let judged = 0;
    while (judged < this.#suspects.length && this.#suspects[judged]! <= highestTxn - PACKET_THRESHOLD) {
      const txn = this.#suspects[judged++]!;
      const sequence = this.sequenceOf(txn);
      const s = sequence & this.#sequenceMask;
      if (sequence < this.#cumulative || this.#state[s] !== IN_FLIGHT || this.#latestTxn[s] !== txn) continue;
      this.#state[s] = LOST;
      this.#inflightPackets--;
      this.#retransmitQueue.push(sequence);
      lost++;
    }
    if (judged > 0) this.#suspects.splice(0, judged);
    this.lostPackets += lost;
    return lost;
  }

  /** The retransmission timer has run out: everything in flight counts as lost (RFC 6298 5.4 to 5.7). */
  onRetransmissionTimeout(nowNs: Nanos): void {
    this.timeouts++;
    this.rtt.onTimeout();
    let lost = 0;
    this.#retransmitQueue.length = 0;
    this.#retransmitHead = 0;
    for (let sequence = this.#cumulative; sequence < this.#nextSequence; sequence++) {
      const s = sequence & this.#sequenceMask;
      if (this.#state[s] === IN_FLIGHT) {
        this.#state[s] = LOST;
        lost++;
      }
      if (this.#state[s] === LOST) this.#retransmitQueue.push(sequence);
    }
    this.#inflightPackets = 0;
    this.lostPackets += lost;
    this.#recoveryPoint = this.#nextSequence;
    this.#congest("timeout", nowNs, lost);
    this.rtoAtNs = nowNs + this.rtt.rtoUs * NANOS_PER_MICRO;

    const ack = this.#ack;
    ack.ackedBytes = ack.ackedPackets = ack.misorderedPackets = ack.deliveredBytes = ack.rttUs = 0;
    ack.cwndLimited = true;
    this.#report(nowNs, lost, true);
  }

  #congest(kind: CongestionEvent["kind"], nowNs: Nanos, lostPackets: number): void {
    const inflightBytes = (this.#inflightPackets + lostPackets) * MSS_BYTES;
    this.control.onCongestion({ kind, nowUs: nowNs / NANOS_PER_MICRO, inflightBytes, lostPackets });
  }

  #report(nowNs: Nanos, lostPackets: number, timeout: boolean): void {
    const ack = this.#ack;
    ack.nowUs = nowNs / NANOS_PER_MICRO;
    ack.misorderedBytes = ack.misorderedPackets * MSS_BYTES;
    ack.lostPackets = lostPackets;
    ack.lostBytes = lostPackets * MSS_BYTES;
    ack.srttUs = this.rtt.srttUs;
    ack.minRttUs = this.rtt.minRttUs;
    ack.inflightPackets = this.#inflightPackets;
    ack.inflightBytes = this.#inflightPackets * MSS_BYTES;
    ack.pendingBytes = (this.#nextSequence - this.#cumulative + this.#cwndPackets) * MSS_BYTES;
    ack.timeout = timeout;
    ack.nextSequence = this.#nextSequence;
    ack.cumulativeSequence = this.#cumulative;
    this.control.onAck(ack);
    this.applyDecision(nowNs);
  }

  #growSequences(): void {
    const size = (this.#sequenceMask + 1) * 2;
    const state = new Uint8Array(size);
    const latest = new Float64Array(size);
    for (let k = 0; k <= this.#sequenceMask; k++) {
      const sequence = this.#cumulative + k;
      state[sequence & (size - 1)] = this.#state[sequence & this.#sequenceMask]!;
      latest[sequence & (size - 1)] = this.#latestTxn[sequence & this.#sequenceMask]!;
    }
    this.#state = state;
    this.#latestTxn = latest;
    this.#sequenceMask = size - 1;
  }

  #growTransmissions(): void {
    const oldMask = this.#txnMask;
    const size = (oldMask + 1) * 2;
    const txns = new Float64Array(size << ROW_SHIFT);
    // suspects lie up to the packet threshold behind what ACKs have covered; the newest row is not written yet
    const first = Math.max(0, this.#nextUncoveredTxn - PACKET_THRESHOLD);
    for (let txn = first; txn < this.#nextTxn - 1; txn++) {
      const from = (txn & oldMask) << ROW_SHIFT;
      txns.set(this.#txns.subarray(from, from + (1 << ROW_SHIFT)), (txn & (size - 1)) << ROW_SHIFT);
    }
    this.#txns = txns;
    this.#txnMask = size - 1;
  }
}
