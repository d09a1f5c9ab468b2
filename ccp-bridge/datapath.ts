/**
 * The CCP datapath runtime: keeps programs and flows, runs a flow's program on every ACK, sends its reports, and
 * takes the agent's decisions. Follows libccp's machine step by step; `mode: "strict"` mends what libccp does by
 * accident (docs/ccp.md has the list).
 *
 *   openFlow -> create -> (install, change_prog from the agent) -> invoke per ACK -> measure -> ... -> closeFlow
 *
 * Sans-I/O: time comes in as an argument, messages leave through `send`.
 */
import { CcparkError } from "../core/errors.ts";
import type { Bytes, BytesPerSec, Micros } from "../core/units.ts";
import { DATAPATH_ERRORS, PROGRAM_NOT_INSTALLED } from "./datapath-errors.ts";
import { checkProgram, type InstalledProgram, initialValues } from "./installed-program.ts";
import { makeInterpreter } from "./interpreter.ts";
import { PRIMITIVE, PRIMITIVE_NAMES } from "./lang/scope.ts";
import {
  CAPACITY,
  decodeEvent,
  decodeInstruction,
  EVENT_BYTES,
  IMPLICIT,
  INSTRUCTION_BYTES,
  MAX_EVENTS,
  MAX_INSTRUCTIONS,
  REGISTER_TYPES,
} from "./program.ts";
import { CUT_TO_32_BITS, KEEP_CWND_AND_RATE, type MakeRunner, RUN_REPORT } from "./program-runner.ts";
import { BLOCK, type RegisterArena, sharedArena } from "./register-arena.ts";
import { makeWasmProgram } from "./wasm-program.ts";
import { CHANGE_PROG_HEADER_BYTES, MAX_CHANGE_PROG_UPDATES } from "./wire/change-prog.ts";
import { encodeCreate } from "./wire/create.ts";
import { FIELD_UPDATE_BYTES } from "./wire/field-update.ts";
import { HEADER_BYTES, MESSAGE_TYPES } from "./wire/header.ts";
import { INSTALL_HEADER_BYTES } from "./wire/install.ts";
import { encodeMeasure, MEASURE_HEADER_BYTES } from "./wire/measure.ts";
import { encodeReady } from "./wire/ready.ts";
import { UPDATE_FIELD_HEADER_BYTES } from "./wire/update-field.ts";

/** libccp: a create that could not be sent is tried again at most every 100 ms. */
export const CREATE_RETRY_US = 100_000;
/** libccp's largest message */
const MAX_MESSAGE_BYTES = 32_678;
const TWO_32 = 2 ** 32;

export interface CcpDatapathOptions {
  /** Hands a message to the agent. 0: sent; anything else: failed. The bytes are valid during the call only. */
  send: (message: Uint8Array, nowUs: Micros) => number;
  /** time zero of `Ack.now` */
  nowUs: Micros;
  /** `libccp`: exactly libccp; `strict` (the default): its accidents mended */
  mode?: "strict" | "libccp";
  /** id of the ready message */
  datapathId?: number;
  /** default 1024, as ccp-kernel */
  maxFlows?: number;
  /** libccp: the last slot stays unusable. Default 10 there, 64 in strict mode */
  maxPrograms?: number;
  /** time after the first failed send at which flows fall back, default 1 s */
  fallbackTimeoutUs?: Micros;
  execution?: "wasm" | "interpreter";
  /** Called where libccp calls set_cwnd and set_rate_abs: on every invocation. Most hosts read the flow instead. */
  onSetCwnd?: (flowId: number, cwndBytes: Bytes) => void;
  onSetRate?: (flowId: number, rateBytesPerSec: BytesPerSec) => void;
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

interface Flow {
  readonly flowId: number;
  readonly base: number;
  readonly create: Uint8Array;
  reports: number;
  announced: boolean;
  /** slot of the program table; -1: none */
  slot: number;
  stagedSlot: number;
  staged: boolean;
  readonly stagedControls: Map<number, bigint>;
  stagedCwnd: bigint | undefined;
  stagedRate: bigint | undefined;
  /** for `DatapathFlow` */
  programUid: number | undefined;
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
  readonly #flags: number;
  readonly #timeZeroUs: Micros;
  readonly #fallbackTimeoutUs: Micros;
  readonly #usableSlots: number;
  readonly #maxFlows: number;
  /** flow id - 1 -> flow */
  readonly #flows: (Flow | undefined)[] = [];
  /** when each slot last sent a create: survives the flow, as in libccp */
  readonly #createdAtUs: number[] = [];
  #programs: InstalledProgram[] = [];
  /** first send that failed since the last message from the agent; -1: none */
  #failedAtUs = -1;
  #inFallback = false;
  #readyAtUs = Number.NEGATIVE_INFINITY;
  /** a flow whose create message is being sent right now */
  #creating: Flow | undefined;
  /** a measure message, reused */
  readonly #message = new Uint8Array(MEASURE_HEADER_BYTES + 8 * CAPACITY.report);
  readonly #messageWords = new Uint32Array(this.#message.buffer);
  readonly #messageViews: (Uint8Array | undefined)[] = [];

  /** Sends ready; that it may fail is not an error, as in libccp. */
  constructor(options: CcpDatapathOptions) {
    this.#options = options;
    this.arena = options.arena ?? sharedArena();
    this.mode = options.mode ?? "strict";
    this.#makeRunner = options.execution === "interpreter" ? makeInterpreter : makeWasmProgram;
    this.#flags = this.mode === "libccp" ? CUT_TO_32_BITS : 0;
    this.#timeZeroUs = options.nowUs;
    this.#fallbackTimeoutUs = options.fallbackTimeoutUs ?? 1_000_000;
    this.#maxFlows = options.maxFlows ?? 1024;
    const maxPrograms = options.maxPrograms ?? (this.mode === "libccp" ? 10 : 64);
    this.#usableSlots = this.mode === "libccp" ? maxPrograms - 1 : maxPrograms;
    blocksOfLostDatapaths.register(this, { arena: this.arena, flows: this.#flows });
    this.announce(options.nowUs);
  }

  /** True while flows are to be driven by something else: the agent has not been reachable for the fallback time. */
  get inFallback(): boolean {
    return this.#inFallback;
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
    const flow: Flow = {
      flowId,
      base: this.arena.allocate(),
      create,
      reports: 0,
      announced: false,
      slot: -1,
      stagedSlot: -1,
      staged: false,
      stagedControls: new Map(),
      stagedCwnd: undefined,
      stagedRate: undefined,
      programUid: undefined,
    };
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
    if (!flow.announced) {
      this.#tryCreate(flow, nowUs);
      return 0;
    }
    const flags = flow.staged ? this.#applyStaged(flow, nowUs) : this.#flags;
    const program = this.#programs[flow.slot];
    if (program === undefined) return DATAPATH_ERRORS.noProgram;
    const code = program.run(flow.base, nowUs, flags);
    if (code < 0) return code;
    if (this.#options.onSetCwnd !== undefined || this.#options.onSetRate !== undefined) {
      this.#callHost(flow, true, true);
    }
    if (code === RUN_REPORT) this.#report(flow, program, nowUs);
    return 0;
  }

  /**
   * A message from the agent.
   * @returns 0 for accepted, 8 for a change to a program that is not installed (nothing happens), else libccp's
   *   negative code
   */
  receive(message: Uint8Array): number {
    if (message.length < HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const type = view.getUint16(0, true);
    const length = view.getUint16(2, true);
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
    if (type === MESSAGE_TYPES.install) return this.#install(view, agentWasLost);
    const flow = this.#flows[(view.getUint32(4, true) & 0xffff) - 1];
    if (flow === undefined) return DATAPATH_ERRORS.unknownFlow;
    return type === MESSAGE_TYPES.updateField ? this.#updateField(flow, view) : this.#changeProg(flow, view);
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

  #noteSend(result: number, nowUs: Micros): void {
    if (result !== 0 && this.#failedAtUs < 0) this.#failedAtUs = nowUs;
  }

  #tryCreate(flow: Flow, nowUs: Micros): void {
    const slot = flow.flowId - 1;
    if (nowUs - (this.#createdAtUs[slot] ?? Number.NEGATIVE_INFINITY) < CREATE_RETRY_US) return;
    this.#createdAtUs[slot] = nowUs;
    // Set before sending: an agent in the same process answers before `send` returns.
    flow.announced = true;
    this.#creating = flow;
    const result = this.#options.send(flow.create, nowUs);
    this.#creating = undefined;
    if (result !== 0) flow.announced = false;
    this.#noteSend(result, nowUs);
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
    else this.#noteSend(result, nowUs);
    const { u32: memory } = this.arena;
    const first = flow.base / 4;
    for (const { word, value } of program.volatiles) {
      memory[first + 2 * word] = value;
      memory[first + 2 * word + 1] = 0;
    }
    program.sentFieldCount = program.reportFieldCount;
  }

  /** Steps 3 to 6 of an invocation where something is staged. Returns the flags of the run. */
  #applyStaged(flow: Flow, nowUs: Micros): number {
    const { u64, f64 } = this.arena;
    const word = flow.base / 8;
    const implicit = word + BLOCK.implicit;
    u64[implicit + IMPLICIT.cwnd] = wholeBigint(f64[word + BLOCK.hostCwnd]!);
    u64[implicit + IMPLICIT.rate] = wholeBigint(f64[word + BLOCK.hostRate]!);
    if (flow.stagedSlot >= 0) {
      flow.slot = flow.stagedSlot;
      const program = this.#programs[flow.slot];
      if (program !== undefined) {
        flow.programUid = program.uid;
        for (const { word: at, value } of program.volatiles) u64[word + at] = BigInt(value);
        for (const { word: at, value } of program.nonvolatiles) u64[word + at] = BigInt(value);
        program.sentFieldCount = program.reportFieldCount;
      }
      u64[word + BLOCK.microsStart] = wholeBigint(nowUs);
    }
    for (const [index, value] of flow.stagedControls) u64[word + BLOCK.control + index] = value;
    const { stagedCwnd, stagedRate } = flow;
    if (stagedCwnd !== undefined) {
      u64[implicit + IMPLICIT.cwnd] = stagedCwnd;
      if (stagedCwnd !== 0n) f64[word + BLOCK.hostCwnd] = this.#hostValue(stagedCwnd);
    }
    if (stagedRate !== undefined) {
      u64[implicit + IMPLICIT.rate] = stagedRate;
      if (stagedRate !== 0n) f64[word + BLOCK.hostRate] = this.#hostValue(stagedRate);
    }
    this.#callHost(flow, stagedCwnd !== undefined, stagedRate !== undefined);
    clearStaged(flow);
    return this.#flags | KEEP_CWND_AND_RATE;
  }

  /** libccp's host functions take 32 bits. */
  #hostValue(value: bigint): number {
    return Number(this.mode === "libccp" ? value & 0xffffffffn : value);
  }

  /** The host's callbacks, for a register that is not 0. */
  #callHost(flow: Flow, cwnd: boolean, rate: boolean): void {
    const { u64, f64 } = this.arena;
    const word = flow.base / 8;
    if (cwnd && u64[word + BLOCK.implicit + IMPLICIT.cwnd] !== 0n) {
      this.#options.onSetCwnd?.(flow.flowId, f64[word + BLOCK.hostCwnd]!);
    }
    if (rate && u64[word + BLOCK.implicit + IMPLICIT.rate] !== 0n) {
      this.#options.onSetRate?.(flow.flowId, f64[word + BLOCK.hostRate]!);
    }
  }

  #install(view: DataView, agentWasLost: boolean): number {
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
    const events = Array.from({ length: eventCount }, (_, i) =>
      decodeEvent(view, INSTALL_HEADER_BYTES + EVENT_BYTES * i),
    );
    const instructions = Array.from({ length: instructionCount }, (_, i) =>
      decodeInstruction(view, instructionsAt + INSTRUCTION_BYTES * i),
    );
    // A fresh agent numbers its programs from 1: its first install empties the table.
    if (uid === 1) this.#forgetPrograms(agentWasLost);
    if (this.#programs.length >= this.#usableSlots) return DATAPATH_ERRORS.programTableFull;
    const strict = this.mode === "strict";
    const code = checkProgram(events, instructions, strict);
    const { volatiles, nonvolatiles, reportFieldCount } = initialValues(instructions);
    if (code === 0) {
      const run = this.#makeRunner(events, instructions, this.arena);
      this.#programs.push({ uid, run, volatiles, nonvolatiles, reportFieldCount, sentFieldCount: 0 });
    } else if (!strict) {
      // libccp: a refused program keeps its slot and is found by its uid. It does nothing here.
      const run = () => 0;
      const nothing = { volatiles: [], nonvolatiles: [], reportFieldCount: 0, sentFieldCount: 0 };
      this.#programs.push({ uid, run, ...nothing });
    }
    return code;
  }

  #forgetPrograms(agentWasLost: boolean): void {
    this.#programs = [];
    if (this.mode === "libccp") return;
    // Strict: the new agent does not know the flows that ran under the old one, so they are announced anew.
    for (const flow of this.#flows) {
      if (flow === undefined) continue;
      const orphaned = flow.slot >= 0 || flow.stagedSlot >= 0 || agentWasLost;
      if (!orphaned || flow === this.#creating) continue;
      flow.slot = -1;
      flow.programUid = undefined;
      clearStaged(flow);
      flow.announced = false;
      this.#createdAtUs[flow.flowId - 1] = Number.NEGATIVE_INFINITY;
    }
  }

  #changeProg(flow: Flow, view: DataView): number {
    if (view.byteLength < CHANGE_PROG_HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    const uid = view.getUint32(8, true);
    const count = view.getUint32(12, true);
    if (count > MAX_CHANGE_PROG_UPDATES) return DATAPATH_ERRORS.tooManyChanges;
    if (view.byteLength < CHANGE_PROG_HEADER_BYTES + FIELD_UPDATE_BYTES * count) {
      return DATAPATH_ERRORS.bufferTooShort;
    }
    const slot = this.#programs.findIndex((program) => program.uid === uid);
    if (slot < 0) return PROGRAM_NOT_INSTALLED;
    const { stagedCwnd, stagedRate } = flow;
    clearStaged(flow);
    if (this.mode === "strict") {
      // Cwnd and Rate belong to the flow, not to the program; control variables of the old program are void.
      flow.stagedCwnd = stagedCwnd;
      flow.stagedRate = stagedRate;
    }
    flow.stagedSlot = slot;
    flow.staged = true;
    return this.#stage(flow, view, CHANGE_PROG_HEADER_BYTES, count);
  }

  #updateField(flow: Flow, view: DataView): number {
    if (view.byteLength < UPDATE_FIELD_HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    // libccp reads one signed byte.
    const count = this.mode === "libccp" ? view.getInt8(8) : view.getUint32(8, true);
    if (count < 0 || count > MAX_CHANGE_PROG_UPDATES) return DATAPATH_ERRORS.tooManyUpdates;
    if (view.byteLength < UPDATE_FIELD_HEADER_BYTES + FIELD_UPDATE_BYTES * count) {
      return DATAPATH_ERRORS.bufferTooShort;
    }
    return this.#stage(flow, view, UPDATE_FIELD_HEADER_BYTES, count);
  }

  /** The last value of a register wins. An entry that is refused leaves those before it staged. */
  #stage(flow: Flow, view: DataView, offset: number, count: number): number {
    for (let i = 0; i < count; i++) {
      const at = offset + FIELD_UPDATE_BYTES * i;
      const type = view.getUint8(at);
      const index = view.getUint32(at + 1, true);
      const value = view.getBigUint64(at + 5, true);
      const isControl = type === REGISTER_TYPES.controlNonvolatile || type === REGISTER_TYPES.controlVolatile;
      if (isControl) {
        if (index >= CAPACITY.control) return DATAPATH_ERRORS.badUpdateRegister;
        flow.stagedControls.set(index, value);
      } else if (type === REGISTER_TYPES.implicit) {
        // Other implicit registers are accepted and ignored.
        if (index === IMPLICIT.cwnd) flow.stagedCwnd = value;
        else if (index === IMPLICIT.rate) flow.stagedRate = value;
      } else return DATAPATH_ERRORS.badUpdateRegister;
      flow.staged = true;
    }
    return 0;
  }
}

function clearStaged(flow: Flow): void {
  flow.staged = false;
  flow.stagedSlot = -1;
  flow.stagedCwnd = undefined;
  flow.stagedRate = undefined;
  if (flow.stagedControls.size > 0) flow.stagedControls.clear();
}

function wholeBigint(value: number): bigint {
  if (!(value > 0)) return 0n;
  return value >= TWO_32 * TWO_32 ? 2n ** 64n - 1n : BigInt(Math.trunc(value));
}

/** Frees the register blocks of datapaths that were dropped with open flows. */
const blocksOfLostDatapaths = new FinalizationRegistry<{
  arena: RegisterArena;
  flows: (Flow | undefined)[];
}>(({ arena, flows }) => {
  for (const flow of flows) if (flow !== undefined) arena.release(flow.base);
});
