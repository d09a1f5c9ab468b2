/**
 * Writes a program as a WebAssembly function: i64 arithmetic as libccp has it in C, registers in the flow's block of the arena.
 *
 * Every register that the program touches has a local, kept equal to memory from its first access on: reads come from
 * the local, writes go to both. What says 0 or 1 has a 32-bit local, by which it is branched without a number in between.
 * Scratch, which nobody sees but the run that wrote it, has no place in memory at all, unless the program may read one before
 * it has written it.
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
import { registerFile } from "./interpreter.ts";
import { CUT_TO_32_BITS, KEEP_CWND_AND_RATE, RUN_NOTHING, RUN_REPORT } from "./program-runner.ts";
import { BLOCK } from "./register-arena.ts";
import { FunctionBody, I32, I64, OP } from "./wasm-emitter.ts";

/** Parameters of `run`. */
const BASE = 0;
const NOW_US = 1;
const FLAGS = 2;
const U32_MAX = 0xffffffffn;

/** What says 0 or 1, and the instruction that does. */
const COMPARISONS: ReadonlyMap<number, number> = new Map([
  [OPCODES.equiv, OP.i64Eq],
  [OPCODES.gt, OP.i64GtU],
  [OPCODES.lt, OP.i64LtU],
]);

/** Pushes a value on the stack. */
type Push = () => void;

/** Registers that each run writes before it reads them, where the compiler made the program. */
function isScratch(word: number): boolean {
  const isIn = (first: number, size: number): boolean => word >= first && word < first + size;
  return (
    isIn(BLOCK.temporary, CAPACITY.temporary) ||
    isIn(BLOCK.local, CAPACITY.local) ||
    isIn(BLOCK.implicit, IMPLICIT.micros)
  );
}

/** Of them those that may be kept as 0 or 1: what follows the program's end does not ask for them. */
function mayBeFlag(word: number): boolean {
  return isScratch(word) && word !== FALLTHROUGH_WORD && word !== REPORT_WORD;
}

const EVENT_FLAG_WORD = BLOCK.implicit + IMPLICIT.eventFlag;
const FALLTHROUGH_WORD = BLOCK.implicit + IMPLICIT.fallthrough;
const REPORT_WORD = BLOCK.implicit + IMPLICIT.report;

function writesEventFlag({ opcode, resultType, resultIndex }: Instruction): boolean {
  const isFlag = resultType === REGISTER_TYPES.implicit && resultIndex === IMPLICIT.eventFlag;
  return isFlag && opcode !== OPCODES.def;
}

/** Whether an event happens whatever comes, as that of `(when true ...)`. */
function isAlwaysTrue(condition: readonly Instruction[]): boolean {
  const last = condition.at(-1);
  if (last === undefined || !writesEventFlag(last) || last.opcode !== OPCODES.bind) return false;
  return last.rightType === REGISTER_TYPES.immediate && last.rightIndex !== 0;
}

/** What is known at a point of the program. */
interface Known {
  /** words whose local has their value */
  readonly valid: ReadonlySet<number>;
  /** words whose 32-bit local has their value */
  readonly flags: ReadonlySet<number>;
  /** words that hold 0 or 1: what is computed of them alone does not overflow */
  readonly booleans: ReadonlySet<number>;
}

/** An operand that has been made available. */
interface Operand {
  /** any number of times until the next write */
  readonly push: Push;
  /** the same as 32 bits; undefined: it is not kept so */
  readonly pushFlag: Push | undefined;
  readonly isBoolean: boolean;
}

class Generator {
  readonly body: FunctionBody = new FunctionBody(3);
  /** words that the program reads from memory */
  readonly loaded: Set<number> = new Set();
  readonly #now: number = this.body.local(I64);
  readonly #left: number = this.body.local(I64);
  readonly #right: number = this.body.local(I64);
  readonly #result: number = this.body.local(I64);
  readonly #old: number = this.body.local(I64);
  readonly #isStored: (word: number) => boolean;
  /** word of the block -> its local */
  readonly #locals: Map<number, number> = new Map();
  readonly #flagLocals: Map<number, number> = new Map();
  /** as in `Known` */
  #valid: Set<number> = new Set();
  #flags: Set<number> = new Set();
  #booleans: Set<number> = new Set();

  /** @param isStored whether what is written to a word goes to memory too */
  constructor(isStored: (word: number) => boolean) {
    this.#isStored = isStored;
  }

  program(events: readonly ProgramEvent[], instructions: readonly Instruction[]): void {
    const { body } = this;
    this.#prologue();
    body.block();
    for (const event of events) {
      const condition = instructions.slice(event.flagIndex, event.flagIndex + event.flagCount);
      const actions = instructions.slice(event.bodyIndex, event.bodyIndex + event.bodyCount);
      for (const instruction of condition) this.#instruction(instruction);
      const keepsFlag = !actions.some(writesEventFlag);
      if (keepsFlag && isAlwaysTrue(condition)) {
        for (const instruction of actions) this.#instruction(instruction);
        this.#get(FALLTHROUGH_WORD);
        body.op(OP.i64Eqz);
        body.br(OP.brIf, 0);
        continue;
      }
      this.#pushEventFlag();
      const before = this.#known();
      body.if();
      for (const instruction of actions) this.#instruction(instruction);
      if (keepsFlag) {
        this.#get(FALLTHROUGH_WORD);
        body.op(OP.i64Eqz);
        body.br(OP.brIf, 1);
      }
      this.#rejoin(before);
      body.end();
      if (!keepsFlag) {
        this.#pushEventFlag();
        this.#get(FALLTHROUGH_WORD);
        body.op(OP.i64Eqz, OP.i32And);
        body.br(OP.brIf, 0);
      }
    }
    body.end();
    this.#epilogue();
  }

  #known(): Known {
    return {
      valid: new Set(this.#valid),
      flags: new Set(this.#flags),
      booleans: new Set(this.#booleans),
    };
  }

  /** At the end of a path that may not have been taken: known is what is so with and without it. */
  #rejoin({ valid, flags, booleans }: Known): void {
    for (const word of valid) if (!this.#valid.has(word) && this.#flags.has(word)) this.#widen(word);
    const both = (before: ReadonlySet<number>, now: ReadonlySet<number>): Set<number> =>
      new Set([...before].filter((word) => now.has(word)));
    this.#valid = both(valid, this.#valid);
    this.#flags = both(flags, this.#flags);
    this.#booleans = both(booleans, this.#booleans);
  }

  #prologue(): void {
    const { body } = this;
    body.get(NOW_US);
    body.truncateF64();
    body.set(this.#now);
    const fromHost = [
      [IMPLICIT.cwnd, BLOCK.hostCwnd],
      [IMPLICIT.rate, BLOCK.hostRate],
    ] as const;
    body.get(FLAGS);
    body.i32(KEEP_CWND_AND_RATE);
    body.op(OP.i32And);
    body.if();
    for (const [register] of fromHost) this.#load(BLOCK.implicit + register);
    body.op(OP.else);
    for (const [register, host] of fromHost) {
      this.#store(BLOCK.implicit + register, () => {
        body.get(BASE);
        body.memory(OP.f64Load, 8 * host);
        body.truncateF64();
      });
    }
    body.end();
    for (const flag of [IMPLICIT.eventFlag, IMPLICIT.fallthrough, IMPLICIT.report]) {
      this.#store(BLOCK.implicit + flag, () => body.u64(0n));
    }
    this.#store(BLOCK.implicit + IMPLICIT.micros, () => {
      body.get(this.#now);
      body.get(BASE);
      body.memory(OP.i64Load, 8 * BLOCK.microsStart);
      body.op(OP.i64Sub);
    });
  }

  #epilogue(): void {
    const { body } = this;
    const toHost = [
      [IMPLICIT.cwnd, BLOCK.hostCwnd],
      [IMPLICIT.rate, BLOCK.hostRate],
    ] as const;
    for (const [register, host] of toHost) {
      this.#get(BLOCK.implicit + register);
      body.op(OP.i64Eqz, OP.i32Eqz);
      body.if();
      body.get(BASE);
      this.#get(BLOCK.implicit + register);
      body.u64(U32_MAX);
      body.u64(2n ** 64n - 1n);
      body.get(FLAGS);
      body.i32(CUT_TO_32_BITS);
      body.op(OP.i32And, OP.select, OP.i64And, OP.f64ConvertI64U);
      body.memory(OP.f64Store, 8 * host);
      body.end();
    }
    body.i32(RUN_NOTHING);
    body.i32(RUN_REPORT);
    this.#get(BLOCK.implicit + IMPLICIT.report);
    body.op(OP.i64Eqz, OP.select);
  }

  #localOf(word: number): number {
    let local = this.#locals.get(word);
    if (local === undefined) {
      local = this.body.local(I64);
      this.#locals.set(word, local);
    }
    return local;
  }

  #flagLocalOf(word: number): number {
    let local = this.#flagLocals.get(word);
    if (local === undefined) {
      local = this.body.local(I32);
      this.#flagLocals.set(word, local);
    }
    return local;
  }

  /** Memory to local. */
  #load(word: number): void {
    this.loaded.add(word);
    this.body.get(BASE);
    this.body.memory(OP.i64Load, 8 * word);
    this.body.set(this.#localOf(word));
    this.#valid.add(word);
  }

  /** 32-bit local to local. */
  #widen(word: number): void {
    this.body.get(this.#flagLocalOf(word));
    this.body.op(OP.i64ExtendI32U);
    this.body.set(this.#localOf(word));
    this.#valid.add(word);
  }

  /** A value to local and memory. */
  #store(word: number, push: Push): void {
    const { body } = this;
    if (this.#isStored(word)) {
      body.get(BASE);
      push();
      body.tee(this.#localOf(word));
      body.memory(OP.i64Store, 8 * word);
    } else {
      push();
      body.set(this.#localOf(word));
    }
    this.#valid.add(word);
    this.#flags.delete(word);
  }

  /** 0 or 1 of 32 bits to the 32-bit local and memory. */
  #storeFlag(word: number, push: Push): void {
    const { body } = this;
    push();
    body.set(this.#flagLocalOf(word));
    if (this.#isStored(word)) {
      body.get(BASE);
      body.get(this.#flagLocalOf(word));
      body.op(OP.i64ExtendI32U);
      body.memory(OP.i64Store, 8 * word);
    }
    this.#flags.add(word);
    this.#valid.delete(word);
  }

  /** Its value is in its local after this. */
  #provide(word: number): void {
    if (this.#valid.has(word)) return;
    if (this.#flags.has(word)) this.#widen(word);
    else this.#load(word);
  }

  #get(word: number): void {
    this.#provide(word);
    this.body.get(this.#localOf(word));
  }

  /** Whether the event happens, as i32. */
  #pushEventFlag(): void {
    if (this.#flags.has(EVENT_FLAG_WORD)) {
      this.body.get(this.#flagLocalOf(EVENT_FLAG_WORD));
      return;
    }
    this.#get(EVENT_FLAG_WORD);
    this.body.op(OP.i64Eqz, OP.i32Eqz);
  }

  /** What is at hand as 0 or 1 of 32 bits. */
  #ofFlag(pushFlag: Push): Operand {
    const push = (): void => {
      pushFlag();
      this.body.op(OP.i64ExtendI32U);
    };
    return { push, pushFlag, isBoolean: true };
  }

  #operand(type: number, index: number): Operand {
    const { body } = this;
    const constant = (value: number): Operand => ({
      push: () => body.u64(BigInt(value)),
      pushFlag: value <= 1 ? () => body.i32(value) : undefined,
      isBoolean: value <= 1,
    });
    if (type === REGISTER_TYPES.immediate) return constant(index);
    if (type === REGISTER_TYPES.primitive) {
      if (index >= CAPACITY.primitive) return { ...constant(0), isBoolean: false };
      const word = BLOCK.primitives + index;
      if (!this.#valid.has(word)) this.#loadPrimitive(word, index);
      return { push: () => body.get(this.#localOf(word)), pushFlag: undefined, isBoolean: false };
    }
    const file = registerFile(type)!;
    if (index >= file.size) return constant(0);
    const word = file.word + index;
    if (this.#flags.has(word)) return this.#ofFlag(() => body.get(this.#flagLocalOf(word)));
    this.#provide(word);
    return {
      push: () => body.get(this.#localOf(word)),
      pushFlag: undefined,
      isBoolean: this.#booleans.has(word),
    };
  }

  #loadPrimitive(word: number, index: number): void {
    const { body } = this;
    const local = this.#localOf(word);
    if (index === PRIMITIVE.now) body.get(this.#now);
    body.get(BASE);
    body.memory(OP.f64Load, 8 * word);
    body.truncateF64();
    if (index === PRIMITIVE.now) body.op(OP.i64Sub);
    if (index === PRIMITIVE.rttSampleUs) {
      // No sample reads as infinity.
      body.set(local);
      body.u64(U32_MAX);
      body.get(local);
      body.get(local);
      body.op(OP.i64Eqz, OP.select);
    }
    body.set(local);
    this.#valid.add(word);
  }

  /**
   * `result := value`; the value is in a local, for it is read twice where the result is `Micros`.
   * @param pushFlag the same as 32 bits, if it is at hand so
   */
  #write(type: number, index: number, { push, pushFlag, isBoolean }: Operand): void {
    const { body } = this;
    const file = registerFile(type)!;
    if (index >= file.size) return;
    const word = file.word + index;
    if (pushFlag !== undefined && mayBeFlag(word)) this.#storeFlag(word, pushFlag);
    else this.#store(word, push);
    if (isBoolean) this.#booleans.add(word);
    else this.#booleans.delete(word);
    if (type === REGISTER_TYPES.implicit && index === IMPLICIT.micros) {
      body.get(BASE);
      body.get(this.#now);
      body.get(this.#localOf(word));
      body.op(OP.i64Sub);
      body.memory(OP.i64Store, 8 * BLOCK.microsStart);
    }
  }

  /** Leaves `run` with an error if the i32 on the stack is not 0. */
  #failIf(code: number): void {
    const { body } = this;
    body.if();
    body.i32(code);
    body.op(OP.return);
    body.end();
  }

  #instruction(instruction: Instruction): void {
    const { body } = this;
    const { opcode, resultType, resultIndex } = instruction;
    if (opcode === OPCODES.def) return;
    const right = this.#operand(instruction.rightType, instruction.rightIndex);
    if (opcode === OPCODES.bind) {
      this.#write(resultType, resultIndex, right);
      return;
    }
    const left = this.#operand(instruction.leftType, instruction.leftIndex);
    if (opcode === OPCODES.if || opcode === OPCODES.notif) {
      left.push();
      body.op(OP.i64Eqz);
      if (opcode === OPCODES.if) body.op(OP.i32Eqz);
      // Whether the write happens is known at run time only.
      const before = this.#known();
      body.if();
      this.#write(resultType, resultIndex, { ...right, pushFlag: undefined, isBoolean: false });
      this.#rejoin(before);
      body.end();
      return;
    }
    const compare = COMPARISONS.get(opcode);
    if (compare !== undefined) {
      const value = this.#ofFlag(() => {
        left.push();
        right.push();
        body.op(compare);
      });
      this.#write(resultType, resultIndex, value);
      return;
    }
    const [leftFlag, rightFlag] = [left.pushFlag, right.pushFlag];
    if (opcode === OPCODES.mul && leftFlag !== undefined && rightFlag !== undefined) {
      const value = this.#ofFlag(() => {
        leftFlag();
        rightFlag();
        body.op(OP.i32And);
      });
      this.#write(resultType, resultIndex, value);
      return;
    }
    const areBoolean = left.isBoolean && right.isBoolean;
    this.#compute(instruction, left.push, right.push, areBoolean);
    this.#write(resultType, resultIndex, {
      push: () => body.get(this.#result),
      pushFlag: undefined,
      isBoolean: areBoolean && opcode === OPCODES.mul,
    });
  }

  /**
   * left op right into the local `result`, or out with an error.
   * @param areBoolean both are 0 or 1
   */
  #compute(instruction: Instruction, left: Push, right: Push, areBoolean: boolean): void {
    const { body } = this;
    const binary = (operation: number): void => {
      left();
      right();
      body.op(operation);
    };
    const finish = () => body.set(this.#result);
    switch (instruction.opcode) {
      case OPCODES.add:
        binary(OP.i64Add);
        if (areBoolean) {
          finish();
          return;
        }
        body.tee(this.#result);
        left();
        body.op(OP.i64LtU);
        this.#failIf(DATAPATH_ERRORS.addOverflow);
        return;
      case OPCODES.sub:
        binary(OP.i64LtU);
        this.#failIf(DATAPATH_ERRORS.subUnderflow);
        binary(OP.i64Sub);
        finish();
        return;
      case OPCODES.mul:
        if (areBoolean) {
          binary(OP.i64And);
          finish();
          return;
        }
        binary(OP.i64Mul);
        body.tee(this.#result);
        left();
        body.op(OP.i64LtU);
        // one in the other: V8 makes a number of each part of a condition
        body.if();
        right();
        body.op(OP.i64Eqz, OP.i32Eqz);
        this.#failIf(DATAPATH_ERRORS.mulOverflow);
        body.end();
        return;
      case OPCODES.div:
        right();
        body.op(OP.i64Eqz);
        this.#failIf(DATAPATH_ERRORS.divisionByZero);
        binary(OP.i64DivU);
        finish();
        return;
      case OPCODES.max:
      case OPCODES.min:
        left();
        right();
        binary(instruction.opcode === OPCODES.max ? OP.i64GtU : OP.i64LtU);
        body.op(OP.select);
        finish();
        return;
      case OPCODES.ewma:
        this.#ewma(instruction, left, right);
        return;
      default:
        this.#wrappedMax(left, right);
    }
  }

  /** old = 0: the new value; else (k old + (10 - k) new) / 10, wrapping. */
  #ewma(instruction: Instruction, left: Push, right: Push): void {
    const { body } = this;
    this.#operand(instruction.resultType, instruction.resultIndex).push();
    body.set(this.#old);
    right();
    left();
    body.get(this.#old);
    body.op(OP.i64Mul);
    body.u64(10n);
    left();
    body.op(OP.i64Sub);
    right();
    body.op(OP.i64Mul, OP.i64Add);
    body.u64(10n);
    body.op(OP.i64DivU);
    body.get(this.#old);
    body.op(OP.i64Eqz, OP.select);
    body.set(this.#result);
  }

  /** Newer of two 32-bit counters that wrap; a zero yields to the other value whole. */
  #wrappedMax(left: Push, right: Push): void {
    const { body } = this;
    left();
    body.u64(U32_MAX);
    body.op(OP.i64And);
    body.set(this.#left);
    right();
    body.u64(U32_MAX);
    body.op(OP.i64And);
    body.set(this.#right);
    // distance(from, to) = to > from ? to - from : 2^32 - 1 - from + to
    const distance = (from: number, to: number): void => {
      body.get(to);
      body.get(from);
      body.op(OP.i64Sub);
      body.u64(0n);
      body.u64(U32_MAX);
      body.get(to);
      body.get(from);
      body.op(OP.i64GtU, OP.select, OP.i64Add);
    };
    // left = 0 ? right : (right = 0 ? left : the newer half)
    right();
    left();
    body.get(this.#left);
    body.get(this.#right);
    distance(this.#right, this.#left);
    distance(this.#left, this.#right);
    body.op(OP.i64LtU, OP.select);
    right();
    body.op(OP.i64Eqz, OP.select);
    left();
    body.op(OP.i64Eqz, OP.select);
    body.set(this.#result);
  }
}

/**
 * @param keepsScratch scratch goes to memory as all else does
 * @returns the body of a function of the flow's block (i32), the time (f64, us) and flags (i32) that says what `RunProgram` does
 */
export function programBody(
  events: readonly ProgramEvent[],
  instructions: readonly Instruction[],
  keepsScratch: boolean,
): FunctionBody {
  const whole = new Generator(() => true);
  whole.program(events, instructions);
  if (keepsScratch) return whole.body;
  const lean = new Generator((word) => !isScratch(word) || whole.loaded.has(word));
  lean.program(events, instructions);
  return lean.body;
}
