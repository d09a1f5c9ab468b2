/**
 * Statements of the datapath language, `(:= NAME EXPRESSION)`, which run here as they do in a datapath: what a tree is fitted to and
 * what its program looks at are computed by one text. Numbers are whole and unsigned; what a datapath would abandon its run for throws.
 */
import { parseProgram } from "../../ccp-bridge/lang/parser.ts";
import type { Expression, Operation } from "../../ccp-bridge/lang/syntax-tree.ts";
import type { Operator } from "../../ccp-bridge/lang/tokens.ts";
import { assert } from "../../core/errors.ts";

/** By name; a name that is not there is 0. */
export type Registers = Record<string, bigint>;

export interface Statement {
  /** of what is bound */
  readonly target: string;
  /** names in its expression */
  readonly reads: ReadonlySet<string>;
  /** `if` or `ewma`: only report and control variables can be bound to it, and keep what they were */
  readonly isPartial: boolean;
  run(registers: Registers): void;
  /** @param nameOf the register of a name */
  print(nameOf: (name: string) => string): string;
}

const U64 = 2n ** 64n;

/** @throws AssertionError where a datapath gives up */
function within(value: bigint): bigint {
  assert(value >= 0n && value < U64, `a statement of a tree leaves unsigned 64 bits: ${value}`);
  return value;
}

const OPERATIONS: Partial<Record<Operator, (left: bigint, right: bigint) => bigint>> = {
  add: (left, right) => within(left + right),
  sub: (left, right) => within(left - right),
  mul: (left, right) => within(left * right),
  div: (left, right) => {
    assert(right > 0n, "a statement of a tree divides by 0");
    return left / right;
  },
  // Math.max has no bigints
  max: (left, right) => {
    if (left > right) return left;
    return right;
  },
  min: (left, right) => {
    if (left < right) return left;
    return right;
  },
  gt: (left, right) => (left > right ? 1n : 0n),
  lt: (left, right) => (left < right ? 1n : 0n),
  equiv: (left, right) => (left === right ? 1n : 0n),
  and: (left, right) => left * right,
  or: (left, right) => left + right,
};

type Run = (registers: Registers) => bigint;

function compiled(expression: Expression): Run {
  switch (expression.kind) {
    case "number": {
      const { value } = expression;
      return () => value;
    }
    case "name": {
      const { name } = expression;
      return (registers) => registers[name] ?? 0n;
    }
    case "operation": {
      const operation = OPERATIONS[expression.operator];
      assert(operation !== undefined, `no statement of a tree has \`${expression.spelling}\` there`);
      const [left, right] = [compiled(expression.left), compiled(expression.right)];
      return (registers) => operation(left(registers), right(registers));
    }
    default:
      throw new Error(`no statement of a tree has a ${expression.kind}`);
  }
}

function namesIn(expression: Expression, found: Set<string> = new Set()): Set<string> {
  if (expression.kind === "name") found.add(expression.name);
  if (expression.kind === "operation") {
    namesIn(expression.left, found);
    namesIn(expression.right, found);
  }
  return found;
}

function printed(expression: Expression, nameOf: (name: string) => string): string {
  switch (expression.kind) {
    case "number":
      return String(expression.value);
    case "name":
      return nameOf(expression.name);
    case "operation":
      return `(${expression.spelling} ${printed(expression.left, nameOf)} ${printed(expression.right, nameOf)})`;
    default:
      throw new Error(`no statement of a tree has a ${expression.kind}`);
  }
}

/** What a partial statement binds: undefined leaves the register as it was. */
function partial(
  { operator, left, right }: Operation,
  target: string,
): (registers: Registers) => bigint | undefined {
  const [first, second] = [compiled(left), compiled(right)];
  if (operator === "if") {
    // eager, as a datapath is
    return (registers) => {
      const [condition, value] = [first(registers), second(registers)];
      return condition === 0n ? undefined : value;
    };
  }
  return (registers) => {
    const [k, value, old] = [first(registers), second(registers), registers[target] ?? 0n];
    return old === 0n ? value : (k * old + (10n - k) * value) / 10n;
  };
}

function statementOf(expression: Expression): Statement {
  assert(
    expression.kind === "operation" && expression.operator === "bind" && expression.left.kind === "name",
    "a statement of a tree binds a name",
  );
  const { left, right } = expression;
  const target = left.name;
  const isPartial = right.kind === "operation" && (right.operator === "if" || right.operator === "ewma");
  const value = isPartial ? partial(right, target) : compiled(right);
  return {
    target,
    reads: namesIn(right),
    isPartial,
    run(registers) {
      const bound = value(registers);
      if (bound !== undefined) registers[target] = bound;
    },
    print: (nameOf) => printed(expression, nameOf),
  };
}

/** @param text statements one after the other */
export function parseStatements(text: string): Statement[] {
  return parseProgram(`(def)(when true ${text})`).events[0]!.body.map(statementOf);
}

/**
 * Those statements that count for some names: what is kept from run to run may be read before it is bound.
 * @param wanted changed: all names that count
 */
export function neededFor(statements: readonly Statement[], wanted: Set<string>): Statement[] {
  for (let before = -1; before !== wanted.size; ) {
    before = wanted.size;
    for (const { target, reads } of statements) {
      if (!wanted.has(target)) continue;
      for (const name of reads) wanted.add(name);
    }
  }
  return statements.filter(({ target }) => wanted.has(target));
}
