/** What the model of BBRv3 is told, by whoever runs it. */
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";

/** What an ACK tells: the rate sample (RS) and the connection (C) after it. A model has one for all ACKs, which is filled in. */
export interface Bbr3Ack {
  nowUs: Micros;
  /** C.delivered */
  deliveredBytes: Bytes;
  /** RS.newly_acked */
  newlyAckedBytes: Bytes;
  /** of the newest packet that was acknowledged: RS.prior_delivered, RS.tx_in_flight, RS.lost, RS.is_app_limited */
  priorDeliveredBytes: Bytes;
  txInflightBytes: Bytes;
  lostBytes: Bytes;
  appLimited: boolean;
  /** RS.delivery_rate; 0: none */
  rateBytesPerSec: BytesPerSec;
  /** RS.rtt; 0: none */
  rttUs: Micros;
  /** C.inflight */
  inflightBytes: Bytes;
  /** the window was used up when the ACK came */
  cwndLimited: boolean;
  /** newly acknowledged with Congestion Experienced */
  ecnBytes: Bytes;
}

export function blankAck(): Bbr3Ack {
  return {
    nowUs: 0,
    deliveredBytes: 0,
    newlyAckedBytes: 0,
    priorDeliveredBytes: 0,
    txInflightBytes: 0,
    lostBytes: 0,
    appLimited: false,
    rateBytesPerSec: 0,
    rttUs: 0,
    inflightBytes: 0,
    cwndLimited: false,
    ecnBytes: 0,
  };
}

/** What a packet that was judged lost tells. */
export interface Bbr3Loss {
  readonly bytes: Bytes;
  /** P.tx_in_flight */
  readonly txInflightBytes: Bytes;
  /** C.lost - P.lost, itself included */
  readonly lostBytes: Bytes;
  readonly appLimited: boolean;
  /** what was sent just before it was not lost: it begins a range of its own */
  readonly startsRange: boolean;
}
