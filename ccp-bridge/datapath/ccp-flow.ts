/**
 * A CCP flow as a host sees it: a congestion control whose decisions come from a datapath program and an agent. Every
 * ACK fills the primitives and runs the program; `Cwnd` and `Rate` are what the program and the agent leave behind.
 * Meaning of the primitives: as ccp-kernel fills them, from one ACK.
 *
 * Losing the agent never stops the flow: after the fallback time a native control takes over from the current window,
 * until an agent has given the flow a program again.
 */
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  CongestionEvent,
  SentEvent,
  SpuriousCongestionEvent,
} from "../congestion-control.ts";
import { PRIMITIVE } from "../lang/scope.ts";
import type { CcpDatapath, DatapathFlow } from "./datapath.ts";
import { DATAPATH_ERRORS } from "./datapath-errors.ts";
import type { EngineRun } from "./engine-run.ts";
import { BLOCK, type RegisterArena } from "./register-arena.ts";

/** Copies in this module: V8 folds a module's own constants into the code of a hot path, imported ones it reads. */
const BYTES_ACKED = PRIMITIVE.bytesAcked;
const BYTES_IN_FLIGHT = PRIMITIVE.bytesInFlight;
const BYTES_MISORDERED = PRIMITIVE.bytesMisordered;
const BYTES_PENDING = PRIMITIVE.bytesPending;
const ECN_BYTES = PRIMITIVE.ecnBytes;
const ECN_PACKETS = PRIMITIVE.ecnPackets;
const LOST_PACKETS = PRIMITIVE.lostPackets;
const PACKETS_ACKED = PRIMITIVE.packetsAcked;
const PACKETS_IN_FLIGHT = PRIMITIVE.packetsInFlight;
const PACKETS_MISORDERED = PRIMITIVE.packetsMisordered;
const RATE_INCOMING = PRIMITIVE.rateIncoming;
const RATE_OUTGOING = PRIMITIVE.rateOutgoing;
const RTT_SAMPLE_US = PRIMITIVE.rttSampleUs;
const WAS_TIMEOUT = PRIMITIVE.wasTimeout;
const HOST_CWND = BLOCK.hostCwnd;
const HOST_RATE = BLOCK.hostRate;
const LAST_US = BLOCK.lastUs;
const MIN_CWND = BLOCK.minCwnd;
const MIN_RATE = BLOCK.minRate;
const FALLBACK = DATAPATH_ERRORS.fallback;
const ADD_OVERFLOW = DATAPATH_ERRORS.addOverflow;
const SUB_UNDERFLOW = DATAPATH_ERRORS.subUnderflow;

const NO_WORDS: Float64Array = new Float64Array(0);

/** `fallback`: a native control drives the flow; `adopted`: an agent's program does again. */
export interface CcpFlowEvent {
  readonly kind: "fallback" | "adopted";
  readonly nowUs: Micros;
}

export interface CcpFlowOptions {
  readonly datapath: CcpDatapath;
  readonly nowUs: Micros;
  readonly mssBytes: Bytes;
  readonly initialCwndBytes: Bytes;
  /** the window never falls below; default 2 segments */
  readonly minCwndBytes?: Bytes;
  /** a pacing rate never falls below (no rate is no rate) */
  readonly minRateBytesPerSec?: BytesPerSec;
  readonly fallback?: CongestionControlFactory;
  /** see `CongestionControl.ignoresMarks`; absent: what the agent's programs read is not known, so they may react */
  readonly ignoresMarks?: boolean;
  /** see `CongestionControl.isScalable` */
  readonly isScalable?: boolean;
  /** the algorithm to ask the agent for; empty: its default */
  readonly algorithmName?: string;
  readonly onEvent?: (event: CcpFlowEvent) => void;
}

export class CcpFlowControl implements CongestionControl, EngineRun {
  readonly name: string;
  readonly ignoresMarks: boolean;
  readonly isDecidedOutside = true;
  readonly isScalable: boolean;
  readonly flowId: number;
  /** invocations that ended in an arithmetic error; the program was abandoned, cwnd and rate kept */
  arithmeticErrors = 0;
  readonly #options: CcpFlowOptions;
  readonly #datapath: CcpDatapath;
  readonly #arena: RegisterArena;
  readonly #flow: DatapathFlow;
  /** the arena's memory, which changes when it grows, and the flow's block in it */
  #memory: Float64Array = NO_WORDS;
  #words: Float64Array = NO_WORDS;
  #fallback: CongestionControl | undefined;
  /** the window when the latest loss or timeout was found, before any reaction */
  #cwndBeforeEpisode: Bytes = 0;
  #closed = false;

  /** There only while a native control that wants it drives the flow: a packet costs no call otherwise. */
  onSent: ((sent: SentEvent) => void) | undefined = undefined;

  /** @throws CcparkError if the datapath's table of flows is full */
  constructor(options: CcpFlowOptions) {
    const { datapath, mssBytes, initialCwndBytes, algorithmName = "" } = options;
    this.#options = options;
    this.ignoresMarks = options.ignoresMarks ?? false;
    this.isScalable = options.isScalable ?? false;
    this.#datapath = datapath;
    this.#arena = datapath.arena;
    this.name = algorithmName === "" ? "ccp" : algorithmName;
    const minCwndBytes = options.minCwndBytes ?? 2 * mssBytes;
    const initCwndBytes = Math.max(initialCwndBytes, minCwndBytes);
    this.#flow = datapath.openFlow({ initCwndBytes, mssBytes, algorithmName }, options.nowUs);
    this.flowId = this.#flow.flowId;
    const block = this.#block();
    block[HOST_CWND] = initCwndBytes;
    block[LAST_US] = options.nowUs;
    block[MIN_CWND] = minCwndBytes;
    block[MIN_RATE] = options.minRateBytesPerSec ?? 0;
  }

  get cwndBytes(): Bytes {
    return this.#block()[HOST_CWND]!;
  }

  get pacingRateBytesPerSec(): BytesPerSec | undefined {
    const rate = this.#block()[HOST_RATE]!;
    return rate === 0 ? undefined : rate;
  }

  get registers(): EngineRun["registers"] {
    return { arena: this.#arena, base: this.#flow.base };
  }

  /** Reports sent to the agent so far: whether an ACK caused one shows by comparing before and after. */
  get reports(): number {
    return this.#flow.reports;
  }

  /** True while the native control drives the flow. */
  get inFallback(): boolean {
    return this.#fallback !== undefined;
  }

  /** The program hears of it by the ACK (or timeout) that follows, which carries the losses. */
  onCongestion(event: CongestionEvent): void {
    if (event.kind !== "ecn" && event.again !== true) this.#cwndBeforeEpisode = this.cwndBytes;
    this.#fallback?.onCongestion(event);
  }

  /** The window from before it is back, as Linux gives it to a datapath (tcp_undo_cwnd_reduction); the program goes on from there. */
  onSpuriousCongestion(event: SpuriousCongestionEvent): void {
    const block = this.#block();
    block[HOST_CWND] = Math.max(block[HOST_CWND]!, this.#cwndBeforeEpisode);
    this.#fallback?.onSpuriousCongestion?.(event);
  }

  onAck(ack: AckEvent): void {
    const block = this.#block();
    block[BYTES_ACKED] = ack.ackedBytes;
    block[BYTES_MISORDERED] = ack.misorderedBytes;
    block[ECN_BYTES] = ack.ecnBytes;
    block[ECN_PACKETS] = ack.ecnPackets;
    block[LOST_PACKETS] = ack.lostPackets;
    block[PACKETS_ACKED] = ack.ackedPackets;
    block[PACKETS_MISORDERED] = ack.misorderedPackets;
    block[BYTES_IN_FLIGHT] = ack.inflightBytes;
    block[BYTES_PENDING] = ack.pendingBytes;
    block[PACKETS_IN_FLIGHT] = ack.inflightPackets;
    block[RATE_INCOMING] = Math.floor(ack.deliveryRateBytesPerSec + 0.5);
    block[RATE_OUTGOING] = Math.floor(ack.sendRateBytesPerSec + 0.5);
    const { rttUs } = ack;
    // A sample of 0 means none and reads as infinity: a tiny one must not become it.
    block[RTT_SAMPLE_US] = rttUs > 0 ? Math.max(1, Math.floor(rttUs + 0.5)) : 0;
    block[WAS_TIMEOUT] = ack.timeout ? 1 : 0;
    block[LAST_US] = ack.nowUs;
    this.#conclude(this.#datapath.invoke(this.#flow, ack.nowUs), ack);
  }

  /** The engine that owns the registers ran the program, which did more than set window and rate. */
  afterRun(code: number, ack: AckEvent): void {
    this.#conclude(this.#datapath.afterRun(this.#flow, code, ack.nowUs), ack);
  }

  /** @param code what the datapath said */
  #conclude(code: number, ack: AckEvent): void {
    if (code === 0 && this.#fallback === undefined) {
      this.#applyRegisters();
      return;
    }
    if (code === FALLBACK) this.#fallBack(ack);
    else if (this.#fallback !== undefined && this.#adopt(ack)) return;
    else if (code <= ADD_OVERFLOW && code >= SUB_UNDERFLOW) {
      this.arithmeticErrors += 1;
    }
    if (this.#fallback === undefined) this.#applyRegisters();
  }

  onClose(): void {
    if (this.#closed) return;
    const block = this.#block();
    this.#closed = true;
    this.#fallback?.onClose?.();
    // another flow may get the block: window and rate stay what they were
    this.#words = block.slice();
    this.#datapath.closeFlow(this.flowId, block[LAST_US]!);
  }

  #block(): Float64Array {
    const { f64 } = this.#arena;
    if (f64 !== this.#memory && !this.#closed) {
      const word = this.#flow.base / 8;
      this.#memory = f64;
      this.#words = f64.subarray(word, word + BLOCK.words);
    }
    return this.#words;
  }

  /** What the program left behind, within the bounds. */
  #applyRegisters(): void {
    const block = this.#block();
    // no branch: one that is taken late makes V8 compile what an ACK does anew
    block[HOST_CWND] = Math.max(block[HOST_CWND]!, block[MIN_CWND]!);
    const minRate = block[MIN_RATE]!;
    if (minRate === 0) return;
    const rate = block[HOST_RATE]!;
    if (rate !== 0) block[HOST_RATE] = Math.max(rate, minRate);
  }

  #fallBack(ack: AckEvent): void {
    const { fallback: make, onEvent, mssBytes } = this.#options;
    if (make === undefined) return;
    if (this.#fallback === undefined) {
      const start = { nowUs: ack.nowUs, mssBytes, initialCwndBytes: this.cwndBytes };
      const native = make(start);
      this.#fallback = native;
      this.onSent = native.onSent === undefined ? undefined : (sent) => native.onSent?.(sent);
      onEvent?.({ kind: "fallback", nowUs: ack.nowUs });
    }
    this.#driveNative(this.#fallback, ack);
  }

  /** Fallback is over once a program has run; until then the native control goes on. True while it does. */
  #adopt(ack: AckEvent): boolean {
    const native = this.#fallback!;
    if (this.#flow.programUid === undefined) {
      this.#driveNative(native, ack);
      return true;
    }
    this.#fallback = undefined;
    this.onSent = undefined;
    native.onClose?.();
    this.#options.onEvent?.({ kind: "adopted", nowUs: ack.nowUs });
    return false;
  }

  #driveNative(native: CongestionControl, ack: AckEvent): void {
    native.onAck(ack);
    // A program that takes over starts from here.
    const block = this.#block();
    block[HOST_CWND] = native.cwndBytes;
    block[HOST_RATE] = native.pacingRateBytesPerSec ?? 0;
  }
}
