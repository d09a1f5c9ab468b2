/**
 * The engine, `engine/wasm/` compiled to WebAssembly: an instance with a memory of its own for each network, so
 * that the memory goes when the network goes. Objects of the engine have faces here: classes that hold an object's address
 * and see the first words of it (`words`), as its class in the engine says.
 */
import type { RunProgram } from "../ccp-bridge/datapath/program-runner.ts";
import { BLOCK_BYTES, type RegisterArena } from "../ccp-bridge/datapath/register-arena.ts";
import { type WasmMemory, type WasmTable, wasm } from "../ccp-bridge/datapath/wasm-api.ts";
import { isCompiled } from "../ccp-bridge/datapath/wasm-program.ts";
import { CcparkError } from "../core/errors.ts";
import type { Bytes, Micros, Nanos } from "../core/units.ts";
import { ENGINE_WASM } from "./generated/engine-wasm.ts";

/** Of an object in the engine's memory. */
export type Address = number;

type RngWords = readonly [s01: number, s00: number, s11: number, s10: number];

/** `engine/wasm/index.ts` */
export interface EngineExports {
  readonly memory: WasmMemory;
  readonly table: WasmTable;
  allocateBlock(bytes: number): Address;
  releaseBlock(block: Address, bytes: number): void;
  makeSender(
    number: number,
    minVarianceTermUs: Micros,
    receiveWindowPackets: number,
    hasRack: boolean,
    prrVersion: number,
    mayUndo: boolean,
    ecn: number,
    mayBeCalm: boolean,
    jitterBoundNs: Nanos,
  ): Address;
  seedJitter(sender: Address, ...state: RngWords): void;
  setRegisters(sender: Address, block: Address): void;
  freeSender(sender: Address): void;
  describe(sender: Address): void;
  applyDecision(sender: Address, nowNs: Nanos): void;
  stop(sender: Address): void;
  supply(sender: Address, packets: number, nowNs: Nanos): void;
  withdraw(sender: Address, nowNs: Nanos): void;
  finish(sender: Address): void;
  transmit(sender: Address, nowNs: Nanos): number;
  sequenceOf(sender: Address, txn: number): number;
  markArrival(sender: Address, txn: number, arrivalNs: Nanos, first: boolean, ce: boolean): void;
  onAck(sender: Address, nowNs: Nanos, arrivals: number): void;
  onTimer(sender: Address, nowNs: Nanos): void;
  onRttSample(sender: Address, rttUs: Micros): void;
  makePrr(version: number, recoverFlight: number): Address;
  prrSent(prr: Address): void;
  prrAck(prr: Address, delivered: number, inflight: number, target: number, safeAck: boolean): number;
  makeLink(
    number: number,
    packetBytes: Bytes,
    limitPackets: number,
    limitBytes: Bytes,
    nanosPerByte: number,
  ): Address;
  servedBytes(link: Address, nowNs: Nanos): Bytes;
  makeFifoNetwork(
    flowCount: number,
    forward: Address,
    reverse: Address,
    forwardLossRate: number,
    reverseLossRate: number,
    reverseHolds: boolean,
  ): Address;
  seedLoss(network: Address, ofReverse: boolean, ...state: RngWords): void;
  makeFlow(
    network: Address,
    index: number,
    startNs: Nanos,
    stopNs: Nanos,
    propagationNs: Nanos,
    reversePropagationNs: Nanos,
    packetsPerAck: number,
    ackDelayNs: Nanos,
    nextBinEndNs: Nanos,
    logsDelays: boolean,
    logsArrivals: boolean,
  ): Address;
  startFlow(flow: Address, sender: Address): void;
  delaysOf(flow: Address): Address;
  describeDelays(delays: Address): void;
  advanceFlow(flow: Address, nowNs: Nanos): void;
  run(network: Address, untilNs: Nanos): void;
  sendHeld(network: Address): void;
  reschedule(network: Address, flow: Address): void;
}

/** What a sender's face hears. */
export interface SenderListener {
  decide(): void;
  afterRun(said: number): void;
  congest(kind: number, nowUs: Micros, inflightBytes: Bytes, lostPackets: number): void;
  undo(isTimeout: number, nowUs: Micros): void;
  sent(nowUs: Micros, inflightBytes: Bytes): void;
  drained(nowNs: Nanos): void;
  lost(txn: number): void;
}

/** What a network's face hears. */
export interface NetworkListener {
  serve(link: number, nowNs: Nanos, bytes: Bytes): void;
  readDequeues(link: number): void;
  readArrivals(): void;
  startFlow(flow: number, nowNs: Nanos): void;
  closeFlow(flow: number): void;
  endBins(flow: number, nowNs: Nanos, cwndPackets: number): Nanos;
}

let compiled: object | undefined;

function engineModule(): object {
  compiled ??= new wasm.Module(Uint8Array.from(atob(ENGINE_WASM), (character) => character.charCodeAt(0)));
  return compiled;
}

/** Register blocks of CCP flows in an engine's memory: it runs their programs itself. */
class EngineArena implements RegisterArena {
  readonly memory: WasmMemory;
  f64!: Float64Array;
  u32!: Uint32Array;
  u64!: BigUint64Array;
  readonly #exports: EngineExports;
  readonly #numbers: Map<RunProgram, number> = new Map();

  constructor(exports: EngineExports) {
    this.#exports = exports;
    this.memory = exports.memory;
    this.renewViews();
  }

  renewViews(): void {
    const { buffer } = this.memory;
    this.f64 = new Float64Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.u64 = new BigUint64Array(buffer);
  }

  allocate(): number {
    return this.#exports.allocateBlock(BLOCK_BYTES);
  }

  release(base: number): void {
    this.#exports.releaseBlock(base, BLOCK_BYTES);
  }

  numberOf(program: RunProgram): number {
    let number = this.#numbers.get(program);
    if (number === undefined) {
      number = isCompiled(program) ? this.#exports.table.grow(1) : 0;
      if (number > 0) this.#exports.table.set(number, program);
      this.#numbers.set(program, number);
    }
    return number;
  }
}

export class Engine {
  declare readonly exports: EngineExports;
  /** for the CCP flows of the network */
  readonly arena: EngineArena;
  /** of the network that this instance runs, if it runs one */
  network: NetworkListener | undefined;
  readonly #senders: (SenderListener | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #faces: Set<Face> = new Set();

  constructor() {
    const host = {
      memoryGrew: () => this.#renewViews(),
      outOfMemory: () => {
        throw new CcparkError(
          "resource-exhausted",
          "[sim] the packets of one network need more than the 4 GiB that there are for them",
        );
      },
      onAck: (sender: number) => this.#senders[sender]!.decide(),
      afterRun: (sender: number, said: number) => this.#senders[sender]!.afterRun(said),
      onCongestion: (sender: number, kind: number, nowUs: Micros, inflightBytes: Bytes, lost: number) =>
        this.#senders[sender]!.congest(kind, nowUs, inflightBytes, lost),
      onSpuriousCongestion: (sender: number, isTimeout: number, nowUs: Micros) =>
        this.#senders[sender]!.undo(isTimeout, nowUs),
      onSent: (sender: number, nowUs: Micros, inflightBytes: Bytes) =>
        this.#senders[sender]!.sent(nowUs, inflightBytes),
      onDrained: (sender: number, nowNs: Nanos) => this.#senders[sender]!.drained(nowNs),
      onLost: (sender: number, txn: number) => this.#senders[sender]!.lost(txn),
      serve: (link: number, nowNs: Nanos, bytes: Bytes) => this.network!.serve(link, nowNs, bytes),
      readDequeues: (link: number) => this.network!.readDequeues(link),
      readArrivals: () => this.network!.readArrivals(),
      startFlow: (flow: number, nowNs: Nanos) => this.network!.startFlow(flow, nowNs),
      closeFlow: (flow: number) => this.network!.closeFlow(flow),
      endBins: (flow: number, nowNs: Nanos, cwndPackets: number) =>
        this.network!.endBins(flow, nowNs, cwndPackets),
    };
    const instance = new wasm.Instance(engineModule(), { host });
    this.exports = instance.exports as unknown as EngineExports;
    this.arena = new EngineArena(this.exports);
  }

  /** The whole memory; another view when that has grown. */
  get f64(): Float64Array {
    return this.arena.f64;
  }

  /** The number by which the engine calls a sender's face that `setSender` will give. */
  nextSender(): number {
    return this.#freeNumbers.pop() ?? this.#senders.push(undefined) - 1;
  }

  setSender(number: number, listener: SenderListener | undefined): void {
    this.#senders[number] = listener;
    if (listener === undefined) this.#freeNumbers.push(number);
  }

  /** Keeps a face's view of its object's words as the memory grows. */
  watch(face: Face): void {
    this.#faces.add(face);
  }

  forget(face: Face): void {
    this.#faces.delete(face);
  }

  #renewViews(): void {
    this.arena.renewViews();
    for (const face of this.#faces) face.renewView();
  }
}

/** Something that sees the first words of an object in the engine. */
export class Face {
  /** another view when the engine's memory has grown: read it through here */
  words: Float64Array;
  readonly engine: Engine;
  readonly address: Address;
  readonly #count: number;

  constructor(engine: Engine, address: Address, words: number) {
    this.engine = engine;
    this.address = address;
    this.#count = words;
    this.words = engine.f64.subarray(address / 8, address / 8 + words);
    engine.watch(this);
  }

  renewView(): void {
    const first = this.address / 8;
    this.words = this.engine.f64.subarray(first, first + this.#count);
  }

  /** The object is about to go: the words stay as they are. */
  keepWords(): void {
    this.words = this.words.slice();
    this.engine.forget(this);
  }
}
