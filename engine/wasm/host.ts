/**
 * What the engine asks of its host (`engine/wasm-host.ts`). Numbers of senders, links and flows are the host's own; times in
 * nanoseconds unless a name says otherwise. Its file is the module that the host gives.
 */

import { CongestionKind } from "./sender/sender-words";

/** The memory has grown: views of it are void. */
export declare function memoryGrew(): void;

/** There is no more memory; does not return. */
export declare function outOfMemory(): void;

/** The sender's ACK event is complete: the congestion control decides. */
export declare function onAck(sender: i32): void;

/** The sender's CCP program has run and said something: a report or an error. */
export declare function afterRun(sender: i32, said: i32): void;

export declare function onCongestion(
  sender: i32,
  kind: CongestionKind,
  nowUs: f64,
  inflightBytes: f64,
  lostPackets: f64,
  again: i32,
): void;

export declare function onSpuriousCongestion(sender: i32, isTimeout: i32, nowUs: f64): void;

export declare function onSent(sender: i32, nowUs: f64, txn: f64, inflightBytes: f64): void;

/** The sender's words of a packet tell of one that was acknowledged, or judged lost. */
export declare function onPacket(sender: i32, isLost: i32): void;

export declare function onDrained(sender: i32, nowNs: f64): void;

export declare function onLost(sender: i32, txn: f64): void;

/** Sets `startNs` and `departNs` of a link whose rate is not constant. */
export declare function serve(link: i32, nowNs: f64, bytes: f64): void;

/** Opportunities of a link that lie at or before a time: the number of the first one after it. */
export declare function countOpportunities(link: i32, untilNs: f64): f64;

/** Writes when the opportunities of a link are from number `first` on, `count` of them; Infinity: there is none. */
export declare function readOpportunities(link: i32, first: f64, count: i32, to: usize): void;

/** The flow starts: it must have a sender afterwards. */
export declare function startFlow(flow: i32, nowNs: f64): void;

/** The flow's time is over. */
export declare function closeFlow(flow: i32): void;

/** Bins of the flow's time series are over: returns when the next one is. */
export declare function endBins(flow: i32, nowNs: f64, cwndPackets: f64): f64;
