/** A small writer of eBPF instructions, 8 bytes each: RFC 9669. Jumps go to labels, forward or backward. */

export const R0 = 0;
export const R1 = 1;
export const R2 = 2;
export const R3 = 3;
export const R4 = 4;
export const R5 = 5;
export const R6 = 6;
export const R7 = 7;
export const R8 = 8;
export const R9 = 9;

/** Operations of 64-bit arithmetic; the codes are those of the upper four bits. */
export const ALU = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  mov: 0xb0,
} as const;

/** Conditions of jumps, unsigned. */
export const JUMP = {
  always: 0x00,
  equal: 0x10,
  greater: 0x20,
  greaterOrEqual: 0x30,
  notEqual: 0x50,
  less: 0xa0,
  lessOrEqual: 0xb0,
} as const;

const ALU64 = 0x07;
const ALU32 = 0x04;
const JMP = 0x05;
const FROM_REGISTER = 0x08;
const LOAD_DOUBLE = 0x79;
const STORE_DOUBLE = 0x7b;
const STORE_IMMEDIATE_DOUBLE = 0x7a;
const LOAD_IMMEDIATE_64 = 0x18;
const CALL = 0x85;
const EXIT = 0x95;
/** source register of a 64-bit immediate: the number of a map's descriptor, or the address of its value */
const MAP = 1;
const MAP_VALUE = 2;

const INSTRUCTION_BYTES = 8;
/** A jump reaches that many instructions. */
const MAX_JUMP = 0x7fff;

export type Label = { at: number | undefined };

interface BpfInstruction {
  readonly opcode: number;
  readonly target: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
  readonly to?: Label;
}

export class BpfCode {
  readonly #instructions: BpfInstruction[] = [];

  get length(): number {
    return this.#instructions.length;
  }

  #push(opcode: number, target = 0, source = 0, offset = 0, immediate = 0, to?: Label): void {
    this.#instructions.push({ opcode, target, source, offset, immediate, to });
  }

  /** target := target op source */
  alu(operation: number, target: number, source: number): void {
    this.#push(ALU64 | FROM_REGISTER | operation, target, source);
  }

  /** @param value sign-extended to 64 bits: from -2^31 to 2^31 - 1 */
  aluImmediate(operation: number, target: number, value: number): void {
    this.#push(ALU64 | operation, target, 0, 0, value);
  }

  /** @param value an unsigned 32-bit number, zero-extended */
  moveU32(target: number, value: number): void {
    this.#push(ALU32 | ALU.mov, target, 0, 0, value | 0);
  }

  /** target := the lower half of source */
  moveLow32(target: number, source: number): void {
    this.#push(ALU32 | FROM_REGISTER | ALU.mov, target, source);
  }

  load(target: number, base: number, offset: number): void {
    this.#push(LOAD_DOUBLE, target, base, offset);
  }

  store(base: number, offset: number, source: number): void {
    this.#push(STORE_DOUBLE, base, source, offset);
  }

  /** @param value sign-extended to 64 bits */
  storeImmediate(base: number, offset: number, value: number): void {
    this.#push(STORE_IMMEDIATE_DOUBLE, base, 0, offset, value);
  }

  loadMap(target: number, fd: number): void {
    this.#wide(target, MAP, fd);
  }

  /** The address of the first value of an array map. */
  loadMapValue(target: number, fd: number): void {
    this.#wide(target, MAP_VALUE, fd);
  }

  #wide(target: number, source: number, low: number): void {
    this.#push(LOAD_IMMEDIATE_64, target, source, 0, low);
    this.#push(0);
  }

  label(): Label {
    return { at: undefined };
  }

  place(label: Label): void {
    label.at = this.#instructions.length;
  }

  jump(to: Label): void {
    this.#push(JMP | JUMP.always, 0, 0, 0, 0, to);
  }

  jumpIf(condition: number, left: number, right: number, to: Label): void {
    this.#push(JMP | FROM_REGISTER | condition, left, right, 0, 0, to);
  }

  /** @param value sign-extended to 64 bits */
  jumpIfImmediate(condition: number, left: number, value: number, to: Label): void {
    this.#push(JMP | condition, left, 0, 0, value, to);
  }

  call(helper: number): void {
    this.#push(CALL, 0, 0, 0, helper);
  }

  exit(): void {
    this.#push(EXIT);
  }

  /** @throws RangeError for a jump farther than 2^15 - 1 instructions */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(INSTRUCTION_BYTES * this.#instructions.length);
    const view = new DataView(bytes.buffer);
    this.#instructions.forEach(({ opcode, target, source, offset, immediate, to }, i) => {
      const distance = to === undefined ? offset : to.at! - i - 1;
      if (Math.abs(distance) > MAX_JUMP) throw new RangeError(`jump over ${distance} instructions`);
      const at = INSTRUCTION_BYTES * i;
      view.setUint8(at, opcode);
      view.setUint8(at + 1, target | (source << 4));
      view.setInt16(at + 2, distance, true);
      view.setInt32(at + 4, immediate, true);
    });
    return bytes;
  }
}
