/** A compiled program as plain data: what `ccpark ccp compile --json` prints. */
import type { CompiledProgram } from "./compiler.ts";
import { toHex } from "./hex.ts";
import type { Register, Scope } from "./scope.ts";

/** A variable. Locals are never volatile and have a type and an `init` from what they are first bound to, if at all. */
export interface RegisterDescription {
  readonly file: string;
  readonly index: number;
  /** `none`: declared without a value; `name`: a local that is never bound */
  readonly type: "num" | "bool" | "none" | "name";
  readonly init?: string;
  readonly volatile?: boolean;
}

export interface ProgramDescription {
  /** per event: first instruction and count of the condition, then of the body */
  readonly events: number[][];
  /** per instruction: opcode, then type and index of result, left and right */
  readonly instrs: number[][];
  readonly hex: string;
  readonly registers: Record<
    string,
    RegisterDescription | readonly (RegisterDescription & { readonly name: string })[]
  >;
}

const TYPES = { number: "num", boolean: "bool" } as const;

function describeRegister(register: Register): RegisterDescription {
  const { file, index, type, initial, volatile } = register;
  const untyped = file === "local" ? "name" : "none";
  const value = type === "boolean" ? String(initial !== 0n) : String(initial);
  return {
    file,
    index,
    type: type === "untyped" ? untyped : TYPES[type],
    ...(initial === undefined || type === "untyped" ? {} : { init: value }),
    ...(file === "local" ? {} : { volatile }),
  };
}

/** Declared variables and locals by name; variables hidden by a later one of their name under `__duplicates__`. */
export function describeRegisters(scope: Scope): ProgramDescription["registers"] {
  const visible = [...scope.registers.values()].filter(
    ({ file }) => file !== "primitive" && file !== "implicit",
  );
  visible.sort((a, b) => (a.name < b.name ? -1 : 1));
  const registers: ProgramDescription["registers"] = {};
  for (const register of visible) registers[register.name] = describeRegister(register);
  const hidden = scope.declared.filter((one) => scope.registers.get(one.name) !== one);
  if (hidden.length > 0) {
    registers["__duplicates__"] = hidden.map((one) => ({ name: one.name, ...describeRegister(one) }));
  }
  return registers;
}

export function describeProgram(program: CompiledProgram): ProgramDescription {
  return {
    events: program.events.map((one) => [one.flagIndex, one.flagCount, one.bodyIndex, one.bodyCount]),
    instrs: program.instructions.map((one) => [
      one.opcode,
      one.resultType,
      one.resultIndex,
      one.leftType,
      one.leftIndex,
      one.rightType,
      one.rightIndex,
    ]),
    hex: toHex(program.bytes),
    registers: describeRegisters(program.scope),
  };
}
