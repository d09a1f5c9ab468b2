/**
 * A CCP datapath whose flows are sockets of Linux TCP: takes an agent's messages (install, change_prog, update_field), as a
 * `CcpDatapath` does, and hands on what the kernel reports. Installing loads a program and puts it into an array; what is
 * meant for a flow goes into its slot, memory that the kernel looks into on the flow's next ACK. Neither needs more than a
 * system call or a store.
 */
import { bpfCongControl, KERNEL_FLOW, kernelWord } from "../../ccp-bridge/datapath/bpf-program.ts";
import { DATAPATH_ERRORS, PROGRAM_NOT_INSTALLED } from "../../ccp-bridge/datapath/datapath-errors.ts";
import { checkProgram } from "../../ccp-bridge/datapath/installed-program.ts";
import {
  IMPLICIT,
  INFINITY_IMMEDIATE,
  type Instruction,
  OLD_INFINITY_IMMEDIATE,
  OPCODES,
  REGISTER_TYPES,
} from "../../ccp-bridge/program.ts";
import { readU32 } from "../../ccp-bridge/wire/bytes.ts";
import { CHANGE_PROG_HEADER_BYTES, MAX_CHANGE_PROG_UPDATES } from "../../ccp-bridge/wire/change-prog.ts";
import { FIELD_UPDATE_BYTES } from "../../ccp-bridge/wire/field-update.ts";
import { HEADER_BYTES, MESSAGE_TYPES } from "../../ccp-bridge/wire/header.ts";
import { decodeInstall, REFILL } from "../../ccp-bridge/wire/install.ts";
import { encodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import { UPDATE_FIELD_HEADER_BYTES } from "../../ccp-bridge/wire/update-field.ts";
import { WireError } from "../../ccp-bridge/wire/wire-error.ts";
import type { Micros } from "../../core/units.ts";
import type { Libc } from "../host/libc.ts";
import { Bpf, PROGRAM_TYPE } from "./bpf/bpf.ts";
import { type CongControlType, congControlType } from "./bpf/btf.ts";
import { SHELL, Shell } from "./bpf/shell.ts";
import { watchRing } from "./ring-watch.ts";
import { FACTS_AT, type KernelFlowFacts, OWNER, SlotFacts, VALUES_AT, WORDS_AT } from "./slots.ts";

/** Where ccp_post is in the array of programs. */
const POST = 0;
/** States of a slot. */
const IDLE = 0;
const READY = 1;
const TAKEN_BY_KERNEL = 2;
const TAKEN_BY_AGENT = 3;
/** Words (u32) of a slot. */
const STATE = 0;
const FLOW_ID = 2;
const PROGRAM = 3;
const COUNT = 4;
/** Words (u32) of the agent's structure. */
const AGENT_NUMBER = 8;
const IS_LOOKING = 9;
/** Bytes of it: the name of the other congestion control. */
const OTHER_AT = 40;
const NAME_BYTES = 16;
/** In place of a program: the flow leaves. */
const LEAVE = -1;
const STAMP_BYTES = 8;
/** Records that one turn of the event loop takes: others have their turn too. */
const MAX_RECORDS = 1024;
const NANOS_PER_MICRO = 1000n;

export interface KernelDatapathOptions {
  /** as sockets choose it: at most 15 lower-case letters, digits and _ */
  readonly name: string;
  /** silence of the agent after which flows run natively; default 1 s */
  readonly fallbackTimeoutUs?: Micros;
  /**
   * A message for the agent: create, or measure. The bytes are valid during the call only.
   * @param stampUs when the kernel wrote it, on the datapath's clock
   */
  readonly onMessage: (message: Uint8Array, stampUs: Micros) => void;
  /** room for reports that the agent has not read, a power of 2 from 4,096 on; default 4 MiB */
  readonly ringBytes?: number;
  /** every invocation leaves its registers: for tests */
  readonly isTracing?: boolean;
}

interface KernelProgram {
  readonly uid: number;
  lastUse: number;
}

/** Initial values, as the kernel's table has them: word, value, word, value, ...; the volatile ones first. */
function initialsOf(instructions: readonly Instruction[]): {
  readonly pairs: readonly number[];
  readonly volatiles: number;
  readonly nonvolatiles: number;
  readonly reportFields: number;
} {
  const volatiles: number[] = [];
  const nonvolatiles: number[] = [];
  let reportFields = 0;
  for (const { opcode, resultType, resultIndex, rightIndex } of instructions) {
    if (opcode !== OPCODES.def) break;
    const isReport =
      resultType === REGISTER_TYPES.reportVolatile || resultType === REGISTER_TYPES.reportNonvolatile;
    const isVolatile =
      resultType === REGISTER_TYPES.reportVolatile || resultType === REGISTER_TYPES.controlVolatile;
    if (isReport) reportFields += 1;
    const word = kernelWord(resultType, resultIndex);
    if (word === undefined) continue;
    const value = rightIndex === OLD_INFINITY_IMMEDIATE ? INFINITY_IMMEDIATE : rightIndex;
    (isVolatile ? volatiles : nonvolatiles).push(word, value);
  }
  return {
    pairs: [...volatiles, ...nonvolatiles],
    volatiles: volatiles.length / 2,
    nonvolatiles: nonvolatiles.length / 2,
    reportFields,
  };
}

export class KernelDatapath {
  readonly name: string;
  /** on the monotonic clock: zero of `nowUs` */
  readonly #zeroUs: bigint;
  readonly #libc: Libc;
  readonly #bpf: Bpf;
  readonly #shell: Shell;
  readonly #type: CongControlType;
  readonly #onMessage: KernelDatapathOptions["onMessage"];
  readonly #slots: SlotFacts;
  readonly #slotWords: Int32Array;
  readonly #slotValues: BigUint64Array;
  readonly #slotIndices: Uint16Array;
  readonly #agentWords: Uint32Array;
  readonly #agentTimes: BigUint64Array;
  readonly #programWords: Uint32Array;
  /** by place in the kernel's array, from 1 */
  readonly #programs: (KernelProgram | undefined)[] = [];
  #uses = 0;
  /** flows that the agent has been told of */
  readonly #flows: Set<number> = new Set();

  /**
   * Brings the congestion control into the kernel: sockets may choose it by its name. There is no agent before `beat`.
   * @throws CcparkError in one sentence where this machine cannot: no BTF, kernel before 6.10, no libbpf, not root, name taken
   */
  constructor(libc: Libc, options: KernelDatapathOptions) {
    this.name = options.name;
    this.#libc = libc;
    this.#onMessage = options.onMessage;
    this.#type = congControlType();
    this.#bpf = new Bpf(libc);
    this.#shell = new Shell(libc, this.#bpf, options);
    const { slots, agents, programs } = this.#shell;
    this.#slots = new SlotFacts(slots.bytes, (place) => this.#programs[place]?.uid);
    this.#slotWords = new Int32Array(slots.bytes);
    this.#slotValues = new BigUint64Array(slots.bytes);
    this.#slotIndices = new Uint16Array(slots.bytes);
    this.#agentWords = new Uint32Array(agents.bytes);
    this.#agentTimes = new BigUint64Array(agents.bytes);
    this.#programWords = new Uint32Array(programs.bytes);
    this.#zeroUs = process.hrtime.bigint() / NANOS_PER_MICRO;
    this.#agentTimes[1] = BigInt(options.fallbackTimeoutUs ?? 1_000_000);
    this.#agentTimes[2] = this.#zeroUs;
    this.#agentWords[AGENT_NUMBER] = 1;
    try {
      this.#shell.attach(libc);
    } catch (error) {
      this.#shell.close();
      throw error;
    }
  }

  /** Since the datapath was made: the clock of `Ack.now`. */
  get nowUs(): Micros {
    return Number(process.hrtime.bigint() / NANOS_PER_MICRO - this.#zeroUs);
  }

  /** programs that its table holds */
  readonly maxPrograms: number = SHELL.maxPrograms;

  /** The congestion control of flows that leave. */
  set other(name: string) {
    const bytes = new Uint8Array(this.#shell.agents.bytes, OTHER_AT, NAME_BYTES);
    bytes.fill(0);
    bytes.set(new TextEncoder().encode(name).subarray(0, NAME_BYTES - 1));
  }

  /** The flow is none of the agent's: from its next ACK on it runs under `other`. */
  leave(flowId: number): void {
    const at = this.#slotAt(flowId);
    this.#lock(at);
    this.#slotWords[at + FLOW_ID] = flowId;
    this.#slotWords[at + PROGRAM] = LEAVE;
    this.#slotWords[at + COUNT] = 0;
    Atomics.store(this.#slotWords, at + STATE, READY);
  }

  /** readable when a message is there */
  get fd(): number {
    return this.#shell.reports.fd;
  }

  /** Records of a datapath that traces: the flow's words before and after each invocation. */
  get traces(): Shell["traces"] {
    return this.#shell.traces;
  }

  /** Flows that found all slots taken, and so run natively. */
  get refusedFlows(): number {
    return this.#agentWords[7]!;
  }

  /** The agent is there: to be said more often than the fallback time. */
  beat(): void {
    Atomics.store(this.#agentTimes, 0, process.hrtime.bigint() / NANOS_PER_MICRO);
  }

  /** The agent is gone: flows run natively from their next ACK on. */
  loseAgent(): void {
    Atomics.store(this.#agentTimes, 0, 0n);
  }

  /** Running sockets of the thread's network namespace that an instance of this name has left come under this one. */
  adoptSockets(): void {
    this.#shell.adoptSockets();
  }

  /** Hands on what the kernel has reported. @returns how many messages */
  drain(): number {
    return this.#shell.reports.drain((record) => {
      const stampNs = readU32(record, 0) + readU32(record, 4) * 2 ** 32;
      const message = record.subarray(STAMP_BYTES);
      const flowId = readU32(message, 4);
      if (message[0] === MESSAGE_TYPES.create) this.#flows.add(flowId);
      else if (message[12] === 0) this.#flows.delete(flowId);
      this.#onMessage(message, stampNs / 1000 - Number(this.#zeroUs));
    }, MAX_RECORDS);
  }

  /** Says goodbye to flows whose last message found the ring full. */
  sweep(): void {
    for (const flowId of this.#flows) {
      if (this.#ownerOf(flowId) === flowId) continue;
      this.#flows.delete(flowId);
      this.#onMessage(encodeMeasure({ flowId, programUid: 0, fields: [] }), this.nowUs);
    }
  }

  #slotAt(flowId: number): number {
    return (flowId % SHELL.maxFlows) * (SHELL.slotBytes / 4);
  }

  #ownerOf(flowId: number): number {
    return Atomics.load(this.#slotWords, this.#slotAt(flowId) + OWNER) >>> 0;
  }

  /** Of all flows that there are. */
  facts(): KernelFlowFacts[] {
    return this.#slots.facts();
  }

  /** @param flowId of a flow that there is */
  factsOf(flowId: number): KernelFlowFacts {
    return this.#slots.factsOf(flowId);
  }

  /**
   * A message from the agent.
   * @returns as of `CcpDatapath.receive` in strict mode: 0, 8 for a program that is not installed, or libccp's negative code
   */
  receive(message: Uint8Array): number {
    if (message.length < HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    const type = message[0]! | (message[1]! << 8);
    if ((message[2]! | (message[3]! << 8)) > message.length) return DATAPATH_ERRORS.bufferTooShort;
    this.beat();
    switch (type) {
      case MESSAGE_TYPES.install:
        return this.#install(message);
      case MESSAGE_TYPES.updateField:
        return this.#updateField(message);
      case MESSAGE_TYPES.changeProgram:
        return this.#changeProgram(message);
      default:
        return DATAPATH_ERRORS.unknownType;
    }
  }

  #install(message: Uint8Array): number {
    let install: ReturnType<typeof decodeInstall>;
    try {
      install = decodeInstall(message);
    } catch (error) {
      if (error instanceof WireError) return DATAPATH_ERRORS.bufferTooShort;
      throw error;
    }
    const { programUid: uid, events, instructions } = install;
    const code = checkProgram(events, instructions, true);
    if (code !== 0) return code;
    const isFresh = uid === 1 && readU32(message, 4) !== REFILL;
    if (isFresh && this.#programs.length > 0) this.#forgetPrograms();
    if (this.#programs.some((program) => program?.uid === uid)) return 0;
    const place = this.#freePlace();
    if (place < 0) return DATAPATH_ERRORS.programTableFull;
    const { flowsFd: flows, jumpsFd: jumps } = this.#shell;
    const fd = this.#bpf.loadProgram({
      type: PROGRAM_TYPE.structOps,
      instructions: bpfCongControl(events, instructions, { flows, jumps }, POST),
      member: this.#type,
      name: `ccp_program_${uid}`,
    });
    this.#writeTable(place, uid, instructions);
    this.#bpf.updateMap(jumps, place, new Uint8Array(Uint32Array.of(fd).buffer));
    this.#bpf.close(fd);
    this.#programs[place] = { uid, lastUse: ++this.#uses };
    return 0;
  }

  #writeTable(place: number, uid: number, instructions: readonly Instruction[]): void {
    const { pairs, volatiles, nonvolatiles, reportFields } = initialsOf(instructions);
    const at = (place * SHELL.programBytes) / 4;
    this.#programWords.set([uid, reportFields, volatiles, nonvolatiles, ...pairs], at);
  }

  /** A fresh agent: it knows neither the programs nor the flows of the one before. */
  #forgetPrograms(): void {
    this.#programs.length = 0;
    this.#flows.clear();
    Atomics.add(this.#agentWords, AGENT_NUMBER, 1);
  }

  /** Of the program that was chosen longest ago and that no flow runs or is about to; -1: all are in use. */
  #freePlace(): number {
    let oldest = -1;
    const used = new Set<number>();
    for (const flowId of this.#flows) {
      const at = this.#slotAt(flowId);
      used.add(this.#slotWords[at + PROGRAM]!);
      used.add(this.#slotWords[at + FACTS_AT / 4 + 13]!);
    }
    for (let place = 1; place <= SHELL.maxPrograms; place++) {
      const program = this.#programs[place];
      if (program === undefined) return place;
      if (used.has(place)) continue;
      if (oldest < 0 || program.lastUse < this.#programs[oldest]!.lastUse) oldest = place;
    }
    return oldest;
  }

  #changeProgram(message: Uint8Array): number {
    if (message.length < CHANGE_PROG_HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    const flowId = readU32(message, 4);
    const uid = readU32(message, 8);
    const count = readU32(message, 12);
    if (count > MAX_CHANGE_PROG_UPDATES) return DATAPATH_ERRORS.tooManyChanges;
    if (message.length < CHANGE_PROG_HEADER_BYTES + FIELD_UPDATE_BYTES * count) {
      return DATAPATH_ERRORS.bufferTooShort;
    }
    const place = this.#programs.findIndex((program) => program?.uid === uid);
    if (place < 0) return PROGRAM_NOT_INSTALLED;
    this.#programs[place]!.lastUse = ++this.#uses;
    return this.#command(flowId, message, CHANGE_PROG_HEADER_BYTES, count, place);
  }

  #updateField(message: Uint8Array): number {
    if (message.length < UPDATE_FIELD_HEADER_BYTES) return DATAPATH_ERRORS.bufferTooShort;
    const count = readU32(message, 8);
    if (count > MAX_CHANGE_PROG_UPDATES) return DATAPATH_ERRORS.tooManyUpdates;
    if (message.length < UPDATE_FIELD_HEADER_BYTES + FIELD_UPDATE_BYTES * count) {
      return DATAPATH_ERRORS.bufferTooShort;
    }
    return this.#command(readU32(message, 4), message, UPDATE_FIELD_HEADER_BYTES, count, 0);
  }

  /**
   * Puts it into the flow's slot, together with what the kernel has not taken yet.
   * @param place of the program to change to; 0: none
   */
  #command(flowId: number, message: Uint8Array, offset: number, count: number, place: number): number {
    const at = this.#slotAt(flowId);
    this.#lock(at);
    try {
      if (this.#ownerOf(flowId) !== flowId) return DATAPATH_ERRORS.unknownFlow;
      const words = this.#slotWords;
      if (words[at + FLOW_ID]! >>> 0 !== flowId) {
        words[at + FLOW_ID] = flowId;
        words[at + PROGRAM] = 0;
        words[at + COUNT] = 0;
      }
      if (place !== 0) {
        this.#dropControls(at);
        words[at + PROGRAM] = place;
      }
      return this.#stage(at, message, offset, count);
    } finally {
      const hasWork = this.#slotWords[at + PROGRAM] !== 0 || this.#slotWords[at + COUNT] !== 0;
      Atomics.store(this.#slotWords, at + STATE, hasWork ? READY : IDLE);
    }
  }

  /** The kernel holds a slot for less than a microsecond, and never waits for it. */
  #lock(at: number): void {
    for (;;) {
      const state = Atomics.load(this.#slotWords, at + STATE);
      if (state === TAKEN_BY_KERNEL || state === TAKEN_BY_AGENT) continue;
      if (Atomics.compareExchange(this.#slotWords, at + STATE, state, TAKEN_BY_AGENT) === state) return;
    }
  }

  #put(at: number, word: number, value: bigint): void {
    const count = this.#slotWords[at + COUNT]!;
    const indices = at * 2 + WORDS_AT / 2;
    let i = 0;
    while (i < count && this.#slotIndices[indices + i] !== word) i += 1;
    this.#slotIndices[indices + i] = word;
    this.#slotValues[at / 2 + VALUES_AT / 8 + i] = value;
    if (i === count) this.#slotWords[at + COUNT] = count + 1;
  }

  /** `Cwnd` and `Rate` belong to the flow, not to the program; control variables of the old program are void. */
  #dropControls(at: number): void {
    const count = this.#slotWords[at + COUNT]!;
    const indices = at * 2 + WORDS_AT / 2;
    const values = at / 2 + VALUES_AT / 8;
    const kept: [number, bigint][] = [];
    for (let i = 0; i < count; i++) {
      const word = this.#slotIndices[indices + i]!;
      if (word < KERNEL_FLOW.temporary) kept.push([word, this.#slotValues[values + i]!]);
    }
    this.#slotWords[at + COUNT] = 0;
    for (const [word, value] of kept) this.#put(at, word, value);
  }

  /** The last value of a register wins. An entry that is refused leaves those before it staged. */
  #stage(at: number, message: Uint8Array, offset: number, count: number): number {
    for (let i = 0; i < count; i++) {
      const from = offset + FIELD_UPDATE_BYTES * i;
      const type = message[from]!;
      const index = readU32(message, from + 1);
      if (type === REGISTER_TYPES.implicit) {
        // others are accepted and ignored
        if (index !== IMPLICIT.cwnd && index !== IMPLICIT.rate) continue;
      } else if (type !== REGISTER_TYPES.controlNonvolatile && type !== REGISTER_TYPES.controlVolatile) {
        return DATAPATH_ERRORS.badUpdateRegister;
      }
      const word = kernelWord(type, index);
      if (word === undefined) return DATAPATH_ERRORS.badUpdateRegister;
      const low = BigInt(readU32(message, from + 5));
      this.#put(at, word, low | (BigInt(readU32(message, from + 9)) << 32n));
    }
    return 0;
  }

  /** Nobody can choose the name any more; flows that run under it go on natively. */
  close(): void {
    this.loseAgent();
    this.#shell.close();
  }

  /** Watches for messages on this thread's event loop. @returns what ends it */
  watch(): () => void {
    return watchRing(this.#libc, {
      fd: this.fd,
      drain: () => {
        this.beat();
        return this.drain();
      },
      setLooking: (isLooking) => {
        Atomics.store(this.#agentWords, IS_LOOKING, isLooking ? 1 : 0);
      },
    });
  }
}
