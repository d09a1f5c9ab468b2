/**
 * The engine, `engine/wasm/` compiled to WebAssembly: an instance with a memory of its own for each network, so
 * that the memory goes when the network goes, or serves the next one. Objects of the engine have faces here: classes that hold an object's address
 * and see the first words of it (`words`), as its class in the engine says.
 */
import type { RunProgram } from "../ccp-bridge/datapath/program-runner.ts";
import { BLOCK_BYTES, type RegisterArena } from "../ccp-bridge/datapath/register-arena.ts";
import { type WasmMemory, wasm } from "../ccp-bridge/datapath/wasm-api.ts";
import { isCompiled } from "../ccp-bridge/datapath/wasm-program.ts";
import { CcparkError } from "../core/errors.ts";
import type { Bytes, Micros, Nanos } from "../core/units.ts";
import type { Address, EngineExports, EngineHost } from "./generated/engine-interface.ts";
import { ENGINE_WASM } from "./generated/engine-wasm.ts";

/** What a sender's face hears. */
export interface SenderListener {
  decide(): void;
  afterRun(said: number): void;
  congest(kind: number, nowUs: Micros, inflightBytes: Bytes, lostPackets: number, again: number): void;
  undo(isTimeout: number, nowUs: Micros): void;
  sent(nowUs: Micros, txn: number, inflightBytes: Bytes): void;
  packet(isLost: number): void;
  drained(nowNs: Nanos): void;
  lost(txn: number): void;
}

/** What a network's face hears. */
export interface NetworkListener {
  serve(link: number, nowNs: Nanos, bytes: Bytes): void;
  countOpportunities(link: number, untilNs: Nanos): number;
  /** @param to the first byte of f64s */
  readOpportunities(link: number, first: number, count: number, to: number): void;
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

  get programs(): number {
    return this.#numbers.size;
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

/** Engines whose networks are over, and how many are kept: runs come one after the other, some within another. */
const spare: Engine[] = [];
const MAX_SPARE = 2;
/** The memory of one that is kept, and the programs that it has come to know, at most. */
const MAX_SPARE_BYTES = 2 ** 24;
const MAX_SPARE_PROGRAMS = 1000;

/** For a network that `release`s it, or goes with it. To make one takes as long as a quarter of a second of a busy link. */
export function takeEngine(): Engine {
  return spare.pop() ?? new Engine();
}

export class Engine {
  declare readonly exports: EngineExports;
  /** for the CCP flows of the network */
  readonly arena: EngineArena;
  /** of the network that this instance runs, if it runs one */
  network: NetworkListener | undefined;
  readonly #senders: (SenderListener | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #faces: Set<Face<string>> = new Set();

  constructor() {
    const host: EngineHost = {
      memoryGrew: () => this.#renewViews(),
      outOfMemory: () => {
        throw new CcparkError(
          "resource-exhausted",
          "[sim] the packets of one network need more than the 4 GiB that there are for them",
        );
      },
      onAck: (sender) => this.#senders[sender]!.decide(),
      afterRun: (sender, said) => this.#senders[sender]!.afterRun(said),
      onCongestion: (sender, kind, nowUs, inflightBytes, lost, again) =>
        this.#senders[sender]!.congest(kind, nowUs, inflightBytes, lost, again),
      onSpuriousCongestion: (sender, isTimeout, nowUs) => this.#senders[sender]!.undo(isTimeout, nowUs),
      onSent: (sender, nowUs, txn, inflightBytes) => this.#senders[sender]!.sent(nowUs, txn, inflightBytes),
      onPacket: (sender, isLost) => this.#senders[sender]!.packet(isLost),
      onDrained: (sender, nowNs) => this.#senders[sender]!.drained(nowNs),
      onLost: (sender, txn) => this.#senders[sender]!.lost(txn),
      serve: (link, nowNs, bytes) => this.network!.serve(link, nowNs, bytes),
      countOpportunities: (link, untilNs) => this.network!.countOpportunities(link, untilNs),
      readOpportunities: (link, first, count, to) => this.network!.readOpportunities(link, first, count, to),
      startFlow: (flow, nowNs) => this.network!.startFlow(flow, nowNs),
      closeFlow: (flow) => this.network!.closeFlow(flow),
      endBins: (flow, nowNs, cwndPackets) => this.network!.endBins(flow, nowNs, cwndPackets),
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
  watch(face: Face<string>): void {
    this.#faces.add(face);
  }

  forget(face: Face<string>): void {
    this.#faces.delete(face);
  }

  /** Its network is over, once and for all: faces keep the words they have, and what they stand for is gone. */
  release(): void {
    for (const face of this.#faces) face.keepWords();
    this.network = undefined;
    this.#senders.length = this.#freeNumbers.length = 0;
    const { memory, programs } = this.arena;
    if (memory.buffer.byteLength > MAX_SPARE_BYTES || programs > MAX_SPARE_PROGRAMS) return;
    if (spare.length === MAX_SPARE) return;
    this.exports.clearMemory();
    spare.push(this);
  }

  #renewViews(): void {
    this.arena.renewViews();
    for (const face of this.#faces) face.renewView();
  }
}

/** Something that sees the first words of an object in the engine, whose class there is `Of`. */
export class Face<Of extends string> {
  /** another view when the engine's memory has grown: read it through here */
  words: Float64Array;
  readonly engine: Engine;
  readonly address: Address<Of>;
  readonly #count: number;

  constructor(engine: Engine, address: Address<Of>, words: number) {
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
