import { describe, expect, it } from "vitest";
import { cbrt, exp, log, log2, pow, tanh } from "../../core/math.ts";
import { Rng } from "../../core/random.ts";

const functions = { exp, log, log2, pow, cbrt, tanh } as const;
type Name = keyof typeof functions;

/** The bits of a double, most significant first. */
function bits(x: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

function call(name: Name, args: readonly number[]): number {
  return (functions[name] as (...args: number[]) => number)(...args);
}

/** Any change here changes every stored result: raise the versions that results carry. */
const GOLDEN: readonly (readonly [Name, readonly number[], string])[] = [
  ["exp", [1], "4005bf0a8b14576a"],
  ["exp", [-0.1], "3fecf46d99d52b3a"],
  ["exp", [12.345], "410c0d80ffb740c4"],
  ["exp", [-700.5], "00c4ff475c68ca02"],
  ["log", [2], "3fe62e42fefa39ef"],
  ["log", [0.3], "bff34378fcbda721"],
  ["log", [1e-300], "c085963447f87fb5"],
  ["log", [123456.789], "40277281cad8a844"],
  ["log2", [10], "400a934f0979a371"],
  ["log2", [0.99], "bf8db1f34d2c386e"],
  ["pow", [0.3, 0.7], "3fdb8d809c615f41"],
  ["pow", [1.0001, 12345.6], "400b7e445de4bfe7"],
  ["pow", [96, -3.25], "3e983b85b312ad4e"],
  ["cbrt", [2], "3ff428a2f98d728b"],
  ["cbrt", [0.4], "3fe793eace1a3426"],
  ["cbrt", [-10000000000], "c0a0d4de8fb11dad"],
  ["tanh", [0.01], "3f847ab48ae4595e"],
  ["tanh", [0.7], "3fe356fb17af2e91"],
  ["tanh", [-3.3], "bfefe9bdf44f7c03"],
];

describe("owned math", () => {
  it.each(GOLDEN)("%s(%j) has the bits %s", (name, args, expected) => {
    expect(bits(call(name, args))).toBe(expected);
  });

  const inputs: readonly (readonly [Name, (rng: Rng) => readonly number[]])[] = [
    ["exp", (rng) => [rng.uniform(-700, 700)]],
    ["exp", (rng) => [rng.uniform(-1, 1)]],
    ["log", (rng) => [2 ** rng.uniform(-1000, 1000)]],
    ["log", (rng) => [rng.uniform(0.5, 2)]],
    ["log2", (rng) => [rng.uniform(0.5, 2)]],
    ["log2", (rng) => [2 ** rng.uniform(-1000, 1000)]],
    ["pow", (rng) => [rng.uniform(0, 20), rng.uniform(-100, 100)]],
    ["pow", (rng) => [rng.uniform(0.9, 1.1), rng.uniform(-5000, 5000)]],
    ["cbrt", (rng) => [2 ** rng.uniform(-1000, 1000)]],
    ["tanh", (rng) => [rng.uniform(-5, 5)]],
    ["tanh", (rng) => [rng.uniform(-1e-3, 1e-3)]],
  ];
  it.each(inputs)("%s agrees with V8's to 2e-15 (%#)", (name, draw) => {
    const rng = Rng.fromSeed(1).fork(name);
    const native = Math[name] as (...args: number[]) => number;
    for (let i = 0; i < 20_000; i++) {
      const args = draw(rng);
      const expected = native(...args);
      const error = Math.abs(call(name, args) - expected) / Math.abs(expected);
      if (!(error <= 2e-15) && expected !== 0) expect.fail(`${name}(${args}): relative error ${error}`);
    }
  });

  it("is exact where a person expects it", () => {
    expect(exp(0)).toBe(1);
    expect(log(1)).toBe(0);
    expect(log2(8)).toBe(3);
    expect(log2(2 ** -1074)).toBe(-1074);
    expect(pow(2, 10)).toBe(1024);
    expect(pow(2, -1074)).toBe(5e-324);
    expect(pow(10, 2)).toBe(100);
    expect(cbrt(27)).toBe(3);
    expect(cbrt(-8)).toBe(-2);
    expect(tanh(0)).toBe(0);
  });

  it("treats the ends of the number line as IEEE 754 does", () => {
    expect(exp(710)).toBe(Infinity);
    expect(exp(-Infinity)).toBe(0);
    expect(exp(Number.NaN)).toBeNaN();
    expect(log(0)).toBe(-Infinity);
    expect(log(-1)).toBeNaN();
    expect(log(Infinity)).toBe(Infinity);
    expect(log2(0)).toBe(-Infinity);
    expect(pow(0, 0)).toBe(1);
    expect(pow(0, 2)).toBe(0);
    expect(pow(0, -1)).toBe(Infinity);
    expect(pow(2, 2000)).toBe(Infinity);
    expect(pow(2, -2000)).toBe(0);
    expect(pow(Infinity, 2)).toBe(Infinity);
    expect(pow(-2, 2)).toBeNaN();
    expect(cbrt(Infinity)).toBe(Infinity);
    expect(tanh(Infinity)).toBe(1);
    expect(tanh(-40)).toBe(-1);
    expect(tanh(Number.NaN)).toBeNaN();
    expect(Object.is(tanh(-0), -0)).toBe(true);
  });
});
