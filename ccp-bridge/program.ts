/**
 * The compiled form of a datapath program, exactly as libccp executes it: events (condition and body, as ranges of
 * instructions) and 16-byte instructions on 64-bit registers. Compiler, wire format and datapath meet here.
 */

export const OPCODES = {
  add: 0,
  bind: 1,
  def: 2,
  div: 3,
  equiv: 4,
  ewma: 5,
  gt: 6,
  if: 7,
  lt: 8,
  max: 9,
  maxwrap: 10,
  min: 11,
  mul: 12,
  notif: 13,
  sub: 14,
} as const;

/** Register types of the wire. Two types of one file (volatile or not) differ only in when they are reset. */
export const REGISTER_TYPES = {
  controlNonvolatile: 0,
  immediate: 1,
  implicit: 2,
  local: 3,
  primitive: 4,
  reportVolatile: 5,
  reportNonvolatile: 6,
  temporary: 7,
  controlVolatile: 8,
} as const;

export type RegisterType = (typeof REGISTER_TYPES)[keyof typeof REGISTER_TYPES];

/** Implicit registers: three hidden flags, then the three that programs may name. */
export const IMPLICIT = { eventFlag: 0, fallthrough: 1, report: 2, micros: 3, cwnd: 4, rate: 5 } as const;

/** libccp's register files; the compiler admits fewer (Portus). */
export const CAPACITY = {
  control: 110,
  report: 110,
  implicit: 6,
  temporary: 8,
  local: 8,
  primitive: 15,
} as const;

/** libccp counts instructions in a byte: an event ending at instruction 256 never terminates. */
export const MAX_INSTRUCTIONS = 255;
export const MAX_EVENTS = 255;

/** `+infinity` at run time: immediates are unsigned 32-bit. */
export const INFINITY_IMMEDIATE = 0xffffffff;

/** The infinity of old agents: a `def` with this value initialises to 4294967295. */
export const OLD_INFINITY_IMMEDIATE = 0x3fffffff;

/** `result := left op right` */
export interface Instruction {
  readonly opcode: number;
  readonly resultType: number;
  readonly resultIndex: number;
  readonly leftType: number;
  /** register index, or the value of an immediate */
  readonly leftIndex: number;
  readonly rightType: number;
  readonly rightIndex: number;
}

/** Instruction numbers count from the first `def`. */
export interface ProgramEvent {
  readonly flagIndex: number;
  readonly flagCount: number;
  readonly bodyIndex: number;
  readonly bodyCount: number;
}

export const EVENT_BYTES = 16;
export const INSTRUCTION_BYTES = 16;

/** Events, then instructions: the payload of an install message after its header. */
export function encodeProgram(
  events: readonly ProgramEvent[],
  instructions: readonly Instruction[],
): Uint8Array {
  const bytes = new Uint8Array(EVENT_BYTES * events.length + INSTRUCTION_BYTES * instructions.length);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const event of events) {
    view.setUint32(offset, event.flagIndex, true);
    view.setUint32(offset + 4, event.flagCount, true);
    view.setUint32(offset + 8, event.bodyIndex, true);
    view.setUint32(offset + 12, event.bodyCount, true);
    offset += EVENT_BYTES;
  }
  for (const instruction of instructions) {
    view.setUint8(offset, instruction.opcode);
    view.setUint8(offset + 1, instruction.resultType);
    view.setUint32(offset + 2, instruction.resultIndex, true);
    view.setUint8(offset + 6, instruction.leftType);
    view.setUint32(offset + 7, instruction.leftIndex, true);
    view.setUint8(offset + 11, instruction.rightType);
    view.setUint32(offset + 12, instruction.rightIndex, true);
    offset += INSTRUCTION_BYTES;
  }
  return bytes;
}

/** Reads one instruction; the caller has checked that 16 bytes are there. */
export function decodeInstruction(view: DataView, offset: number): Instruction {
  return {
    opcode: view.getUint8(offset),
    resultType: view.getUint8(offset + 1),
    resultIndex: view.getUint32(offset + 2, true),
    leftType: view.getUint8(offset + 6),
    leftIndex: view.getUint32(offset + 7, true),
    rightType: view.getUint8(offset + 11),
    rightIndex: view.getUint32(offset + 12, true),
  };
}

/** Reads one event; the caller has checked that 16 bytes are there. */
export function decodeEvent(view: DataView, offset: number): ProgramEvent {
  return {
    flagIndex: view.getUint32(offset, true),
    flagCount: view.getUint32(offset + 4, true),
    bodyIndex: view.getUint32(offset + 8, true),
    bodyCount: view.getUint32(offset + 12, true),
  };
}
