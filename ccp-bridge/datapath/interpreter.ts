/**
 * Runs programs instruction by instruction with exact 64-bit arithmetic: slow, plain, and the reference that the
 * compiled form is tested against. Semantics: libccp's machine, including its imperfect overflow test of `*`.
 */

import { PRIMITIVE } from "../lang/scope.ts";
import {
  CAPACITY,
  IMPLICIT,
  type Instruction,
  OPCODES,
  type ProgramEvent,
  REGISTER_TYPES,
} from "../program.ts";
import { DATAPATH_ERRORS } from "./datapath-errors.ts";
import {
  CUT_TO_32_BITS,
  KEEP_CWND_AND_RATE,
  RUN_NOTHING,
  RUN_REPORT,
  type RunProgram,
} from "./program-runner.ts";
import { BLOCK, type RegisterArena } from "./register-arena.ts";

const U64 = 2n ** 64n;
const U32_MAX = 0xffffffffn;
const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);

/** f64 to u64 as WebAssembly's saturating truncation does it. */
export function toU64(value: number): bigint {
  if (!(value > 0)) return 0n;
  if (value >= 2 ** 64) return U64 - 1n;
  return BigInt(Math.trunc(value));
}

/** First word of a register file in the block and its size; undefined for what is no file. */
export function registerFile(type: number): { word: number; size: number } | undefined {
  switch (type) {
    case REGISTER_TYPES.controlNonvolatile:
    case REGISTER_TYPES.controlVolatile:
      return { word: BLOCK.control, size: CAPACITY.control };
    case REGISTER_TYPES.reportNonvolatile:
    case REGISTER_TYPES.reportVolatile:
      return { word: BLOCK.report, size: CAPACITY.report };
    case REGISTER_TYPES.implicit:
      return { word: BLOCK.implicit, size: CAPACITY.implicit };
    case REGISTER_TYPES.temporary:
      return { word: BLOCK.temporary, size: CAPACITY.temporary };
    case REGISTER_TYPES.local:
      return { word: BLOCK.local, size: CAPACITY.local };
    default:
      return undefined;
  }
}

/** Newer of two 32-bit counters that wrap; a zero yields to the other value whole. */
function wrappedMax(left: bigint, right: bigint): bigint {
  if (left === 0n) return right;
  if (right === 0n) return left;
  const a = left & U32_MAX;
  const b = right & U32_MAX;
  const distance = (from: bigint, to: bigint) => (to > from ? to - from : U32_MAX - from + to);
  return distance(b, a) < distance(a, b) ? a : b;
}

/** The value of a primitive in a flow's block; a missing RTT sample is 0. */
export function primitiveAt({ f64 }: RegisterArena, word: number, index: number, now: bigint): bigint {
  const value = toU64(f64[word + BLOCK.primitives + index]!);
  return index === PRIMITIVE.now ? wrap(now - value) : value;
}

/** Loads the implicit registers, as before each run. @param word first of the flow's block */
export function beginRun({ u64, f64 }: RegisterArena, word: number, now: bigint, flags: number): void {
  const implicit = word + BLOCK.implicit;
  if ((flags & KEEP_CWND_AND_RATE) === 0) {
    u64[implicit + IMPLICIT.cwnd] = toU64(f64[word + BLOCK.hostCwnd]!);
    u64[implicit + IMPLICIT.rate] = toU64(f64[word + BLOCK.hostRate]!);
  }
  u64.fill(0n, implicit, implicit + IMPLICIT.micros);
  u64[implicit + IMPLICIT.micros] = wrap(now - u64[word + BLOCK.microsStart]!);
}

/** Hands `Cwnd` and `Rate` to the host, as after each run without an error. */
export function endRun({ u64, f64 }: RegisterArena, word: number, flags: number): void {
  const implicit = word + BLOCK.implicit;
  const cut = (flags & CUT_TO_32_BITS) === 0 ? U64 - 1n : U32_MAX;
  const cwnd = u64[implicit + IMPLICIT.cwnd]!;
  if (cwnd !== 0n) f64[word + BLOCK.hostCwnd] = Number(cwnd & cut);
  const rate = u64[implicit + IMPLICIT.rate]!;
  if (rate !== 0n) f64[word + BLOCK.hostRate] = Number(rate & cut);
}

export function makeInterpreter(
  events: readonly ProgramEvent[],
  instructions: readonly Instruction[],
  arena: RegisterArena,
): RunProgram {
  return (base, nowUs, flags) => {
    const word = base / 8;
    const { u64 } = arena;
    const now = toU64(nowUs);
    const implicit = word + BLOCK.implicit;

    const read = (type: number, index: number): bigint => {
      if (type === REGISTER_TYPES.immediate) return BigInt(index);
      if (type === REGISTER_TYPES.primitive) {
        if (index >= CAPACITY.primitive) return 0n;
        const value = primitiveAt(arena, word, index, now);
        return index === PRIMITIVE.rttSampleUs && value === 0n ? U32_MAX : value;
      }
      const file = registerFile(type)!;
      return index < file.size ? u64[word + file.word + index]! : 0n;
    };
    const write = (type: number, index: number, value: bigint): void => {
      const file = registerFile(type)!;
      if (index >= file.size) return;
      u64[word + file.word + index] = value;
      if (type === REGISTER_TYPES.implicit && index === IMPLICIT.micros) {
        u64[word + BLOCK.microsStart] = wrap(now - value);
      }
    };

    const step = (instruction: Instruction): number => {
      const { opcode, resultType, resultIndex } = instruction;
      if (opcode === OPCODES.def) return 0;
      const left = read(instruction.leftType, instruction.leftIndex);
      const right = read(instruction.rightType, instruction.rightIndex);
      let result: bigint;
      switch (opcode) {
        case OPCODES.add:
          result = wrap(left + right);
          if (result < left) return DATAPATH_ERRORS.addOverflow;
          break;
        case OPCODES.bind:
          result = right;
          break;
        case OPCODES.div:
          if (right === 0n) return DATAPATH_ERRORS.divisionByZero;
          result = left / right;
          break;
        case OPCODES.equiv:
          result = left === right ? 1n : 0n;
          break;
        case OPCODES.ewma: {
          const old = read(resultType, resultIndex);
          result = old === 0n ? right : wrap(wrap(left * old) + wrap(wrap(10n - left) * right)) / 10n;
          break;
        }
        case OPCODES.gt:
          result = left > right ? 1n : 0n;
          break;
        case OPCODES.if:
          if (left === 0n) return 0;
          result = right;
          break;
        case OPCODES.notif:
          if (left !== 0n) return 0;
          result = right;
          break;
        case OPCODES.lt:
          result = left < right ? 1n : 0n;
          break;
        case OPCODES.max:
          result = right;
          if (left > right) result = left;
          break;
        case OPCODES.min:
          result = right;
          if (left < right) result = left;
          break;
        case OPCODES.maxwrap:
          result = wrappedMax(left, right);
          break;
        case OPCODES.mul:
          result = wrap(left * right);
          if (result < left && right > 0n) return DATAPATH_ERRORS.mulOverflow;
          break;
        default:
          if (left < right) return DATAPATH_ERRORS.subUnderflow;
          result = left - right;
      }
      write(resultType, resultIndex, result);
      return 0;
    };
    const runRange = (from: number, count: number): number => {
      for (let i = from; i < from + count; i++) {
        const code = step(instructions[i]!);
        if (code < 0) return code;
      }
      return 0;
    };

    beginRun(arena, word, now, flags);
    for (const event of events) {
      let code = runRange(event.flagIndex, event.flagCount);
      if (code < 0) return code;
      if (u64[implicit + IMPLICIT.eventFlag] !== 0n) {
        code = runRange(event.bodyIndex, event.bodyCount);
        if (code < 0) return code;
      }
      const taken = u64[implicit + IMPLICIT.eventFlag] !== 0n;
      if (taken && u64[implicit + IMPLICIT.fallthrough] === 0n) break;
    }
    endRun(arena, word, flags);
    return u64[implicit + IMPLICIT.report] === 0n ? RUN_NOTHING : RUN_REPORT;
  };
}
