/**
 * A TCP sender: SACK-style scoreboard, loss by a packet threshold of 3 (RFC 6675, RFC 9002 6.1.1) or RACK-TLP (RFC 8985),
 * RTO (RFC 6298), PRR, undo, ECN, pacing, delivery-rate samples (draft-cheng-iccrg-delivery-rate-estimation). It owns no
 * events: a network tells it of arrivals, ACKs and timers and asks when the next packet may go. `engine/sender.ts` is its face.
 *
 * Each transmission has its own number, so a lost retransmission is found like any other loss, and an RTT is never
 * ambiguous. The network lists what arrives in order of arrival; an ACK is the length of that list when it was made, so it
 * acknowledges all that had arrived by then (a SACK without limit). The sender reads the list only as far as ACKs came.
 */

import * as host from "../host";
import { allocate, release } from "../memory/memory";
import { Numbers } from "../memory/numbers";
import { grown } from "../memory/rows";
import { Rng } from "../rng";
import { countOf, MICRO, MSS, NO_LIMIT, SECOND } from "../units";
import { ASK, CcpBlock } from "./ccp-block";
import { Prr, PrrVersion } from "./prr";
import { Rack } from "./rack";
import { RttEstimator } from "./rtt-estimator";
import { CongestionKind, EcnMode, SenderWords } from "./sender-words";

/** RFC 6675 DupThresh, RFC 9002 kPacketThreshold. */
const PACKET_THRESHOLD: i64 = 3;

/** RFC 8985 7.2: without an RTT sample a probe goes after 1 s; a lone packet's ACK may be delayed by 200 ms. */
const INITIAL_PROBE_TIMEOUT_US: f64 = 1_000_000;
const MAX_ACK_DELAY_US: f64 = 200_000;

/** What a transmission was sent with, a cache line each. */
@unmanaged
class Transmission {
  sequence: i64;
  sentNs: f64;
  /** delivery-rate state when it was sent (draft-cheng-iccrg-delivery-rate-estimation, P.delivered and so on) */
  delivered: i64;
  deliveredNs: f64;
  firstSentNs: f64;
  /** 0, or the congestion episode in which it was judged lost (kept for undo), or PROBE */
  note: i32;
  /** the application, not the network, limited the flow then */
  appLimited: bool;
}
/** a tail loss probe that is a retransmission */
const PROBE: i32 = -1;
const TRANSMISSION_SHIFT: usize = 6;

/** Of an arrival: what it was (the transmission, twice doubled, and these), and when it reaches the receiver. */
const ARRIVAL_SHIFT: usize = 4;
const ARRIVAL_NS: usize = 8;
/** Its payload was not there before. */
const FIRST: i64 = 2;
/** It comes with Congestion Experienced. */
const CE: i64 = 1;

/** Rings start small, as there may be thousands of flows with few packets each, and double when full. */
const INITIAL_ROWS: i64 = 16;
/** A queue's dead front is cut off from this length on, so that one that never runs empty stays short. */
const MIN_DEAD_ENTRIES: i32 = 64;

/** `openSinceNs` while the window is closed: before any time. */
const CLOSED: f64 = -1;

/** Of a sequence. */
const UNSENT: u8 = 0;
const IN_FLIGHT: u8 = 1;
const LOST: u8 = 2;
const ACKED: u8 = 3;

@unmanaged
export class Sender extends SenderWords {
  rtt: RttEstimator;
  prr: Prr;
  rack: Rack;
  jitterRng: Rng;
  /** upper bound of the uniform extra wait of each packet; 0: none */
  jitterBoundNs: f64;
  jitterNs: f64;

  /** each transmission below has been acknowledged, is a suspect, or was judged lost */
  nextUnseenTxn: i64;
  cumulative: i64;
  next: i64;
  /** of the packet that `transmit` sent last */
  lastSequence: i64;
  inflight: i64;
  cwndPackets: i64;
  delivered: i64;
  deliveredNs: f64;
  firstSentNs: f64;
  /** when window and pacing rate let the next packet go, before jitter; as last planned */
  scheduledNs: f64;
  lastScheduledNs: f64;
  lastLeaveNs: f64;
  openSinceNs: f64;
  pacingGapNs: f64;
  rtoAtNs: f64;
  probeAtNs: f64;
  reorderAtNs: f64;
  /** sequences that the application has given so far */
  limit: i64;
  receiveWindowPackets: i64;

  /** ring of transmissions: all that may still be judged, and older ones as long as there is room */
  txnMask: i64;
  txns: usize;
  nextTxn: i64;

  // rings of sequences from the cumulative ACK to the next new packet
  sequenceMask: i64;
  states: usize;
  latestTxns: usize;

  /** ring of arrivals that no ACK has covered yet, in order of arrival */
  arrivalMask: i64;
  arrivalRows: usize;
  coveredArrivals: i64;
  /** arrivals listed so far: what an ACK that goes out now carries */
  arrivalCount: i64;

  /** no row before it is needed any more; the ring never overwrites it or a later one */
  oldestNeededTxn: i64;
  /** the oldest row that growing kept */
  oldestKeptTxn: i64;
  sackedPackets: i64;

  /** transmissions that later ones have overtaken and that are not yet judged lost, oldest first */
  suspects: Numbers;
  /** lost sequences to retransmit, oldest first; entries acknowledged since are skipped */
  retransmitQueue: Numbers;
  retransmitHead: i32;

  /** those of a CCP flow whose program can be run here; 0: the host decides */
  registers: usize;
  /** by which the host knows it */
  number: i32;
  prrVersion: PrrVersion;
  ecn: EcnMode;

  /** the window as last read, and the same in packets */
  readBytes: f64;
  readPackets: i64;
  /** recovery lasts until the cumulative ACK reaches this sequence (RFC 6675 RecoveryPoint) */
  recoveryPoint: i64;
  /** the tail loss probe that was sent has an outcome once the cumulative ACK reaches this sequence; -1: none is out */
  probeEnd: i64;
  /** first transmission sent after the latest reaction (it carries CWR); NO_LIMIT: the receiver has heard */
  reactedTxn: i64;
  /** no reaction to ECN before the cumulative ACK has passed this sequence */
  ecnPoint: i64;
  /** samples are application-limited until this many packets are delivered (C.app_limited of the draft); 0: they are not */
  appLimitedUntil: i64;

  /** congestion episodes (one reaction of the congestion control each), numbered from 1 */
  episode: i32;
  /** transmissions judged lost in the episode, and those of them that have arrived all the same */
  judgedLost: i64;
  disproved: i64;

  hasRack: bool;
  inPrr: bool;
  mayUndo: bool;
  finished: bool;
  stopped: bool;
  /** the window is open and there is nothing to send: no data, or no room at the receiver */
  starved: bool;
  /** no option is chosen that every ACK must serve */
  mayBeCalm: bool;
  /** something is missing, suspected, lost or recovered from, so that `onInOrderAck` must not serve the next ACK */
  isDisturbed: bool;
  /** what `makeAckPlain` writes is not there */
  ackIsSpecial: bool;
  probeIsDue: bool;
  /** the probe, a retransmission, arrived before the original */
  probeRepaired: bool;
  episodeIsTimeout: bool;
  /** the congestion control was told of this episode when no other went on, so that undoing it is well defined */
  episodeMayBeUndone: bool;
  /** classic ECN: the receiver echoes until it hears of the reaction */
  congestionEchoed: bool;

  init(number: i32): void {
    this.number = number;
    const never = Infinity;
    this.sendAtNs = this.timerAtNs = this.rtoAtNs = this.probeAtNs = this.reorderAtNs = never;
    this.scheduledNs = this.lastScheduledNs = this.lastLeaveNs = -never;
    this.openSinceNs = CLOSED;
    this.rateBytesPerSec = -1;
    this.minRttUs = never;
    this.cwndLimited = 1;
    this.limit = this.receiveWindowPackets = this.reactedTxn = NO_LIMIT;
    this.readBytes = -1;
    this.readPackets = 1;
    this.recoveryPoint = this.probeEnd = this.ecnPoint = -1;
    this.isDisturbed = this.ackIsSpecial = true;
    this.txnMask = this.sequenceMask = this.arrivalMask = INITIAL_ROWS - 1;
    this.txns = allocate((<usize>INITIAL_ROWS) << TRANSMISSION_SHIFT);
    this.states = allocate(<usize>INITIAL_ROWS);
    this.latestTxns = allocate((<usize>INITIAL_ROWS) << 3);
    this.arrivalRows = allocate((<usize>INITIAL_ROWS) << ARRIVAL_SHIFT);
    this.suspects = changetype<Numbers>(allocate(offsetof<Numbers>()));
    this.retransmitQueue = changetype<Numbers>(allocate(offsetof<Numbers>()));
    this.rtt = changetype<RttEstimator>(allocate(offsetof<RttEstimator>()));
    this.prr = changetype<Prr>(allocate(offsetof<Prr>()));
    this.rack = changetype<Rack>(allocate(offsetof<Rack>()));
    this.jitterRng = changetype<Rng>(allocate(offsetof<Rng>()));
  }

  /** Gives its memory back; what `describe` wrote can no longer be read. */
  free(): void {
    release(this.txns, (<usize>(this.txnMask + 1)) << TRANSMISSION_SHIFT);
    release(this.states, <usize>(this.sequenceMask + 1));
    release(this.latestTxns, (<usize>(this.sequenceMask + 1)) << 3);
    release(this.arrivalRows, (<usize>(this.arrivalMask + 1)) << ARRIVAL_SHIFT);
    this.suspects.free();
    this.retransmitQueue.free();
    release(changetype<usize>(this.suspects), offsetof<Numbers>());
    release(changetype<usize>(this.retransmitQueue), offsetof<Numbers>());
    release(changetype<usize>(this.rtt), offsetof<RttEstimator>());
    release(changetype<usize>(this.prr), offsetof<Prr>());
    release(changetype<usize>(this.rack), offsetof<Rack>());
    release(changetype<usize>(this.jitterRng), offsetof<Rng>());
    release(changetype<usize>(this), offsetof<Sender>());
  }

  /** Writes the words that the host reads rarely. */
  describe(): void {
    this.describedSent = <f64>this.nextTxn;
    this.describedInflight = <f64>this.inflight;
    this.describedCwnd = <f64>this.cwndPackets;
    this.describedDelivered = <f64>this.delivered;
    this.describedUnsent = this.limit === NO_LIMIT ? Infinity : <f64>(this.limit - this.next);
    this.describedComplete = this.finished && this.cumulative === this.limit ? 1 : 0;
    this.describedSrttUs = this.rtt.srttUs;
    this.describedRttvarUs = this.rtt.rttvarUs;
    this.describedMinRttUs = this.rtt.minRttUs;
    this.describedRtoUs = this.rtt.rtoUs();
  }

  @inline
  private txnAt(txn: i64): Transmission {
    return changetype<Transmission>(this.txns + ((<usize>(txn & this.txnMask)) << TRANSMISSION_SHIFT));
  }

  @inline
  private state(sequence: i64): u8 {
    return load<u8>(this.states + <usize>(sequence & this.sequenceMask));
  }

  @inline
  private setState(sequence: i64, state: u8): void {
    store<u8>(this.states + <usize>(sequence & this.sequenceMask), state);
  }

  @inline
  private latestTxn(sequence: i64): i64 {
    return load<i64>(this.latestTxns + ((<usize>(sequence & this.sequenceMask)) << 3));
  }

  /** Reads the congestion control's window and rate, and plans the next packet by them. */
  @inline
  applyDecision(nowNs: f64): void {
    this.cwndPackets = this.inPrr ? countOf(this.prr.windowPackets) : this.targetPackets();
    const rate = this.rateBytesPerSec;
    this.pacingGapNs = rate < 0 ? 0 : (MSS * SECOND) / rate;
    this.plan(nowNs);
  }

  /** The congestion control's window. */
  @inline
  private targetPackets(): i64 {
    const bytes = this.targetBytes;
    if (bytes !== this.readBytes) {
      this.readBytes = bytes;
      this.readPackets = max<i64>(1, countOf(floor<f64>(bytes / MSS)));
    }
    return this.readPackets;
  }

  /** Ends the flow: nothing is sent any more. */
  stop(): void {
    this.stopped = true;
    this.probeIsDue = false;
    this.sendAtNs = this.timerAtNs = Infinity;
    this.rtoAtNs = this.probeAtNs = this.reorderAtNs = Infinity;
  }

  /** The application gives data, in packets; Infinity: a bulk flow from here on. */
  supply(packets: f64, nowNs: f64): void {
    const count = countOf(packets);
    this.limit = this.limit === NO_LIMIT || count === NO_LIMIT ? NO_LIMIT : this.limit + count;
    this.plan(nowNs);
  }

  /** The application takes back what has not been sent yet. */
  withdraw(nowNs: f64): void {
    this.limit = this.next;
    this.plan(nowNs);
  }

  @inline
  private plan(nowNs: f64): void {
    if (this.probeIsDue) {
      this.sendAtNs = max<f64>(this.lastLeaveNs, nowNs);
      return;
    }
    if (this.inflight >= this.cwndPackets || this.stopped) {
      this.starved = false;
      this.close();
      return;
    }
    if (!this.mayTransmitNew() && !this.hasRetransmission()) {
      this.starved = true;
      if (this.next === this.limit) this.appLimitedUntil = max<i64>(1, this.delivered + this.inflight);
      this.close();
      return;
    }
    this.starved = false;
    if (this.openSinceNs === CLOSED) this.openSinceNs = nowNs;
    let scheduled = this.lastScheduledNs + this.pacingGapNs;
    if (scheduled < this.openSinceNs) scheduled = this.openSinceNs;
    this.scheduledNs = scheduled;
    let leave = scheduled + this.jitterNs;
    if (leave < this.lastLeaveNs) leave = this.lastLeaveNs;
    this.sendAtNs = leave < nowNs ? nowNs : leave;
  }

  /** No packet may leave before something changes. */
  @inline
  private close(): void {
    this.openSinceNs = CLOSED;
    this.sendAtNs = Infinity;
  }

  /**
   * A packet leaves at `sendAtNs`. Retransmissions go first.
   * @returns its transmission number; `lastSequence` is its sequence
   */
  @inline
  transmit(nowNs: f64): i64 {
    const probe = this.probeIsDue;
    const repeats = probe ? !this.mayTransmitNew() : this.hasRetransmission();
    const sequence = repeats ? this.takeRepeated(probe) : this.next;
    if (!repeats) this.next = sequence + 1;
    const txn = this.nextTxn;
    this.nextTxn = txn + 1;
    if (sequence - this.cumulative > this.sequenceMask) this.growSequences();
    if (txn - this.oldestNeededTxn > this.txnMask) this.growTransmissions();
    if (this.inflight === 0) {
      this.firstSentNs = this.deliveredNs = nowNs;
      // off only while nothing is in flight
      if (this.rtoAtNs === Infinity) this.armRetransmissionTimer(nowNs);
    }
    const s = <usize>(sequence & this.sequenceMask);
    // a probe may repeat what is in flight; the sequence then counts once
    if (load<u8>(this.states + s) !== IN_FLIGHT) this.inflight++;
    store<u8>(this.states + s, IN_FLIGHT);
    store<i64>(this.latestTxns + (s << 3), txn);
    this.lastSequence = sequence;
    const row = this.txnAt(txn);
    row.sequence = sequence;
    row.sentNs = nowNs;
    row.delivered = this.delivered;
    row.deliveredNs = this.deliveredNs;
    row.firstSentNs = this.firstSentNs;
    row.appLimited = this.appLimitedUntil !== 0;
    row.note = probe && repeats ? PROBE : 0;
    this.lastScheduledNs = probe ? nowNs : this.scheduledNs;
    this.lastLeaveNs = nowNs;
    if (probe) {
      this.probeIsDue = false;
      this.probeEnd = this.next;
    }
    if (this.hasRack) this.armProbeTimer(nowNs);
    if (this.inPrr) this.prr.onSent();
    if (this.jitterBoundNs > 0) this.drawJitter();
    if (this.wantsSent !== 0) host.onSent(this.number, nowNs / MICRO, <f64>this.inflight * MSS);
    this.plan(nowNs);
    return txn;
  }

  @inline
  drawJitter(): void {
    this.jitterNs = this.jitterBoundNs * this.jitterRng.next();
  }

  /** The sequence to repeat: the first of the queue, or for a probe the highest. */
  private takeRepeated(probe: bool): i64 {
    this.retransmittedPackets += 1;
    return probe ? this.next - 1 : this.retransmitQueue.at(this.retransmitHead++);
  }

  sequenceOf(txn: i64): i64 {
    return this.txnAt(txn).sequence;
  }

  /**
   * A transmission reaches the receiver. Call in order of arrival; the time may lie ahead where the path keeps the order
   * of a flow's packets. A copy that the network made arrives once more.
   * @param first the receiver has not had its payload yet
   * @param ce it came with Congestion Experienced
   */
  @inline
  markArrival(txn: i64, arrivalNs: f64, first: bool, ce: bool): void {
    const n = this.arrivalCount;
    if (n - this.coveredArrivals > this.arrivalMask) this.growArrivals();
    this.arrivalCount = n + 1;
    const row = this.arrivalRow(n);
    store<i64>(row, (txn << 2) | (first ? FIRST : 0) | (ce ? CE : 0));
    store<f64>(row, arrivalNs, ARRIVAL_NS);
  }

  @inline
  private arrivalRow(n: i64): usize {
    return this.arrivalRows + ((<usize>(n & this.arrivalMask)) << ARRIVAL_SHIFT);
  }

  /** Listed arrivals that lie after `nowNs`: those that bring something new, or all of them. */
  underWay(nowNs: f64, onlyFirst: bool): i64 {
    let count: i64 = 0;
    for (let n = this.arrivalCount - 1; n >= this.coveredArrivals; n--) {
      const row = this.arrivalRow(n);
      if (load<f64>(row, ARRIVAL_NS) <= nowNs) break;
      if (!onlyFirst || (load<i64>(row) & FIRST) !== 0) count++;
    }
    return count;
  }

  /** New data is there and the receiver has room for it. */
  @inline
  private mayTransmitNew(): bool {
    const next = this.next;
    return next < this.limit && next - this.cumulative < this.receiveWindowPackets;
  }

  @inline
  private hasRetransmission(): bool {
    return this.retransmitQueue.length > 0 && this.findRetransmission();
  }

  /** Whether the queue's head is a sequence to retransmit; drops what was acknowledged since. */
  private findRetransmission(): bool {
    const queue = this.retransmitQueue;
    let head = this.retransmitHead;
    while (head < queue.length) {
      const sequence = queue.at(head);
      if (sequence >= this.cumulative && this.state(sequence) === LOST) break;
      head++;
    }
    if (head === queue.length) {
      queue.length = head = 0;
    } else if (head >= MIN_DEAD_ENTRIES && 2 * head >= queue.length) {
      queue.dropFirst(head);
      head = 0;
    }
    this.retransmitHead = head;
    return queue.length > 0;
  }

  /** An ACK arrives, made when the receiver had got `arrivals` packets. One that a later ACK has overtaken tells nothing. */
  @inline
  onAck(nowNs: f64, arrivals: i64): void {
    this.acks += 1;
    if (arrivals <= this.coveredArrivals) return;
    if (this.isDisturbed || !this.onInOrderAck(nowNs, arrivals)) this.onAnyAck(nowNs, arrivals);
  }

  private onAnyAck(nowNs: f64, arrivals: i64): void {
    const inflightBefore = this.inflight;
    const starvedBefore = this.starved;
    const cumulativeBefore = this.cumulative;
    const sackedBefore = this.sackedPackets;
    const deliveredBefore = this.delivered;
    let firstRttNs: f64 = 0;
    let newestTxn: i64 = -1;
    /** arrivals of what the receiver had already: a real one would tell by DSACK */
    let copies = 0;
    const marked = this.ecn === EcnMode.off ? 0 : this.coverMarks(arrivals);
    for (let n = this.coveredArrivals; n < arrivals; n++) {
      const txn = load<i64>(this.arrivalRow(n)) >> 2;
      if (txn === this.nextUnseenTxn) this.nextUnseenTxn++;
      else if (txn > this.nextUnseenTxn) this.overtake(txn);
      else if (!this.onLateArrival(txn)) {
        copies++;
        continue;
      }
      const row = this.txnAt(txn);
      const sequence = row.sequence;
      const isCopy = sequence < this.cumulative || this.state(sequence) === ACKED;
      const noted = row.note !== 0 && this.readNote(row, isCopy);
      if (isCopy) {
        if (!noted) copies++;
        continue;
      }
      if (this.state(sequence) === IN_FLIGHT) this.inflight--;
      this.setState(sequence, ACKED);
      this.sackedPackets++;
      this.delivered++;
      if (newestTxn === -1) firstRttNs = nowNs - row.sentNs;
      if (txn > newestTxn) newestTxn = txn;
    }
    this.coveredArrivals = arrivals;
    while (this.state(this.cumulative) === ACKED) {
      this.setState(this.cumulative, UNSENT);
      this.cumulative++;
      this.sackedPackets--;
    }

    if (newestTxn === -1) {
      this.rttUs = 0;
    } else {
      const row = this.txnAt(newestTxn);
      this.deliveredNs = nowNs;
      this.firstSentNs = row.sentNs;
      this.rttUs = (nowNs - this.firstSentNs) / MICRO;
      this.rtt.onSample(firstRttNs / MICRO);
      if (this.rttUs < this.rtt.minRttUs) this.rtt.minRttUs = this.rttUs;
      this.sampleDeliveryRate(nowNs, row);
      if (this.appLimitedUntil > 0 && this.delivered > this.appLimitedUntil) this.appLimitedUntil = 0;
      if (this.cumulative === this.next) this.rtoAtNs = this.timerAtNs = Infinity;
      else this.armRetransmissionTimer(nowNs);
    }
    if (this.cumulative >= this.recoveryPoint && this.recoveryPoint !== -1) this.endRecovery();
    if (this.disproved > 0) this.considerUndo(nowNs);
    let lost: i64 = 0;
    if (this.hasRack) {
      if (newestTxn !== -1 && newestTxn === this.nextUnseenTxn - 1) this.rack.rttNs = this.rttUs * MICRO;
      if (copies > 0) this.rack.onDuplicates(this.cumulative, this.next);
      lost = this.judgeByTime(nowNs);
    } else if (this.suspects.length > 0) lost = this.judgeByThreshold();
    this.oldestNeededTxn = this.suspects.length > 0 ? this.suspects.at(0) : this.nextUnseenTxn;
    const deliveredPackets = this.delivered - deliveredBefore;
    if (lost > 0) this.onLosses(nowNs, lost, deliveredPackets);
    if (this.hasRack) {
      if (this.probeEnd !== -1 && this.cumulative >= this.probeEnd) lost += this.judgeProbe(nowNs);
      if (newestTxn !== -1) this.armProbeTimer(nowNs);
    }
    this.ackedBytes = <f64>(this.cumulative - cumulativeBefore) * MSS;
    const misordered = max<i64>(0, this.sackedPackets - sackedBefore);
    this.misorderedPackets = <f64>misordered;
    this.ackedPackets = <f64>(deliveredPackets - misordered);
    this.deliveredBytes = <f64>deliveredPackets * MSS;
    this.cwndLimited = !starvedBefore && inflightBefore + 2 >= this.cwndPackets ? 1 : 0;
    if (this.ecn !== EcnMode.off) this.reactToMarks(nowNs, marked, deliveredPackets);
    this.report(nowNs, lost, false);
    if (this.cumulative === this.limit && this.cumulative > cumulativeBefore) this.drained(nowNs);
  }

  /**
   * The common case, without what others need: no packet is missing, and the ACK covers the next ones in their order.
   * @returns false if it is not so; nothing has changed then
   */
  @inline
  private onInOrderAck(nowNs: f64, arrivals: i64): bool {
    const covered = this.coveredArrivals;
    const count = arrivals - covered;
    const firstTxn = this.nextUnseenTxn;
    const cumulative = this.cumulative;
    for (let k: i64 = 0; k < count; k++) {
      if (load<i64>(this.arrivalRow(covered + k)) !== (((firstTxn + k) << 2) | FIRST)) return false;
      if (this.txnAt(firstTxn + k).sequence !== cumulative + k) return false;
    }
    for (let k: i64 = 0; k < count; k++) this.setState(cumulative + k, UNSENT);
    const inflightBefore = this.inflight;
    const delivered = this.delivered + count;
    this.nextUnseenTxn = this.oldestNeededTxn = firstTxn + count;
    this.coveredArrivals = arrivals;
    this.cumulative = cumulative + count;
    this.inflight = inflightBefore - count;
    this.delivered = delivered;

    const rtt = this.rtt;
    const row = this.txnAt(firstTxn + count - 1);
    const sentNs = row.sentNs;
    const rttUs = (nowNs - sentNs) / MICRO;
    rtt.onSample((nowNs - this.txnAt(firstTxn).sentNs) / MICRO);
    if (rttUs < rtt.minRttUs) rtt.minRttUs = rttUs;
    this.deliveredNs = nowNs;
    this.firstSentNs = sentNs;
    this.rttUs = rttUs;
    this.sampleDeliveryRate(nowNs, row);
    if (this.appLimitedUntil > 0 && delivered > this.appLimitedUntil) this.appLimitedUntil = 0;
    this.rtoAtNs = this.timerAtNs = cumulative + count === this.next ? Infinity : nowNs + rtt.rtoUs() * MICRO;

    this.ackedPackets = <f64>count;
    this.ackedBytes = this.deliveredBytes = <f64>count * MSS;
    this.cwndLimited = !this.starved && inflightBefore + 2 >= this.cwndPackets ? 1 : 0;
    if (this.ackIsSpecial) this.makeAckPlain();
    this.tell(nowNs);
    if (cumulative + count === this.limit) this.drained(nowNs);
    return true;
  }

  /** Nothing lost, marked or out of order. */
  private makeAckPlain(): void {
    this.misorderedPackets = this.misorderedBytes = this.lostPackets = this.lostBytes = 0;
    this.ecnPackets = this.ecnBytes = 0;
    this.timeout = 0;
    this.ackIsSpecial = false;
  }

  @inline
  private drained(nowNs: f64): void {
    if (this.wantsDrained !== 0) host.onDrained(this.number, nowNs);
  }

  /** A transmission has arrived before others that were sent earlier: those become suspects. */
  private overtake(txn: i64): void {
    for (let unseen = this.nextUnseenTxn; unseen < txn; unseen++) this.suspects.push(unseen);
    this.nextUnseenTxn = txn + 1;
  }

  /**
   * A transmission arrives after others that were sent later.
   * @returns false if it comes so late that its row has gone: it was judged lost long ago and counts as a copy
   */
  private onLateArrival(txn: i64): bool {
    if (this.isForgotten(txn)) return false;
    if (this.hasRack && this.isInFlightAs(txn)) this.rack.reorderingSeen = true;
    return true;
  }

  private isForgotten(txn: i64): bool {
    return txn < this.oldestKeptTxn || txn < this.nextTxn - 1 - this.txnMask;
  }

  /** Whether the transmission is the latest of a sequence that is in flight. */
  private isInFlightAs(txn: i64): bool {
    const sequence = this.sequenceOf(txn);
    return (
      sequence >= this.cumulative && this.state(sequence) === IN_FLIGHT && this.latestTxn(sequence) === txn
    );
  }

  /**
   * Something was noted of a transmission that now has arrived.
   * @returns true if it is a probe: a copy of it says nothing of reordering
   */
  private readNote(row: Transmission, isCopy: bool): bool {
    const note = row.note;
    row.note = 0;
    if (note === PROBE) {
      if (!isCopy) this.probeRepaired = true;
      return true;
    }
    if (note === this.episode) this.disproved++;
    return false;
  }

  /** Counts the marks that an ACK covers, and follows the receiver's echo in order of arrival (RFC 3168 6.1.3). */
  private coverMarks(arrivals: i64): i32 {
    let marked = 0;
    for (let n = this.coveredArrivals; n < arrivals; n++) {
      const arrived = load<i64>(this.arrivalRow(n));
      if (arrived >> 2 >= this.reactedTxn) {
        this.congestionEchoed = false;
        this.reactedTxn = NO_LIMIT;
      }
      if ((arrived & CE) !== 0) {
        this.congestionEchoed = true;
        marked++;
      }
    }
    return marked;
  }

  /** RFC 3168 6.1.2: at most one reaction per window of data, and none beside one to loss. */
  private reactToMarks(nowNs: f64, marked: i32, deliveredPackets: i64): void {
    const isClassic = this.ecn === EcnMode.classic;
    if (isClassic) this.ecnPackets = this.congestionEchoed ? <f64>deliveredPackets : 0;
    else this.ecnPackets = <f64>marked;
    this.ecnBytes = this.ecnPackets * MSS;
    const told = isClassic ? this.congestionEchoed : marked > 0;
    if (told && this.recoveryPoint === -1 && this.cumulative > this.ecnPoint) {
      this.beginEpisode(false, false);
      this.congest(CongestionKind.ecn, nowNs, 0);
    }
  }

  private endRecovery(): void {
    this.recoveryPoint = -1;
    this.inPrr = false;
    if (this.hasRack) this.rack.onRecoveryEnd();
  }

  /** Losses were judged: unless recovery goes on already, it begins, and the congestion control is told. */
  private onLosses(nowNs: f64, lost: i64, newlyDelivered: i64): void {
    if (this.recoveryPoint !== -1) {
      if (!this.episodeIsTimeout) this.judgedLost += lost;
      return;
    }
    this.beginEpisode(false, true);
    this.judgedLost = lost;
    this.recoveryPoint = this.next;
    this.probeEnd = -1;
    this.probeAtNs = Infinity;
    this.armTimer();
    this.congest(CongestionKind.loss, nowNs, lost);
    if (this.prrVersion !== PrrVersion.off) {
      this.inPrr = true;
      this.prr.begin(this.prrVersion, <f64>this.recoverFlight(newlyDelivered));
    }
  }

  @inline
  private sampleDeliveryRate(nowNs: f64, row: Transmission): void {
    const receiveNs = nowNs - row.deliveredNs;
    const sendNs = row.sentNs - row.firstSentNs;
    const bytes = <f64>(this.delivered - row.delivered) * MSS;
    this.appLimited = row.appLimited ? 1 : 0;
    // "If an interval is shorter than min_rtt, the sample is not valid" (draft 3.2.1: compressed ACKs)
    const minRttNs = this.rtt.minRttUs * MICRO;
    if (receiveNs < minRttNs && sendNs < minRttNs) return;
    if (receiveNs > 0) this.deliveryRateBytesPerSec = (bytes * SECOND) / receiveNs;
    if (sendNs > 0) this.sendRateBytesPerSec = (bytes * SECOND) / sendNs;
  }

  /** Of the suspects those are lost that 3 or more later transmissions have overtaken. */
  private judgeByThreshold(): i64 {
    const suspects = this.suspects;
    const lastTxn = this.nextUnseenTxn - 1 - PACKET_THRESHOLD;
    let lost: i64 = 0;
    let judged = 0;
    while (judged < suspects.length && suspects.at(judged) <= lastTxn) {
      const txn = suspects.at(judged++);
      if (this.isInFlightAs(txn)) {
        this.lose(txn);
        lost++;
      }
    }
    suspects.dropFirst(judged);
    return lost;
  }

  /** Of the suspects those are lost whose time is up (RFC 8985 6.2 step 5); for the others the timer is set. */
  private judgeByTime(nowNs: f64): i64 {
    this.reorderAtNs = Infinity;
    const suspects = this.suspects;
    let lost: i64 = 0;
    if (suspects.length > 0) {
      const waitNs = this.rack.deadlineNs(this.rtt, this.recoveryPoint !== -1, this.sackedPackets);
      let judged = 0;
      for (; judged < suspects.length; judged++) {
        const txn = suspects.at(judged);
        if (!this.isInFlightAs(txn)) continue;
        if (this.sentNs(txn) + waitNs > nowNs) break;
        this.lose(txn);
        lost++;
      }
      suspects.dropFirst(judged);
      while (suspects.length > 0 && !this.isInFlightAs(suspects.at(suspects.length - 1))) suspects.length--;
      // the last one's deadline: one timer for all
      if (suspects.length > 0) this.reorderAtNs = this.sentNs(suspects.at(suspects.length - 1)) + waitNs;
    }
    this.armTimer();
    return lost;
  }

  private sentNs(txn: i64): f64 {
    return this.txnAt(txn).sentNs;
  }

  private lose(txn: i64): void {
    const sequence = this.sequenceOf(txn);
    this.setState(sequence, LOST);
    this.inflight--;
    this.retransmitQueue.push(sequence);
    this.totalLostPackets += 1;
    if (this.wantsLost !== 0) host.onLost(this.number, <f64>txn);
    if (this.recoveryPoint === -1) this.noteLoss(txn, this.episode + 1);
    else if (!this.episodeIsTimeout) this.noteLoss(txn, this.episode);
  }

  /** For undo: its arrival would disprove the loss. */
  private noteLoss(txn: i64, episode: i32): void {
    if (this.mayUndo) this.txnAt(txn).note = episode;
  }

  /**
   * The outcome of a tail loss probe (RFC 8985 7.4): one that repaired the only loss must not hide it from the congestion
   * control.
   * @returns losses that it repaired: 1 or 0
   */
  private judgeProbe(nowNs: f64): i64 {
    this.probeEnd = -1;
    if (!this.probeRepaired) return 0;
    this.totalLostPackets += 1;
    this.beginEpisode(false, false);
    this.congest(CongestionKind.loss, nowNs, 1);
    return 1;
  }

  private armTimer(): void {
    this.timerAtNs = this.hasRack
      ? min<f64>(this.rtoAtNs, min<f64>(this.probeAtNs, this.reorderAtNs))
      : this.rtoAtNs;
  }

  private armRetransmissionTimer(nowNs: f64): void {
    this.rtoAtNs = nowNs + this.rtt.rtoUs() * MICRO;
    this.armTimer();
  }

  /** RFC 8985 7.2: a probe is due two round trips after the last sign of progress; one per tail, none in recovery. */
  private armProbeTimer(nowNs: f64): void {
    this.probeAtNs = Infinity;
    const quiet = this.sackedPackets === 0 && this.recoveryPoint === -1 && this.probeEnd === -1;
    if (quiet && this.inflight > 0) {
      const srttUs = this.rtt.srttUs;
      let timeoutUs = srttUs === 0 ? INITIAL_PROBE_TIMEOUT_US : 2 * srttUs;
      if (srttUs > 0 && this.inflight === 1) timeoutUs += MAX_ACK_DELAY_US;
      this.probeAtNs = min<f64>(nowNs + timeoutUs * MICRO, this.rtoAtNs);
    }
    this.armTimer();
  }

  /** `timerAtNs` has come. */
  onTimer(nowNs: f64): void {
    if (this.hasRack && this.reorderAtNs <= nowNs) this.onReorderTimer(nowNs);
    else if (this.hasRack && this.probeAtNs <= nowNs) this.onProbeTimer(nowNs);
    else this.onRetransmissionTimeout(nowNs);
  }

  private onReorderTimer(nowNs: f64): void {
    const lost = this.judgeByTime(nowNs);
    if (lost === 0) return;
    this.onLosses(nowNs, lost, 0);
    this.reportTimer(nowNs, lost, false);
  }

  /** RFC 8985 7.3: new data if there is any, else the highest sequence, whatever the window says. */
  private onProbeTimer(nowNs: f64): void {
    this.probeAtNs = Infinity;
    this.probeRepaired = false;
    this.probeIsDue = this.mayTransmitNew() || this.state(this.next - 1) === IN_FLIGHT;
    this.armRetransmissionTimer(nowNs);
    this.plan(nowNs);
  }

  /**
   * RFC 6298 5.4 to 5.7: everything in flight counts as lost; under RACK (RFC 8985 6.3) the oldest packet and what was sent
   * more than a round trip ago.
   */
  private onRetransmissionTimeout(nowNs: f64): void {
    this.timeouts += 1;
    this.rtt.onTimeout();
    const wasOpen = this.recoveryPoint === -1;
    if (wasOpen || !this.episodeIsTimeout) this.beginEpisode(true, wasOpen);
    const sentBeforeNs = this.hasRack ? nowNs - this.rack.deadlineNs(this.rtt, true, 0) : nowNs;
    let lost: i64 = 0;
    const queue = this.retransmitQueue;
    queue.length = this.retransmitHead = 0;
    for (let sequence = this.cumulative; sequence < this.next; sequence++) {
      const txn = this.latestTxn(sequence);
      const isLost = !this.hasRack || sequence === this.cumulative || this.sentNs(txn) <= sentBeforeNs;
      if (this.state(sequence) === IN_FLIGHT && isLost) {
        this.setState(sequence, LOST);
        this.noteLoss(txn, this.episode);
        if (this.wantsLost !== 0) host.onLost(this.number, <f64>txn);
        lost++;
      }
      if (this.state(sequence) === LOST) queue.push(sequence);
    }
    this.inflight -= lost;
    this.totalLostPackets += <f64>lost;
    this.inPrr = false;
    this.probeEnd = -1;
    this.probeIsDue = false;
    this.probeAtNs = Infinity;
    this.recoveryPoint = this.next;
    this.congest(CongestionKind.timeout, nowNs, lost);
    this.armRetransmissionTimer(nowNs);
    this.reportTimer(nowNs, lost, true);
  }

  private reportTimer(nowNs: f64, lost: i64, timeout: bool): void {
    this.ackedBytes = this.ackedPackets = this.misorderedPackets = this.deliveredBytes = this.rttUs = 0;
    this.ecnPackets = this.ecnBytes = 0;
    this.cwndLimited = 1;
    this.report(nowNs, lost, timeout);
  }

  private beginEpisode(isTimeout: bool, mayBeUndone: bool): void {
    this.episode++;
    this.episodeIsTimeout = isTimeout;
    this.episodeMayBeUndone = mayBeUndone && this.mayUndo;
    this.judgedLost = this.disproved = 0;
  }

  /**
   * Transmissions that were judged lost have arrived. One of them makes a timeout spurious (RFC 3522, RFC 5682), all of
   * them a fast recovery (RFC 3708): then the congestion control takes its reaction back (RFC 4015), and what
   * the timeout took for lost is in flight again.
   */
  private considerUndo(nowNs: f64): void {
    if (!this.episodeMayBeUndone) return;
    if (!this.episodeIsTimeout && this.disproved < this.judgedLost) return;
    this.episodeMayBeUndone = false;
    if (this.recoveryPoint !== -1) this.endRecovery();
    this.takeBackLosses();
    this.spuriousEpisodes += 1;
    host.onSpuriousCongestion(this.number, this.episodeIsTimeout ? 1 : 0, nowNs / MICRO);
  }

  private takeBackLosses(): void {
    const suspects = this.suspects;
    const queue = this.retransmitQueue;
    queue.length = this.retransmitHead = 0;
    for (let sequence = this.cumulative; sequence < this.next; sequence++) {
      if (this.state(sequence) !== LOST) continue;
      const txn = this.latestTxn(sequence);
      if (this.isForgotten(txn) || this.txnAt(txn).note !== this.episode) {
        queue.push(sequence);
        continue;
      }
      this.txnAt(txn).note = 0;
      this.setState(sequence, IN_FLIGHT);
      this.inflight++;
      if (txn >= this.nextUnseenTxn) continue;
      const place = suspects.find(txn);
      if (place === suspects.length || suspects.at(place) !== txn) suspects.insert(place, txn);
    }
  }

  private congest(kind: CongestionKind, nowNs: f64, lostPackets: i64): void {
    this.ecnPoint = this.next;
    this.reactedTxn = this.nextTxn;
    const inflightBytes = <f64>(this.inflight + lostPackets) * MSS;
    host.onCongestion(this.number, kind, nowNs / MICRO, inflightBytes, <f64>lostPackets);
  }

  private report(nowNs: f64, lostPackets: i64, timeout: bool): void {
    this.misorderedBytes = this.misorderedPackets * MSS;
    this.lostPackets = <f64>lostPackets;
    this.lostBytes = <f64>lostPackets * MSS;
    this.timeout = timeout ? 1 : 0;
    this.ackIsSpecial = true;
    this.isDisturbed = !(
      this.mayBeCalm &&
      this.suspects.length === 0 &&
      this.retransmitQueue.length === 0 &&
      this.sackedPackets === 0 &&
      this.recoveryPoint === -1
    );
    this.tell(nowNs);
  }

  /** Completes the ACK event, hands it to the congestion control, and applies what that decides. */
  @inline
  private tell(nowNs: f64): void {
    const rtt = this.rtt;
    const inflight = this.inflight;
    const next = this.next;
    const cumulative = this.cumulative;
    this.nowUs = nowNs / MICRO;
    this.srttUs = rtt.srttUs;
    this.minRttUs = rtt.minRttUs;
    this.inflightPackets = <f64>inflight;
    this.inflightBytes = <f64>inflight * MSS;
    const window = this.cwndPackets;
    const written = window >= NO_LIMIT - next ? this.limit : min<i64>(this.limit, next + window);
    this.pendingBytes = <f64>(written - cumulative) * MSS;
    this.nextSequence = <f64>next;
    this.cumulativeSequence = <f64>cumulative;
    this.decide();
    if (this.inPrr) this.reduceProportionally();
    this.applyDecision(nowNs);
  }

  @inline
  private decide(): void {
    const block = this.registers;
    if (block === 0) {
      host.onAck(this.number);
      return;
    }
    const said = changetype<CcpBlock>(block).runProgram(this);
    if (said === ASK) host.onAck(this.number);
    else if (said !== 0) host.afterRun(this.number, said);
  }

  private reduceProportionally(): void {
    // Linux: the reordering timer, which brings no ACK, lets one packet out
    const delivered = max<f64>(1, this.deliveredBytes / MSS);
    const safeAck = this.ackedBytes > 0 && this.lostPackets === 0;
    this.prr.onAck(delivered, <f64>this.inflight, <f64>this.targetPackets(), safeAck);
  }

  /** RFC 6937 4, RFC 9937 6.1: what lies between the cumulative ACK and the next sequence; the latter less what was SACKed before. */
  private recoverFlight(newlyDelivered: i64): i64 {
    const flight = this.next - this.cumulative;
    return this.prrVersion === PrrVersion.rfc6937 ? flight : flight - this.sackedPackets + newlyDelivered;
  }

  private growSequences(): void {
    const mask = this.sequenceMask;
    const cumulative = this.cumulative;
    const size = (mask + 1) * 2;
    const states = allocate(<usize>size);
    const latest = allocate((<usize>size) << 3);
    for (let k: i64 = 0; k <= mask; k++) {
      const sequence = cumulative + k;
      const to = <usize>(sequence & (size - 1));
      store<u8>(states + to, this.state(sequence));
      store<i64>(latest + (to << 3), this.latestTxn(sequence));
    }
    release(this.states, <usize>(mask + 1));
    release(this.latestTxns, (<usize>(mask + 1)) << 3);
    this.states = states;
    this.latestTxns = latest;
    this.sequenceMask = size - 1;
  }

  /** Called before the newest row is written: that one's place still holds the oldest. */
  private growTransmissions(): void {
    const first = max<i64>(this.oldestKeptTxn, this.nextTxn - 2 - this.txnMask);
    this.txns = grown(this.txns, this.txnMask, TRANSMISSION_SHIFT, first, this.nextTxn - 1);
    this.txnMask = 2 * this.txnMask + 1;
    this.oldestKeptTxn = first;
  }

  /** Called before the newest row is written. */
  private growArrivals(): void {
    this.arrivalRows = grown(
      this.arrivalRows,
      this.arrivalMask,
      ARRIVAL_SHIFT,
      this.coveredArrivals,
      this.arrivalCount,
    );
    this.arrivalMask = 2 * this.arrivalMask + 1;
  }
}
