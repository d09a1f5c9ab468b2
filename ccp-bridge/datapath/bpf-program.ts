/**
 * Programs as eBPF, for a flow of Linux TCP: the same results as the interpreter, register for register. One emitter of
 * the body, a pure function of the flow's registers, and two frames around it: a `cong_control` that is entered and left by
 * tail calls, and a program for BPF_PROG_TEST_RUN on the value of a map.
 *
 * No loops are emitted, so the verifier's work is linear; 255 instructions make some 1,800 of eBPF.
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
import { ALU, BpfCode, JUMP, type Label, R0, R1, R2, R3, R4, R5, R6, R7, R8, R9 } from "./bpf-emitter.ts";
import { DATAPATH_ERRORS } from "./datapath-errors.ts";
import { RUN_NOTHING, RUN_REPORT } from "./program-runner.ts";

/**
 * Word offsets within a flow's storage in Linux (u64 each); `testbeds/linux/bpf/ccp.bpf.c` has the same. What an ACK touches
 * lies together: control registers go down from just below the report's header, report registers up from it.
 */
export const KERNEL_FLOW = {
  /** as the program reads them, but for `Flow.rtt_sample_us`, whose 0 reads as 2^32 - 1 */
  primitives: 0,
  implicit: 15,
  temporary: 21,
  local: 29,
  /** the time at which `Micros` was 0 */
  microsStart: 37,
  nowUs: 38,
  /** RUN_NOTHING, RUN_REPORT or a negative error */
  code: 39,
  /** of the shell */
  host: 40,
  /** the first of 110, the others below */
  control: 173,
  /** what a report sends: time stamp, header of the measure message, registers */
  stamp: 174,
  header: 175,
  report: 177,
  words: 288,
} as const;

const HELPER = { tailCall: 12, skStorageGet: 107 } as const;

/** Word of a register; undefined: beyond its file, or an immediate. */
export function kernelWord(type: number, index: number): number | undefined {
  const within = (size: number, word: number): number | undefined => (index < size ? word : undefined);
  switch (type) {
    case REGISTER_TYPES.controlNonvolatile:
    case REGISTER_TYPES.controlVolatile:
      return within(CAPACITY.control, KERNEL_FLOW.control - index);
    case REGISTER_TYPES.reportNonvolatile:
    case REGISTER_TYPES.reportVolatile:
      return within(CAPACITY.report, KERNEL_FLOW.report + index);
    case REGISTER_TYPES.implicit:
      return within(CAPACITY.implicit, KERNEL_FLOW.implicit + index);
    case REGISTER_TYPES.temporary:
      return within(CAPACITY.temporary, KERNEL_FLOW.temporary + index);
    case REGISTER_TYPES.local:
      return within(CAPACITY.local, KERNEL_FLOW.local + index);
    case REGISTER_TYPES.primitive:
      return within(CAPACITY.primitive, KERNEL_FLOW.primitives + index);
    default:
      return undefined;
  }
}

/** An operand in a register, or a constant that an instruction can hold. */
type Operand = { readonly register: number } | { readonly value: number };

const MAX_HELD = 0x7fff_ffff;
const U32_MAX = 0xffff_ffff;

/** The body works on the words at R6, and leaves the code in R8. R1 to R5 and R9 are free; R7 is the frame's. */
class Body {
  readonly #code: BpfCode;
  readonly #end: Label;
  readonly #failures: Map<number, Label> = new Map();

  constructor(code: BpfCode) {
    this.#code = code;
    this.#end = code.label();
  }

  emit(events: readonly ProgramEvent[], instructions: readonly Instruction[]): void {
    const code = this.#code;
    const leave = code.label();
    for (const { flagIndex, flagCount, bodyIndex, bodyCount } of events) {
      const condition = instructions.slice(flagIndex, flagIndex + flagCount);
      const actions = instructions.slice(bodyIndex, bodyIndex + bodyCount);
      for (const instruction of condition) this.#instruction(instruction);
      const next = code.label();
      this.#implicit(R1, IMPLICIT.eventFlag);
      code.jumpIfImmediate(JUMP.equal, R1, 0, next);
      for (const instruction of actions) this.#instruction(instruction);
      // the actions of a hostile program may take the flag back
      this.#implicit(R1, IMPLICIT.eventFlag);
      code.jumpIfImmediate(JUMP.equal, R1, 0, next);
      this.#implicit(R1, IMPLICIT.fallthrough);
      code.jumpIfImmediate(JUMP.equal, R1, 0, leave);
      code.place(next);
    }
    code.place(leave);
    code.aluImmediate(ALU.mov, R8, RUN_NOTHING);
    this.#implicit(R1, IMPLICIT.report);
    code.jumpIfImmediate(JUMP.equal, R1, 0, this.#end);
    code.aluImmediate(ALU.mov, R8, RUN_REPORT);
    code.jump(this.#end);
    for (const [failure, label] of this.#failures) {
      code.place(label);
      code.aluImmediate(ALU.mov, R8, failure);
      code.jump(this.#end);
    }
    code.place(this.#end);
  }

  #implicit(target: number, index: number): void {
    this.#code.load(target, R6, 8 * (KERNEL_FLOW.implicit + index));
  }

  /** A register's or an immediate's value in `target`. */
  #read(target: number, type: number, index: number): void {
    const code = this.#code;
    if (type === REGISTER_TYPES.immediate) {
      code.moveU32(target, index);
      return;
    }
    const word = kernelWord(type, index);
    if (word === undefined) {
      code.moveU32(target, 0);
      return;
    }
    code.load(target, R6, 8 * word);
    if (type !== REGISTER_TYPES.primitive || index !== PRIMITIVE.rttSampleUs) return;
    // no sample reads as infinity, at each read
    const isThere = code.label();
    code.jumpIfImmediate(JUMP.notEqual, target, 0, isThere);
    code.moveU32(target, U32_MAX);
    code.place(isThere);
  }

  #operand(target: number, type: number, index: number): Operand {
    if (type === REGISTER_TYPES.immediate && index <= MAX_HELD) return { value: index };
    this.#read(target, type, index);
    return { register: target };
  }

  #alu(operation: number, target: number, right: Operand): void {
    if ("value" in right) this.#code.aluImmediate(operation, target, right.value);
    else this.#code.alu(operation, target, right.register);
  }

  #jumpIf(condition: number, left: number, right: Operand, to: Label): void {
    if ("value" in right) this.#code.jumpIfImmediate(condition, left, right.value, to);
    else this.#code.jumpIf(condition, left, right.register, to);
  }

  #failure(failure: number): Label {
    let label = this.#failures.get(failure);
    if (label === undefined) {
      label = this.#code.label();
      this.#failures.set(failure, label);
    }
    return label;
  }

  /** Writes beyond a file are ignored. */
  #write(type: number, index: number, source: Operand): void {
    const code = this.#code;
    const word = kernelWord(type, index);
    if (word === undefined) return;
    if ("value" in source) code.storeImmediate(R6, 8 * word, source.value);
    else code.store(R6, 8 * word, source.register);
    if (type !== REGISTER_TYPES.implicit || index !== IMPLICIT.micros) return;
    code.load(R4, R6, 8 * KERNEL_FLOW.nowUs);
    this.#alu(ALU.sub, R4, source);
    code.store(R6, 8 * KERNEL_FLOW.microsStart, R4);
  }

  #instruction(instruction: Instruction): void {
    const code = this.#code;
    const { opcode, resultType, resultIndex, leftType, leftIndex, rightType, rightIndex } = instruction;
    if (opcode === OPCODES.def) return;
    const right = this.#operand(R2, rightType, rightIndex);
    if (opcode === OPCODES.bind) {
      this.#write(resultType, resultIndex, right);
      return;
    }
    this.#read(R1, leftType, leftIndex);
    if (opcode === OPCODES.if || opcode === OPCODES.notif) {
      const skip = code.label();
      code.jumpIfImmediate(opcode === OPCODES.if ? JUMP.equal : JUMP.notEqual, R1, 0, skip);
      this.#write(resultType, resultIndex, right);
      code.place(skip);
      return;
    }
    this.#compute(instruction, right);
    this.#write(resultType, resultIndex, { register: R3 });
  }

  /** R3 := R1 op right, or out with an error. */
  #compute(instruction: Instruction, right: Operand): void {
    const code = this.#code;
    const { opcode } = instruction;
    switch (opcode) {
      case OPCODES.add:
        code.alu(ALU.mov, R3, R1);
        this.#alu(ALU.add, R3, right);
        code.jumpIf(JUMP.less, R3, R1, this.#failure(DATAPATH_ERRORS.addOverflow));
        return;
      case OPCODES.sub:
        this.#jumpIf(JUMP.less, R1, right, this.#failure(DATAPATH_ERRORS.subUnderflow));
        code.alu(ALU.mov, R3, R1);
        this.#alu(ALU.sub, R3, right);
        return;
      case OPCODES.mul:
        this.#multiply(right);
        return;
      case OPCODES.div:
        this.#divide(right);
        return;
      case OPCODES.equiv:
        this.#test(JUMP.equal, right);
        return;
      case OPCODES.gt:
        this.#test(JUMP.greater, right);
        return;
      case OPCODES.lt:
        this.#test(JUMP.less, right);
        return;
      case OPCODES.max:
      case OPCODES.min:
        this.#choose(opcode === OPCODES.max ? JUMP.greater : JUMP.less, right);
        return;
      case OPCODES.ewma:
        this.#ewma(instruction, right);
        return;
      default:
        this.#wrappedMax(right);
    }
  }

  /** libccp's imperfect test of overflow: the product is less than the left factor. */
  #multiply(right: Operand): void {
    const code = this.#code;
    code.alu(ALU.mov, R3, R1);
    this.#alu(ALU.mul, R3, right);
    if ("value" in right && right.value === 0) return;
    const fits = code.label();
    code.jumpIf(JUMP.greaterOrEqual, R3, R1, fits);
    this.#jumpIfNotZero(right, this.#failure(DATAPATH_ERRORS.mulOverflow));
    code.place(fits);
  }

  #jumpIfNotZero(right: Operand, to: Label): void {
    if ("value" in right) this.#code.jump(to);
    else this.#code.jumpIfImmediate(JUMP.notEqual, right.register, 0, to);
  }

  /** eBPF itself says 0 where the divisor is 0. */
  #divide(right: Operand): void {
    const code = this.#code;
    if ("register" in right) {
      code.jumpIfImmediate(JUMP.equal, right.register, 0, this.#failure(DATAPATH_ERRORS.divisionByZero));
    } else if (right.value === 0) {
      // the verifier refuses it, and it refuses code that is never reached
      code.moveU32(R2, 0);
      code.jumpIfImmediate(JUMP.equal, R2, 0, this.#failure(DATAPATH_ERRORS.divisionByZero));
    }
    code.alu(ALU.mov, R3, R1);
    this.#alu(ALU.div, R3, "value" in right && right.value === 0 ? { register: R2 } : right);
  }

  /** R3 := whether */
  #test(condition: number, right: Operand): void {
    const code = this.#code;
    const isTrue = code.label();
    code.moveU32(R3, 1);
    this.#jumpIf(condition, R1, right, isTrue);
    code.moveU32(R3, 0);
    code.place(isTrue);
  }

  /** R3 := condition ? R1 : right */
  #choose(condition: number, right: Operand): void {
    const code = this.#code;
    const isLeft = code.label();
    code.alu(ALU.mov, R3, R1);
    this.#jumpIf(condition, R1, right, isLeft);
    this.#alu(ALU.mov, R3, right);
    code.place(isLeft);
  }

  /** old = 0: the new value; else (k old + (10 - k) new) / 10, wrapping. */
  #ewma({ resultType, resultIndex }: Instruction, right: Operand): void {
    const code = this.#code;
    const isFirst = code.label();
    this.#alu(ALU.mov, R3, right);
    this.#read(R4, resultType, resultIndex);
    code.jumpIfImmediate(JUMP.equal, R4, 0, isFirst);
    code.alu(ALU.mul, R4, R1);
    code.aluImmediate(ALU.mov, R5, 10);
    code.alu(ALU.sub, R5, R1);
    code.alu(ALU.mul, R3, R5);
    code.alu(ALU.add, R3, R4);
    code.aluImmediate(ALU.div, R3, 10);
    code.place(isFirst);
  }

  /** Newer of two 32-bit counters that wrap; a zero yields to the other value whole. */
  #wrappedMax(right: Operand): void {
    const code = this.#code;
    if ("value" in right) code.moveU32(R2, right.value);
    const [done, isLeft] = [code.label(), code.label()];
    code.alu(ALU.mov, R3, R2);
    code.jumpIfImmediate(JUMP.equal, R1, 0, done);
    code.alu(ALU.mov, R3, R1);
    code.jumpIfImmediate(JUMP.equal, R2, 0, done);
    code.moveLow32(R1, R1);
    code.moveLow32(R2, R2);
    this.#distance(R4, R2, R1);
    this.#distance(R5, R1, R2);
    code.alu(ALU.mov, R3, R1);
    code.jumpIf(JUMP.less, R4, R5, isLeft);
    code.alu(ALU.mov, R3, R2);
    code.place(isLeft);
    code.place(done);
  }

  /** target := to > from ? to - from : 2^32 - 1 - from + to */
  #distance(target: number, from: number, to: number): void {
    const code = this.#code;
    const isAhead = code.label();
    code.alu(ALU.mov, target, to);
    code.alu(ALU.sub, target, from);
    code.jumpIf(JUMP.greater, to, from, isAhead);
    code.moveU32(R9, U32_MAX);
    code.alu(ALU.add, target, R9);
    code.place(isAhead);
  }
}

function storeCode(code: BpfCode): void {
  code.store(R6, 8 * KERNEL_FLOW.code, R8);
}

/**
 * A `cong_control` that a tail call enters: runs the program on the socket's storage and leaves by a tail call.
 * @param maps descriptors: socket storage with the flows, program array
 * @param next where in the array what follows is
 */
export function bpfCongControl(
  events: readonly ProgramEvent[],
  instructions: readonly Instruction[],
  maps: { readonly flows: number; readonly jumps: number },
  next: number,
): Uint8Array {
  const code = new BpfCode();
  const isThere = code.label();
  code.alu(ALU.mov, R7, R1);
  code.load(R2, R7, 0);
  code.loadMap(R1, maps.flows);
  code.moveU32(R3, 0);
  code.moveU32(R4, 0);
  code.call(HELPER.skStorageGet);
  code.jumpIfImmediate(JUMP.notEqual, R0, 0, isThere);
  code.exit();
  code.place(isThere);
  code.alu(ALU.mov, R6, R0);
  new Body(code).emit(events, instructions);
  storeCode(code);
  code.alu(ALU.mov, R1, R7);
  code.loadMap(R2, maps.jumps);
  code.moveU32(R3, next);
  code.call(HELPER.tailCall);
  code.moveU32(R0, 0);
  code.exit();
  return code.bytes();
}

/** For BPF_PROG_TEST_RUN. @param registers descriptor of an array map whose first value has the flow's words */
export function bpfTestProgram(
  events: readonly ProgramEvent[],
  instructions: readonly Instruction[],
  registers: number,
): Uint8Array {
  const code = new BpfCode();
  code.loadMapValue(R6, registers);
  new Body(code).emit(events, instructions);
  storeCode(code);
  code.moveU32(R0, 0);
  code.exit();
  return code.bytes();
}
