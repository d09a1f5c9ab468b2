/** What a sender tells a congestion control, and what that decides. */

/** Why a congestion control is told to react. */
export const enum CongestionKind {
  loss,
  timeout,
  ecn,
}

/** Of a sender, as Linux names it (TCP_CA_Open and so on). */
export const enum CongestionState {
  open,
  /** something is missing and may yet come */
  disorder,
  /** the window was reduced for a mark, less than a round ago */
  cwr,
  /** losses are being repaired after a fast retransmit ... */
  recovery,
  /** ... and after a timeout */
  loss,
}

export const enum EcnMode {
  off,
  classic,
  accurate,
}

/** Of which sent packets the host wants to be told. */
export const enum SentWant {
  none,
  /** those sent while nothing was in flight */
  fromIdle,
  all,
}

/**
 * The host reads and writes these words by their place. What ACKs and sending touch lies at the end, next to the sender's own:
 * of a thousand flows in turn, each event finds its flow's cache lines cold, and takes as long as there are lines.
 */
@unmanaged
export class SenderWords {
  // written by `describe` only
  describedSent: f64;
  describedInflight: f64;
  describedCwnd: f64;
  describedDelivered: f64;
  describedUnsent: f64;
  describedComplete: f64;
  describedSrttUs: f64;
  describedRttvarUs: f64;
  describedMinRttUs: f64;
  describedRtoUs: f64;
  describedState: f64;
  // rare figures
  retransmittedPackets: f64;
  timeouts: f64;
  spuriousEpisodes: f64;
  /** of the packet that `transmit` sent last, and the arrivals listed so far; written for the host's own calls only */
  sentSequence: f64;
  arrivals: f64;
  /** what it wants to be told of: not 0 */
  wantsDrained: f64;
  wantsLost: f64;
  // a packet and the state that it was sent in, for congestion controls that ask; a negative number is none
  packetNumber: f64;
  packetSentUs: f64;
  packetPriorDeliveredBytes: f64;
  packetTxInflightBytes: f64;
  packetLostSinceSentBytes: f64;
  packetAppLimited: f64;
  // figures
  totalLostPackets: f64;
  acks: f64;
  /** a `SentWant` */
  wantsSent: f64;
  /** payload of a full segment */
  mssBytes: f64;
  // the ACK event
  nowUs: f64;
  ackedBytes: f64;
  ackedPackets: f64;
  misorderedBytes: f64;
  misorderedPackets: f64;
  deliveredBytes: f64;
  lostPackets: f64;
  lostBytes: f64;
  ecnPackets: f64;
  ecnBytes: f64;
  rttUs: f64;
  srttUs: f64;
  minRttUs: f64;
  inflightBytes: f64;
  inflightPackets: f64;
  pendingBytes: f64;
  deliveryRateBytesPerSec: f64;
  sendRateBytesPerSec: f64;
  appLimited: f64;
  timeout: f64;
  nextSequence: f64;
  cumulativeSequence: f64;
  cwndLimited: f64;
  /** the congestion control's decisions; a negative rate is none */
  targetBytes: f64;
  rateBytesPerSec: f64;
  /** when the next packet leaves if nothing changes; Infinity: not before an ACK */
  sendAtNs: f64;
  /** when `onTimer` is due: retransmission, tail loss probe or reordering; Infinity: off */
  timerAtNs: f64;
}
