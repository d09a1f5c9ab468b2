/**
 * What the engine asks of its host (`engine/wasm-host.ts`). Numbers of senders, links and flows are the host's own; times in
 * nanoseconds unless a name says otherwise.
 */

import { CongestionKind } from "./sender/sender-words";

/** The memory has grown: views of it are void. */
@external("host", "memoryGrew")
export declare function memoryGrew(): void;

/** There is no more memory; does not return. */
@external("host", "outOfMemory")
export declare function outOfMemory(): void;

/** The sender's ACK event is complete: the congestion control decides. */
@external("host", "onAck")
export declare function onAck(sender: i32): void;

/** The sender's CCP program has run and said something: a report or an error. */
@external("host", "afterRun")
export declare function afterRun(sender: i32, said: i32): void;

@external("host", "onCongestion")
export declare function onCongestion(
  sender: i32,
  kind: CongestionKind,
  nowUs: f64,
  inflightBytes: f64,
  lostPackets: f64,
): void;

@external("host", "onSpuriousCongestion")
export declare function onSpuriousCongestion(sender: i32, isTimeout: i32, nowUs: f64): void;

@external("host", "onSent")
export declare function onSent(sender: i32, nowUs: f64, inflightBytes: f64): void;

@external("host", "onDrained")
export declare function onDrained(sender: i32, nowNs: f64): void;

@external("host", "onLost")
export declare function onLost(sender: i32, txn: f64): void;

/** Sets `startNs` and `departNs` of a link whose rate is not constant. */
@external("host", "serve")
export declare function serve(link: i32, nowNs: f64, bytes: f64): void;

/** The log of packets that the link has begun to serve is full. */
@external("host", "readDequeues")
export declare function readDequeues(link: i32): void;

/** The log of arrivals at the receivers is full. */
@external("host", "readArrivals")
export declare function readArrivals(): void;

/** The flow starts: it must have a sender afterwards. */
@external("host", "startFlow")
export declare function startFlow(flow: i32, nowNs: f64): void;

/** The flow's time is over. */
@external("host", "closeFlow")
export declare function closeFlow(flow: i32): void;

/** Bins of the flow's time series are over: returns when the next one is. */
@external("host", "endBins")
export declare function endBins(flow: i32, nowNs: f64, cwndPackets: f64): f64;
