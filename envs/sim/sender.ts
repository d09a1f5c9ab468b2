/**
 * A TCP sender: SACK-style scoreboard, loss by a packet threshold of 3 (RFC 6675, RFC 9002 6.1.1) or RACK-TLP (RFC 8985),
 * RTO (RFC 6298), PRR, undo, ECN, pacing, delivery-rate samples (draft-cheng-iccrg-delivery-rate-estimation). It owns no
 * events: a host tells it of arrivals, ACKs and timers and asks when the next packet may go.
 *
 * Each transmission has its own number, so a lost retransmission is found like any other loss, and an RTT is never
 * ambiguous. The host lists what arrives in order of arrival; an ACK is the length of that list when it was made, so it
 * acknowledges all that had arrived by then (a SACK without limit). The sender reads the list only as far as ACKs came.
 */
import type {
  AckEvent,
  CongestionControl,
  CongestionEvent,
  SentEvent,
} from "../../ccp-bridge/congestion-control.ts";
import type { Nanos } from "../../core/units.ts";
import { MSS_BYTES, NANOS_PER_MICRO, NANOS_PER_SEC } from "../../core/units.ts";
import { Prr, type PrrVersion } from "./prr.ts";
import { Rack } from "./rack.ts";
import { RttEstimator } from "./rtt-estimator.ts";
import type { SenderOptions } from "./sender-options.ts";

/** Copies in this module: the engine folds a module's own constants into the code of a hot path, imported ones it reads. */
const MSS = MSS_BYTES;
const MICRO = NANOS_PER_MICRO;
const SECOND = NANOS_PER_SEC;

/** RFC 6675 DupThresh, RFC 9002 kPacketThreshold. */
const PACKET_THRESHOLD = 3;

/** RFC 8985 7.2: without an RTT sample a probe goes after 1 s; a lone packet's ACK may be delayed by 200 ms. */
const INITIAL_PROBE_TIMEOUT_US = 1_000_000;
const MAX_ACK_DELAY_US = 200_000;

/** A transmission's row in the ring: the columns lie side by side, so that it costs one cache line. */
const SEQUENCE = 0;
const SENT_NS = 1;
/** delivery-rate state when it was sent (draft-cheng-iccrg-delivery-rate-estimation, P.delivered and so on) */
const DELIVERED = 2;
const DELIVERED_NS = 3;
const FIRST_SENT_NS = 4;
/** 1 if the application, not the network, limited the flow then */
const APP_LIMITED = 5;
/** 0, or the congestion episode in which it was judged lost (kept for undo), or PROBE */
const NOTE = 6;
/** a tail loss probe that is a retransmission */
const PROBE = -1;
const ROW_SHIFT = 3;

/** An arrival's row: the transmission, plus FIRST and CE where they apply, and when it reaches the receiver. */
const ARRIVED = 0;
const ARRIVAL_NS = 1;
/** Its payload was not there before. */
const FIRST = 0.5;
/** It comes with Congestion Experienced. */
const CE = 0.25;
const ARRIVAL_SHIFT = 1;

/** Rings start small, as there may be thousands of flows with few packets each, and double when full. */
const INITIAL_ROWS = 16;
/** A queue's dead front is cut off from this length on, so that one that never runs empty stays short. */
const MIN_DEAD_ENTRIES = 64;

/** `#openSinceNs` while the window is closed: before any time. */
const CLOSED = -1;

const UNSENT = 0;
const IN_FLIGHT = 1;
const LOST = 2;
const ACKED = 3;

export class Sender {
  // What every packet reads and writes comes first: V8 keeps the first thirty fields of an object in registers between
  // uses. Fields get their kind of number at once, since V8 boxes a number where there was `undefined` before.

  /** each transmission below has been acknowledged, is a suspect, or was judged lost */
  #nextUnseenTxn = 0;
  #cumulative = 0;
  #nextSequence = 0;
  #inflightPackets = 0;
  #cwndPackets = 0;
  #deliveredPackets = 0;
  #deliveredNs: Nanos = 0;
  #firstSentNs: Nanos = 0;
  /** when window and pacing rate let the next packet go, before jitter; as last planned */
  #scheduledNs: Nanos = Number.NEGATIVE_INFINITY;
  #lastScheduledNs: Nanos = Number.NEGATIVE_INFINITY;
  #lastLeaveNs: Nanos = Number.NEGATIVE_INFINITY;
  #openSinceNs: Nanos = CLOSED;
  #pacingGapNs: Nanos = 0;
  /** when the next packet leaves if nothing changes; Infinity: not before an ACK */
  sendAtNs: Nanos = Number.POSITIVE_INFINITY;
  /** of the packet that `transmit` sent last */
  sentSequence = 0;
  #rtoAtNs: Nanos = Number.POSITIVE_INFINITY;
  /** when `onTimer` is due: retransmission, tail loss probe or reordering; Infinity: off */
  timerAtNs: Nanos = Number.POSITIVE_INFINITY;
  /** the window is open and there is nothing to send: no data, or no room at the receiver */
  #starved = false;
  /** sequences that the application has given so far */
  #limit = Number.POSITIVE_INFINITY;

  /** ring of transmissions, one row each: all that may still be judged, and older ones as long as there is room */
  #txnMask = INITIAL_ROWS - 1;
  #txns: Float64Array = new Float64Array(INITIAL_ROWS << ROW_SHIFT);
  #nextTxn = 0;

  // ring of sequences from the cumulative ACK to the next new packet
  #sequenceMask = INITIAL_ROWS - 1;
  #state: Uint8Array = new Uint8Array(INITIAL_ROWS);

  /** ring of arrivals that no ACK has covered yet, one row each, in order of arrival */
  #arrivalMask = INITIAL_ROWS - 1;
  #arrivalRows: Float64Array = new Float64Array(INITIAL_ROWS << ARRIVAL_SHIFT);
  #coveredArrivals = 0;
  /** arrivals listed so far: what an ACK that goes out now carries */
  arrivals = 0;

  declare readonly control: CongestionControl;
  declare readonly rtt: RttEstimator;
  readonly #ack: AckEvent = {
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
  readonly #sent: SentEvent = { nowUs: 0, sentBytes: MSS, inflightBytes: 0 };

  /** no row before it is needed any more; the ring never overwrites it or a later one */
  #oldestNeededTxn = 0;
  /** the oldest row that growing kept */
  #oldestKeptTxn = 0;
  #latestTxn = new Float64Array(INITIAL_ROWS);
  #sackedPackets = 0;
  #finished = false;
  readonly #receiveWindowPackets: number = Number.POSITIVE_INFINITY;

  /** transmissions that later ones have overtaken and that are not yet judged lost, oldest first */
  #suspects: number[] = [];
  /** lost sequences to retransmit, oldest first; entries acknowledged since are skipped */
  #retransmitQueue: number[] = [];
  #retransmitHead = 0;

  /** the congestion control's window as last read, and the same in packets */
  #targetBytes = -1;
  #targetInPackets = 1;
  /** recovery lasts until the cumulative ACK reaches this sequence (RFC 6675 RecoveryPoint) */
  #recoveryPoint = -1;

  readonly #options: SenderOptions;
  /** no option is chosen that every ACK must serve */
  readonly #mayBeCalm: boolean = false;
  /** not calm: something is missing, suspected, lost or recovered from, so that `#onInOrderAck` must not serve the next ACK */
  #isDisturbed = true;
  /** what `#makeAckPlain` writes is not there */
  #ackIsSpecial = true;
  readonly #rack: Rack | undefined;
  /** of the fast recovery that goes on */
  #prr: Prr | undefined;

  /** the tail loss probe that was sent has an outcome once the cumulative ACK reaches this sequence; -1: none is out */
  #probeEnd = -1;
  #probeIsDue = false;
  /** the probe, a retransmission, arrived before the original */
  #probeRepaired = false;

  /** congestion episodes (one reaction of the congestion control each), numbered from 1 */
  #episode = 0;
  #episodeIsTimeout = false;
  /** the congestion control was told of this episode when no other went on, so that undoing it is well defined */
  #episodeMayBeUndone = false;
  /** transmissions judged lost in the episode, and those of them that have arrived all the same */
  #judgedLost = 0;
  #disproved = 0;

  readonly #ecn: NonNullable<SenderOptions["ecn"]>;
  /** its data packets may be marked instead of dropped: ECN is on, and the congestion control reacts to marks */
  readonly isEcnCapable: boolean;
  /** classic ECN: the receiver echoes until it hears of the reaction */
  #congestionEchoed = false;
  /** first transmission sent after the latest reaction (it carries CWR); Infinity: the receiver has heard */
  #reactedTxn = Number.POSITIVE_INFINITY;
  /** no reaction to ECN before the cumulative ACK has passed this sequence */
  #ecnPoint = -1;

  /** samples are application-limited until this many packets are delivered (C.app_limited of the draft); 0: they are not */
  #appLimitedUntil = 0;
  #stopped = false;

  #probeAtNs: Nanos = Number.POSITIVE_INFINITY;
  #reorderAtNs: Nanos = Number.POSITIVE_INFINITY;
  /** Called inside `onAck`, after the congestion control, when all that was supplied has been acknowledged in order. */
  onDrained: ((nowNs: Nanos) => void) | undefined;
  /** Called for each transmission that is judged lost, inside `onAck` or `onTimer`. */
  onLost: ((txn: number) => void) | undefined;

  retransmittedPackets = 0;
  lostPackets = 0;
  timeouts = 0;
  /** reactions that were taken back */
  spuriousEpisodes = 0;
  acks = 0;

  readonly #drawJitterNs: (() => Nanos) | undefined;
  #jitterNs: Nanos = 0;

  /**
   * A bulk flow, unless its data is withdrawn before the first packet.
   * @param drawJitterNs extra wait of each packet, drawn in sending order; order is kept; undefined: none
   */
  constructor(
    control: CongestionControl,
    startNs: Nanos,
    options: SenderOptions = {},
    drawJitterNs?: () => Nanos,
  ) {
    this.control = control;
    this.#options = options;
    this.#mayBeCalm = options.lossDetection !== "rack-tlp" && (options.ecn ?? "off") === "off";
    this.#ecn = control.ignoresMarks === true ? "off" : (options.ecn ?? "off");
    this.isEcnCapable = this.#ecn !== "off";
    this.#rack = options.lossDetection === "rack-tlp" ? new Rack() : undefined;
    this.rtt = new RttEstimator(options.minRtoMs);
    if (options.receiveWindowPackets !== undefined) this.#receiveWindowPackets = options.receiveWindowPackets;
    this.#drawJitterNs = drawJitterNs;
    this.#jitterNs = drawJitterNs === undefined ? 0 : drawJitterNs();
    this.applyDecision(startNs);
  }

  get sentPackets(): number {
    return this.#nextTxn;
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
    this.#cwndPackets = this.#prr === undefined ? this.#targetPackets() : this.#prr.windowPackets;
    const rate = this.control.pacingRateBytesPerSec;
    this.#pacingGapNs = rate === undefined ? 0 : (MSS * SECOND) / rate;
    this.#plan(nowNs);
  }

  /** The congestion control's window. */
  #targetPackets(): number {
    const bytes = this.control.cwndBytes;
    if (bytes !== this.#targetBytes) {
      this.#targetBytes = bytes;
      this.#targetInPackets = Math.max(1, Math.floor(bytes / MSS));
    }
    return this.#targetInPackets;
  }

  /** Ends the flow: nothing is sent any more. */
  stop(): void {
    this.#stopped = true;
    this.#probeIsDue = false;
    this.sendAtNs = this.timerAtNs = Number.POSITIVE_INFINITY;
    this.#rtoAtNs = this.#probeAtNs = this.#reorderAtNs = Number.POSITIVE_INFINITY;
  }

  /** The application gives data, in packets; Infinity: a bulk flow from here on. */
  supply(packets: number, nowNs: Nanos): void {
    this.#limit += packets;
    this.#plan(nowNs);
  }

  /** The application takes back what has not been sent yet. */
  withdraw(nowNs: Nanos): void {
    this.#limit = this.#nextSequence;
    this.#plan(nowNs);
  }

  /** No more data will come. */
  finish(): void {
    this.#finished = true;
  }

  /** No more data will come, and all of it has been acknowledged. */
  get complete(): boolean {
    return this.#finished && this.#cumulative === this.#limit;
  }

  /** Packets that the application has given and that were not sent yet; Infinity: a bulk flow. */
  get unsentPackets(): number {
    return this.#limit - this.#nextSequence;
  }

  #plan(nowNs: Nanos): void {
    if (this.#probeIsDue) {
      this.sendAtNs = Math.max(this.#lastLeaveNs, nowNs);
      return;
    }
    if (this.#inflightPackets >= this.#cwndPackets || this.#stopped) {
      this.#starved = false;
      this.#close();
      return;
    }
    if (!this.#mayTransmitNew() && !this.#hasRetransmission()) {
      this.#starved = true;
      if (this.#nextSequence === this.#limit) {
        this.#appLimitedUntil = Math.max(1, this.#deliveredPackets + this.#inflightPackets);
      }
      this.#close();
      return;
    }
    this.#starved = false;
    if (this.#openSinceNs === CLOSED) this.#openSinceNs = nowNs;
    let scheduled = this.#lastScheduledNs + this.#pacingGapNs;
    if (scheduled < this.#openSinceNs) scheduled = this.#openSinceNs;
    this.#scheduledNs = scheduled;
    let leave = scheduled + this.#jitterNs;
    if (leave < this.#lastLeaveNs) leave = this.#lastLeaveNs;
    this.sendAtNs = leave < nowNs ? nowNs : leave;
  }

  /** No packet may leave before something changes. */
  #close(): void {
    this.#openSinceNs = CLOSED;
    this.sendAtNs = Number.POSITIVE_INFINITY;
  }

  /**
   * A packet leaves at `sendAtNs`. Retransmissions go first.
   * @returns its transmission number; `sentSequence` is its sequence
   */
  transmit(nowNs: Nanos): number {
    const probe = this.#probeIsDue;
    const repeats = probe ? !this.#mayTransmitNew() : this.#hasRetransmission();
    const sequence = repeats ? this.#takeRepeated(probe) : this.#nextSequence;
    if (!repeats) this.#nextSequence = sequence + 1;
    const txn = this.#nextTxn;
    this.#nextTxn = txn + 1;
    if (sequence - this.#cumulative > this.#sequenceMask) this.#growSequences();
    if (txn - this.#oldestNeededTxn > this.#txnMask) this.#growTransmissions();
    const inflight = this.#inflightPackets;
    if (inflight === 0) {
      this.#firstSentNs = this.#deliveredNs = nowNs;
      // off only while nothing is in flight
      if (this.#rtoAtNs === Number.POSITIVE_INFINITY) this.#armRetransmissionTimer(nowNs);
    }
    const s = sequence & this.#sequenceMask;
    // a probe may repeat what is in flight; the sequence then counts once
    if (this.#state[s] !== IN_FLIGHT) this.#inflightPackets = inflight + 1;
    this.#state[s] = IN_FLIGHT;
    this.#latestTxn[s] = txn;
    const txns = this.#txns;
    const i = (txn & this.#txnMask) << ROW_SHIFT;
    this.sentSequence = sequence;
    txns[i | SEQUENCE] = sequence;
    txns[i | SENT_NS] = nowNs;
    txns[i | DELIVERED] = this.#deliveredPackets;
    txns[i | DELIVERED_NS] = this.#deliveredNs;
    txns[i | FIRST_SENT_NS] = this.#firstSentNs;
    txns[i | APP_LIMITED] = this.#appLimitedUntil === 0 ? 0 : 1;
    txns[i | NOTE] = probe && repeats ? PROBE : 0;
    this.#lastScheduledNs = probe ? nowNs : this.#scheduledNs;
    this.#lastLeaveNs = nowNs;
    if (probe) {
      this.#probeIsDue = false;
      this.#probeEnd = this.#nextSequence;
    }
    if (this.#rack !== undefined) this.#armProbeTimer(nowNs);
    if (this.#prr !== undefined) this.#prr.onSent();
    if (this.#drawJitterNs !== undefined) this.#jitterNs = this.#drawJitterNs();
    if (this.control.onSent !== undefined) {
      this.#sent.nowUs = nowNs / MICRO;
      this.#sent.inflightBytes = this.#inflightPackets * MSS;
      this.control.onSent(this.#sent);
    }
    this.#plan(nowNs);
    return txn;
  }

  /** The sequence to repeat: the first of the queue, or for a probe the highest. */
  #takeRepeated(probe: boolean): number {
    this.retransmittedPackets++;
    return probe ? this.#nextSequence - 1 : this.#retransmitQueue[this.#retransmitHead++]!;
  }

  /** By its distance, so that it is a small integer and no double from here on. */
  sequenceOf(txn: number): number {
    const sequence = this.#txns[((txn & this.#txnMask) << ROW_SHIFT) | SEQUENCE]!;
    return this.#cumulative + ((sequence - this.#cumulative) | 0);
  }

  /**
   * A transmission reaches the receiver. Call in order of arrival; the time may lie ahead where the path keeps the order
   * of a flow's packets. A copy that the network made arrives once more.
   * @param first the receiver has not had its payload yet
   * @param ce it came with Congestion Experienced
   */
  markArrival(txn: number, arrivalNs: Nanos, first: boolean, ce: boolean): void {
    const n = this.arrivals++;
    if (n - this.#coveredArrivals > this.#arrivalMask) this.#growArrivals();
    const rows = this.#arrivalRows;
    const i = (n & this.#arrivalMask) << ARRIVAL_SHIFT;
    rows[i | ARRIVED] = txn + (first ? FIRST : 0) + (ce ? CE : 0);
    rows[i | ARRIVAL_NS] = arrivalNs;
  }

  /** Listed arrivals that lie after `nowNs`: all of them, and those that bring something new. */
  underWay(nowNs: Nanos): { readonly packets: number; readonly firstPackets: number } {
    let packets = 0;
    let firstPackets = 0;
    for (let n = this.arrivals - 1; n >= this.#coveredArrivals; n--) {
      const i = (n & this.#arrivalMask) << ARRIVAL_SHIFT;
      if (this.#arrivalRows[i | ARRIVAL_NS]! <= nowNs) break;
      packets++;
      if (this.#arrivalRows[i | ARRIVED]! % 1 >= FIRST) firstPackets++;
    }
    return { packets, firstPackets };
  }

  /** New data is there and the receiver has room for it. */
  #mayTransmitNew(): boolean {
    const next = this.#nextSequence;
    return next < this.#limit && next - this.#cumulative < this.#receiveWindowPackets;
  }

  /** Whether the queue's head is a sequence to retransmit; drops what was acknowledged since. */
  #hasRetransmission(): boolean {
    const queue = this.#retransmitQueue;
    if (queue.length === 0) return false;
    let head = this.#retransmitHead;
    while (head < queue.length) {
      const sequence = queue[head]!;
      if (sequence >= this.#cumulative && this.#state[sequence & this.#sequenceMask] === LOST) break;
      head++;
    }
    if (head === queue.length) {
      queue.length = head = 0;
    } else if (head >= MIN_DEAD_ENTRIES && 2 * head >= queue.length) {
      queue.splice(0, head);
      head = 0;
    }
    this.#retransmitHead = head;
    return queue.length > 0;
  }

  /**
   * An ACK arrives, made when the receiver had got `arrivals` packets. One that a later ACK has overtaken tells nothing.
   */
  onAck(nowNs: Nanos, arrivals: number): void {
    this.acks++;
    if (arrivals <= this.#coveredArrivals) return;
    if (!this.#isDisturbed && this.#onInOrderAck(nowNs, arrivals)) return;
    const ack = this.#ack;
    const inflightBefore = this.#inflightPackets;
    const starvedBefore = this.#starved;
    const cumulativeBefore = this.#cumulative;
    const sackedBefore = this.#sackedPackets;
    const deliveredBefore = this.#deliveredPackets;
    let firstRttNs = 0;
    let newestTxn = -1;
    /** arrivals of what the receiver had already: a real one would tell by DSACK */
    let copies = 0;
    const marked = this.#ecn === "off" ? 0 : this.#coverMarks(arrivals);
    const txns = this.#txns;
    const rows = this.#arrivalRows;
    for (let n = this.#coveredArrivals; n < arrivals; n++) {
      const txn = Math.floor(rows[((n & this.#arrivalMask) << ARRIVAL_SHIFT) | ARRIVED]!);
      if (txn === this.#nextUnseenTxn) this.#nextUnseenTxn++;
      else if (txn > this.#nextUnseenTxn) this.#overtake(txn);
      else if (!this.#onLateArrival(txn)) {
        copies++;
        continue;
      }
      const i = (txn & this.#txnMask) << ROW_SHIFT;
      const sequence = txns[i | SEQUENCE]!;
      const s = sequence & this.#sequenceMask;
      const isCopy = sequence < this.#cumulative || this.#state[s] === ACKED;
      const noted = txns[i | NOTE] !== 0 && this.#readNote(i, isCopy);
      if (isCopy) {
        if (!noted) copies++;
        continue;
      }
      if (this.#state[s] === IN_FLIGHT) this.#inflightPackets--;
      this.#state[s] = ACKED;
      this.#sackedPackets++;
      this.#deliveredPackets++;
      if (newestTxn === -1) firstRttNs = nowNs - txns[i | SENT_NS]!;
      if (txn > newestTxn) newestTxn = txn;
    }
    this.#coveredArrivals += (arrivals - this.#coveredArrivals) | 0;
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
      this.#firstSentNs = txns[i | SENT_NS]!;
      ack.rttUs = (nowNs - this.#firstSentNs) / MICRO;
      this.rtt.onSample(firstRttNs / MICRO);
      if (ack.rttUs < this.rtt.minRttUs) this.rtt.minRttUs = ack.rttUs;
      this.#sampleDeliveryRate(nowNs, i);
      if (this.#appLimitedUntil > 0 && this.#deliveredPackets > this.#appLimitedUntil) {
        this.#appLimitedUntil = 0;
      }
      if (this.#cumulative === this.#nextSequence) this.#rtoAtNs = this.timerAtNs = Number.POSITIVE_INFINITY;
      else this.#armRetransmissionTimer(nowNs);
    }
    if (this.#cumulative >= this.#recoveryPoint && this.#recoveryPoint !== -1) this.#endRecovery();
    if (this.#disproved > 0) this.#considerUndo(nowNs);
    let lost = 0;
    if (this.#rack === undefined) {
      if (this.#suspects.length > 0) lost = this.#judgeByThreshold();
    } else {
      if (newestTxn !== -1 && newestTxn === this.#nextUnseenTxn - 1) {
        this.#rack.rttNs = ack.rttUs * MICRO;
      }
      if (copies > 0) this.#rack.onDuplicates(this.#cumulative, this.#nextSequence);
      lost = this.#judgeByTime(this.#rack, nowNs);
    }
    this.#oldestNeededTxn = this.#suspects[0] ?? this.#nextUnseenTxn;
    const deliveredPackets = this.#deliveredPackets - deliveredBefore;
    if (lost > 0) this.#onLosses(nowNs, lost, deliveredPackets);
    if (this.#rack !== undefined) {
      if (this.#probeEnd !== -1 && this.#cumulative >= this.#probeEnd) lost += this.#judgeProbe(nowNs);
      if (newestTxn !== -1) this.#armProbeTimer(nowNs);
    }
    ack.ackedBytes = (this.#cumulative - cumulativeBefore) * MSS;
    ack.misorderedPackets = Math.max(0, this.#sackedPackets - sackedBefore);
    ack.ackedPackets = deliveredPackets - ack.misorderedPackets;
    ack.deliveredBytes = deliveredPackets * MSS;
    ack.cwndLimited = !starvedBefore && inflightBefore + 2 >= this.#cwndPackets;
    if (this.#ecn !== "off") this.#reactToMarks(nowNs, marked, deliveredPackets);
    this.#report(nowNs, lost, false);
    if (this.#cumulative === this.#limit && this.#cumulative > cumulativeBefore) this.onDrained?.(nowNs);
  }

  /**
   * The common case, without what others need: no packet is missing, and the ACK covers the next ones in their order.
   * @returns false if it is not so; nothing has changed then
   */
  #onInOrderAck(nowNs: Nanos, arrivals: number): boolean {
    const covered = this.#coveredArrivals;
    const count = (arrivals - covered) | 0;
    const firstTxn = this.#nextUnseenTxn;
    const cumulative = this.#cumulative;
    const txns = this.#txns;
    const rows = this.#arrivalRows;
    let i = 0;
    for (let k = 0; k < count; k++) {
      const arrived = rows[((covered + k) & this.#arrivalMask) << ARRIVAL_SHIFT];
      if (arrived !== firstTxn + k + FIRST) return false;
      i = ((firstTxn + k) & this.#txnMask) << ROW_SHIFT;
      if (txns[i] !== cumulative + k) return false;
    }
    for (let k = 0; k < count; k++) this.#state[(cumulative + k) & this.#sequenceMask] = UNSENT;
    const inflightBefore = this.#inflightPackets;
    const delivered = this.#deliveredPackets + count;
    this.#nextUnseenTxn = this.#oldestNeededTxn = firstTxn + count;
    this.#coveredArrivals = covered + count;
    this.#cumulative = cumulative + count;
    this.#inflightPackets = inflightBefore - count;
    this.#deliveredPackets = delivered;

    const { rtt } = this;
    const ack = this.#ack;
    const sentNs = txns[i | SENT_NS]!;
    const rttUs = (nowNs - sentNs) / MICRO;
    const firstSentNs = count === 1 ? sentNs : txns[((firstTxn & this.#txnMask) << ROW_SHIFT) | SENT_NS]!;
    rtt.onSample((nowNs - firstSentNs) / MICRO);
    if (rttUs < rtt.minRttUs) rtt.minRttUs = rttUs;
    this.#deliveredNs = nowNs;
    this.#firstSentNs = sentNs;
    ack.rttUs = rttUs;
    this.#sampleDeliveryRate(nowNs, i);
    if (this.#appLimitedUntil > 0 && delivered > this.#appLimitedUntil) this.#appLimitedUntil = 0;
    this.#rtoAtNs = this.timerAtNs =
      cumulative + count === this.#nextSequence ? Number.POSITIVE_INFINITY : nowNs + rtt.rtoUs * MICRO;

    ack.ackedPackets = count;
    ack.ackedBytes = ack.deliveredBytes = count * MSS;
    ack.cwndLimited = !this.#starved && inflightBefore + 2 >= this.#cwndPackets;
    if (this.#ackIsSpecial) this.#makeAckPlain();
    this.#tell(nowNs);
    if (cumulative + count === this.#limit) this.onDrained?.(nowNs);
    return true;
  }

  /** Nothing lost, marked or out of order. */
  #makeAckPlain(): void {
    const ack = this.#ack;
    ack.misorderedPackets = ack.misorderedBytes = ack.lostPackets = ack.lostBytes = 0;
    ack.ecnPackets = ack.ecnBytes = 0;
    ack.timeout = false;
    this.#ackIsSpecial = false;
  }

  /** A transmission has arrived before others that were sent earlier: those become suspects. */
  #overtake(txn: number): void {
    for (let unseen = this.#nextUnseenTxn; unseen < txn; unseen++) this.#suspects.push(unseen);
    this.#nextUnseenTxn += (txn + 1 - this.#nextUnseenTxn) | 0;
  }

  /**
   * A transmission arrives after others that were sent later.
   * @returns false if it comes so late that its row has gone: it was judged lost long ago and counts as a copy
   */
  #onLateArrival(txn: number): boolean {
    if (this.#isForgotten(txn)) return false;
    if (this.#rack !== undefined && this.#isInFlightAs(txn)) this.#rack.reorderingSeen = true;
    return true;
  }

  #isForgotten(txn: number): boolean {
    return txn < this.#oldestKeptTxn || txn < this.#nextTxn - 1 - this.#txnMask;
  }

  /** Whether the transmission is the latest of a sequence that is in flight. */
  #isInFlightAs(txn: number): boolean {
    const sequence = this.sequenceOf(txn);
    const s = sequence & this.#sequenceMask;
    return sequence >= this.#cumulative && this.#state[s] === IN_FLIGHT && this.#latestTxn[s] === txn;
  }

  /**
   * Something was noted of a transmission that now has arrived.
   * @returns true if it is a probe: a copy of it says nothing of reordering
   */
  #readNote(i: number, isCopy: boolean): boolean {
    const note = this.#txns[i | NOTE]!;
    this.#txns[i | NOTE] = 0;
    if (note === PROBE) {
      if (!isCopy) this.#probeRepaired = true;
      return true;
    }
    if (note === this.#episode) this.#disproved++;
    return false;
  }

  /** Counts the marks that an ACK covers, and follows the receiver's echo in order of arrival (RFC 3168 6.1.3). */
  #coverMarks(arrivals: number): number {
    let marked = 0;
    for (let n = this.#coveredArrivals; n < arrivals; n++) {
      const i = (n & this.#arrivalMask) << ARRIVAL_SHIFT;
      const arrived = this.#arrivalRows[i | ARRIVED]!;
      if (arrived >= this.#reactedTxn) {
        this.#congestionEchoed = false;
        this.#reactedTxn = Number.POSITIVE_INFINITY;
      }
      if (arrived % FIRST === CE) {
        this.#congestionEchoed = true;
        marked++;
      }
    }
    return marked;
  }

  /** RFC 3168 6.1.2: at most one reaction per window of data, and none beside one to loss. */
  #reactToMarks(nowNs: Nanos, marked: number, deliveredPackets: number): void {
    const ack = this.#ack;
    if (this.#ecn === "classic") ack.ecnPackets = this.#congestionEchoed ? deliveredPackets : 0;
    else ack.ecnPackets = marked;
    ack.ecnBytes = ack.ecnPackets * MSS;
    const told = this.#ecn === "classic" ? this.#congestionEchoed : marked > 0;
    if (told && this.#recoveryPoint === -1 && this.#cumulative > this.#ecnPoint) {
      this.#beginEpisode(false, false);
      this.#congest("ecn", nowNs, 0);
    }
  }

  #endRecovery(): void {
    this.#recoveryPoint = -1;
    this.#prr = undefined;
    this.#rack?.onRecoveryEnd();
  }

  /** Losses were judged: unless recovery goes on already, it begins, and the congestion control is told. */
  #onLosses(nowNs: Nanos, lost: number, newlyDelivered: number): void {
    if (this.#recoveryPoint !== -1) {
      if (!this.#episodeIsTimeout) this.#judgedLost += lost;
      return;
    }
    this.#beginEpisode(false, true);
    this.#judgedLost = lost;
    this.#recoveryPoint = this.#nextSequence;
    this.#probeEnd = -1;
    this.#probeAtNs = Number.POSITIVE_INFINITY;
    this.#armTimer();
    this.#congest("loss", nowNs, lost);
    const { prr = "off" } = this.#options;
    if (prr !== "off") this.#prr = new Prr(prr, this.#recoverFlight(prr, newlyDelivered));
  }

  #sampleDeliveryRate(nowNs: Nanos, i: number): void {
    const txns = this.#txns;
    const receiveNs = nowNs - txns[i | DELIVERED_NS]!;
    const sendNs = txns[i | SENT_NS]! - txns[i | FIRST_SENT_NS]!;
    const bytes = (this.#deliveredPackets - txns[i | DELIVERED]!) * MSS;
    this.#ack.appLimited = txns[i | APP_LIMITED] === 1;
    // "If an interval is shorter than min_rtt, the sample is not valid" (draft 3.2.1: compressed ACKs)
    const minRttNs = this.rtt.minRttUs * MICRO;
    if (receiveNs < minRttNs && sendNs < minRttNs) return;
    if (receiveNs > 0) this.#ack.deliveryRateBytesPerSec = (bytes * SECOND) / receiveNs;
    if (sendNs > 0) this.#ack.sendRateBytesPerSec = (bytes * SECOND) / sendNs;
  }

  /** Of the suspects those are lost that 3 or more later transmissions have overtaken. */
  #judgeByThreshold(): number {
    const lastTxn = this.#nextUnseenTxn - 1 - PACKET_THRESHOLD;
    let lost = 0;
    let judged = 0;
    while (judged < this.#suspects.length && this.#suspects[judged]! <= lastTxn) {
      const txn = this.#suspects[judged++]!;
      if (this.#isInFlightAs(txn)) {
        this.#lose(txn);
        lost++;
      }
    }
    if (judged > 0) this.#suspects.splice(0, judged);
    return lost;
  }

  /** Of the suspects those are lost whose time is up (RFC 8985 6.2 step 5); for the others the timer is set. */
  #judgeByTime(rack: Rack, nowNs: Nanos): number {
    this.#reorderAtNs = Number.POSITIVE_INFINITY;
    const suspects = this.#suspects;
    let lost = 0;
    if (suspects.length > 0) {
      const waitNs = rack.deadlineNs(this.rtt, this.#recoveryPoint !== -1, this.#sackedPackets);
      let judged = 0;
      for (; judged < suspects.length; judged++) {
        const txn = suspects[judged]!;
        if (!this.#isInFlightAs(txn)) continue;
        if (this.#sentNs(txn) + waitNs > nowNs) break;
        this.#lose(txn);
        lost++;
      }
      suspects.splice(0, judged);
      while (suspects.length > 0 && !this.#isInFlightAs(suspects.at(-1)!)) suspects.pop();
      // the last one's deadline: one timer for all
      if (suspects.length > 0) this.#reorderAtNs = this.#sentNs(suspects.at(-1)!) + waitNs;
    }
    this.#armTimer();
    return lost;
  }

  #sentNs(txn: number): Nanos {
    return this.#txns[((txn & this.#txnMask) << ROW_SHIFT) | SENT_NS]!;
  }

  #lose(txn: number): void {
    const sequence = this.sequenceOf(txn);
    this.#state[sequence & this.#sequenceMask] = LOST;
    this.#inflightPackets--;
    this.#retransmitQueue.push(sequence);
    this.lostPackets++;
    this.onLost?.(txn);
    if (this.#recoveryPoint === -1) this.#noteLoss(txn, this.#episode + 1);
    else if (!this.#episodeIsTimeout) this.#noteLoss(txn, this.#episode);
  }

  /** For undo: its arrival would disprove the loss. */
  #noteLoss(txn: number, episode: number): void {
    if (this.#options.undo === true) this.#txns[((txn & this.#txnMask) << ROW_SHIFT) | NOTE] = episode;
  }

  /**
   * The outcome of a tail loss probe (RFC 8985 7.4): one that repaired the only loss must not hide it from the congestion
   * control.
   * @returns losses that it repaired: 1 or 0
   */
  #judgeProbe(nowNs: Nanos): number {
    this.#probeEnd = -1;
    if (!this.#probeRepaired) return 0;
    this.lostPackets++;
    this.#beginEpisode(false, false);
    this.#congest("loss", nowNs, 1);
    return 1;
  }

  #armTimer(): void {
    this.timerAtNs =
      this.#rack === undefined ? this.#rtoAtNs : Math.min(this.#rtoAtNs, this.#probeAtNs, this.#reorderAtNs);
  }

  #armRetransmissionTimer(nowNs: Nanos): void {
    this.#rtoAtNs = nowNs + this.rtt.rtoUs * MICRO;
    this.#armTimer();
  }

  /** RFC 8985 7.2: a probe is due two round trips after the last sign of progress; one per tail, none in recovery. */
  #armProbeTimer(nowNs: Nanos): void {
    this.#probeAtNs = Number.POSITIVE_INFINITY;
    const quiet = this.#sackedPackets === 0 && this.#recoveryPoint === -1 && this.#probeEnd === -1;
    if (quiet && this.#inflightPackets > 0) {
      const { srttUs } = this.rtt;
      let timeoutUs = srttUs === 0 ? INITIAL_PROBE_TIMEOUT_US : 2 * srttUs;
      if (srttUs > 0 && this.#inflightPackets === 1) timeoutUs += MAX_ACK_DELAY_US;
      this.#probeAtNs = Math.min(nowNs + timeoutUs * MICRO, this.#rtoAtNs);
    }
    this.#armTimer();
  }

  /** `timerAtNs` has come. */
  onTimer(nowNs: Nanos): void {
    if (this.#rack !== undefined && this.#reorderAtNs <= nowNs) this.#onReorderTimer(this.#rack, nowNs);
    else if (this.#rack !== undefined && this.#probeAtNs <= nowNs) this.#onProbeTimer(nowNs);
    else this.#onRetransmissionTimeout(nowNs);
  }

  #onReorderTimer(rack: Rack, nowNs: Nanos): void {
    const lost = this.#judgeByTime(rack, nowNs);
    if (lost === 0) return;
    this.#onLosses(nowNs, lost, 0);
    this.#reportTimer(nowNs, lost, false);
  }

  /** RFC 8985 7.3: new data if there is any, else the highest sequence, whatever the window says. */
  #onProbeTimer(nowNs: Nanos): void {
    this.#probeAtNs = Number.POSITIVE_INFINITY;
    this.#probeRepaired = false;
    const last = (this.#nextSequence - 1) & this.#sequenceMask;
    this.#probeIsDue = this.#mayTransmitNew() || this.#state[last] === IN_FLIGHT;
    this.#armRetransmissionTimer(nowNs);
    this.#plan(nowNs);
  }

  /**
   * RFC 6298 5.4 to 5.7: everything in flight counts as lost; under RACK (RFC 8985 6.3) the oldest packet and what was sent
   * more than a round trip ago.
   */
  #onRetransmissionTimeout(nowNs: Nanos): void {
    this.timeouts++;
    this.rtt.onTimeout();
    const wasOpen = this.#recoveryPoint === -1;
    if (wasOpen || !this.#episodeIsTimeout) this.#beginEpisode(true, wasOpen);
    const rack = this.#rack;
    const sentBeforeNs = rack === undefined ? nowNs : nowNs - rack.deadlineNs(this.rtt, true, 0);
    let lost = 0;
    this.#retransmitQueue.length = 0;
    this.#retransmitHead = 0;
    for (let sequence = this.#cumulative; sequence < this.#nextSequence; sequence++) {
      const s = sequence & this.#sequenceMask;
      const txn = this.#latestTxn[s]!;
      const isLost = rack === undefined || sequence === this.#cumulative || this.#sentNs(txn) <= sentBeforeNs;
      if (this.#state[s] === IN_FLIGHT && isLost) {
        this.#state[s] = LOST;
        this.#noteLoss(txn, this.#episode);
        this.onLost?.(txn);
        lost++;
      }
      if (this.#state[s] === LOST) this.#retransmitQueue.push(sequence);
    }
    this.#inflightPackets -= lost;
    this.lostPackets += lost;
    this.#prr = undefined;
    this.#probeEnd = -1;
    this.#probeIsDue = false;
    this.#probeAtNs = Number.POSITIVE_INFINITY;
    this.#recoveryPoint = this.#nextSequence;
    this.#congest("timeout", nowNs, lost);
    this.#armRetransmissionTimer(nowNs);
    this.#reportTimer(nowNs, lost, true);
  }

  #reportTimer(nowNs: Nanos, lost: number, timeout: boolean): void {
    const ack = this.#ack;
    ack.ackedBytes = ack.ackedPackets = ack.misorderedPackets = ack.deliveredBytes = ack.rttUs = 0;
    ack.ecnPackets = ack.ecnBytes = 0;
    ack.cwndLimited = true;
    this.#report(nowNs, lost, timeout);
  }

  #beginEpisode(isTimeout: boolean, mayBeUndone: boolean): void {
    this.#episode++;
    this.#episodeIsTimeout = isTimeout;
    this.#episodeMayBeUndone = mayBeUndone && this.#options.undo === true;
    this.#judgedLost = this.#disproved = 0;
  }

  /**
   * Transmissions that were judged lost have arrived. One of them makes a timeout spurious (RFC 3522, RFC 5682), all of
   * them a fast recovery (RFC 3708): then the congestion control takes its reaction back (RFC 4015), and what
   * the timeout took for lost is in flight again.
   */
  #considerUndo(nowNs: Nanos): void {
    if (!this.#episodeMayBeUndone) return;
    if (!this.#episodeIsTimeout && this.#disproved < this.#judgedLost) return;
    this.#episodeMayBeUndone = false;
    if (this.#recoveryPoint !== -1) this.#endRecovery();
    this.#takeBackLosses();
    this.spuriousEpisodes++;
    const kind = this.#episodeIsTimeout ? "timeout" : "loss";
    this.control.onSpuriousCongestion?.({ kind, nowUs: nowNs / MICRO });
  }

  #takeBackLosses(): void {
    const overtaken: number[] = [];
    this.#retransmitQueue.length = 0;
    this.#retransmitHead = 0;
    for (let sequence = this.#cumulative; sequence < this.#nextSequence; sequence++) {
      const s = sequence & this.#sequenceMask;
      if (this.#state[s] !== LOST) continue;
      const txn = this.#latestTxn[s]!;
      const i = (txn & this.#txnMask) << ROW_SHIFT;
      if (this.#isForgotten(txn) || this.#txns[i | NOTE] !== this.#episode) {
        this.#retransmitQueue.push(sequence);
        continue;
      }
      this.#txns[i | NOTE] = 0;
      this.#state[s] = IN_FLIGHT;
      this.#inflightPackets++;
      if (txn < this.#nextUnseenTxn) overtaken.push(txn);
    }
    if (overtaken.length > 0) {
      const suspects = new Set([...this.#suspects, ...overtaken]);
      this.#suspects = [...suspects].sort((a, b) => a - b);
    }
  }

  #congest(kind: CongestionEvent["kind"], nowNs: Nanos, lostPackets: number): void {
    this.#ecnPoint = this.#nextSequence;
    this.#reactedTxn = this.#nextTxn;
    const inflightBytes = (this.#inflightPackets + lostPackets) * MSS;
    this.control.onCongestion({ kind, nowUs: nowNs / MICRO, inflightBytes, lostPackets });
  }

  #report(nowNs: Nanos, lostPackets: number, timeout: boolean): void {
    const ack = this.#ack;
    ack.misorderedBytes = ack.misorderedPackets * MSS;
    ack.lostPackets = lostPackets;
    ack.lostBytes = lostPackets * MSS;
    ack.timeout = timeout;
    this.#ackIsSpecial = true;
    this.#isDisturbed = !(
      this.#mayBeCalm &&
      this.#suspects.length === 0 &&
      this.#retransmitQueue.length === 0 &&
      this.#sackedPackets === 0 &&
      this.#recoveryPoint === -1
    );
    this.#tell(nowNs);
  }

  /** Completes the ACK event, hands it to the congestion control, and applies what that decides. */
  #tell(nowNs: Nanos): void {
    const ack = this.#ack;
    const { rtt } = this;
    const inflight = this.#inflightPackets;
    const next = this.#nextSequence;
    const cumulative = this.#cumulative;
    ack.nowUs = nowNs / MICRO;
    ack.srttUs = rtt.srttUs;
    ack.minRttUs = rtt.minRttUs;
    ack.inflightPackets = inflight;
    ack.inflightBytes = inflight * MSS;
    const written = Math.min(this.#limit, next + this.#cwndPackets);
    ack.pendingBytes = ((written - cumulative) | 0) * MSS;
    ack.nextSequence = next;
    ack.cumulativeSequence = cumulative;
    this.control.onAck(ack);
    if (this.#prr !== undefined) this.#reduceProportionally(this.#prr, ack.lostPackets);
    this.applyDecision(nowNs);
  }

  #reduceProportionally(prr: Prr, lostPackets: number): void {
    const { ackedBytes, deliveredBytes } = this.#ack;
    // Linux: the reordering timer, which brings no ACK, lets one packet out
    const delivered = Math.max(1, deliveredBytes / MSS);
    const safeAck = ackedBytes > 0 && lostPackets === 0;
    prr.onAck(delivered, this.#inflightPackets, this.#targetPackets(), safeAck);
  }

  /** RFC 6937 4, RFC 9937 6.1: what lies between the cumulative ACK and the next sequence; the latter less what was SACKed before. */
  #recoverFlight(version: PrrVersion, newlyDelivered: number): number {
    const flight = this.#nextSequence - this.#cumulative;
    return version === "rfc6937" ? flight : flight - this.#sackedPackets + newlyDelivered;
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

  /** Called before the newest row is written: that one's place still holds the oldest. */
  #growTransmissions(): void {
    const first = Math.max(this.#oldestKeptTxn, this.#nextTxn - 2 - this.#txnMask);
    this.#txns = grown(this.#txns, ROW_SHIFT, first, this.#nextTxn - 1);
    this.#txnMask = 2 * this.#txnMask + 1;
    this.#oldestKeptTxn = first;
  }

  /** Called before the newest row is written. */
  #growArrivals(): void {
    this.#arrivalRows = grown(this.#arrivalRows, ARRIVAL_SHIFT, this.#coveredArrivals, this.arrivals - 1);
    this.#arrivalMask = 2 * this.#arrivalMask + 1;
  }
}

/** A ring of rows of twice the size; it keeps the rows from `first` to before `end`. */
function grown(rows: Float64Array, shift: number, first: number, end: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(rows.length * 2);
  const mask = (rows.length >> shift) - 1;
  const largerMask = 2 * mask + 1;
  for (let k = first; k < end; k++) {
    const from = (k & mask) << shift;
    larger.set(rows.subarray(from, from + (1 << shift)), (k & largerMask) << shift);
  }
  return larger;
}
