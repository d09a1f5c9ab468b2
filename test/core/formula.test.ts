import fc from "fast-check";
import { all, create } from "mathjs/number";
import { describe, expect, it } from "vitest";
import { CcparkError } from "../../core/errors.ts";
import { compileFormula, FORMULA_FUNCTIONS } from "../../core/formula.ts";

interface Point {
  readonly x: number;
  readonly rttMs: number;
}
const ANY = { unit: "1", low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, definition: "any" };
const VARIABLES = [
  { ...ANY, name: "x", of: ({ x }: Point) => x },
  { ...ANY, name: "rttMs", of: ({ rttMs }: Point) => rttMs },
];
const OWNER = { part: "test", what: "formula", listedBy: "a list" };
const compile = (text: string) => compileFormula(text, VARIABLES, OWNER);
const at = (text: string, x = 3, rttMs = 50): number => compile(text).of({ x, rttMs });

function failure(text: string): CcparkError {
  try {
    compile(text);
  } catch (error) {
    if (error instanceof CcparkError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe("a formula", () => {
  it.each([
    ["1 + 2 * x ^ 2", 19],
    ["-x ^ 2", -9],
    ["2 ^ -1", 0.5],
    ["(-2) ^ 3", -8],
    ["2 x", 6],
    ["rttMs / x / 2", 50 / 3 / 2],
    ["x - 1 - 1", 1],
    ["-7 % 3", 2],
    ["mod(7, 0)", 7],
    ["x > 2 and not (x > 4) ? 1 : 0", 1],
    ["x == 3 or x != 3", 1],
    ["(x >= 3) + (x <= 3) + (x < 3)", 2],
    ["min(x, rttMs, 1) + max(x, 1)", 4],
    ["max(x)", 3],
    ["log2(8) + log10(1000) + log(e)", 7],
    ["log(8, 2)", 3],
    ["sqrt(4) + cbrt(27) + abs(-1) + sign(-5) + floor(1.5) + ceil(1.5) + round(1.4)", 9],
    ["exp(0) + tanh(0) + pow(2, 0.5) ^ 2", 3],
  ])("%s", (text, expected) => {
    expect(at(text)).toBeCloseTo(expected, 12);
  });

  it("says what it reads, and its summands add up to it bit by bit", () => {
    const formula = compile("log2(x) - 0.5 * x + (rttMs - x) - (x > 1)");
    expect(formula.variables.map(({ name }) => name)).toEqual(["x", "rttMs"]);
    expect(formula.terms.map(({ text }) => text)).toEqual(["log2(x)", "-0.5 * x", "(rttMs - x)", "-(x > 1)"]);
    const number = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(number, number, (x, rttMs) => {
        const sum = formula.terms.reduce((total, term) => total + term.of({ x, rttMs }), 0);
        return sum === formula.of({ x, rttMs });
      }),
      { seed: 5 },
    );
  });

  it("agrees with mathjs's own evaluation", () => {
    const operand = fc.oneof(
      fc.constantFrom("x", "rttMs"),
      fc.double({ min: 0, max: 100, noNaN: true }).map((value) => value.toFixed(3)),
    );
    const expression = fc.letrec<{ any: string }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        operand,
        fc
          .tuple(tie("any"), fc.constantFrom("+", "-", "*", "/"), tie("any"))
          .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
        tie("any").map((a) => `-${a}`),
        fc.tuple(fc.constantFrom("abs", "sqrt", "floor", "sign"), tie("any")).map(([f, a]) => `${f}(${a})`),
        fc.tuple(tie("any"), tie("any")).map(([a, b]) => `max(${a}, ${b})`),
        fc.tuple(tie("any"), tie("any"), tie("any")).map(([a, b, c]) => `(${a} > 1 ? ${b} : ${c})`),
      ),
    })).any;
    const mathjs = create(all!);
    const scope = { x: 3.25, rttMs: 51.5 };
    fc.assert(
      fc.property(expression, (text) => {
        const own = compile(text).of(scope);
        const theirs: number = mathjs.evaluate(text, { ...scope });
        return Object.is(own, theirs) || own === theirs || Math.abs(own - theirs) <= 1e-9 * Math.abs(theirs);
      }),
      { seed: 6, numRuns: 300 },
    );
  });

  it.each([
    ["rtMs * 2", "not-found", "unknown name `rtMs`; did you mean `rttMs`? (`a list` lists all)"],
    ["rtt + 1", "not-found", "did you mean `rttMs`?"],
    ["logg(x)", "not-found", "unknown function `logg`; did you mean `log`?"],
    ["import(x)", "not-found", "unknown function `import`"],
    ["createUnit('a')", "not-found", "unknown function `createUnit`"],
    ["evaluate('1')", "not-found", "unknown function `evaluate`"],
    ["parse('1')", "not-found", "unknown function `parse`"],
    ["simplify('1')", "not-found", "unknown function `simplify`"],
    ["derivative('x', 'x')", "not-found", "unknown function `derivative`"],
    ["zeros(100000, 100000)", "not-found", "unknown function `zeros`"],
    ["x(2)", "invalid-argument", "`x` is a number, not a function"],
    ["x.constructor", "invalid-argument", "got a property"],
    ["x.constructor('return 1')", "invalid-argument", "got a property"],
    ["constructor", "not-found", "unknown name `constructor`"],
    ["__proto__", "not-found", "unknown name `__proto__`"],
    ["hasOwnProperty(1)", "not-found", "unknown function `hasOwnProperty`"],
    ["x = 3", "invalid-argument", "got an assignment (`==` compares)"],
    ["f(a) = a", "invalid-argument", "got a definition of a function"],
    ["[1, 2]", "invalid-argument", "got a list"],
    ["{a: 1}", "invalid-argument", "got an object"],
    ["1:1000000", "invalid-argument", "got a range"],
    ["1; 2", "invalid-argument", "got several expressions"],
    ["1 < x < 3", "invalid-argument", "write `a < b and b < c`"],
    ["'text'", "invalid-argument", "got a text, expected finite numbers"],
    ["1e999", "invalid-argument", "got Infinity, expected finite numbers"],
    ["NaN", "invalid-argument", "got NaN, expected finite numbers"],
    ["x!", "invalid-argument", "got the operator of `x!`"],
    ["5 cm", "not-found", "unknown name `cm`"],
    ["max()", "invalid-argument", "max: got 0 arguments, expected 1 or more"],
    ["log2(1, 2)", "invalid-argument", "log2: got 2 arguments, expected 1"],
    ["x +", "invalid-argument", "cannot read it: Unexpected end of expression"],
    ["", "invalid-argument", "expected"],
    [`${"x + ".repeat(300)}x`, "invalid-argument", "got 1201 characters, expected at most 1000"],
  ])("%s is refused in one sentence", (text, kind, sentence) => {
    const error = failure(text);
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(sentence);
    expect(error.message.startsWith("[test] formula ")).toBe(true);
  });

  it("is taken or refused in one sentence, however deep it is nested", () => {
    for (const text of [
      `${"(".repeat(499)}x${")".repeat(499)}`,
      `${"-".repeat(990)}x`,
      `${"x^".repeat(490)}x`,
    ]) {
      try {
        compile(text);
      } catch (error) {
        expect((error as Error).message).toMatch(/nested too deeply/);
      }
    }
  });

  it("lists its functions", () => {
    expect(FORMULA_FUNCTIONS).toContain("log2");
    for (const name of FORMULA_FUNCTIONS) expect(() => compile(`${name}()`)).toThrow(/arguments, expected/);
  });
});
