/**
 * In-datapath congestion control: what a host (simulator, UDP transport) calls on every ACK. The native Reno and Cubic
 * implement it, and so does a CCP flow (`ccp-flow.ts`), whose decisions come from an agent.
 * Decisions are values: the host reads `cwndBytes` and `pacingRateBytesPerSec` after each call and applies them.
 */
import type { Bytes, BytesPerSec, Micros } from "../core/units.ts";
import type { FlowHosting } from "./agent/flow-hosting.ts";

/** A packet has left the sender. Fires after inflight was raised. */
export interface SentEvent {
  nowUs: Micros;
  /** each transmission has its own, from 0 on, whether it carries new data or repeats some */
  packetNumber: number;
  sentBytes: Bytes;
  inflightBytes: Bytes;
}

/**
 * A packet that was acknowledged or judged lost, and the state that it was sent in: what draft-ietf-ccwg-bbr keeps per packet
 * (letters of the draft below), and what PCC's monitor intervals are made of. Hosts reuse one object for all: copy what you keep.
 */
export interface PacketEvent {
  nowUs: Micros;
  packetNumber: number;
  bytes: Bytes;
  sentUs: Micros;
  /** P.delivered: delivered when it was sent; the delivered bytes of all ACKs make C.delivered */
  priorDeliveredBytes: Bytes;
  /** P.tx_in_flight: in flight when it was sent, itself included */
  txInflightBytes: Bytes;
  /** RS.lost: judged lost since it was sent (C.lost - P.lost), itself included where it was lost */
  lostSinceSentBytes: Bytes;
  /** P.is_app_limited: the application, not the network, limited the flow when it was sent */
  appLimited: boolean;
}

/**
 * An ACK has been processed: RTT estimator, scoreboard and delivery rate are already updated, losses that this ACK
 * revealed are counted, and `onCongestion` (if it applies) has fired just before. All bytes are payload bytes.
 * Hosts reuse one object for all events: copy what you keep.
 */
export interface AckEvent {
  nowUs: Micros;
  /** growth of the cumulative ACK: filling a gap makes it jump over what was delivered before */
  ackedBytes: Bytes;
  /** newly delivered packets less the misordered ones */
  ackedPackets: number;
  /** newly acknowledged out of order (growth of the SACKed packets, 0 where it shrank) */
  misorderedBytes: Bytes;
  misorderedPackets: number;
  /** newly delivered, in order or not */
  deliveredBytes: Bytes;
  /** newly judged lost by this ACK (or by the timeout, see `timeout`) */
  lostPackets: number;
  lostBytes: Bytes;
  /** acknowledged with Congestion Experienced; classic ECN: by ACKs that echo it, marked or not */
  ecnPackets: number;
  ecnBytes: Bytes;
  /** RTT sample of this ACK; 0: none */
  rttUs: Micros;
  srttUs: Micros;
  /** minimum over the flow's life; Infinity before the first sample */
  minRttUs: Micros;
  /** after this ACK */
  inflightBytes: Bytes;
  inflightPackets: number;
  /** waiting to be sent or not yet acknowledged in order (Linux: write_seq - snd_una); a bulk flow keeps one window queued */
  pendingBytes: Bytes;
  /** delivery-rate sample (draft-cheng-iccrg-delivery-rate-estimation): delivered / receive interval; 0: none yet, else held */
  deliveryRateBytesPerSec: BytesPerSec;
  /** the same delivered bytes / send interval; 0: none yet, else held */
  sendRateBytesPerSec: BytesPerSec;
  /** the sample was taken while the application, not the network, limited the flow */
  appLimited: boolean;
  /** true in the one event that reports a retransmission timeout; then no packet was acknowledged */
  timeout: boolean;
  /** first sequence not yet sent, in packets: the end of the current round */
  nextSequence: number;
  /** highest sequence acknowledged in order, in packets: cumulative ACK */
  cumulativeSequence: number;
  /** the host was sending less than cwnd allowed (RFC 9438 4.2, RFC 7661): a window should not grow */
  cwndLimited: boolean;
  /**
   * the latest sent of the packets that this ACK delivers, after its losses are counted (the rate sample's RS.tx_in_flight,
   * RS.lost, RS.prior_delivered); undefined: it delivers none, or the control does not ask by `readsPackets`
   */
  packet?: PacketEvent | undefined;
}

/**
 * Once per loss episode (a round in which something was lost), per retransmission timeout, or per window of data whose
 * ACKs tell of marks (ecn; nothing was lost then).
 */
export interface CongestionEvent {
  readonly kind: "loss" | "timeout" | "ecn";
  readonly nowUs: Micros;
  readonly inflightBytes: Bytes;
  readonly lostPackets: number;
  /** a timeout while what an earlier one took for lost is not yet acknowledged: no episode of its own (RFC 5681 3.1) */
  readonly again?: boolean;
}

/** What was reported as a loss episode or timeout was none: the packets have arrived (RFC 3522, RFC 3708, RFC 4015). */
export interface SpuriousCongestionEvent {
  readonly kind: "loss" | "timeout";
  readonly nowUs: Micros;
}

export interface CongestionControl {
  readonly name: string;
  /** true: it would not react to ECN marks, so its packets must not be ECN-capable (RFC 3168 6.1) */
  readonly ignoresMarks?: boolean;
  /** true: an agent or a policy decides, so the host sees to it that it backs off where most packets are lost */
  readonly isDecidedOutside?: boolean;
  /**
   * true: it answers marks in proportion to their share and keeps the rest of RFC 9331 section 4, so where the receiver tells
   * how many packets were marked, its packets carry ECT(1), the identifier of L4S
   */
  readonly isScalable?: boolean;
  /** bytes of payload that may be in flight; the host rounds down to whole packets */
  readonly cwndBytes: Bytes;
  /** payload bytes per second; undefined: ACK-clocked */
  readonly pacingRateBytesPerSec: BytesPerSec | undefined;
  /**
   * true: the state of each packet is kept, for `AckEvent.packet`, `onPacketAcked` and `onPacketLost`; read when the flow starts.
   * Others pay nothing for it.
   */
  readonly readsPackets?: boolean;
  /** which packets `onSent` is of use for, read when the flow starts: all (absent), or those sent while nothing was in flight */
  readonly hearsSent?: "all" | "from-idle" | undefined;
  onSent?(sent: SentEvent): void;
  /** With `readsPackets`: fires for each packet that delivers something new, in order of arrival, before anything else of its ACK. */
  onPacketAcked?(packet: PacketEvent): void;
  /** With `readsPackets`: fires for each packet judged lost, before the `onCongestion` and `onAck` that tell of them together. */
  onPacketLost?(packet: PacketEvent): void;
  onAck(ack: AckEvent): void;
  /** Fires before the `onAck` of the ACK (or of the timeout) that revealed it. */
  onCongestion(event: CongestionEvent): void;
  /** Fires before the `onAck` of the ACK that proved it: take the reaction to the latest such event back. */
  onSpuriousCongestion?(event: SpuriousCongestionEvent): void;
  /** The flow is over. */
  onClose?(): void;
}

/** What a congestion control may know when its flow starts. */
export interface FlowStart {
  readonly nowUs: Micros;
  readonly mssBytes: Bytes;
  readonly initialCwndBytes: Bytes;
  /** what the host gives to the flow's algorithm */
  readonly hosting?: FlowHosting;
}

export type CongestionControlFactory = (start: FlowStart) => CongestionControl;
