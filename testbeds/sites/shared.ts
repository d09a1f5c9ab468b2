/** What the sendbox's thread tells of it, in memory that the other thread reads. */
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";

const WORDS = [
  "queuedPackets",
  "queuedBytes",
  "rateBytesPerSec",
  "rttUs",
  "minRttUs",
  "sendRateBytesPerSec",
  "receiveRateBytesPerSec",
  "epochPackets",
  "sentPackets",
  "sentBytes",
  "droppedPackets",
  "strayLosses",
  "congestionAcks",
] as const;

export interface SendboxFacts {
  readonly queuedPackets: number;
  readonly queuedBytes: Bytes;
  /** at which packets leave; Infinity: nothing holds them */
  readonly rateBytesPerSec: BytesPerSec;
  /** of the last congestion ACK; 0: none yet */
  readonly rttUs: Micros;
  readonly minRttUs: Micros;
  /** over the RTT before */
  readonly sendRateBytesPerSec: BytesPerSec;
  readonly receiveRateBytesPerSec: BytesPerSec;
  readonly epochPackets: number;
  readonly sentPackets: number;
  readonly sentBytes: Bytes;
  /** by the queue */
  readonly droppedPackets: number;
  /** that the system would not take */
  readonly strayLosses: number;
  /** that said something */
  readonly congestionAcks: number;
}

export interface SharedSendbox {
  /** 1: the thread is to end */
  readonly state: Int32Array;
  readonly words: Float64Array;
}

export function makeSharedSendbox(): SharedSendbox {
  return {
    state: new Int32Array(new SharedArrayBuffer(4)),
    words: new Float64Array(new SharedArrayBuffer(8 * WORDS.length)),
  };
}

export function writeFacts(words: Float64Array, facts: SendboxFacts): void {
  WORDS.forEach((word, i) => {
    words[i] = facts[word];
  });
}

export function readFacts(words: Float64Array): SendboxFacts {
  return Object.fromEntries(WORDS.map((word, i) => [word, words[i]!])) as unknown as SendboxFacts;
}
