/**
 * The CCP datapath runtime: keeps programs and flows, runs a flow's program on every ACK, sends its reports, and
 * takes the agent's decisions. Follows libccp's machine step by step; `mode: "strict"` mends what libccp does by
 * accident (docs/ccp.md has the list).
 *
 *   openFlow -> create -> (install, change_prog from the agent) -> invoke per ACK -> measure -> ... -> closeFlow
 *
 * Sans-I/O: time comes in as an argument, messages leave through `send`.
 */
import { CcparkError } from "../../core/errors.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import { PRIMITIVE, PRIMITIVE_NAMES } from "../lang/scope.ts";
import {
  CAPACITY,
  EVENT_BYTES,
  IMPLICIT,
  INSTRUCTION_BYTES,
  MAX_EVENTS,
  MAX_INSTRUCTIONS,
  REGISTER_TYPES,
} from "../program.ts";
import { readU32 } from "../wire/bytes.ts";
import { CHANGE_PROG_HEADER_BYTES, MAX_CHANGE_PROG_UPDATES } from "../wire/change-prog.ts";
import { encodeCreate } from "../wire/create.ts";
import { FIELD_UPDATE_BYTES } from "../wire/field-update.ts";
import { HEADER_BYTES, MESSAGE_TYPES } from "../wire/header.ts";
import { INSTALL_HEADER_BYTES, REFILL } from "../wire/install.ts";
import { encodeMeasure, MEASURE_HEADER_BYTES } from "../wire/measure.ts";
import { encodeReady } from "../wire/ready.ts";
import { UPDATE_FIELD_HEADER_BYTES } from "../wire/update-field.ts";
import { DATAPATH_ERRORS, PROGRAM_NOT_INSTALLED } from "./datapath-errors.ts";
import { type InitialValues, InstalledProgram, readProgram } from "./installed-program.ts";
import { makeInterpreter } from "./interpreter.ts";
import { CUT_TO_32_BITS, KEEP_CWND_AND_RATE, type MakeRunner, RUN_REPORT } from "./program-runner.ts";
import { BLOCK, type RegisterArena, sharedArena } from "./register-arena.ts";
import { StagedUpdates, stageForEngine, unstageFromEngine } from "./staged-updates.ts";
import { makeWasmProgram, makeWholeWasmProgram } from "./wasm-program.ts";

/** libccp: a create that could not be sent is tried again at most every 100 ms. */
export const CREATE_RETRY_US = 100_000;
/** libccp's largest message */
const MAX_MESSAGE_BYTES = 32_678;
const TWO_32 = 2 ** 32;
/** Copies in this module, which V8 folds into the code of a hot path; imported constants it reads. */
const REPORT = RUN_REPORT;
const CONTROL_NONVOLATILE = REGISTER_TYPES.controlNonvolatile;
const CONTROL_VOLATILE = REGISTER_TYPES.controlVolatile;
const IMPLICIT_TYPE = REGISTER_TYPES.implicit;
const CONTROLS = CAPACITY.control;
const CONTROL_WORD = BLOCK.control;
const IMPLICIT_WORD = BLOCK.implicit;
const CWND = IMPLICIT.cwnd;
const RATE = IMPLICIT.rate;

/** What `send` answers when the agent's queue is full: it is there, and slow. */
export const SEND_FULL = -11;

export interface CcpDatapathOptions {
  /**
   * Hands a message to the agent. 0: sent; `SEND_FULL`: its queue is full; anything else: failed. The bytes are valid
   * during the call only.
   */
  send: (message: Uint8Array, nowUs: Micros) => number;
  /** time zero of `Ack.now` */
  nowUs: Micros;
  /** `libccp`: exactly libccp; `strict` (the default): its accidents mended */
  mode?: "strict" | "libccp";
  /** id of the ready message */
  datapathId?: number;
  /** default 1024, as ccp-kernel */
  maxFlows?: number;
  /** libccp: the last slot stays unusable, and a full table refuses. Default 10 there, 64 in strict mode, which evicts */
  maxPrograms?: number;
  /** time after the first failed send at which flows fall back, default 1 s */
  fallbackTimeoutUs?: Micros;
  /** what runs programs; a host may bring its own. Default `wasm` */
  execution?: "wasm" | "interpreter" | MakeRunner;
  /** Called where libccp calls set_cwnd and set_rate_abs: on every invocation. Most hosts read the flow instead. */
  onSetCwnd?: (flowId: number, cwndBytes: Bytes) => void;
  onSetRate?: (flowId: number, rateBytesPerSec: BytesPerSec) => void;
  /** absent: the thread's; blocks of another one stay taken if the datapath is dropped with open flows */
  arena?: RegisterArena;
}

export interface FlowOptions {
  readonly initCwndBytes: Bytes;
  readonly mssBytes: Bytes;
  readonly srcIp?: number;
  readonly srcPort?: number;
  readonly dstIp?: number;
  readonly dstPort?: number;
  /** the algorithm to ask the agent for; empty: its default */
  readonly algorithmName?: string;
}

/** A flow of a datapath. Hosts read it; only the datapath changes it. */
export interface DatapathFlow {
  readonly flowId: number;
  /** first byte of the flow's register block in the arena */
  readonly base: number;
  /** reports that were sent (failed sends do not count) */
  readonly reports: number;
  /** uid of the program that runs; undefined: none yet */
  readonly programUid: number | undefined;
}

class Flow implements DatapathFlow {
  readonly flowId: number;
  readonly base: number;
  readonly create: Uint8Array;
  reports = 0;
  /** the agent does not know of it; false of nearly all flows, which is the cheaper question */
  isUnannounced = true;
  /** slot of the program table; -1: none */
  slot = -1;
  stagedSlot = -1;
  staged = false;
  readonly staging: StagedUpdates = new StagedUpdates();
  programUid: number | undefined = undefined;

  constructor(flowId: number, base: number, create: Uint8Array) {
    this.flowId = flowId;
    this.base = base;
    this.create = create;
  }
}

/** A double to a 64-bit register: cut to a whole number, saturating as WebAssembly does. */
function writeWhole(u32: Uint32Array, at: number, value: number): void {
  if (value >= TWO_32 * TWO_32) {
    u32[at] = 0xffffffff;
    u32[at + 1] = 0xffffffff;
    return;
  }
  const whole = value > 0 ? Math.floor(value) : 0;
  u32[at] = whole;
  u32[at + 1] = Math.floor(whole / TWO_32);
}

function writeInitialValues(u32: Uint32Array, base: number, values: InitialValues): void {
  for (let i = 0; i < values.length; i += 2) {
    const at = base + 2 * values[i]!;
    u32[at] = values[i + 1]!;
    u32[at + 1] = 0;
  }
}

/** A program begins without what another has left in registers that are each run's own. */
function clearScratch(u32: Uint32Array, base: number): void {
  u32.fill(0, base + 2 * BLOCK.temporary, base + 2 * (BLOCK.temporary + CAPACITY.temporary));
  u32.fill(0, base + 2 * BLOCK.local, base + 2 * (BLOCK.local + CAPACITY.local));
}

/** What a debugger wants to see of a flow. */
export interface RegisterDump {
  readonly programSlot: number;
  readonly stagedProgramSlot: number;
  readonly report: readonly bigint[];
  readonly control: readonly bigint[];
  readonly implicit: readonly bigint[];
  readonly temporary: readonly bigint[];
  readonly local: readonly bigint[];
}

export class CcpDatapath {
  readonly arena: RegisterArena;
  readonly mode: "strict" | "libccp";
  readonly #options: CcpDatapathOptions;
  readonly #makeRunner: MakeRunner;
  readonly #flags: number = 0;
  readonly #hasCallbacks: boolean = false;
  /** nothing is asked for that an engine would not do */
  readonly #engineMayRun: boolean = false;
  readonly #timeZeroUs: Micros;
  readonly #fallbackTimeoutUs: Micros;
  readonly #usableSlots: number;
  readonly #maxFlows: number;
  /** flow id - 1 -> flow */
  readonly #flows: (Flow | undefined)[] = [];
  /** when each slot last sent a create: survives the flow, as in libccp */
  readonly #createdAtUs: number[] = [];
  #programs: InstalledProgram[] = [];
  /** installs and choices of programs so far */
  #uses = 0;
  /** first send that failed since the last message from the agent; -1: none */
  #failedAtUs = -1;
  /** the failures since then were full queues only */
  #onlyFull = true;
  #inFallback = false;
  #readyAtUs = Number.NEGATIVE_INFINITY;
  /** a flow whose create message is being sent right now */
  #creating: Flow | undefined;
  /** a measure message, reused */
  readonly #message = new Uint8Array(MEASURE_HEADER_BYTES + 8 * CAPACITY.report);
  readonly #messageWords = new Uint32Array(this.#message.buffer);
  /** by the number of fields */
  readonly #messageViews: (Uint8Array | undefined)[] = Array.from({ length: CAPACITY.report + 1 });

  /** Sends ready; that it may fail is not an error, as in libccp. */
  constructor(options: CcpDatapathOptions) {
    this.#options = options;
    this.arena = options.arena ?? sharedArena();
    this.mode = options.mode ?? "strict";
    this.#makeRunner = runnerOf(options.execution ?? "wasm", this.mode);
    this.#flags = this.mode === "libccp" ? CUT_TO_32_BITS : 0;
    this.#hasCallbacks = options.onSetCwnd !== undefined || options.onSetRate !== undefined;
    this.#engineMayRun = !this.#hasCallbacks && this.mode === "strict";
    this.#timeZeroUs = options.nowUs;
    this.#fallbackTimeoutUs = options.fallbackTimeoutUs ?? 1_000_000;
    this.#maxFlows = options.maxFlows ?? 1024;
    const maxPrograms = options.maxPrograms ?? (this.mode === "libccp" ? 10 : 64);
    this.#usableSlots = this.mode === "libccp" ? maxPrograms - 1 : maxPrograms;
    if (options.arena === undefined) {
      blocksOfLostDatapaths.register(this, { arena: this.arena, flows: this.#flows });
    }
    this.announce(options.nowUs);
  }

  /** True while flows are to be driven by something else: the agent has not been reachable for the fallback time. */
  get inFallback(): boolean {
    return this.#inFallback;
  }

  /** Entries of the tables that are in use. */
  get tables(): { readonly flows: number; readonly programs: number } {
    return {
      flows: this.#flows.filter((flow) => flow !== undefined).length,
      programs: this.#programs.length,
    };
  }

  /** Sends ready, so that an agent that has come up installs its programs. Returns what `send` said. */
  announce(nowUs: Micros): number {
    this.#readyAtUs = nowUs;
    return this.#options.send(encodeReady({ datapathId: this.#options.datapathId ?? 0 }), nowUs);
  }

  /**
   * A flow starts; the agent hears of it at once, or later if it cannot be reached.
   * @throws CcparkError if the table of flows is full
   */
  openFlow(options: FlowOptions, nowUs: Micros): DatapathFlow {
    let slot = 0;
    while (this.#flows[slot] !== undefined) slot += 1;
    if (slot >= this.#maxFlows) {
      throw new CcparkError("resource-exhausted", `[ccp-datapath] all ${this.#maxFlows} flows are in use`);
    }
    const flowId = slot + 1;
    const { initCwndBytes, mssBytes } = options;
    const create = encodeCreate({
      flowId,
      initCwndBytes,
      mssBytes,
      srcIp: options.srcIp ?? 0,
      srcPort: options.srcPort ?? 0,
      dstIp: options.dstIp ?? 0,
      dstPort: options.dstPort ?? 0,
      algorithmName: options.algorithmName ?? "",
    });
    const flow = new Flow(flowId, this.arena.allocate(), create);
    this.arena.f64[flow.base / 8 + PRIMITIVE.now] = this.#timeZeroUs;
    this.#flows[slot] = flow;
    if (this.mode === "strict") this.#createdAtUs[slot] = Number.NEGATIVE_INFINITY;
    this.#tryCreate(flow, nowUs);
    return flow;
  }

  /** @throws CcparkError for a flow that is not open */
  flow(flowId: number): DatapathFlow {
    return this.#find(flowId);
  }

  /** The flow is over: tells the agent and frees its place. */
  closeFlow(flowId: number, nowUs: Micros): void {
    const flow = this.#find(flowId);
    this.#options.send(encodeMeasure({ flowId, programUid: 0, fields: [] }), nowUs);
    this.#flows[flowId - 1] = undefined;
    this.arena.release(flow.base);
  }

  /**
   * Sets primitives by name (`Ack.bytes_acked`), and `Cwnd` and `Rate` as the host applies them (bytes, bytes/s).
   * Values are sticky. Hosts in a hurry write into the flow's block of the arena instead.
   */
  setPrimitives(flowId: number, values: Readonly<Record<string, number>>): void {
    const word = this.#find(flowId).base / 8;
    for (const [name, value] of Object.entries(values)) {
      const index = (PRIMITIVE_NAMES as readonly string[]).indexOf(name);
      if (name === "Cwnd") this.arena.f64[word + BLOCK.hostCwnd] = value;
      else if (name === "Rate") this.arena.f64[word + BLOCK.hostRate] = value;
      else if (index < 0 || index === PRIMITIVE.now) {
        throw new CcparkError("not-found", `[ccp-datapath] no primitive \`${name}\` to set`);
      } else this.arena.f64[word + index] = value;
    }
  }

  /**
   * Runs the flow's program once; the primitives are in the flow's block.
   * @returns 0, or libccp's negative code: -91..-94 arithmetic (the run was abandoned), -96 no program yet,
   *   -101 fallback
   */
  invoke(handle: DatapathFlow, nowUs: Micros): number {
    const flow = handle as Flow;
    if (this.#failedAtUs >= 0 && this.#fallenBack(nowUs)) return DATAPATH_ERRORS.fallback;
    if (flow.isUnannounced) {
      this.#tryCreate(flow, nowUs);
      return 0;
    }
    this.#takeBack(flow);
    const flags = flow.staged ? this.#applyStaged(flow, nowUs) : this.#flags;
    const program = this.#programs[flow.slot];
    if (program === undefined) {
      this.#askForProgram(flow, nowUs);
      return DATAPATH_ERRORS.noProgram;
    }
    const code = program.run(flow.base, nowUs, flags);
    if (code < 0) return code;
    if (this.#hasCallbacks) this.#callHost(flow, true, true);
    if (code === REPORT) this.#report(flow, program, nowUs);
    if (this.#engineMayRun) this.#letEngineRun(flow, program);
    return 0;
  }

  /**
   * The engine that owns the arena has run the flow's program by its number (`BLOCK.runnable`), and there is more to do:
   * it reported or failed.
   * @param code what the program said
   * @returns as `invoke`
   */
  afterRun(handle: DatapathFlow, code: number, nowUs: Micros): number {
    const flow = handle as Flow;
    if (code < 0) return code;
    if (code === REPORT) this.#report(flow, this.#programs[flow.slot]!, nowUs);
    return 0;
  }

  /** From here on nothing but the program is needed for an ACK, until `#takeBack`. */
  #letEngineRun(flow: Flow, program: InstalledProgram): void {
    const isPlain = this.#failedAtUs < 0 && !flow.staged && !flow.isUnannounced;
    if (!isPlain || this.#programs[flow.slot] !== program || this.#flows[flow.flowId - 1] !== flow) return;
    this.arena.u32[2 * (flow.base / 8 + BLOCK.runnable)] = program.number;
  }

  /** The next ACK must come here first. */
  #takeBack(flow: Flow): void {
    if (!this.#engineMayRun) return;
    if (unstageFromEngine(this.arena, flow.base, flow.staging)) flow.staged = true;
    this.arena.u32[2 * (flow.base / 8 + BLOCK.runnable)] = 0;
  }

  #takeBackAll(): void {
    for (const flow of this.#flows) if (flow !== undefined) this.#takeBack(flow);
  }

  /**
   * A message from the agent.
   * @returns 0 for accepted, 8 for a change to a program that is not installed (nothing happens), else libccp's
   *   negative code
   */
  receive(message: Uint8Array): number {
    if (message.length < HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    const type = message[0]! | (message[1]! << 8);
    const length = message[2]! | (message[3]! << 8);
    if (length > message.length) return DATAPATH_ERRORS.bufferTooShort;
    if (length > MAX_MESSAGE_BYTES) return DATAPATH_ERRORS.messageTooLong;
    if (
      type !== MESSAGE_TYPES.install &&
      type !== MESSAGE_TYPES.updateField &&
      type !== MESSAGE_TYPES.changeProgram
    ) {
      return DATAPATH_ERRORS.unknownType;
    }
    const agentWasLost = this.#failedAtUs >= 0;
    this.#failedAtUs = -1;
    this.#inFallback = false;
    if (type === MESSAGE_TYPES.install) return this.#install(message, agentWasLost);
    const flow = this.#flows[(readU32(message, 4) & 0xffff) - 1];
    if (flow === undefined) return DATAPATH_ERRORS.unknownFlow;
    return type === MESSAGE_TYPES.updateField
      ? this.#updateField(flow, message)
      : this.#changeProg(flow, message);
  }

  /** All registers of a flow, for tests and debugging. */
  registers(flowId: number): RegisterDump {
    const flow = this.#find(flowId);
    const word = flow.base / 8;
    const part = (from: number, count: number) => [
      ...this.arena.u64.subarray(word + from, word + from + count),
    ];
    return {
      programSlot: flow.slot,
      stagedProgramSlot: flow.stagedSlot,
      report: part(BLOCK.report, CAPACITY.report),
      control: part(BLOCK.control, CAPACITY.control),
      implicit: part(BLOCK.implicit, CAPACITY.implicit),
      temporary: part(BLOCK.temporary, CAPACITY.temporary),
      local: part(BLOCK.local, CAPACITY.local),
    };
  }

  #find(flowId: number): Flow {
    const flow = this.#flows[flowId - 1];
    if (flow === undefined) throw new CcparkError("not-found", `[ccp-datapath] no flow ${flowId}`);
    return flow;
  }

  #fallenBack(nowUs: Micros): boolean {
    if (!this.#inFallback && nowUs - this.#failedAtUs > this.#fallbackTimeoutUs) this.#inFallback = true;
    // Strict: keep asking whether there is an agent again; libccp stays silent until a new flow starts.
    if (this.#inFallback && this.mode === "strict" && nowUs - this.#readyAtUs >= CREATE_RETRY_US) {
      this.announce(nowUs);
    }
    return this.#inFallback;
  }

  /**
   * Strict: an agent whose queue was full and takes messages again was never lost. One that was gone is lost until it
   * answers, since the next one at its address knows nothing of the flows.
   */
  #noteSend(result: number, nowUs: Micros): void {
    if (result === 0) {
      if (this.mode === "strict" && this.#onlyFull && !this.#inFallback) this.#failedAtUs = -1;
      return;
    }
    if (this.#failedAtUs < 0) {
      this.#failedAtUs = nowUs;
      this.#onlyFull = true;
      this.#takeBackAll();
    }
    if (result !== SEND_FULL) this.#onlyFull = false;
  }

  #tryCreate(flow: Flow, nowUs: Micros): void {
    const slot = flow.flowId - 1;
    if (nowUs - (this.#createdAtUs[slot] ?? Number.NEGATIVE_INFINITY) < CREATE_RETRY_US) return;
    this.#createdAtUs[slot] = nowUs;
    // Set before sending: an agent in the same process answers before `send` returns.
    flow.isUnannounced = false;
    this.#creating = flow;
    const result = this.#options.send(flow.create, nowUs);
    this.#creating = undefined;
    if (result !== 0) {
      flow.isUnannounced = true;
      this.#takeBack(flow);
    }
    this.#noteSend(result, nowUs);
  }

  /** Strict: an agent that took the create and then died or hung is not waited for without end. */
  #askForProgram(flow: Flow, nowUs: Micros): void {
    if (this.mode === "libccp") return;
    if (nowUs - this.#createdAtUs[flow.flowId - 1]! >= this.#fallbackTimeoutUs) this.#tryCreate(flow, nowUs);
  }

  #report(flow: Flow, program: InstalledProgram, nowUs: Micros): void {
    const fields = program.sentFieldCount;
    const words = this.#messageWords;
    const length = MEASURE_HEADER_BYTES + 8 * fields;
    words[0] = MESSAGE_TYPES.measure | (length << 16);
    words[1] = flow.flowId;
    words[2] = program.uid;
    words[3] = fields;
    const { u32 } = this.arena;
    const from = flow.base / 4 + 2 * BLOCK.report;
    for (let i = 0; i < 2 * fields; i++) words[4 + i] = u32[from + i]!;
    const message = (this.#messageViews[fields] ??= this.#message.subarray(0, length));
    const result = this.#options.send(message, nowUs);
    if (result === 0) flow.reports += 1;
    this.#noteSend(result, nowUs);
    // Read afresh: the memory may have grown during the call.
    writeInitialValues(this.arena.u32, flow.base / 4, program.volatiles);
    program.sentFieldCount = program.reportFieldCount;
  }

  /** What libccp does before the program where something is staged. Returns the flags of the run. */
  #applyStaged(flow: Flow, nowUs: Micros): number {
    const { u32, f64 } = this.arena;
    const block = flow.base / 8;
    const cwndWord = BLOCK.implicit + IMPLICIT.cwnd;
    const rateWord = BLOCK.implicit + IMPLICIT.rate;
    const hostCwnd = block + BLOCK.hostCwnd;
    const hostRate = block + BLOCK.hostRate;
    writeWhole(u32, 2 * (block + cwndWord), f64[hostCwnd]!);
    writeWhole(u32, 2 * (block + rateWord), f64[hostRate]!);
    if (flow.stagedSlot >= 0) {
      flow.slot = flow.stagedSlot;
      const program = this.#programs[flow.slot];
      if (program !== undefined) {
        flow.programUid = program.uid;
        writeInitialValues(u32, 2 * block, program.volatiles);
        writeInitialValues(u32, 2 * block, program.nonvolatiles);
        program.sentFieldCount = program.reportFieldCount;
      }
      if (this.mode === "strict") clearScratch(u32, 2 * block);
      writeWhole(u32, 2 * (block + BLOCK.microsStart), nowUs);
    }
    const { staging } = flow;
    let cwnd = false;
    let rate = false;
    for (let i = 0; i < staging.count; i++) {
      const word = staging.words[i]!;
      const low = staging.lows[i]!;
      const high = staging.highs[i]!;
      u32[2 * (block + word)] = low;
      u32[2 * (block + word) + 1] = high;
      if (low === 0 && high === 0) continue;
      // libccp's host functions take 32 bits.
      const value = this.mode === "libccp" ? low : low + high * TWO_32;
      const isCwnd = word === cwndWord;
      const isRate = word === rateWord;
      if (isCwnd) cwnd = true;
      if (isRate) rate = true;
      if (isCwnd || isRate) f64[isCwnd ? hostCwnd : hostRate] = value;
    }
    this.#callHost(flow, cwnd, rate);
    clearStaged(flow);
    return this.#flags | KEEP_CWND_AND_RATE;
  }

  /** The host's callbacks, for a register that is not 0. */
  #callHost(flow: Flow, cwnd: boolean, rate: boolean): void {
    const { onSetCwnd, onSetRate } = this.#options;
    const { u64, f64 } = this.arena;
    const block = flow.base / 8;
    if (onSetCwnd !== undefined && cwnd && u64[block + BLOCK.implicit + IMPLICIT.cwnd] !== 0n) {
      onSetCwnd(flow.flowId, f64[block + BLOCK.hostCwnd]!);
    }
    if (onSetRate !== undefined && rate && u64[block + BLOCK.implicit + IMPLICIT.rate] !== 0n) {
      onSetRate(flow.flowId, f64[block + BLOCK.hostRate]!);
    }
  }

  #install(message: Uint8Array, agentWasLost: boolean): number {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    if (view.byteLength < INSTALL_HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    const uid = view.getUint32(8, true);
    const eventCount = view.getUint32(12, true);
    const instructionCount = view.getUint32(16, true);
    if (eventCount > MAX_EVENTS) return DATAPATH_ERRORS.tooManyEvents;
    if (instructionCount > MAX_INSTRUCTIONS) return DATAPATH_ERRORS.tooManyInstructions;
    const instructionsAt = INSTALL_HEADER_BYTES + EVENT_BYTES * eventCount;
    if (view.byteLength < instructionsAt + INSTRUCTION_BYTES * instructionCount) {
      return DATAPATH_ERRORS.bufferTooShort;
    }
    // A fresh agent numbers its programs from 1: its first install empties the table.
    const strict = this.mode === "strict";
    const isRefill = strict && view.getUint32(4, true) === REFILL && !agentWasLost;
    if (uid === 1 && !isRefill) this.#forgetPrograms(agentWasLost);
    // An agent that made its table anew, in which libccp would have nothing now.
    else if (strict && this.#programs.some((program) => program.uid === uid)) return 0;
    const slot = this.#programs.length < this.#usableSlots ? this.#programs.length : this.#unusedSlot();
    if (slot < 0) return DATAPATH_ERRORS.programTableFull;
    const counts = { eventCount, instructionCount };
    const read = readProgram(message, counts, strict);
    const { arena } = this;
    if (read.verdict === 0) {
      const program = new InstalledProgram(uid, read, { makeRunner: this.#makeRunner, arena });
      program.lastUse = ++this.#uses;
      this.#programs[slot] = program;
    } else if (!strict) {
      // libccp: a refused program keeps its slot and is found by its uid. It does nothing here.
      const none = new Uint32Array();
      const initials = { volatiles: none, nonvolatiles: none, reportFieldCount: 0 };
      const nothing = { events: [], instructions: [], initials };
      this.#programs[slot] = new InstalledProgram(uid, nothing, { makeRunner: () => () => 0, arena });
    }
    return read.verdict;
  }

  /** Strict: the slot of the program that was chosen longest ago and that no flow runs; -1: none, or libccp. */
  #unusedSlot(): number {
    if (this.mode === "libccp") return -1;
    const used = new Set<number>();
    for (const flow of this.#flows) if (flow !== undefined) used.add(flow.slot).add(flow.stagedSlot);
    let unused = -1;
    this.#programs.forEach(({ lastUse }, slot) => {
      if (used.has(slot)) return;
      if (unused < 0 || lastUse < this.#programs[unused]!.lastUse) unused = slot;
    });
    return unused;
  }

  #forgetPrograms(agentWasLost: boolean): void {
    this.#programs = [];
    this.#takeBackAll();
    if (this.mode === "libccp") return;
    // Strict: the new agent does not know the flows that ran under the old one, so they are announced anew.
    for (const flow of this.#flows) {
      if (flow === undefined) continue;
      const orphaned = flow.slot >= 0 || flow.stagedSlot >= 0 || agentWasLost;
      if (!orphaned || flow === this.#creating) continue;
      flow.slot = -1;
      flow.programUid = undefined;
      clearStaged(flow);
      flow.isUnannounced = true;
      this.#createdAtUs[flow.flowId - 1] = Number.NEGATIVE_INFINITY;
    }
  }

  #changeProg(flow: Flow, message: Uint8Array): number {
    if (message.length < CHANGE_PROG_HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    const uid = readU32(message, 8);
    const count = readU32(message, 12);
    if (count > MAX_CHANGE_PROG_UPDATES) return DATAPATH_ERRORS.tooManyChanges;
    if (message.length < CHANGE_PROG_HEADER_BYTES + FIELD_UPDATE_BYTES * count) {
      return DATAPATH_ERRORS.bufferTooShort;
    }
    const slot = this.#programs.findIndex((program) => program.uid === uid);
    if (slot < 0) return PROGRAM_NOT_INSTALLED;
    this.#programs[slot]!.lastUse = ++this.#uses;
    // Strict: Cwnd and Rate belong to the flow, not to the program; control variables of the old program are void.
    flow.staging.dropControls();
    if (this.mode === "libccp") flow.staging.clear();
    this.#takeBack(flow);
    flow.stagedSlot = slot;
    flow.staged = true;
    return this.#stage(flow, message, CHANGE_PROG_HEADER_BYTES, count);
  }

  #updateField(flow: Flow, message: Uint8Array): number {
    if (message.length < UPDATE_FIELD_HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    // libccp reads one signed byte.
    const count = this.mode === "libccp" ? (message[8]! << 24) >> 24 : readU32(message, 8);
    if (count < 0 || count > MAX_CHANGE_PROG_UPDATES) return DATAPATH_ERRORS.tooManyUpdates;
    if (message.length < UPDATE_FIELD_HEADER_BYTES + FIELD_UPDATE_BYTES * count) {
      return DATAPATH_ERRORS.bufferTooShort;
    }
    return this.#stage(flow, message, UPDATE_FIELD_HEADER_BYTES, count);
  }

  /** The last value of a register wins. An entry that is refused leaves those before it staged. */
  #stage(flow: Flow, message: Uint8Array, offset: number, count: number): number {
    for (let i = 0; i < count; i++) {
      const at = offset + FIELD_UPDATE_BYTES * i;
      const type = message[at]!;
      const index = readU32(message, at + 1);
      const isControl = type === CONTROL_NONVOLATILE || type === CONTROL_VOLATILE;
      const isImplicit = type === IMPLICIT_TYPE;
      // asked of every register: V8 compiles no comparison that it has not seen
      const isBeyond = index >= CONTROLS;
      const isCwnd = index === CWND;
      const isRate = index === RATE;
      if (isControl ? isBeyond : !isImplicit) return DATAPATH_ERRORS.badUpdateRegister;
      // Other implicit registers are accepted and ignored.
      if (isImplicit && !isCwnd && !isRate) continue;
      const word = index + (isControl ? CONTROL_WORD : IMPLICIT_WORD);
      const low = readU32(message, at + 5);
      const high = readU32(message, at + 9);
      if (!isControl && !flow.staged && stageForEngine(this.arena, flow.base, word, low, high)) continue;
      this.#takeBack(flow);
      flow.staging.put(word, low, high);
      flow.staged = true;
    }
    return 0;
  }
}

function runnerOf(execution: "wasm" | "interpreter" | MakeRunner, mode: "strict" | "libccp"): MakeRunner {
  if (typeof execution === "function") return execution;
  if (execution === "interpreter") return makeInterpreter;
  return mode === "libccp" ? makeWholeWasmProgram : makeWasmProgram;
}

function clearStaged(flow: Flow): void {
  flow.staged = false;
  flow.stagedSlot = -1;
  flow.staging.clear();
}

/** Frees the register blocks of datapaths that were dropped with open flows. */
const blocksOfLostDatapaths = new FinalizationRegistry<{
  arena: RegisterArena;
  flows: (Flow | undefined)[];
}>(({ arena, flows }) => {
  for (const flow of flows) if (flow !== undefined) arena.release(flow.base);
});
