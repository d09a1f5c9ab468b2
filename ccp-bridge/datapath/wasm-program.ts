/**
 * Runs programs as WebAssembly: one module per program, i64 arithmetic as libccp has it in C, registers in the flow's
 * block of the arena. Same results as the interpreter, some hundred times faster.
 *
 * Every register that the program touches has a local, kept equal to memory from its first access on: reads come from
 * the local, writes go to both.
 */

import { PRIMITIVE } from "../lang/scope.ts";
import {
  CAPACITY,
  encodeProgram,
  IMPLICIT,
  type Instruction,
  OPCODES,
  type ProgramEvent,
  REGISTER_TYPES,
} from "../program.ts";
import { DATAPATH_ERRORS } from "./datapath-errors.ts";
import { makeInterpreter, registerFile } from "./interpreter.ts";
import {
  CUT_TO_32_BITS,
  KEEP_CWND_AND_RATE,
  RUN_NOTHING,
  RUN_REPORT,
  type RunProgram,
} from "./program-runner.ts";
import { BLOCK, type RegisterArena } from "./register-arena.ts";
import { wasm } from "./wasm-api.ts";
import { F64, FunctionBody, I32, I64, makeModule, OP } from "./wasm-emitter.ts";

/** Parameters of `run`. */
const BASE = 0;
const NOW_US = 1;
const FLAGS = 2;
const U32_MAX = 0xffffffffn;

/** What says 0 or 1. */
const COMPARISONS: ReadonlySet<number> = new Set([OPCODES.equiv, OPCODES.gt, OPCODES.lt]);

/** Pushes a value on the stack. */
type Push = () => void;

class Generator {
  readonly body: FunctionBody = new FunctionBody(3);
  readonly #now: number = this.body.local(I64);
  readonly #left: number = this.body.local(I64);
  readonly #right: number = this.body.local(I64);
  readonly #result: number = this.body.local(I64);
  readonly #old: number = this.body.local(I64);
  /** word of the block -> its local */
  readonly #locals: Map<number, number> = new Map();
  /** words whose local equals memory at this point */
  #valid: Set<number> = new Set();
  /** words that hold 0 or 1 at this point: what is computed of them alone does not overflow */
  #booleans: Set<number> = new Set();

  program(events: readonly ProgramEvent[], instructions: readonly Instruction[]): void {
    const { body } = this;
    this.#prologue();
    body.block();
    for (const event of events) {
      const condition = instructions.slice(event.flagIndex, event.flagIndex + event.flagCount);
      const actions = instructions.slice(event.bodyIndex, event.bodyIndex + event.bodyCount);
      for (const instruction of condition) this.#instruction(instruction);
      this.#get(BLOCK.implicit + IMPLICIT.eventFlag);
      body.op(OP.i64Eqz, OP.i32Eqz);
      const before = new Set(this.#valid);
      const booleansBefore = new Set(this.#booleans);
      body.if();
      for (const instruction of actions) this.#instruction(instruction);
      const keepsFlag = !actions.some(
        (one) => one.resultType === REGISTER_TYPES.implicit && one.resultIndex === IMPLICIT.eventFlag,
      );
      if (keepsFlag) {
        this.#get(BLOCK.implicit + IMPLICIT.fallthrough);
        body.op(OP.i64Eqz);
        body.br(OP.brIf, 1);
      }
      body.end();
      this.#valid = before;
      for (const word of booleansBefore) if (!this.#booleans.has(word)) booleansBefore.delete(word);
      this.#booleans = booleansBefore;
      if (!keepsFlag) {
        this.#get(BLOCK.implicit + IMPLICIT.eventFlag);
        body.op(OP.i64Eqz, OP.i32Eqz);
        this.#get(BLOCK.implicit + IMPLICIT.fallthrough);
        body.op(OP.i64Eqz, OP.i32And);
        body.br(OP.brIf, 0);
      }
    }
    body.end();
    this.#epilogue();
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

  /** Memory to local. */
  #load(word: number): void {
    this.body.get(BASE);
    this.body.memory(OP.i64Load, 8 * word);
    this.body.set(this.#localOf(word));
    this.#valid.add(word);
  }

  /** A value to local and memory. */
  #store(word: number, push: Push): void {
    const { body } = this;
    body.get(BASE);
    push();
    body.tee(this.#localOf(word));
    body.memory(OP.i64Store, 8 * word);
    this.#valid.add(word);
  }

  #get(word: number): void {
    if (!this.#valid.has(word)) this.#load(word);
    this.body.get(this.#localOf(word));
  }

  /** Makes an operand available; the result pushes it, any number of times until the next write. */
  #operand(type: number, index: number): Push {
    const { body } = this;
    if (type === REGISTER_TYPES.immediate) return () => body.u64(BigInt(index));
    if (type === REGISTER_TYPES.primitive) {
      if (index >= CAPACITY.primitive) return () => body.u64(0n);
      const word = BLOCK.primitives + index;
      if (!this.#valid.has(word)) this.#loadPrimitive(word, index);
      return () => body.get(this.#localOf(word));
    }
    const file = registerFile(type)!;
    if (index >= file.size) return () => body.u64(0n);
    const word = file.word + index;
    if (!this.#valid.has(word)) this.#load(word);
    return () => body.get(this.#localOf(word));
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
   * @param isBoolean it is 0 or 1
   */
  #write(type: number, index: number, value: Push, isBoolean: boolean): void {
    const { body } = this;
    const file = registerFile(type)!;
    if (index >= file.size) return;
    this.#store(file.word + index, value);
    if (isBoolean) this.#booleans.add(file.word + index);
    else this.#booleans.delete(file.word + index);
    if (type === REGISTER_TYPES.implicit && index === IMPLICIT.micros) {
      body.get(BASE);
      body.get(this.#now);
      body.get(this.#localOf(file.word + index));
      body.op(OP.i64Sub);
      body.memory(OP.i64Store, 8 * BLOCK.microsStart);
    }
  }

  #isBoolean(type: number, index: number): boolean {
    if (type === REGISTER_TYPES.immediate) return index <= 1;
    const file = registerFile(type);
    if (file === undefined) return false;
    return index >= file.size || this.#booleans.has(file.word + index);
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
    const isRightBoolean = this.#isBoolean(instruction.rightType, instruction.rightIndex);
    if (opcode === OPCODES.bind) {
      this.#write(resultType, resultIndex, right, isRightBoolean);
      return;
    }
    const left = this.#operand(instruction.leftType, instruction.leftIndex);
    if (opcode === OPCODES.if || opcode === OPCODES.notif) {
      left();
      body.op(OP.i64Eqz);
      if (opcode === OPCODES.if) body.op(OP.i32Eqz);
      // Whether the write happens is known at run time only: valid afterwards is what was valid before.
      const before = new Set(this.#valid);
      body.if();
      this.#write(resultType, resultIndex, right, false);
      body.end();
      this.#valid = before;
      return;
    }
    const areBoolean = isRightBoolean && this.#isBoolean(instruction.leftType, instruction.leftIndex);
    this.#compute(instruction, left, right, areBoolean);
    const isBoolean = COMPARISONS.has(opcode) || (areBoolean && opcode === OPCODES.mul);
    this.#write(resultType, resultIndex, () => body.get(this.#result), isBoolean);
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
      case OPCODES.equiv:
        binary(OP.i64Eq);
        body.op(OP.i64ExtendI32U);
        finish();
        return;
      case OPCODES.gt:
        binary(OP.i64GtU);
        body.op(OP.i64ExtendI32U);
        finish();
        return;
      case OPCODES.lt:
        binary(OP.i64LtU);
        body.op(OP.i64ExtendI32U);
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
    const old = this.#operand(instruction.resultType, instruction.resultIndex);
    old();
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

/** Modules by program, and what runs them in one arena. Programs are few; a host that makes thousands starts over. */
const MAX_CACHED = 1000;
const modules: Map<string, object> = new Map();
const caches: WeakMap<RegisterArena, Map<string, RunProgram>> = new WeakMap();

/**
 * Events of a hostile message may share instructions: 255 times 255 of them would make a module of megabytes. Programs
 * of the compiler run each instruction at most once, so they have at most 255.
 */
const MAX_UNROLLED = 1000;

/** Of programs that come again as the same lists. */
const keys: WeakMap<
  readonly Instruction[],
  { readonly events: readonly ProgramEvent[]; readonly key: string }
> = new WeakMap();

function keyOf(events: readonly ProgramEvent[], instructions: readonly Instruction[]): string {
  const known = keys.get(instructions);
  if (known?.events === events) return known.key;
  const bytes = Buffer.from(encodeProgram(events, instructions).buffer);
  const key = `${events.length} ${bytes.toString("latin1")}`;
  keys.set(instructions, { events, key });
  return key;
}

const compiled: WeakSet<RunProgram> = new WeakSet();

/** Whether it is a function of a WebAssembly module, so that another module may call it. */
export function isCompiled(run: RunProgram): boolean {
  return compiled.has(run);
}

export function makeWasmProgram(
  events: readonly ProgramEvent[],
  instructions: readonly Instruction[],
  arena: RegisterArena,
): RunProgram {
  let cache = caches.get(arena);
  if (cache === undefined || cache.size >= MAX_CACHED) {
    cache = new Map();
    caches.set(arena, cache);
  }
  const key = keyOf(events, instructions);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const unrolled = events.reduce((sum, event) => sum + event.flagCount + event.bodyCount, 0);
  if (unrolled > MAX_UNROLLED) return makeInterpreter(events, instructions, arena);
  let module = modules.get(key);
  if (module === undefined) {
    if (modules.size >= MAX_CACHED) modules.clear();
    const generator = new Generator();
    generator.program(events, instructions);
    module = new wasm.Module(makeModule([I32, F64, I32], [I32], generator.body));
    modules.set(key, module);
  }
  const instance = new wasm.Instance(module, { env: { memory: arena.memory } });
  const run = instance.exports["run"] as RunProgram;
  compiled.add(run);
  cache.set(key, run);
  return run;
}
