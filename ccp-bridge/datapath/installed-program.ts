/** A program in a datapath's table: checked, ready to run, with the lists that resets and reports need. */

import {
  CAPACITY,
  decodeEvent,
  decodeInstruction,
  EVENT_BYTES,
  IMPLICIT,
  INFINITY_IMMEDIATE,
  INSTRUCTION_BYTES,
  type Instruction,
  MAX_EVENTS,
  MAX_INSTRUCTIONS,
  OLD_INFINITY_IMMEDIATE,
  OPCODES,
  type ProgramEvent,
  REGISTER_TYPES,
} from "../program.ts";
import { INSTALL_HEADER_BYTES } from "../wire/install.ts";
import { DATAPATH_ERRORS } from "./datapath-errors.ts";
import { registerFile } from "./interpreter.ts";
import type { MakeRunner, RunProgram } from "./program-runner.ts";
import type { RegisterArena } from "./register-arena.ts";

/** Initial values in pairs: word of the flow's block, 32-bit value, word, value, ... */
export type InitialValues = Uint32Array;

/** What a program's leading `def`s say. */
export interface ProgramInitials {
  readonly volatiles: InitialValues;
  readonly nonvolatiles: InitialValues;
  /** report variables with an initial value; only these are sent */
  readonly reportFieldCount: number;
}

export interface ProgramCode {
  readonly events: readonly ProgramEvent[];
  readonly instructions: readonly Instruction[];
  readonly initials: ProgramInitials;
}

export class InstalledProgram implements ProgramInitials {
  readonly uid: number;
  readonly volatiles: InitialValues;
  readonly nonvolatiles: InitialValues;
  readonly reportFieldCount: number;
  /**
   * What the next report will send: libccp counts when the program is applied to a flow and after each report, so a
   * program that was installed under a running flow sends its first report without fields.
   */
  sentFieldCount = 0;
  /** of all installs and choices of programs, the number of its last one */
  lastUse = 0;
  /** By which the arena's owner calls it; 0: it does not, or it has not been called. */
  number = 0;
  readonly #makeRunner: MakeRunner;
  readonly #code: ProgramCode;
  readonly #arena: RegisterArena;

  constructor(
    uid: number,
    code: ProgramCode,
    { makeRunner, arena }: { readonly makeRunner: MakeRunner; readonly arena: RegisterArena },
  ) {
    this.uid = uid;
    this.#code = code;
    this.#makeRunner = makeRunner;
    this.#arena = arena;
    this.volatiles = code.initials.volatiles;
    this.nonvolatiles = code.initials.nonvolatiles;
    this.reportFieldCount = code.initials.reportFieldCount;
  }

  /** Made when it is first called: an agent installs all its programs, a flow mostly runs one. */
  run: RunProgram = (...flow) => this.#make()(...flow);

  #make(): RunProgram {
    const { events, instructions } = this.#code;
    this.run = this.#makeRunner(events, instructions, this.#arena);
    this.number = this.#arena.numberOf(this.run);
    return this.run;
  }
}

function badOperand(type: number, index: number): boolean {
  if (type === REGISTER_TYPES.immediate || type === REGISTER_TYPES.primitive) return false;
  const file = registerFile(type);
  return file === undefined || index >= file.size;
}

/** 0, or libccp's code for what is wrong with a program. */
export function checkProgram(
  events: readonly ProgramEvent[],
  instructions: readonly Instruction[],
  refuseEmptyReports: boolean,
): number {
  if (events.length > MAX_EVENTS) return DATAPATH_ERRORS.tooManyEvents;
  if (instructions.length > MAX_INSTRUCTIONS) return DATAPATH_ERRORS.tooManyInstructions;
  let reports = false;
  for (const instruction of instructions) {
    if (instruction.opcode > OPCODES.sub) return DATAPATH_ERRORS.unknownOpcode;
    // A write beyond the file is ignored, a read would be of foreign memory.
    const { resultType } = instruction;
    if (resultType === REGISTER_TYPES.immediate || resultType === REGISTER_TYPES.primitive) {
      return DATAPATH_ERRORS.readOnlyResult;
    }
    if (registerFile(resultType) === undefined) return DATAPATH_ERRORS.badResultRegister;
    if (badOperand(instruction.leftType, instruction.leftIndex)) {
      const sameAsResult =
        instruction.leftType === instruction.resultType && instruction.leftIndex === instruction.resultIndex;
      const unread = instruction.opcode === OPCODES.bind || instruction.opcode === OPCODES.def;
      if (!(unread && sameAsResult)) return DATAPATH_ERRORS.badLeftRegister;
    }
    if (badOperand(instruction.rightType, instruction.rightIndex)) return DATAPATH_ERRORS.badRightRegister;
    if (
      instruction.opcode !== OPCODES.def &&
      instruction.resultType === REGISTER_TYPES.implicit &&
      instruction.resultIndex === IMPLICIT.report
    ) {
      reports = true;
    }
  }
  for (const event of events) {
    if (
      event.flagIndex + event.flagCount > instructions.length ||
      event.bodyIndex + event.bodyCount > instructions.length
    ) {
      return DATAPATH_ERRORS.badEvent;
    }
  }
  const { reportFieldCount } = initialValues(instructions);
  if (reportFieldCount > CAPACITY.report) return DATAPATH_ERRORS.tooManyInstructions;
  if (refuseEmptyReports && reports && reportFieldCount === 0) return DATAPATH_ERRORS.reportWithoutFields;
  return 0;
}

/** What the leading `def`s say; libccp stops at the first other instruction. */
export function initialValues(instructions: readonly Instruction[]): ProgramInitials {
  const volatiles: number[] = [];
  const nonvolatiles: number[] = [];
  let reportFieldCount = 0;
  for (const { opcode, resultType, resultIndex, rightIndex } of instructions) {
    if (opcode !== OPCODES.def) break;
    const isVolatile =
      resultType === REGISTER_TYPES.reportVolatile || resultType === REGISTER_TYPES.controlVolatile;
    const isReport =
      resultType === REGISTER_TYPES.reportVolatile || resultType === REGISTER_TYPES.reportNonvolatile;
    if (isReport) reportFieldCount += 1;
    const file = registerFile(resultType);
    if (file === undefined || resultIndex >= file.size) continue;
    const value = rightIndex === OLD_INFINITY_IMMEDIATE ? INFINITY_IMMEDIATE : rightIndex;
    (isVolatile ? volatiles : nonvolatiles).push(file.word + resultIndex, value);
  }
  return {
    volatiles: Uint32Array.from(volatiles),
    nonvolatiles: Uint32Array.from(nonvolatiles),
    reportFieldCount,
  };
}

/** A program of an install message, and whether a datapath takes it. */
export interface ReadProgram extends ProgramCode {
  /** as of `checkProgram` */
  readonly verdict: number;
}

/** By what the messages say. Each run of a benchmark installs the same few; who sends thousands starts over. */
const READ: Map<string, ReadProgram> = new Map();
const MAX_READ = 1000;
/** Where an install says how many events there are. */
const COUNTS_AT = 12;

/** @param message an install, as long as its counts say at least */
export function readProgram(
  message: Uint8Array,
  { eventCount, instructionCount }: { readonly eventCount: number; readonly instructionCount: number },
  refuseEmptyReports: boolean,
): ReadProgram {
  const instructionsAt = INSTALL_HEADER_BYTES + EVENT_BYTES * eventCount;
  const byteCount = instructionsAt + INSTRUCTION_BYTES * instructionCount - COUNTS_AT;
  const bytes = Buffer.from(message.buffer, message.byteOffset + COUNTS_AT, byteCount);
  const key = `${refuseEmptyReports} ${bytes.toString("latin1")}`;
  let program = READ.get(key);
  if (program !== undefined) return program;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const events = Array.from({ length: eventCount }, (_, i) =>
    decodeEvent(view, INSTALL_HEADER_BYTES + EVENT_BYTES * i),
  );
  const instructions = Array.from({ length: instructionCount }, (_, i) =>
    decodeInstruction(view, instructionsAt + INSTRUCTION_BYTES * i),
  );
  const verdict = checkProgram(events, instructions, refuseEmptyReports);
  program = { verdict, events, instructions, initials: initialValues(instructions) };
  if (READ.size >= MAX_READ) READ.clear();
  READ.set(key, program);
  return program;
}
