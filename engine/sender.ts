/**
 * A TCP sender: the face of `engine/wasm/sender/sender.ts`. A host tells it of arrivals, ACKs and timers and asks when the next packet
 * may go; it owns no events.
 */
import type {
  AckEvent,
  CongestionControl,
  CongestionEvent,
  PacketEvent,
  SentEvent,
} from "../ccp-bridge/congestion-control.ts";
import type { EngineRun } from "../ccp-bridge/datapath/engine-run.ts";
import type { AckTotals, ObservedControl } from "../ccp-bridge/observed-control.ts";
import type { Rng } from "../core/random.ts";
import type { Bytes, BytesPerSec, Micros, Nanos } from "../core/units.ts";
import { MICROS_PER_MILLI, MSS_BYTES } from "../core/units.ts";
import type { SenderOptions } from "../scenarios/sender-options.ts";
import {
  ACK_TOTALS_WORD,
  ACK_TOTALS_WORD_COUNT,
  CONGESTION_KINDS,
  CONGESTION_STATES,
  ECN_MODES,
  type EngineExports,
  PRR_VERSIONS,
  SENDER_WORD,
  SENDER_WORD_COUNT,
  SENT_WANTS,
} from "./generated/engine-interface.ts";
import { Engine, Face, type SenderListener } from "./wasm-host.ts";

/** Copies in this module, which V8 folds into the code of a hot path. */
const {
  sendAtNs: SEND_AT_NS,
  timerAtNs: TIMER_AT_NS,
  sentSequence: SENT_SEQUENCE,
  arrivals: ARRIVALS,
  targetBytes: CWND_BYTES,
  rateBytesPerSec: RATE_BYTES_PER_SEC,
  mssBytes: SEGMENT_BYTES,
  wantsSent: WANTS_SENT,
  wantsDrained: WANTS_DRAINED,
  wantsLost: WANTS_LOST,
  nowUs: NOW_US,
  ackedBytes: ACKED_BYTES,
  ackedPackets: ACKED_PACKETS,
  misorderedBytes: MISORDERED_BYTES,
  misorderedPackets: MISORDERED_PACKETS,
  deliveredBytes: DELIVERED_BYTES,
  lostPackets: LOST_PACKETS,
  lostBytes: LOST_BYTES,
  ecnPackets: ECN_PACKETS,
  ecnBytes: ECN_BYTES,
  rttUs: RTT_US,
  srttUs: SRTT_US,
  minRttUs: MIN_RTT_US,
  inflightBytes: INFLIGHT_BYTES,
  inflightPackets: INFLIGHT_PACKETS,
  pendingBytes: PENDING_BYTES,
  deliveryRateBytesPerSec: DELIVERY_RATE,
  sendRateBytesPerSec: SEND_RATE,
  appLimited: APP_LIMITED,
  timeout: TIMEOUT,
  nextSequence: NEXT_SEQUENCE,
  cumulativeSequence: CUMULATIVE_SEQUENCE,
  cwndLimited: CWND_LIMITED,
  packetNumber: PACKET_NUMBER,
  packetSentUs: PACKET_SENT_US,
  packetPriorDeliveredBytes: PACKET_PRIOR_DELIVERED_BYTES,
  packetTxInflightBytes: PACKET_TX_INFLIGHT_BYTES,
  packetLostSinceSentBytes: PACKET_LOST_SINCE_SENT_BYTES,
  packetAppLimited: PACKET_APP_LIMITED,
  acks: ACKS,
  retransmittedPackets: RETRANSMITTED_PACKETS,
  totalLostPackets: TOTAL_LOST_PACKETS,
  timeouts: TIMEOUTS,
  spuriousEpisodes: SPURIOUS_EPISODES,
  describedSent: DESCRIBED_SENT,
  describedInflight: DESCRIBED_INFLIGHT,
  describedCwnd: DESCRIBED_CWND,
  describedDelivered: DESCRIBED_DELIVERED,
  describedUnsent: DESCRIBED_UNSENT,
  describedComplete: DESCRIBED_COMPLETE,
  describedSrttUs: DESCRIBED_SRTT_US,
  describedRttvarUs: DESCRIBED_RTTVAR_US,
  describedMinRttUs: DESCRIBED_MIN_RTT_US,
  describedRtoUs: DESCRIBED_RTO_US,
  describedState: DESCRIBED_STATE,
} = SENDER_WORD;

const { rttSumUs: LAST_SUM } = ACK_TOTALS_WORD;

/** A pacing rate of none. */
const NO_RATE = -1;

const NONE_SENT = SENT_WANTS.indexOf("none");

/** Linux TCP_RTO_MIN: the floor lies under 4 rttvar, not under the whole RTO, so RTO = srtt + max(200 ms, 4 rttvar). */
const MIN_RTO_MS = 200;

/** The packet that the engine's memory tells of. */
class EnginePacket implements PacketEvent {
  readonly #face: Face<"Sender">;

  constructor(face: Face<"Sender">) {
    this.#face = face;
  }

  get nowUs(): Micros {
    return this.#face.words[NOW_US]!;
  }

  get packetNumber(): number {
    return this.#face.words[PACKET_NUMBER]!;
  }

  get bytes(): Bytes {
    return this.#face.words[SEGMENT_BYTES]!;
  }

  get sentUs(): Micros {
    return this.#face.words[PACKET_SENT_US]!;
  }

  get priorDeliveredBytes(): Bytes {
    return this.#face.words[PACKET_PRIOR_DELIVERED_BYTES]!;
  }

  get txInflightBytes(): Bytes {
    return this.#face.words[PACKET_TX_INFLIGHT_BYTES]!;
  }

  get lostSinceSentBytes(): Bytes {
    return this.#face.words[PACKET_LOST_SINCE_SENT_BYTES]!;
  }

  get appLimited(): boolean {
    return this.#face.words[PACKET_APP_LIMITED] === 1;
  }
}

/** The ACK event in the engine's memory. */
class EngineAck implements AckEvent {
  readonly #face: Face<"Sender">;
  readonly #packet: PacketEvent;

  constructor(face: Face<"Sender">, packet: PacketEvent) {
    this.#face = face;
    this.#packet = packet;
  }

  get packet(): PacketEvent | undefined {
    return this.#face.words[PACKET_NUMBER]! < 0 ? undefined : this.#packet;
  }

  get nowUs(): Micros {
    return this.#face.words[NOW_US]!;
  }

  get ackedBytes(): Bytes {
    return this.#face.words[ACKED_BYTES]!;
  }

  get ackedPackets(): number {
    return this.#face.words[ACKED_PACKETS]!;
  }

  get misorderedBytes(): Bytes {
    return this.#face.words[MISORDERED_BYTES]!;
  }

  get misorderedPackets(): number {
    return this.#face.words[MISORDERED_PACKETS]!;
  }

  get deliveredBytes(): Bytes {
    return this.#face.words[DELIVERED_BYTES]!;
  }

  get lostPackets(): number {
    return this.#face.words[LOST_PACKETS]!;
  }

  get lostBytes(): Bytes {
    return this.#face.words[LOST_BYTES]!;
  }

  get ecnPackets(): number {
    return this.#face.words[ECN_PACKETS]!;
  }

  get ecnBytes(): Bytes {
    return this.#face.words[ECN_BYTES]!;
  }

  get rttUs(): Micros {
    return this.#face.words[RTT_US]!;
  }

  get srttUs(): Micros {
    return this.#face.words[SRTT_US]!;
  }

  get minRttUs(): Micros {
    return this.#face.words[MIN_RTT_US]!;
  }

  get inflightBytes(): Bytes {
    return this.#face.words[INFLIGHT_BYTES]!;
  }

  get inflightPackets(): number {
    return this.#face.words[INFLIGHT_PACKETS]!;
  }

  get pendingBytes(): Bytes {
    return this.#face.words[PENDING_BYTES]!;
  }

  get deliveryRateBytesPerSec(): BytesPerSec {
    return this.#face.words[DELIVERY_RATE]!;
  }

  get sendRateBytesPerSec(): BytesPerSec {
    return this.#face.words[SEND_RATE]!;
  }

  get appLimited(): boolean {
    return this.#face.words[APP_LIMITED] === 1;
  }

  get timeout(): boolean {
    return this.#face.words[TIMEOUT] === 1;
  }

  get nextSequence(): number {
    return this.#face.words[NEXT_SEQUENCE]!;
  }

  get cumulativeSequence(): number {
    return this.#face.words[CUMULATIVE_SEQUENCE]!;
  }

  get cwndLimited(): boolean {
    return this.#face.words[CWND_LIMITED] === 1;
  }
}

/** What the engine has summed of a sender's ACKs. */
class EngineAckTotals extends Face<"AckTotals"> implements AckTotals {
  get events(): number {
    return this.words[ACK_TOTALS_WORD.events]!;
  }

  get ackedBytes(): Bytes {
    return this.words[ACK_TOTALS_WORD.ackedBytes]!;
  }

  get ackedPackets(): number {
    return this.words[ACK_TOTALS_WORD.ackedPackets]!;
  }

  get misorderedPackets(): number {
    return this.words[ACK_TOTALS_WORD.misorderedPackets]!;
  }

  get ecnBytes(): Bytes {
    return this.words[ACK_TOTALS_WORD.ecnBytes]!;
  }

  get ecnPackets(): number {
    return this.words[ACK_TOTALS_WORD.ecnPackets]!;
  }

  get lostPackets(): number {
    return this.words[ACK_TOTALS_WORD.lostPackets]!;
  }

  get timeouts(): number {
    return this.words[ACK_TOTALS_WORD.timeouts]!;
  }

  get rttSumUs(): Micros {
    return this.words[ACK_TOTALS_WORD.rttSumUs]!;
  }

  get lastLostPackets(): number {
    return this.words[ACK_TOTALS_WORD.lastLostPackets]!;
  }

  get inflightPackets(): number {
    return this.words[ACK_TOTALS_WORD.inflightPackets]!;
  }

  get pendingBytes(): Bytes {
    return this.words[ACK_TOTALS_WORD.pendingBytes]!;
  }

  get rttUs(): Micros {
    return this.words[ACK_TOTALS_WORD.rttUs]!;
  }

  get minRttUs(): Micros {
    return this.words[ACK_TOTALS_WORD.minRttUs]!;
  }

  get sendRateBytesPerSec(): BytesPerSec {
    return this.words[ACK_TOTALS_WORD.sendRateBytesPerSec]!;
  }

  get deliveryRateBytesPerSec(): BytesPerSec {
    return this.words[ACK_TOTALS_WORD.deliveryRateBytesPerSec]!;
  }

  clear(): void {
    this.words.fill(0, 0, LAST_SUM + 1);
  }
}

/** The sender's RTT estimator (RFC 6298). */
class SenderRtt {
  readonly #sender: Sender;
  readonly #described: (word: number) => number;

  constructor(sender: Sender, described: (word: number) => number) {
    this.#sender = sender;
    this.#described = described;
  }

  /** 0 before the first sample */
  get srttUs(): Micros {
    return this.#described(DESCRIBED_SRTT_US);
  }

  get rttvarUs(): Micros {
    return this.#described(DESCRIBED_RTTVAR_US);
  }

  /** Infinity before the first sample */
  get minRttUs(): Micros {
    return this.#described(DESCRIBED_MIN_RTT_US);
  }

  /** the retransmission timeout, backed off */
  get rtoUs(): Micros {
    return this.#described(DESCRIBED_RTO_US);
  }

  /** A sample that no ACK brings: that of a handshake. */
  onSample(rttUs: Micros): void {
    const { engine, address } = this.#sender;
    engine.exports.onRttSample(address, rttUs);
  }
}

/** Where a sender runs, and what delays its packets. */
export interface SenderPlace {
  /** absent: one of its own */
  readonly engine?: Engine;
  /** payload of a full segment; absent: 1448 */
  readonly mssBytes?: Bytes;
  /** an extra wait of each packet, uniform in [0, boundNs), drawn in sending order from where `rng` is; order is kept */
  readonly jitter?: { readonly boundNs: Nanos; readonly rng: Rng };
}

/** Its observer asks for no more than sums, which the engine makes. */
function readsTotals(control: CongestionControl & Partial<ObservedControl>): control is ObservedControl {
  return control.observer?.readFrom !== undefined;
}

/** Whether the registers of the congestion control's program are in the engine's memory. */
function isRunHere(
  control: CongestionControl & Partial<EngineRun>,
  engine: Engine,
): control is CongestionControl & EngineRun {
  return control.registers?.arena === engine.arena;
}

/**
 * How a sender answers marks: not at all, as it does a loss (ECT(0), RFC 3168), or in proportion (ECT(1), RFC 9331), for which
 * it has to know how many there were.
 */
export type EcnUse = "off" | "classic" | "scalable";

export class Sender extends Face<"Sender"> implements SenderListener {
  readonly control: CongestionControl;
  /** what its data packets may be told instead of being dropped; off: ECN is, or the congestion control ignores marks */
  readonly ecnUse: EcnUse;
  readonly rtt: SenderRtt = new SenderRtt(this, (word) => this.#described(word));
  readonly #exports: EngineExports;
  readonly #number: number;
  readonly #packet: EnginePacket = new EnginePacket(this);
  readonly #ack: EngineAck = new EngineAck(this, this.#packet);
  readonly #sent: SentEvent;
  /** as long as the congestion control has `onSent` */
  readonly #wantedSent: number;
  /** the congestion control, if the engine runs its program */
  #run: EngineRun | undefined;
  /** of a meter beside the congestion control */
  #totals: EngineAckTotals | undefined;
  #isReleased = false;
  #onDrained: ((nowNs: Nanos) => void) | undefined;
  #onLost: ((txn: number) => void) | undefined;

  /** A bulk flow, unless its data is withdrawn before the first packet. */
  constructor(
    given: CongestionControl,
    startNs: Nanos,
    options: SenderOptions = {},
    { engine = new Engine(), mssBytes = MSS_BYTES, jitter }: SenderPlace = {},
  ) {
    const { ecn = "off", prr = "off", lossDetection = "packet-threshold" } = options;
    const { exports } = engine;
    const control = readsTotals(given) ? given.observed : given;
    const isScalable = control.isScalable === true;
    // without the number of marks there is no answer in proportion to it
    const isBlind = control.ignoresMarks === true || (isScalable && ecn === "classic");
    const ecnInUse = isBlind ? "off" : ecn;
    const hasRack = lossDetection === "rack-tlp";
    const number = engine.nextSender();
    const address = exports.makeSender(
      number,
      mssBytes,
      (options.minRtoMs ?? MIN_RTO_MS) * MICROS_PER_MILLI,
      options.receiveWindowPackets ?? Number.POSITIVE_INFINITY,
      hasRack,
      PRR_VERSIONS.indexOf(prr),
      options.undo === true,
      ECN_MODES.indexOf(ecnInUse),
      jitter?.boundNs ?? 0,
    );
    super(engine, address, SENDER_WORD_COUNT);
    engine.setSender(number, this);
    this.#number = number;
    this.#exports = exports;
    this.control = control;
    if (readsTotals(given)) {
      this.#totals = new EngineAckTotals(engine, exports.totalAcks(address), ACK_TOTALS_WORD_COUNT);
      given.observer.readFrom!(this.#totals);
    }
    this.ecnUse = ecnInUse === "off" ? "off" : isScalable ? "scalable" : "classic";
    if (isRunHere(control, engine)) {
      this.#run = control;
      exports.setRegisters(address, control.registers.base);
    }
    this.#sent = { nowUs: 0, packetNumber: 0, sentBytes: mssBytes, inflightBytes: 0 };
    if (control.isDecidedOutside === true) exports.guardLosses(address);
    this.#wantedSent = SENT_WANTS.indexOf(control.hearsSent === "from-idle" ? "fromIdle" : "all");
    if (control.readsPackets === true) exports.tellPackets(address, control.onPacketAcked !== undefined);
    if (jitter !== undefined) exports.seedJitter(address, ...jitter.rng.state());
    this.applyDecision(startNs);
  }

  /** payload of a full segment */
  get mssBytes(): Bytes {
    return this.words[SEGMENT_BYTES]!;
  }

  /** when the next packet leaves if nothing changes; Infinity: not before an ACK */
  get sendAtNs(): Nanos {
    return this.words[SEND_AT_NS]!;
  }

  /** when `onTimer` is due: retransmission, tail loss probe or reordering; Infinity: off */
  get timerAtNs(): Nanos {
    return this.words[TIMER_AT_NS]!;
  }

  /** of the packet that `transmit` sent last */
  get sentSequence(): number {
    return this.words[SENT_SEQUENCE]!;
  }

  /** arrivals listed so far: what an ACK that goes out now carries */
  get arrivals(): number {
    return this.words[ARRIVALS]!;
  }

  get acks(): number {
    return this.words[ACKS]!;
  }

  get retransmittedPackets(): number {
    return this.words[RETRANSMITTED_PACKETS]!;
  }

  get lostPackets(): number {
    return this.words[TOTAL_LOST_PACKETS]!;
  }

  get timeouts(): number {
    return this.words[TIMEOUTS]!;
  }

  /** reactions that were taken back */
  get spuriousEpisodes(): number {
    return this.words[SPURIOUS_EPISODES]!;
  }

  get sentPackets(): number {
    return this.#described(DESCRIBED_SENT);
  }

  get inflightPackets(): number {
    return this.#described(DESCRIBED_INFLIGHT);
  }

  get cwndPackets(): number {
    return this.#described(DESCRIBED_CWND);
  }

  /** Payload packets known to be delivered (each sequence once). */
  get deliveredPackets(): number {
    return this.#described(DESCRIBED_DELIVERED);
  }

  /** Packets that the application has given and that were not sent yet; Infinity: a bulk flow. */
  get unsentPackets(): number {
    return this.#described(DESCRIBED_UNSENT);
  }

  /** As Linux names it (TCP_CA_Open and so on). */
  get state(): (typeof CONGESTION_STATES)[number] {
    return CONGESTION_STATES[this.#described(DESCRIBED_STATE)]!;
  }

  /** No more data will come, and all of it has been acknowledged. */
  get complete(): boolean {
    return this.#described(DESCRIBED_COMPLETE) === 1;
  }

  #described(word: number): number {
    if (!this.#isReleased) this.#exports.describe(this.address);
    return this.words[word]!;
  }

  /** Called inside `onAck`, after the congestion control, when all that was supplied has been acknowledged in order. */
  set onDrained(call: ((nowNs: Nanos) => void) | undefined) {
    this.#onDrained = call;
    this.words[WANTS_DRAINED] = call === undefined ? 0 : 1;
  }

  /** Called for each transmission that is judged lost, inside `onAck` or `onTimer`. */
  set onLost(call: ((txn: number) => void) | undefined) {
    this.#onLost = call;
    this.words[WANTS_LOST] = call === undefined ? 0 : 1;
  }

  /** Reads the congestion control's window and rate, and plans the next packet by them. */
  applyDecision(nowNs: Nanos): void {
    this.#readControl();
    this.#exports.applyDecision(this.address, nowNs);
  }

  #readControl(): void {
    const { control, words } = this;
    words[CWND_BYTES] = control.cwndBytes;
    words[RATE_BYTES_PER_SEC] = control.pacingRateBytesPerSec ?? NO_RATE;
    words[WANTS_SENT] = control.onSent === undefined ? NONE_SENT : this.#wantedSent;
  }

  /** Ends the flow: nothing is sent any more. */
  stop(): void {
    this.#exports.stop(this.address);
  }

  /** The application gives data, in packets; Infinity: a bulk flow from here on. */
  supply(packets: number, nowNs: Nanos): void {
    this.#exports.supply(this.address, packets, nowNs);
  }

  /** The application takes back what has not been sent yet. */
  withdraw(nowNs: Nanos): void {
    this.#exports.withdraw(this.address, nowNs);
  }

  /** No more data will come. */
  finish(): void {
    this.#exports.finish(this.address);
  }

  /**
   * A packet leaves at `sendAtNs`. Retransmissions go first.
   * @returns its transmission number; `sentSequence` is its sequence
   */
  transmit(nowNs: Nanos): number {
    return this.#exports.transmit(this.address, nowNs);
  }

  sequenceOf(txn: number): number {
    return this.#exports.sequenceOf(this.address, txn);
  }

  /**
   * A transmission reaches the receiver. Call in order of arrival; the time may lie ahead where the path keeps the order
   * of a flow's packets. A copy that the network made arrives once more.
   * @param first the receiver has not had its payload yet
   * @param ce it came with Congestion Experienced
   */
  markArrival(txn: number, arrivalNs: Nanos, first: boolean, ce: boolean): void {
    this.#exports.markArrival(this.address, txn, arrivalNs, first, ce);
  }

  /** An ACK arrives, made when the receiver had got `arrivals` packets. One that a later ACK has overtaken tells nothing. */
  onAck(nowNs: Nanos, arrivals: number): void {
    this.#exports.onAck(this.address, nowNs, arrivals);
  }

  /** `timerAtNs` has come. */
  onTimer(nowNs: Nanos): void {
    this.#exports.onTimer(this.address, nowNs);
  }

  /** It will never act again: its memory is another's from here on, and its figures stay as they are. */
  release(): void {
    this.#exports.describe(this.address);
    this.#isReleased = true;
    this.keepWords();
    this.#totals?.keepWords();
    this.engine.setSender(this.#number, undefined);
    this.#exports.freeSender(this.address);
  }

  decide(): void {
    this.control.onAck(this.#ack);
    this.#readControl();
  }

  afterRun(said: number): void {
    this.#run!.afterRun(said, this.#ack);
    this.#readControl();
  }

  congest(kind: number, nowUs: Micros, inflightBytes: Bytes, lostPackets: number, again: number): void {
    const event: CongestionEvent = {
      kind: CONGESTION_KINDS[kind]!,
      nowUs,
      inflightBytes,
      lostPackets,
      again: again === 1,
    };
    this.control.onCongestion(event);
  }

  undo(isTimeout: number, nowUs: Micros): void {
    this.control.onSpuriousCongestion?.({ kind: isTimeout === 1 ? "timeout" : "loss", nowUs });
  }

  sent(nowUs: Micros, txn: number, inflightBytes: Bytes): void {
    this.#sent.nowUs = nowUs;
    this.#sent.packetNumber = txn;
    this.#sent.inflightBytes = inflightBytes;
    this.control.onSent?.(this.#sent);
    this.#readControl();
  }

  packet(isLost: number): void {
    if (isLost === 1) this.control.onPacketLost?.(this.#packet);
    else this.control.onPacketAcked?.(this.#packet);
  }

  drained(nowNs: Nanos): void {
    this.#onDrained?.(nowNs);
  }

  lost(txn: number): void {
    this.#onLost?.(txn);
  }
}
