/**
 * Formulas over named numbers, in mathjs's syntax (https://mathjs.org/docs/expressions/syntax.html). mathjs only parses: its
 * tree is compiled here, once, to closures over the operators and functions below. That is faster than its own compiled
 * form, has the same bits on every machine (`math.ts`), and leaves nothing to be disabled: there are no assignments, units,
 * matrices, texts, properties, and no `import`, `evaluate` or `parse`. Truth is 1, and what is not 0 is true.
 */
import { CcparkError, clipped, nearestName, UnknownName } from "./errors.ts";
import { parseSyntax, type SyntaxNode } from "./formula-parser-files.ts";
import { cbrt, exp, log, log2, pow, tanh } from "./math.ts";

/** A number that a formula may name. */
export interface Variable<S> {
  readonly name: string;
  readonly unit: string;
  /** range */
  readonly low: number;
  readonly high: number;
  readonly definition: string;
  of(subject: S): number;
}

type Compute<S> = (subject: S) => number;

/** A summand of a formula. */
export interface Term<S> {
  readonly text: string;
  readonly of: Compute<S>;
}

export interface Formula<S> {
  readonly text: string;
  /** what it reads, each once */
  readonly variables: readonly Variable<S>[];
  /** they add up to the formula, in this order, bit by bit */
  readonly terms: readonly Term<S>[];
  readonly of: Compute<S>;
}

/** Longest formula; a client's text is parsed by a server. */
const MAX_LENGTH = 1000;

type Compile = <S>(...args: Compute<S>[]) => Compute<S>;

interface Callable {
  /** least and most arguments */
  readonly arity: readonly [number, number];
  readonly compile: Compile;
}

const one = (of: (x: number) => number): Callable => ({
  arity: [1, 1],
  compile: (a) => (s) => of(a!(s)),
});

const two = (of: (x: number, y: number) => number): Callable => ({
  arity: [2, 2],
  compile: (a, b) => (s) => of(a!(s), b!(s)),
});

const fold = (of: (x: number, y: number) => number): Callable => ({
  arity: [1, Number.POSITIVE_INFINITY],
  compile: (first, ...others) =>
    others.length === 1
      ? (s) => of(first!(s), others[0]!(s))
      : (s) => others.reduce((sum, each) => of(sum, each(s)), first!(s)),
});

const truth = (is: (x: number, y: number) => boolean): Callable => two((x, y) => (is(x, y) ? 1 : 0));

/** Whole exponents by multiplication: exact where it can be, and of negative numbers too. */
function power(base: number, exponent: number): number {
  if (!Number.isInteger(exponent) || Math.abs(exponent) > 64) return pow(base, exponent);
  let product = 1;
  for (let i = Math.abs(exponent); i > 0; i--) product *= base;
  return exponent < 0 ? 1 / product : product;
}

/** As mathjs has it: the sign of the divisor. */
const modulo = (x: number, y: number): number => (y === 0 ? x : x - y * Math.floor(x / y));

const LN10 = log(10);

const FUNCTIONS: ReadonlyMap<string, Callable> = new Map<string, Callable>([
  ["abs", one(Math.abs)],
  ["cbrt", one(cbrt)],
  ["ceil", one(Math.ceil)],
  ["exp", one(exp)],
  ["floor", one(Math.floor)],
  [
    "log",
    {
      arity: [1, 2],
      compile: (x, base) => (base === undefined ? (s) => log(x!(s)) : (s) => log(x!(s)) / log(base(s))),
    },
  ],
  ["log10", one((x) => log(x) / LN10)],
  ["log2", one(log2)],
  ["max", fold(Math.max)],
  ["min", fold(Math.min)],
  ["mod", two(modulo)],
  ["pow", two(power)],
  ["round", one(Math.round)],
  ["sign", one(Math.sign)],
  ["sqrt", one(Math.sqrt)],
  ["tanh", one(tanh)],
]);
export const FORMULA_FUNCTIONS: readonly string[] = [...FUNCTIONS.keys()];

/** By mathjs's names of them. */
const OPERATORS: ReadonlyMap<string, Callable> = new Map<string, Callable>([
  ["add", two((x, y) => x + y)],
  ["subtract", two((x, y) => x - y)],
  ["multiply", two((x, y) => x * y)],
  ["divide", two((x, y) => x / y)],
  ["mod", two(modulo)],
  ["pow", two(power)],
  ["unaryMinus", one((x) => -x)],
  ["unaryPlus", one((x) => x)],
  ["smaller", truth((x, y) => x < y)],
  ["smallerEq", truth((x, y) => x <= y)],
  ["larger", truth((x, y) => x > y)],
  ["largerEq", truth((x, y) => x >= y)],
  ["equal", truth((x, y) => x === y)],
  ["unequal", truth((x, y) => x !== y)],
  ["and", truth((x, y) => x !== 0 && y !== 0)],
  ["or", truth((x, y) => x !== 0 || y !== 0)],
  ["not", one((x) => (x === 0 ? 1 : 0))],
]);

const CONSTANTS: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

/** What a formula has none of, in a reader's words, by the types of mathjs's tree. */
const FOREIGN: Readonly<Record<string, string>> = {
  AccessorNode: "a property",
  ArrayNode: "a list",
  AssignmentNode: "an assignment (`==` compares)",
  BlockNode: "several expressions",
  FunctionAssignmentNode: "a definition of a function",
  IndexNode: "an index",
  ObjectNode: "an object",
  RangeNode: "a range",
  RelationalNode: "a chain of comparisons (write `a < b and b < c`)",
};

/** What the messages of a formula name it by. */
export interface Owner {
  /** part of the house, such as `env` */
  readonly part: string;
  /** such as `reward` */
  readonly what: string;
  /** what lists the variables, such as `ccpark explain facts` */
  readonly listedBy: string;
}

class Compiler<S> {
  readonly read = new Set<Variable<S>>();
  readonly #variables: ReadonlyMap<string, Variable<S>>;
  readonly #refuse: (why: string) => CcparkError;
  readonly #unknown: (what: string, name: string, known: readonly string[]) => CcparkError;

  constructor(text: string, variables: ReadonlyMap<string, Variable<S>>, { part, what, listedBy }: Owner) {
    this.#variables = variables;
    const shown = `[${part}] ${what} \`${clipped(text)}\``;
    this.#refuse = (why) => new CcparkError("invalid-argument", `${shown}: ${why}`, { field: what });
    this.#unknown = (kind, name, known) => {
      const near = nearestName(name, known);
      const hint = near === undefined ? `known: ${known.join(", ")}` : `did you mean \`${near}\`?`;
      const message = `${shown}: unknown ${kind} \`${clipped(name)}\`; ${hint} (\`${listedBy}\` lists all)`;
      return new UnknownName(kind, name, message, what);
    };
  }

  /** The stack is the limit of nesting. */
  guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof RangeError) throw this.#refuse("it is nested too deeply");
      throw cause;
    }
  }

  parse(text: string): SyntaxNode {
    if (text.length > MAX_LENGTH) {
      throw this.#refuse(`got ${text.length} characters, expected at most ${MAX_LENGTH}`);
    }
    try {
      return parseSyntax(text);
    } catch (cause) {
      if (cause instanceof RangeError) throw cause;
      throw this.#refuse(`cannot read it: ${(cause as Error).message}, expected a formula`);
    }
  }

  compile(node: SyntaxNode): Compute<S> {
    const { type } = node;
    if (type === "ParenthesisNode") return this.compile(node.content!);
    if (type === "ConstantNode") return this.#constant(node.value);
    if (type === "SymbolNode") return this.#symbol(node.name!);
    if (type === "ConditionalNode") {
      const [test, yes, no] = [node.condition!, node.trueExpr!, node.falseExpr!].map((each) =>
        this.compile(each),
      );
      return (s) => (test!(s) !== 0 ? yes!(s) : no!(s));
    }
    if (type === "OperatorNode") {
      const operator = OPERATORS.get(node.fn as string);
      if (operator === undefined)
        throw this.#refuse(
          `got the operator of \`${clipped(node.toString())}\`, expected + - * / % ^, a comparison, and, or, not or ? :`,
        );
      return operator.compile(...node.args!.map((each) => this.compile(each)));
    }
    if (type === "FunctionNode") return this.#call(node);
    throw this.#refuse(`got ${FOREIGN[type] ?? type}, expected a number made of numbers`);
  }

  #constant(value: unknown): Compute<S> {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw this.#refuse(
        `got ${typeof value === "string" ? "a text" : value === undefined ? "nothing" : String(value)}, expected finite numbers`,
      );
    }
    return () => value;
  }

  #symbol(name: string): Compute<S> {
    const variable = this.#variables.get(name);
    if (variable === undefined) {
      if (!Object.hasOwn(CONSTANTS, name)) throw this.#unknown("name", name, [...this.#variables.keys()]);
      return this.#constant(CONSTANTS[name]);
    }
    this.read.add(variable);
    return (s) => variable.of(s);
  }

  #call({ fn, args = [] }: SyntaxNode): Compute<S> {
    const called = fn as SyntaxNode;
    if (called.type !== "SymbolNode") throw this.#refuse("got a property, expected functions by name");
    const name = called.name!;
    const callable = FUNCTIONS.get(name);
    if (callable === undefined) {
      if (this.#variables.has(name))
        throw this.#refuse(`\`${name}\` is a number, not a function: write * to multiply`);
      throw this.#unknown("function", name, FORMULA_FUNCTIONS);
    }
    const [least, most] = callable.arity;
    if (args.length < least || args.length > most) {
      const expected =
        most === Number.POSITIVE_INFINITY
          ? `${least} or more`
          : least === most
            ? least
            : `${least} or ${most}`;
      throw this.#refuse(`${name}: got ${args.length} arguments, expected ${expected}`);
    }
    return callable.compile(...args.map((each) => this.compile(each)));
  }
}

/** The summands of a sum from left to right, with the sign of each. */
function summands(node: SyntaxNode): { readonly node: SyntaxNode; readonly isMinus: boolean }[] {
  if (node.type === "OperatorNode" && (node.fn === "add" || node.fn === "subtract")) {
    const [left, right] = node.args!;
    return [...summands(left!), { node: right!, isMinus: node.fn === "subtract" }];
  }
  return [{ node, isMinus: false }];
}

function negated(node: SyntaxNode): string {
  const isProduct = node.fn === "multiply" || node.fn === "divide";
  const isWhole = node.type !== "ConditionalNode" && (node.type !== "OperatorNode" || isProduct);
  return isWhole ? `-${node.toString()}` : `-(${node.toString()})`;
}

/**
 * @param variables what it may name
 * @throws CcparkError invalid-argument: what cannot be read, or is no number; not-found: an unknown name, with the nearest
 */
export function compileFormula<S>(text: string, variables: readonly Variable<S>[], owner: Owner): Formula<S> {
  const compiler = new Compiler(text, new Map(variables.map((each) => [each.name, each])), owner);
  return compiler.guarded(() => compileTerms(text, compiler));
}

function compileTerms<S>(text: string, compiler: Compiler<S>): Formula<S> {
  const root = compiler.parse(text);
  const of = compiler.compile(root);
  const terms = summands(root).map(({ node, isMinus }): Term<S> => {
    const term = compiler.compile(node);
    return isMinus ? { text: negated(node), of: (s) => -term(s) } : { text: node.toString(), of: term };
  });
  return { text, variables: [...compiler.read], terms, of };
}
