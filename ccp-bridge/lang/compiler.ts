/**
 * Compiles a datapath program to libccp's instructions, byte for byte as Portus 0.8 does: `def`s in byte order of the
 * names, then condition and body of each event, every expression in post-order with its own temporaries.
 * Refuses what Portus refuses, what would make it panic, and what libccp cannot run.
 */
import {
  CAPACITY,
  encodeProgram,
  IMPLICIT,
  INFINITY_IMMEDIATE,
  type Instruction,
  MAX_EVENTS,
  MAX_INSTRUCTIONS,
  OPCODES,
  type ProgramEvent,
  REGISTER_TYPES,
} from "../program.ts";
import { CompileError, type CompileWarning, positionOf } from "./compile-error.ts";
import { type CommentPlaces, parseProgram } from "./parser.ts";
import { type Register, Scope, type ValueType, wireType } from "./scope.ts";
import { suggestName } from "./suggest.ts";
import type { Expression, ProgramSyntax } from "./syntax-tree.ts";
import { INFINITY_VALUE, type Operator } from "./tokens.ts";

export interface CompiledProgram {
  readonly events: readonly ProgramEvent[];
  readonly instructions: readonly Instruction[];
  readonly scope: Scope;
  /** events and instructions as an install message carries them */
  readonly bytes: Uint8Array;
  /** report fields that each report carries: the report variables with an initial value */
  readonly reportFieldCount: number;
  /** whether it says `(report)` anywhere */
  readonly reports: boolean;
  /** undeclared names, glued words, updates without a variable, reports that carry nothing; in order of place */
  readonly warnings: readonly CompileWarning[];
}

export interface CompileOptions {
  /**
   * `strict` (the default) also refuses `(report)` in a program without report fields: agents read such a report as
   * the end of the flow. `libccp` accepts it, as Portus does.
   */
  mode?: "strict" | "libccp";
  /** Where comments may stand; `portus` refuses those that Portus refuses. Default: anywhere. */
  comments?: CommentPlaces;
}

/** Portus: the largest immediate that is not `+infinity`. */
const MAX_IMMEDIATE = 2n ** 31n - 1n;
/** Portus: register indexes on the wire. Locals have room for 8 in libccp, Portus stops at 6. */
const MAX_INDEX = { control: 15, report: 15, local: 5, implicit: 5, primitive: 15 } as const;

interface OperatorRule {
  readonly opcode: number;
  readonly arguments: ValueType;
  readonly result: ValueType;
}

const numeric = (opcode: number): OperatorRule => ({ opcode, arguments: "number", result: "number" });
const comparison = (opcode: number): OperatorRule => ({ opcode, arguments: "number", result: "boolean" });

/** Operators with two arguments and a value. `and` is a product, `or` a sum. */
const VALUE_OPERATORS: Partial<Record<Operator, OperatorRule>> = {
  add: numeric(OPCODES.add),
  sub: numeric(OPCODES.sub),
  mul: numeric(OPCODES.mul),
  div: numeric(OPCODES.div),
  max: numeric(OPCODES.max),
  min: numeric(OPCODES.min),
  maxwrap: numeric(OPCODES.maxwrap),
  gt: comparison(OPCODES.gt),
  lt: comparison(OPCODES.lt),
  equiv: comparison(OPCODES.equiv),
  and: { opcode: OPCODES.mul, arguments: "boolean", result: "boolean" },
  or: { opcode: OPCODES.add, arguments: "boolean", result: "boolean" },
};

/** Operators whose instruction writes straight into the variable that they are bound to. */
const ASSIGNING_OPERATORS: Partial<Record<Operator, number>> = {
  if: OPCODES.if,
  notif: OPCODES.notif,
  ewma: OPCODES.ewma,
};

/** Where a compiled expression left its value. */
type Operand =
  | { readonly kind: "immediate"; readonly value: bigint; readonly type: ValueType; readonly offset: number }
  | { readonly kind: "register"; readonly register: Register; readonly offset: number }
  | { readonly kind: "temporary"; readonly index: number; readonly type: ValueType; readonly offset: number }
  | { readonly kind: "flag"; readonly index: number; readonly offset: number }
  /** `if`, `!if`, `ewma`: the last instruction still needs its result */
  | { readonly kind: "unbound"; readonly operator: Operator; readonly offset: number };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Compiler {
  readonly #source: string;
  readonly #scope: Scope;
  readonly #instructions: Mutable<Instruction>[] = [];
  #temporaries = 0;

  constructor(source: string, scope: Scope) {
    this.#source = source;
    this.#scope = scope;
  }

  definitions(): void {
    const defined = this.#scope.declared.filter((one) => one.initial !== undefined);
    // Of a name declared twice the later one is initialised first, as in Portus.
    defined.sort((a, b) => compareCodePoints(a.name, b.name) || b.index - a.index);
    for (const register of defined) {
      const offset = register.offset!;
      const [type, index] = this.#encode({ kind: "register", register, offset });
      const [rightType, rightIndex] = this.#encodeImmediate(register.initial!, offset);
      this.#push(OPCODES.def, type, index, type, index, rightType, rightIndex);
    }
  }

  event(condition: Expression, body: readonly Expression[]): ProgramEvent {
    const flagIndex = this.#instructions.length;
    this.#condition(condition);
    const bodyIndex = this.#instructions.length;
    for (const expression of body) {
      this.#temporaries = 0;
      const operand = this.#expression(expression, false);
      if (operand.kind === "unbound") {
        throw this.#error(
          `\`${operand.operator}\` must be bound to a report or control variable`,
          operand.offset,
        );
      }
    }
    const end = this.#instructions.length;
    return { flagIndex, flagCount: bodyIndex - flagIndex, bodyIndex, bodyCount: end - bodyIndex };
  }

  get instructions(): readonly Instruction[] {
    return this.#instructions;
  }

  #condition(condition: Expression): void {
    const flag = [REGISTER_TYPES.implicit, IMPLICIT.eventFlag] as const;
    if (condition.kind === "boolean") {
      this.#push(OPCODES.bind, ...flag, ...flag, REGISTER_TYPES.immediate, condition.value ? 1 : 0);
      return;
    }
    this.#temporaries = 0;
    const operand = condition.kind === "operation" ? this.#expression(condition, true) : undefined;
    if (operand?.kind !== "temporary" || operand.type !== "boolean") {
      const hint = condition.kind === "name" ? `; write \`(&& ${condition.name} true)\`` : "";
      throw this.#error(
        `a condition must be \`true\`, \`false\`, a comparison, \`&&\` or \`||\`${hint}`,
        condition.offset,
      );
    }
    const last = this.#instructions[this.#instructions.length - 1]!;
    last.resultType = flag[0];
    last.resultIndex = flag[1];
  }

  #expression(expression: Expression, inCondition: boolean): Operand {
    const { offset } = expression;
    switch (expression.kind) {
      case "number":
        return { kind: "immediate", value: expression.value, type: "number", offset };
      case "boolean":
        return { kind: "immediate", value: expression.value ? 1n : 0n, type: "boolean", offset };
      case "name":
        return { kind: "register", register: this.#scope.resolve(expression.name, offset), offset };
      case "command": {
        if (inCondition) throw this.#error(`\`(${expression.command})\` cannot stand in a condition`, offset);
        const index = expression.command === "report" ? IMPLICIT.report : IMPLICIT.fallthrough;
        const flag = [REGISTER_TYPES.implicit, index] as const;
        this.#push(OPCODES.bind, ...flag, ...flag, REGISTER_TYPES.immediate, 1);
        return { kind: "flag", index, offset };
      }
      case "operation": {
        const left = this.#expression(expression.left, inCondition);
        const right = this.#expression(expression.right, inCondition);
        if (expression.operator === "bind") return this.#bind(left, right);
        const assigning = ASSIGNING_OPERATORS[expression.operator];
        if (assigning !== undefined) {
          for (const operand of [left, right]) this.#refuseUnbound(operand, expression.operator);
          // The result is filled in by the bind around it.
          this.#push(assigning, -1, 0, ...this.#encode(left), ...this.#encode(right));
          return { kind: "unbound", operator: expression.operator, offset };
        }
        const rule = VALUE_OPERATORS[expression.operator]!;
        for (const operand of [left, right]) this.#demand(operand, rule.arguments, expression.operator);
        const index = this.#temporaries++;
        if (index >= CAPACITY.temporary) {
          throw this.#error(
            `an expression with more than ${CAPACITY.temporary} intermediate results; split it`,
            offset,
          );
        }
        const result = [REGISTER_TYPES.temporary, index] as const;
        this.#push(rule.opcode, ...result, ...this.#encode(left), ...this.#encode(right));
        return { kind: "temporary", index, type: rule.result, offset };
      }
    }
  }

  #bind(left: Operand, right: Operand): Operand {
    const register = left.kind === "register" ? left.register : undefined;
    if (left.kind === "unbound" || left.kind === "immediate" || register?.file === "primitive") {
      const what = register === undefined ? "a value" : `the primitive \`${register.name}\``;
      throw this.#error(`only a variable can be bound, not ${what}`, left.offset);
    }
    if (right.kind === "unbound") {
      if (register?.file !== "report" && register?.file !== "control") {
        throw this.#error(
          `\`${right.operator}\` can only be bound to a report or control variable`,
          left.offset,
        );
      }
      const last = this.#instructions[this.#instructions.length - 1]!;
      [last.resultType, last.resultIndex] = this.#encode(left);
      return left;
    }
    if (register?.file === "local" && register.type === "untyped") {
      register.type = typeOf(right);
      if (right.kind === "immediate") register.initial = right.value;
      else if (right.kind === "register") register.initial = right.register.initial;
    }
    const [type, index] = this.#encode(left);
    this.#push(OPCODES.bind, type, index, type, index, ...this.#encode(right));
    return left;
  }

  #demand(operand: Operand, wanted: ValueType, operator: Operator): void {
    this.#refuseUnbound(operand, operator);
    const type = typeOf(operand);
    if (type === wanted) return;
    const register = operand.kind === "register" ? operand.register : undefined;
    if (register?.file === "local" && type === "untyped") {
      const known = [...this.#scope.registers.keys()].filter((name) => name !== register.name);
      const near = suggestName(register.name, known);
      const hint = near === undefined ? "" : `; did you mean \`${near}\`?`;
      throw this.#error(
        `\`${operator}\`: \`${register.name}\` is not declared and has no value${hint}`,
        operand.offset,
      );
    }
    throw this.#error(`\`${operator}\` expects a ${wanted}, got a ${type} value`, operand.offset);
  }

  #refuseUnbound(operand: Operand, operator: Operator): void {
    if (operand.kind === "unbound") {
      throw this.#error(
        `\`${operand.operator}\` has no value of its own: bind it to a variable first, not to an argument of \`${operator}\``,
        operand.offset,
      );
    }
  }

  #encode(operand: Operand): [type: number, index: number] {
    switch (operand.kind) {
      case "immediate":
        return this.#encodeImmediate(operand.value, operand.offset);
      case "temporary":
        return [REGISTER_TYPES.temporary, operand.index];
      case "flag":
        return [REGISTER_TYPES.implicit, operand.index];
      case "register": {
        const { file, index, name } = operand.register;
        if (index > MAX_INDEX[file]) {
          const message = `\`${name}\` is one ${file} variable too many: there are ${MAX_INDEX[file] + 1}`;
          throw this.#error(message, operand.offset);
        }
        return [wireType(operand.register), index];
      }
      case "unbound":
        throw this.#error(`\`${operand.operator}\` must be bound`, operand.offset);
    }
  }

  #encodeImmediate(value: bigint, offset: number): [type: number, value: number] {
    if (value === INFINITY_VALUE) return [REGISTER_TYPES.immediate, INFINITY_IMMEDIATE];
    if (value > MAX_IMMEDIATE) {
      throw this.#error(`the number ${value} is above ${MAX_IMMEDIATE}, the largest there is`, offset);
    }
    return [REGISTER_TYPES.immediate, Number(value)];
  }

  #push(
    opcode: number,
    resultType: number,
    resultIndex: number,
    leftType: number,
    leftIndex: number,
    rightType: number,
    rightIndex: number,
  ): void {
    this.#instructions.push({
      opcode,
      resultType,
      resultIndex,
      leftType,
      leftIndex,
      rightType,
      rightIndex,
    });
  }

  #error(what: string, offset: number): CompileError {
    return new CompileError(what, this.#source, offset);
  }
}

function typeOf(operand: Operand): ValueType {
  switch (operand.kind) {
    case "immediate":
    case "temporary":
      return operand.type;
    case "register":
      return operand.register.type;
    case "flag":
      return "boolean";
    case "unbound":
      return "untyped";
  }
}

/** UTF-8 byte order. */
function compareCodePoints(a: string, b: string): number {
  const left = Array.from(a, (character) => character.codePointAt(0)!);
  const right = Array.from(b, (character) => character.codePointAt(0)!);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]! - right[i]!;
  }
  return left.length - right.length;
}

function applyUpdates(
  scope: Scope,
  updates: Readonly<Record<string, number | bigint>>,
  source: string,
  warnings: CompileWarning[],
): void {
  for (const [name, value] of Object.entries(updates)) {
    const register = scope.registers.get(name);
    if (register === undefined || (register.file !== "control" && register.file !== "report")) {
      const message = `update of \`${name}\` skipped: no such control or report variable`;
      warnings.push({ message, isMistake: true, ...positionOf(source, 0) });
      continue;
    }
    if (typeof value === "number" && !Number.isSafeInteger(value)) {
      throw new CompileError(
        `update of \`${name}\`: got ${value}, expected a whole number`,
        source,
        register.offset!,
      );
    }
    if (value < 0) throw new CompileError(`update of \`${name}\`: negative`, source, register.offset!);
    register.initial = BigInt(value);
    register.type = "number";
  }
}

function warnOfLocals(scope: Scope, program: ProgramSyntax, source: string): CompileWarning[] {
  const bound = new Set<string>();
  const visit = (expression: Expression): void => {
    if (expression.kind !== "operation") return;
    if (expression.operator === "bind" && expression.left.kind === "name") bound.add(expression.left.name);
    visit(expression.left);
    visit(expression.right);
  };
  for (const event of program.events) for (const one of [event.condition, ...event.body]) visit(one);
  const known = [...scope.registers.values()].filter((one) => one.file !== "local").map((one) => one.name);
  return scope.locals.map((local) => {
    const near = suggestName(local.name, known);
    const hint = near === undefined ? "" : ` (did you mean \`${near}\`?)`;
    const state = bound.has(local.name) ? "a local variable" : "never bound, so it reads 0";
    const message = `\`${local.name}\` is not declared: ${state}${hint}`;
    // nobody calls a variable of one's own as the datapath calls its
    const isMistake = !bound.has(local.name) || local.name.includes(".");
    return { message, isMistake, ...positionOf(source, local.offset ?? 0) };
  });
}

function warnOfGlued(program: ProgramSyntax, source: string): CompileWarning[] {
  return program.glued.map(({ word, offset, end }) => {
    const glued = (/^[^\s()#]+/.exec(source.slice(end)) ?? [""])[0];
    const message = `\`${word}${glued}\` reads as \`${word} ${glued}\`: words need no space after them`;
    return { message, isMistake: true, ...positionOf(source, offset) };
  });
}

/**
 * Compiles a program text.
 * @param updates new initial values of declared variables; other names are skipped with a warning
 * @throws CompileError with line and column
 */
export function compileProgram(
  source: string,
  updates: Readonly<Record<string, number | bigint>> = {},
  options: CompileOptions = {},
): CompiledProgram {
  const program = parseProgram(source, options.comments);
  const warnings: CompileWarning[] = [];
  const scope = new Scope(program);
  applyUpdates(scope, updates, source, warnings);
  const compiler = new Compiler(source, scope);
  compiler.definitions();
  const events = program.events.map((event) => compiler.event(event.condition, event.body));
  const { instructions } = compiler;
  if (instructions.length > MAX_INSTRUCTIONS || events.length > MAX_EVENTS) {
    throw new CompileError(
      `the program has ${instructions.length} instructions in ${events.length} events, libccp runs at most ${MAX_INSTRUCTIONS}`,
      source,
      0,
    );
  }
  const reportFieldCount = scope.declared.filter(
    (one) => one.file === "report" && one.initial !== undefined,
  ).length;
  const reportAt = findReport(program);
  if (reportAt !== undefined && reportFieldCount === 0) {
    const message = "`(report)` without report variables would look like the end of the flow";
    if ((options.mode ?? "strict") === "strict") throw new CompileError(message, source, reportAt);
    warnings.push({ message, isMistake: true, ...positionOf(source, reportAt) });
  }
  const bytes = encodeProgram(events, instructions);
  return {
    events,
    instructions,
    scope,
    bytes,
    reportFieldCount,
    reports: reportAt !== undefined,
    // who runs a program asks for none: comparing names letter by letter takes longer than the rest
    get warnings(): readonly CompileWarning[] {
      return [...warnings, ...warnOfLocals(scope, program, source), ...warnOfGlued(program, source)].sort(
        (a, b) => a.line - b.line || a.column - b.column,
      );
    },
  };
}

function findReport(program: ProgramSyntax): number | undefined {
  const find = (expression: Expression): number | undefined => {
    if (expression.kind === "command" && expression.command === "report") return expression.offset;
    if (expression.kind !== "operation") return undefined;
    return find(expression.left) ?? find(expression.right);
  };
  for (const event of program.events) {
    for (const one of event.body) {
      const offset = find(one);
      if (offset !== undefined) return offset;
    }
  }
  return undefined;
}
