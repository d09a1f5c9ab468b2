/**
 * A TCP sender: what happens on ACKs, timers and sending, over its parts, a file each: loss by a packet threshold of 3
 * (RFC 6675, RFC 9002 6.1.1) or RACK-TLP (RFC 8985), RTO (RFC 6298), PRR, undo, ECN, pacing, delivery-rate samples. It owns no
 * events: a network tells it of arrivals, ACKs and timers and asks when the next packet may go. `engine/sender.ts` is its face.
 *
 * Each transmission has its own number, so a lost retransmission is found like any other loss, and an RTT is never
 * ambiguous. The network lists what arrives in order of arrival; an ACK is the length of that list when it was made, so it
 * acknowledges all that had arrived by then (a SACK without limit). The sender reads the list only as far as ACKs came.
 *
 *            something is missing               losses                        timeout
 *   OPEN ───────────────────────▶ DISORDER ──────────────▶ RECOVERY ───────────────────▶ LOSS
 *    ▲ ▲                            │   ▲  marks (ECN)        │  all sent before the last two began is acknowledged,
 *    │ └── nothing is missing ──────┘   └──────────▶ CWR ─┐   │  or they were spurious
 *    └───────────────────── one round later ──────────────┴───┴──────────────────────────┘
 */

import * as host from "../host";
import { allocate, release } from "../memory/memory";
import { AckTotals } from "../meters/ack-totals";
import { countOf, MICRO, NO_LIMIT } from "../units";
import { Arrivals, FIRST } from "./arrivals";
import { ASK, CcpBlock } from "./ccp-block";
import { DeliveryRate } from "./delivery-rate";
import { Ecn } from "./ecn";
import { Guard } from "./guard";
import { Pacer } from "./pacer";
import { Prr, PrrVersion } from "./prr";
import { Rack } from "./rack";
import { RttEstimator } from "./rtt-estimator";
import { IN_FLIGHT, LOST, SCOREBOARD_BYTES, Scoreboard } from "./scoreboard";
import { CongestionKind, CongestionState, EcnMode, SenderWords, SentWant } from "./sender-words";
import { TailProbe } from "./tail-probe";
import { PROBE, TRANSMISSIONS_BYTES, Transmission, Transmissions } from "./transmissions";
import { Undo, Undoable } from "./undo";

/** RFC 6675 DupThresh, RFC 9002 kPacketThreshold. */
const PACKET_THRESHOLD: i64 = 3;

/** Why the next packet does not leave at once. */
const enum LimitedBy {
  /** or by nothing but the pacing rate */
  window,
  /** the window is open and there is nothing to send: no data, or no room at the receiver */
  application,
  /** the flow is over */
  end,
}

// The parts lie behind the sender's own fields in one block, so that no pointer leads to them, and those that every ACK needs
// come first.
const RTT: usize = (offsetof<Sender>() + 7) & ~7;
const BOARD: usize = (RTT + offsetof<RttEstimator>() + 7) & ~7;
const TRANSMISSIONS: usize = (BOARD + SCOREBOARD_BYTES + 7) & ~7;
const ARRIVALS: usize = (TRANSMISSIONS + TRANSMISSIONS_BYTES + 7) & ~7;
const DELIVERY: usize = (ARRIVALS + offsetof<Arrivals>() + 7) & ~7;
const PACER: usize = (DELIVERY + offsetof<DeliveryRate>() + 7) & ~7;
const PROBE_PART: usize = (PACER + offsetof<Pacer>() + 7) & ~7;
const GUARD: usize = (PROBE_PART + offsetof<TailProbe>() + 7) & ~7;
const PRR: usize = (GUARD + offsetof<Guard>() + 7) & ~7;
const RACK: usize = (PRR + offsetof<Prr>() + 7) & ~7;
const ECN: usize = (RACK + offsetof<Rack>() + 7) & ~7;
const UNDO: usize = (ECN + offsetof<Ecn>() + 7) & ~7;
const SENDER_BYTES: usize = UNDO + offsetof<Undo>();

@unmanaged
export class Sender extends SenderWords {
  cwndPackets: i64;
  rtoAtNs: f64;
  /** of the packet that `transmit` sent last */
  lastSequence: i64;
  /** sequences that the application has given so far */
  limit: i64;
  receiveWindowPackets: i64;
  /** the window as last read, and the same in packets */
  readBytes: f64;
  readPackets: i64;
  /** those of a CCP flow whose program can be run here; 0: the host decides */
  registers: usize;
  /** what a meter beside the congestion control reads; null: there is none */
  totals: AckTotals | null;
  /** by which the host knows it */
  number: i32;
  state: CongestionState;
  limitedBy: LimitedBy;
  /** RACK-TLP finds the losses, not the packet threshold */
  hasRack: bool;
  /** the state of each packet is kept for the congestion control */
  keepsPackets: bool;
  /** and it hears of each packet that is acknowledged */
  tellsAcked: bool;
  /** no more data will come */
  isFinished: bool;
  /** the state is open, and there are no marks to read, no probe to judge, no acknowledged packets to tell of, no losses to weigh: `onCalmAck` may serve the next ACK */
  isCalm: bool;
  /** the event's words of losses, marks and disorder are 0 */
  ackIsPlain: bool;
  /** and those of its program's registers too */
  blockIsPlain: bool;
  /** `timerAtNs` and the times that it is made of wait for `settleTimers`: until then it says only what is not due before */
  timersAreLate: bool;
  reorderAtNs: f64;
  /** from when the retransmission timer runs; Infinity: it is off */
  rtoFromNs: f64;
  /** of the last packet that left and the last that was acknowledged the later, while the timers are late */
  progressNs: f64;
  /** recovery lasts until the cumulative ACK reaches this sequence (RFC 6675 RecoveryPoint) */
  recoveryPoint: i64;

  static make(number: i32, mssBytes: f64): Sender {
    const sender = changetype<Sender>(allocate(SENDER_BYTES));
    sender.init(number, mssBytes);
    return sender;
  }

  private init(number: i32, mssBytes: f64): void {
    this.number = number;
    this.mssBytes = mssBytes;
    this.sendAtNs = this.timerAtNs = this.rtoAtNs = this.rtoFromNs = this.reorderAtNs = Infinity;
    this.rateBytesPerSec = -1;
    this.minRttUs = Infinity;
    this.cwndLimited = 1;
    this.packetNumber = -1;
    this.limit = this.receiveWindowPackets = NO_LIMIT;
    this.readBytes = -1;
    this.readPackets = 1;
    this.board.init();
    this.transmissions.init();
    this.arrived.init();
    this.pacer.init();
    this.rack.init();
    this.probe.init();
    this.ecn.init();
    this.guard.init();
  }

  /** Gives its memory back; what `describe` wrote can no longer be read. */
  free(): void {
    this.board.free();
    this.transmissions.free();
    this.arrived.free();
    this.pacer.free();
    if (this.totals !== null) release(changetype<usize>(this.totals), offsetof<AckTotals>());
    release(changetype<usize>(this), SENDER_BYTES);
  }

  /** Sums what ACKs say from now on. */
  totalAcks(): AckTotals {
    const totals = changetype<AckTotals>(allocate(offsetof<AckTotals>()));
    this.totals = totals;
    return totals;
  }

  @inline
  get rtt(): RttEstimator {
    return changetype<RttEstimator>(changetype<usize>(this) + RTT);
  }

  @inline
  get board(): Scoreboard {
    return changetype<Scoreboard>(changetype<usize>(this) + BOARD);
  }

  @inline
  get transmissions(): Transmissions {
    return changetype<Transmissions>(changetype<usize>(this) + TRANSMISSIONS);
  }

  @inline
  get arrived(): Arrivals {
    return changetype<Arrivals>(changetype<usize>(this) + ARRIVALS);
  }

  @inline
  get delivery(): DeliveryRate {
    return changetype<DeliveryRate>(changetype<usize>(this) + DELIVERY);
  }

  @inline
  get pacer(): Pacer {
    return changetype<Pacer>(changetype<usize>(this) + PACER);
  }

  @inline
  get rack(): Rack {
    return changetype<Rack>(changetype<usize>(this) + RACK);
  }

  @inline
  get probe(): TailProbe {
    return changetype<TailProbe>(changetype<usize>(this) + PROBE_PART);
  }

  @inline
  get prr(): Prr {
    return changetype<Prr>(changetype<usize>(this) + PRR);
  }

  @inline
  get ecn(): Ecn {
    return changetype<Ecn>(changetype<usize>(this) + ECN);
  }

  @inline
  get undo(): Undo {
    return changetype<Undo>(changetype<usize>(this) + UNDO);
  }

  @inline
  get guard(): Guard {
    return changetype<Guard>(changetype<usize>(this) + GUARD);
  }

  /** Losses are being repaired, after a fast retransmit or a timeout. */
  @inline
  get isRecovering(): bool {
    return this.state >= CongestionState.recovery;
  }

  /** Writes the words that the host reads rarely. */
  describe(): void {
    const board = this.board;
    this.describedSent = <f64>this.transmissions.next;
    this.describedInflight = <f64>board.inflight;
    this.describedCwnd = <f64>(
      min<i64>(this.cwndPackets, this.guard.windowPackets(this.transmissions.next, board.inflight))
    );
    this.describedDelivered = <f64>this.delivery.delivered;
    this.describedUnsent = this.limit === NO_LIMIT ? Infinity : <f64>(this.limit - board.next);
    this.describedComplete = this.isFinished && board.cumulative === this.limit ? 1 : 0;
    this.describedSrttUs = this.rtt.srttUs;
    this.describedRttvarUs = this.rtt.rttvarUs;
    this.describedMinRttUs = this.rtt.minRttUs;
    this.describedRtoUs = this.rtt.rtoUs();
    this.describedState = <f64>this.state;
  }

  /** Reads the congestion control's window and rate, and plans the next packet by them. */
  @inline
  applyDecision(nowNs: f64): void {
    this.readDecision();
    this.plan(nowNs);
  }

  @inline
  private readDecision(): void {
    const wanted = this.prr.isActive ? countOf(this.prr.windowPackets) : this.targetPackets();
    this.cwndPackets = min<i64>(wanted, this.guard.capPackets);
    this.pacer.setRate(this.rateBytesPerSec, this.mssBytes);
  }

  /** The congestion control's window. */
  @inline
  private targetPackets(): i64 {
    const bytes = this.targetBytes;
    if (bytes !== this.readBytes) {
      this.readBytes = bytes;
      this.readPackets = max<i64>(1, countOf(floor<f64>(bytes / this.mssBytes)));
    }
    return this.readPackets;
  }

  /** Ends the flow: nothing is sent any more. */
  stop(): void {
    this.limitedBy = LimitedBy.end;
    this.probe.isDue = false;
    this.sendAtNs = this.timerAtNs = this.rtoAtNs = this.probe.atNs = this.reorderAtNs = Infinity;
    this.rtoFromNs = Infinity;
    this.timersAreLate = false;
  }

  /** The application gives data, in packets; Infinity: a bulk flow from here on. */
  supply(packets: f64, nowNs: f64): void {
    const count = countOf(packets);
    this.limit = this.limit === NO_LIMIT || count === NO_LIMIT ? NO_LIMIT : this.limit + count;
    this.plan(nowNs);
  }

  /** The application takes back what has not been sent yet. */
  withdraw(nowNs: f64): void {
    this.limit = this.board.next;
    this.plan(nowNs);
  }

  /** Says when the next packet leaves. */
  @inline
  plan(nowNs: f64): void {
    if (this.isCalm) {
      if (!this.probe.isDue) {
        const board = this.board;
        const next = board.next;
        // else there may be something to send beside new data, or silence limits the flow, or it is over
        if (next < this.limit) {
          if (next - board.cumulative < this.receiveWindowPackets) {
            if (this.limitedBy !== LimitedBy.end) {
              this.limitedBy = LimitedBy.window;
              if (board.inflight >= this.cwndPackets) this.close();
              else this.sendAtNs = this.pacer.plan(nowNs);
              return;
            }
          }
        }
      }
    }
    this.planAny(nowNs);
  }

  private planAny(nowNs: f64): void {
    const pacer = this.pacer;
    if (this.probe.isDue) {
      this.sendAtNs = nowNs;
      return;
    }
    if (this.limitedBy === LimitedBy.end) {
      this.sendAtNs = Infinity;
      return;
    }
    if (this.board.inflight >= this.cwndPackets || this.transmissions.next >= this.guard.allowedBefore) {
      this.limitedBy = LimitedBy.window;
      this.close();
      return;
    }
    if (!this.mayTransmitNew() && !this.board.hasRetransmission()) {
      this.limitedBy = LimitedBy.application;
      if (this.board.next === this.limit) this.delivery.limitByApplication(this.board.inflight);
      this.close();
      return;
    }
    this.limitedBy = LimitedBy.window;
    this.sendAtNs = pacer.plan(nowNs);
  }

  /** No packet may leave before something changes. */
  @inline
  close(): void {
    this.pacer.close();
    this.sendAtNs = Infinity;
  }

  /** New data is there and the receiver has room for it. */
  @inline
  private mayTransmitNew(): bool {
    const next = this.board.next;
    return next < this.limit && next - this.board.cumulative < this.receiveWindowPackets;
  }

  /**
   * A packet leaves at `sendAtNs`. Retransmissions go first.
   * @returns its transmission number; `lastSequence` is its sequence
   */
  @inline
  transmit(nowNs: f64): i64 {
    const board = this.board;
    const txn = this.transmissions.add();
    const row = this.transmissions.at(txn);
    row.note = 0;
    if (board.inflight === 0) this.beginFlight(nowNs);
    let sequence: i64 = -1;
    if (this.isCalm) {
      if (!this.probe.isDue) {
        sequence = board.sendNext();
        this.progressNs = nowNs;
        if (!this.timersAreLate) {
          if (this.hasRack) this.putOffTimers(nowNs);
        }
      }
    }
    if (sequence < 0) sequence = this.sendAny(nowNs, txn);
    this.lastSequence = sequence;
    row.sequence = sequence;
    row.sentNs = nowNs;
    this.delivery.note(row);
    this.pacer.onSent();
    if (this.keepsPackets) {
      row.inflight = <i32>board.inflight;
      row.lost = this.totalLostPackets;
    }
    if (this.wantsSent !== SentWant.none) {
      if (this.wantsSent === SentWant.all || board.inflight === 1) {
        this.tellSent(nowNs, txn);
        this.readDecision();
      }
    }
    this.plan(nowNs);
    return txn;
  }

  /** A packet leaves while none is in flight. */
  private beginFlight(nowNs: f64): void {
    this.delivery.begin(nowNs);
    this.settleTimers();
    // off only while nothing is in flight
    if (this.rtoAtNs === Infinity) this.armRetransmissionTimer(nowNs);
  }

  /** A packet leaves that may be a repeated one or a probe, or leaves while something is missing. @returns its sequence */
  private sendAny(nowNs: f64, txn: i64): i64 {
    const board = this.board;
    const isProbe = this.probe.isDue;
    const repeats = isProbe ? !this.mayTransmitNew() : board.hasRetransmission();
    // of the transmissions before this one
    this.settle(txn);
    let sequence = board.next;
    if (repeats) {
      sequence = this.takeRepeated(isProbe);
      this.transmissions.orderedFrom = txn + 1;
    } else board.next = sequence + 1;
    board.reach(sequence);
    board.send(sequence, txn);
    if (isProbe) {
      if (repeats) this.transmissions.at(txn).note = PROBE;
      this.pacer.schedule(nowNs);
      this.probe.onSent(board.next);
      this.isCalm = false;
    }
    if (this.hasRack) this.armProbeTimer(nowNs);
    if (this.prr.isActive) this.prr.onSent();
    return sequence;
  }

  /** Writes what is left unwritten while all is calm. @param nextTxn the first that has not been sent by then */
  private settle(nextTxn: i64): void {
    this.board.write(nextTxn - this.board.next);
    this.settleTimers();
  }

  /**
   * The timers are set again, but nobody needs to know when: neither is due within half of the shortest round trip, as the tail loss
   * probe waits for two, and the retransmission timer for one at least.
   */
  private putOffTimers(nowNs: f64): void {
    const minRttUs = this.rtt.minRttUs;
    const earliestNs = minRttUs === Infinity ? nowNs : nowNs + 0.5 * minRttUs * MICRO;
    this.timerAtNs = min<f64>(this.timerAtNs, earliestNs);
    this.timersAreLate = true;
  }

  /** Sets the timers as they were put off. */
  settleTimers(): void {
    if (!this.timersAreLate) return;
    this.timersAreLate = false;
    this.rtoAtNs = this.rtoFromNs + this.rtt.rtoUs() * MICRO;
    if (this.hasRack) this.armCalmProbeTimer(this.progressNs);
    else this.timerAtNs = this.rtoAtNs;
  }

  private tellSent(nowNs: f64, txn: i64): void {
    host.onSent(this.number, nowNs / MICRO, <f64>txn, <f64>this.board.inflight * this.mssBytes);
  }

  /** Tells of a packet that was acknowledged or judged lost, and of the state that it was sent in. */
  private tellPacket(nowNs: f64, txn: i64, isLost: bool): void {
    this.nowUs = nowNs / MICRO;
    this.describePacket(txn);
    host.onPacket(this.number, isLost ? 1 : 0);
  }

  private describePacket(txn: i64): void {
    this.packetNumber = <f64>txn;
    if (txn < 0) return;
    const row = this.transmissions.at(txn);
    this.packetSentUs = row.sentNs / MICRO;
    this.packetPriorDeliveredBytes = <f64>row.delivered * this.mssBytes;
    this.packetTxInflightBytes = <f64>row.inflight * this.mssBytes;
    this.packetLostSinceSentBytes = (this.totalLostPackets - row.lost) * this.mssBytes;
    this.packetAppLimited = row.appLimited ? 1 : 0;
  }

  /** The sequence to repeat: the first of the queue, or for a probe the highest. */
  private takeRepeated(isProbe: bool): i64 {
    this.retransmittedPackets += 1;
    return isProbe ? this.board.next - 1 : this.board.takeRetransmission();
  }

  sequenceOf(txn: i64): i64 {
    return this.transmissions.sequenceOf(txn);
  }

  /**
   * A transmission reaches the receiver. Call in order of arrival; the time may lie ahead where the path keeps the order
   * of a flow's packets. A copy that the network made arrives once more.
   * @param first the receiver has not had its payload yet
   * @param ce it came with Congestion Experienced
   */
  @inline
  markArrival(txn: i64, arrivalNs: f64, first: bool, ce: bool): void {
    this.arrived.add(txn, arrivalNs, first, ce);
  }

  /** An ACK arrives, made when the receiver had got `arrivals` packets. One that a later ACK has overtaken tells nothing. */
  @inline
  onAck(nowNs: f64, arrivals: i64): void {
    this.acks += 1;
    if (arrivals <= this.arrived.covered) return;
    if (this.isCalm) this.onCalmAck(nowNs, arrivals);
    else this.onAnyAck(nowNs, arrivals);
  }

  private onAnyAck(nowNs: f64, arrivals: i64): void {
    const board = this.board;
    const transmissions = this.transmissions;
    this.settle(transmissions.next);
    const arrived = this.arrived;
    const delivery = this.delivery;
    const inflightBefore = board.inflight;
    const limitedBefore = this.limitedBy;
    const cumulativeBefore = board.cumulative;
    const sackedBefore = board.sackedPackets;
    const deliveredBefore = delivery.delivered;
    let firstRttNs: f64 = 0;
    let newestTxn: i64 = -1;
    /** arrivals of what the receiver had already: a real one would tell by DSACK */
    let copies = 0;
    const marked = this.ecn.mode === EcnMode.off ? 0 : this.ecn.coverMarks(arrived, arrivals);
    for (let n = arrived.covered; n < arrivals; n++) {
      const txn = arrived.txn(n);
      if (txn === transmissions.nextUnseen) transmissions.nextUnseen++;
      else if (txn > transmissions.nextUnseen) transmissions.overtake(txn);
      else if (!this.onLateArrival(txn)) {
        copies++;
        continue;
      }
      const row = transmissions.at(txn);
      const sequence = row.sequence;
      const isCopy = board.isDelivered(sequence);
      const noted = row.note !== 0 && this.readNote(row, isCopy);
      if (isCopy) {
        if (!noted) copies++;
        continue;
      }
      board.deliver(sequence);
      delivery.delivered++;
      if (this.tellsAcked) this.tellPacket(nowNs, txn, false);
      if (newestTxn === -1) firstRttNs = nowNs - row.sentNs;
      if (txn > newestTxn) newestTxn = txn;
    }
    arrived.covered = arrivals;
    board.advance();
    this.guard.allowedBefore = NO_LIMIT;

    if (newestTxn === -1) {
      this.rttUs = 0;
    } else {
      const row = transmissions.at(newestTxn);
      delivery.onDelivered(nowNs, row.sentNs);
      this.rttUs = (nowNs - row.sentNs) / MICRO;
      this.rtt.onSample(firstRttNs / MICRO);
      if (this.rttUs < this.rtt.minRttUs) this.rtt.minRttUs = this.rttUs;
      delivery.sample(nowNs, row, this.rtt.minRttUs, this);
      if (board.cumulative === board.next) this.rtoFromNs = this.rtoAtNs = this.timerAtNs = Infinity;
      else this.armRetransmissionTimer(nowNs);
    }
    if (this.isRecovering && board.cumulative >= this.recoveryPoint) this.endRecovery();
    if (this.undo.disproved > 0) this.considerUndo(nowNs);
    let lost: i64 = 0;
    if (this.hasRack) {
      if (newestTxn !== -1 && newestTxn === transmissions.nextUnseen - 1)
        this.rack.rttNs = this.rttUs * MICRO;
      if (copies > 0) this.rack.onDuplicates(board.cumulative, board.next);
      lost = this.judgeByTime(nowNs);
    } else if (transmissions.suspects.length > 0) lost = this.judgeByThreshold(nowNs);
    transmissions.forgetJudged();
    const deliveredPackets = delivery.delivered - deliveredBefore;
    if (lost > 0) this.onLosses(nowNs, lost, deliveredPackets);
    if (this.guard.weighsLosses && (lost > 0 || this.guard.isWatching)) this.weighLosses();
    if (this.hasRack) {
      if (this.probe.end !== -1 && board.cumulative >= this.probe.end) lost += this.judgeProbe(nowNs);
      if (newestTxn !== -1) this.armProbeTimer(nowNs);
    }
    this.ackedBytes = <f64>(board.cumulative - cumulativeBefore) * this.mssBytes;
    const misordered = max<i64>(0, board.sackedPackets - sackedBefore);
    this.misorderedPackets = <f64>misordered;
    this.ackedPackets = <f64>(deliveredPackets - misordered);
    this.deliveredBytes = <f64>deliveredPackets * this.mssBytes;
    this.cwndLimited = this.isWindowUsed(inflightBefore, limitedBefore) ? 1 : 0;
    if (this.keepsPackets) this.describePacket(newestTxn);
    if (this.ecn.mode !== EcnMode.off) this.reactToMarks(nowNs, marked, deliveredPackets);
    this.report(nowNs, lost, false);
    if (board.cumulative === this.limit && board.cumulative > cumulativeBefore) this.drained(nowNs);
  }

  private weighLosses(): void {
    const transmissions = this.transmissions;
    this.guard.onAck(
      transmissions.next,
      transmissions.nextUnseen,
      this.delivery.delivered,
      this.totalLostPackets,
      this.targetPackets(),
    );
  }

  /** The common case, without what others need: no packet is missing, and the ACK covers the next ones in their order. */
  @inline
  private onCalmAck(nowNs: f64, arrivals: i64): void {
    const board = this.board;
    const transmissions = this.transmissions;
    const arrived = this.arrived;
    const covered = arrived.covered;
    const count = arrivals - covered;
    const firstTxn = transmissions.nextUnseen;
    const cumulative = board.cumulative;
    // in a run, and of sequences in order, as was the last one: then there is no need to look at each
    const fromRun = min<i64>(covered - arrived.runFrom, firstTxn - transmissions.orderedFrom);
    if (fromRun <= 0) {
      if (!this.isInOrder(covered, firstTxn, count)) {
        this.onAnyAck(nowNs, arrivals);
        return;
      }
    }
    const inflightBefore = board.inflight;
    board.deliverInOrder(count);
    transmissions.nextUnseen = transmissions.oldestNeeded = firstTxn + count;
    arrived.covered = arrivals;

    const rtt = this.rtt;
    const delivery = this.delivery;
    const row = transmissions.at(firstTxn + count - 1);
    const sentNs = row.sentNs;
    const rttUs = (nowNs - sentNs) / MICRO;
    rtt.onSample(count === 1 ? rttUs : (nowNs - transmissions.sentNs(firstTxn)) / MICRO);
    // the bound of the timers holds for the minimum that it was made with
    let mayPutOff = this.timersAreLate;
    if (rttUs < rtt.minRttUs) {
      rtt.minRttUs = rttUs;
      mayPutOff = false;
    }
    delivery.delivered += count;
    delivery.onDelivered(nowNs, sentNs);
    delivery.sample(nowNs, row, rtt.minRttUs, this);
    this.rtoFromNs = cumulative + count === board.next ? Infinity : nowNs;
    this.progressNs = nowNs;
    if (!mayPutOff) this.putOffTimers(nowNs);
    if (this.hasRack) this.rack.rttNs = rttUs * MICRO;
    this.tellCalm(nowNs, count, rttUs, inflightBefore);
    if (cumulative + count === this.limit) this.drained(nowNs);
  }

  /** The next arrivals are the next transmissions, which carry the next sequences. */
  private isInOrder(covered: i64, firstTxn: i64, count: i64): bool {
    const cumulative = this.board.cumulative;
    for (let k: i64 = 0; k < count; k++) {
      if (this.arrived.what(covered + k) !== (((firstTxn + k) << 2) | FIRST)) return false;
      if (this.transmissions.sequenceOf(firstTxn + k) !== cumulative + k) return false;
    }
    return true;
  }

  /** Nothing lost, marked or out of order. */
  private makeAckPlain(): void {
    this.misorderedPackets = this.misorderedBytes = this.lostPackets = this.lostBytes = 0;
    this.ecnPackets = this.ecnBytes = 0;
    this.timeout = 0;
    this.ackIsPlain = true;
  }

  /** Before the ACK, the window and not the application limited the flow. */
  @inline
  private isWindowUsed(inflightBefore: i64, limitedBefore: LimitedBy): bool {
    return limitedBefore !== LimitedBy.application && inflightBefore + 2 >= this.cwndPackets;
  }

  @inline
  private drained(nowNs: f64): void {
    if (this.wantsDrained !== 0) host.onDrained(this.number, nowNs);
  }

  /**
   * A transmission arrives after others that were sent later.
   * @returns false if it comes so late that its row has gone: it was judged lost long ago and counts as a copy
   */
  private onLateArrival(txn: i64): bool {
    if (this.transmissions.isForgotten(txn)) return false;
    if (this.hasRack && this.isInFlight(txn)) this.rack.reorderingSeen = true;
    return true;
  }

  private isInFlight(txn: i64): bool {
    return this.board.isInFlightAs(this.transmissions.sequenceOf(txn), txn);
  }

  /**
   * Something was noted of a transmission that now has arrived.
   * @returns true if it is a probe: a copy of it says nothing of reordering
   */
  private readNote(row: Transmission, isCopy: bool): bool {
    const note = row.note;
    row.note = 0;
    if (note === PROBE) {
      if (!isCopy) this.probe.hasRepaired = true;
      return true;
    }
    if (note === this.undo.episode) this.undo.disproved++;
    return false;
  }

  private reactToMarks(nowNs: f64, marked: i32, deliveredPackets: i64): void {
    const ecn = this.ecn;
    const board = this.board;
    this.ecnPackets = <f64>ecn.toldPackets(marked, deliveredPackets);
    this.ecnBytes = this.ecnPackets * this.mssBytes;
    if (this.state === CongestionState.cwr && board.cumulative > ecn.point)
      this.state = CongestionState.disorder;
    // RFC 3168 6.1.2: none beside a reaction to loss
    if (this.isRecovering || !ecn.isReactionDue(marked, board.cumulative)) return;
    this.undo.begin(Undoable.nothing);
    this.state = CongestionState.cwr;
    this.congest(CongestionKind.ecn, nowNs, 0, false);
  }

  private endRecovery(): void {
    this.state = CongestionState.disorder;
    this.prr.isActive = false;
    if (this.hasRack) this.rack.onRecoveryEnd();
  }

  /** Losses were judged: unless recovery goes on already, it begins, and the congestion control is told. */
  private onLosses(nowNs: f64, lost: i64, newlyDelivered: i64): void {
    if (this.isRecovering) {
      if (this.state === CongestionState.recovery) this.undo.judgedLost += lost;
      return;
    }
    this.undo.begin(Undoable.recovery);
    this.undo.judgedLost = lost;
    this.state = CongestionState.recovery;
    this.recoveryPoint = this.board.next;
    this.probe.cancel();
    this.armTimer();
    this.congest(CongestionKind.loss, nowNs, lost, false);
    if (this.prr.version !== PrrVersion.off) this.prr.begin(<f64>this.recoverFlight(newlyDelivered));
  }

  /** RFC 6937 4, RFC 9937 6.1: what lies between the cumulative ACK and the next sequence; the latter less what was SACKed before. */
  private recoverFlight(newlyDelivered: i64): i64 {
    const board = this.board;
    const flight = board.next - board.cumulative;
    return this.prr.version === PrrVersion.rfc6937 ? flight : flight - board.sackedPackets + newlyDelivered;
  }

  /** Of the suspects those are lost that 3 or more later transmissions have overtaken. */
  private judgeByThreshold(nowNs: f64): i64 {
    const suspects = this.transmissions.suspects;
    const lastTxn = this.transmissions.nextUnseen - 1 - PACKET_THRESHOLD;
    let lost: i64 = 0;
    let judged = 0;
    while (judged < suspects.length && suspects.at(judged) <= lastTxn) {
      const txn = suspects.at(judged++);
      if (this.isInFlight(txn)) {
        this.lose(nowNs, txn);
        lost++;
      }
    }
    suspects.dropFirst(judged);
    return lost;
  }

  /** Of the suspects those are lost whose time is up (RFC 8985 6.2 step 5); for the others the timer is set. */
  private judgeByTime(nowNs: f64): i64 {
    this.reorderAtNs = Infinity;
    const transmissions = this.transmissions;
    const suspects = transmissions.suspects;
    let lost: i64 = 0;
    if (suspects.length > 0) {
      const waitNs = this.rack.deadlineNs(this.rtt, this.isRecovering, this.board.sackedPackets);
      let judged = 0;
      for (; judged < suspects.length; judged++) {
        const txn = suspects.at(judged);
        if (!this.isInFlight(txn)) continue;
        if (transmissions.sentNs(txn) + waitNs > nowNs) break;
        this.lose(nowNs, txn);
        lost++;
      }
      suspects.dropFirst(judged);
      while (suspects.length > 0 && !this.isInFlight(suspects.at(suspects.length - 1))) suspects.length--;
      // the last one's deadline: one timer for all
      if (suspects.length > 0) {
        this.reorderAtNs = transmissions.sentNs(suspects.at(suspects.length - 1)) + waitNs;
      }
    }
    this.armTimer();
    return lost;
  }

  private lose(nowNs: f64, txn: i64): void {
    this.board.lose(this.transmissions.sequenceOf(txn));
    this.countLoss(nowNs, txn);
    if (!this.isRecovering) this.noteLoss(txn, this.undo.episode + 1);
    else if (this.state === CongestionState.recovery) this.noteLoss(txn, this.undo.episode);
  }

  private countLoss(nowNs: f64, txn: i64): void {
    this.totalLostPackets += 1;
    if (this.keepsPackets) this.tellPacket(nowNs, txn, true);
    if (this.wantsLost !== 0) host.onLost(this.number, <f64>txn);
  }

  /** For undo: its arrival would disprove the loss. */
  private noteLoss(txn: i64, episode: i32): void {
    if (this.undo.isOn) this.transmissions.at(txn).note = episode;
  }

  /**
   * The outcome of a tail loss probe (RFC 8985 7.4): one that repaired the only loss must not hide it from the congestion
   * control.
   * @returns losses that it repaired: 1 or 0
   */
  private judgeProbe(nowNs: f64): i64 {
    this.probe.end = -1;
    if (!this.probe.hasRepaired) return 0;
    this.totalLostPackets += 1;
    this.undo.begin(Undoable.nothing);
    this.congest(CongestionKind.loss, nowNs, 1, false);
    return 1;
  }

  private armTimer(): void {
    this.timerAtNs = this.hasRack
      ? min<f64>(this.rtoAtNs, min<f64>(this.probe.atNs, this.reorderAtNs))
      : this.rtoAtNs;
  }

  private armRetransmissionTimer(nowNs: f64): void {
    this.rtoFromNs = nowNs;
    this.rtoAtNs = nowNs + this.rtt.rtoUs() * MICRO;
    this.armTimer();
  }

  /** RFC 8985 7.2: one probe per tail, none in recovery. */
  private armProbeTimer(nowNs: f64): void {
    const probe = this.probe;
    const board = this.board;
    probe.atNs = Infinity;
    if (board.inflight > 0 && board.sackedPackets === 0 && !this.isRecovering && probe.end === -1) {
      probe.atNs = min<f64>(nowNs + probe.timeoutUs(this.rtt, board.inflight) * MICRO, this.rtoAtNs);
    }
    this.armTimer();
  }

  /** The same while all is calm: nothing is missing and no probe is out. */
  @inline
  private armCalmProbeTimer(nowNs: f64): void {
    const probe = this.probe;
    const inflight = this.board.inflight;
    const rtoAtNs = this.rtoAtNs;
    let atNs: f64 = Infinity;
    if (inflight > 0) atNs = nowNs + probe.timeoutUs(this.rtt, inflight) * MICRO;
    if (rtoAtNs < atNs) atNs = rtoAtNs;
    probe.atNs = inflight > 0 ? atNs : Infinity;
    this.timerAtNs = min<f64>(atNs, this.reorderAtNs);
  }

  /** `timerAtNs` has come. */
  onTimer(nowNs: f64): void {
    this.settle(this.transmissions.next);
    if (this.hasRack && this.reorderAtNs <= nowNs) this.onReorderTimer(nowNs);
    else if (this.hasRack && this.probe.atNs <= nowNs) this.onProbeTimer(nowNs);
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
    const probe = this.probe;
    probe.atNs = Infinity;
    probe.hasRepaired = false;
    probe.isDue = this.mayTransmitNew() || this.board.state(this.board.next - 1) === IN_FLIGHT;
    this.armRetransmissionTimer(nowNs);
    this.plan(nowNs);
  }

  /**
   * RFC 6298 5.4 to 5.7: everything in flight counts as lost; under RACK (RFC 8985 6.3) the oldest packet and what was sent
   * more than a round trip ago.
   */
  private onRetransmissionTimeout(nowNs: f64): void {
    const board = this.board;
    const again = this.state === CongestionState.loss;
    this.timeouts += 1;
    this.rtt.onTimeout();
    if (!this.isRecovering) this.undo.begin(Undoable.timeout);
    else if (this.state === CongestionState.recovery) this.undo.begin(Undoable.nothing);
    const sentBeforeNs = this.hasRack ? nowNs - this.rack.deadlineNs(this.rtt, true, 0) : nowNs;
    let lost: i64 = 0;
    board.clearRetransmissions();
    for (let sequence = board.cumulative; sequence < board.next; sequence++) {
      const state = board.state(sequence);
      if (state === LOST) board.retransmitQueue.push(sequence);
      if (state !== IN_FLIGHT) continue;
      const txn = board.latestTxn(sequence);
      const isOld = !this.hasRack || this.transmissions.sentNs(txn) <= sentBeforeNs;
      if (!isOld && sequence !== board.cumulative) continue;
      board.lose(sequence);
      this.noteLoss(txn, this.undo.episode);
      this.countLoss(nowNs, txn);
      lost++;
    }
    this.prr.isActive = false;
    this.probe.isDue = false;
    this.probe.cancel();
    this.state = CongestionState.loss;
    this.recoveryPoint = board.next;
    const delivered = this.delivery.delivered;
    this.guard.onTimeout(this.transmissions.next, delivered, this.totalLostPackets, this.targetPackets());
    this.congest(CongestionKind.timeout, nowNs, lost, again);
    this.armRetransmissionTimer(nowNs);
    this.reportTimer(nowNs, lost, true);
  }

  private reportTimer(nowNs: f64, lost: i64, timeout: bool): void {
    this.ackedBytes = this.ackedPackets = this.misorderedPackets = this.deliveredBytes = this.rttUs = 0;
    this.ecnPackets = this.ecnBytes = 0;
    this.cwndLimited = 1;
    this.packetNumber = -1;
    this.report(nowNs, lost, timeout);
  }

  /** Transmissions that were judged lost have arrived. If the episode was spurious, what it took for lost is in flight again. */
  private considerUndo(nowNs: f64): void {
    const what = this.undo.take();
    if (what === Undoable.nothing) return;
    if (this.isRecovering) this.endRecovery();
    this.takeBackLosses();
    this.spuriousEpisodes += 1;
    host.onSpuriousCongestion(this.number, what === Undoable.timeout ? 1 : 0, nowNs / MICRO);
  }

  private takeBackLosses(): void {
    const board = this.board;
    const transmissions = this.transmissions;
    board.clearRetransmissions();
    for (let sequence = board.cumulative; sequence < board.next; sequence++) {
      if (board.state(sequence) !== LOST) continue;
      const txn = board.latestTxn(sequence);
      if (transmissions.isForgotten(txn) || transmissions.at(txn).note !== this.undo.episode) {
        board.retransmitQueue.push(sequence);
        continue;
      }
      transmissions.at(txn).note = 0;
      board.restore(sequence);
      transmissions.suspectAgain(txn);
    }
  }

  private congest(kind: CongestionKind, nowNs: f64, lostPackets: i64, again: bool): void {
    this.ecn.onReaction(this.board.next, this.transmissions.next);
    const inflightBytes = <f64>(this.board.inflight + lostPackets) * this.mssBytes;
    host.onCongestion(this.number, kind, nowNs / MICRO, inflightBytes, <f64>lostPackets, again ? 1 : 0);
  }

  private report(nowNs: f64, lostPackets: i64, timeout: bool): void {
    this.misorderedBytes = this.misorderedPackets * this.mssBytes;
    this.lostPackets = <f64>lostPackets;
    this.lostBytes = <f64>lostPackets * this.mssBytes;
    this.timeout = timeout ? 1 : 0;
    this.ackIsPlain = this.blockIsPlain = false;
    if (this.state < CongestionState.cwr) {
      this.state = this.isAllThere() ? CongestionState.open : CongestionState.disorder;
    }
    this.isCalm =
      this.state === CongestionState.open &&
      this.ecn.mode === EcnMode.off &&
      this.probe.end === -1 &&
      !this.guard.isWatching &&
      !this.tellsAcked;
    this.tell(nowNs);
  }

  private isAllThere(): bool {
    const board = this.board;
    const transmissions = this.transmissions;
    return (
      board.sackedPackets === 0 && board.retransmitQueue.length === 0 && transmissions.suspects.length === 0
    );
  }

  /** Completes the ACK event, hands it to the congestion control, and applies what that decides. */
  private tell(nowNs: f64): void {
    this.nowUs = nowNs / MICRO;
    this.describeFlight();
    const block = this.registers;
    let said: i32 = ASK;
    if (block !== 0) {
      said = changetype<CcpBlock>(block).runProgram(
        this,
        this.blockIsPlain,
        this.nowUs,
        this.ackedBytes,
        this.ackedPackets,
        this.inflightBytes,
        this.inflightPackets,
        this.pendingBytes,
        this.rttUs,
      );
    }
    if (said === 0) this.blockIsPlain = this.ackIsPlain;
    else this.tellHost(said);
    const totals = this.totals;
    if (totals !== null) totals.record(this);
    if (this.prr.isActive) this.reduceProportionally();
    this.applyDecision(nowNs);
  }

  /** The same of an ACK in order while all is calm: the event is written only where the host is to see it. */
  @inline
  private tellCalm(nowNs: f64, count: i64, rttUs: f64, inflightBefore: i64): void {
    const mssBytes = this.mssBytes;
    const ackedPackets = <f64>count;
    const inflightPackets = <f64>this.board.inflight;
    const pendingBytes = this.pendingNow();
    const block = this.registers;
    let said: i32 = ASK;
    if (block !== 0) {
      const isPlain = this.blockIsPlain;
      if (!isPlain) this.makeAckPlain();
      said = changetype<CcpBlock>(block).runProgram(
        this,
        isPlain,
        nowNs / MICRO,
        ackedPackets * mssBytes,
        ackedPackets,
        inflightPackets * mssBytes,
        inflightPackets,
        pendingBytes,
        rttUs,
      );
    }
    const minRttUs = this.rtt.minRttUs;
    if (said === 0) this.blockIsPlain = true;
    else this.tellHostOfCalm(said, nowNs, count, rttUs, inflightBefore);
    const totals = this.totals;
    if (totals !== null) {
      totals.recordPlain(this, ackedPackets, inflightPackets, pendingBytes, rttUs, minRttUs);
    }
    this.applyDecision(nowNs);
  }

  private tellHostOfCalm(said: i32, nowNs: f64, count: i64, rttUs: f64, inflightBefore: i64): void {
    if (!this.ackIsPlain) this.makeAckPlain();
    this.nowUs = nowNs / MICRO;
    this.rttUs = rttUs;
    this.ackedPackets = <f64>count;
    this.ackedBytes = this.deliveredBytes = <f64>count * this.mssBytes;
    this.cwndLimited = this.isWindowUsed(inflightBefore, this.limitedBy) ? 1 : 0;
    if (this.keepsPackets) this.describePacket(this.transmissions.nextUnseen - 1);
    this.describeFlight();
    this.tellHost(said);
  }

  private describeFlight(): void {
    this.minRttUs = this.rtt.minRttUs;
    this.inflightPackets = <f64>this.board.inflight;
    this.inflightBytes = this.inflightPackets * this.mssBytes;
    this.pendingBytes = this.pendingNow();
  }

  /** What the window and the application let be written, without what is acknowledged. */
  @inline
  private pendingNow(): f64 {
    const window = this.cwndPackets;
    const next = this.board.next;
    const written = window >= NO_LIMIT - next ? this.limit : min<i64>(this.limit, next + window);
    return <f64>(written - this.board.cumulative) * this.mssBytes;
  }

  /** @param said what its program has said to an event that is complete but for what only the host reads */
  private tellHost(said: i32): void {
    this.srttUs = this.rtt.srttUs;
    this.appLimited = this.delivery.sampleIsAppLimited ? 1 : 0;
    this.nextSequence = <f64>this.board.next;
    this.cumulativeSequence = <f64>this.board.cumulative;
    if (said === ASK) host.onAck(this.number);
    else host.afterRun(this.number, said);
  }

  private reduceProportionally(): void {
    // Linux: the reordering timer, which brings no ACK, lets one packet out
    const delivered = max<f64>(1, this.deliveredBytes / this.mssBytes);
    const safeAck = this.ackedBytes > 0 && this.lostPackets === 0;
    this.prr.onAck(delivered, <f64>this.board.inflight, <f64>this.targetPackets(), safeAck);
  }
}
