import { describe, expect, it } from "vitest";
import { CompileError } from "../../../ccp-bridge/lang/compile-error.ts";
import { compileProgram } from "../../../ccp-bridge/lang/compiler.ts";
import { toHex } from "../vectors.ts";

/** What the compiler says of a program that it refuses. */
function refusal(source: string): { line: number; column: number; message: string } {
  try {
    compileProgram(source);
  } catch (error) {
    expect(error).toBeInstanceOf(CompileError);
    const { line, column, message } = error as CompileError;
    return { line, column, message };
  }
  throw new Error(`accepted: ${source}`);
}

const inBody = (body: string) => `(def (Report (r 0)) (x 0))\n(when true\n  ${body})`;

describe("the compiler", () => {
  it("takes comments wherever white space may stand, without a trace in the program", () => {
    const plain = "(def (Report (a 0)) (x 1)) (when (> x 0) (:= Report.a (+ x 1)) (report))";
    const commented = `# what it is
      (def # variables
        (Report # that are sent
          (a # one
            0)) # done
        (x 1))
      # first
      # second
      (when # condition
        (> x # compared
          0)
        # body
        (:= Report.a (+ x 1)) # sum
        (report) # and out
      ) # end, without a newline`;
    expect(toHex(compileProgram(commented).bytes)).toBe(toHex(compileProgram(plain).bytes));
  });

  it("points at the place and guesses what was meant", () => {
    expect(refusal(inBody("(:= x (mox 1 2))"))).toMatchObject({ line: 3, column: 10 });
    expect(refusal(inBody("(:= x (maxx 1 2) 3)")).line).toBe(3);
    expect(refusal(inBody("(:= x (+ Flow.rtt_sample 1))"))).toMatchObject({
      line: 3,
      column: 12,
      message: expect.stringContaining("did you mean `Flow.rtt_sample_us`?"),
    });
    expect(refusal(inBody("(repot)")).message).toContain("did you mean `report`?");
    expect(refusal("(def (x 0))\n(when x (report))").message).toContain("(&& x true)");
    expect(refusal(inBody("(:= Flow.rtt_sample_us 3)")).message).toContain("the primitive");
  });

  it("says little of words without end", () => {
    const endless = "a".repeat(1_000_000);
    expect(refusal(inBody(`(x${endless} 1)`)).message.length).toBeLessThan(500);
    expect(compileProgram(inBody(`(:= x ${endless})`)).warnings).toHaveLength(1);
  });

  it("warns of undeclared names", () => {
    const { warnings } = compileProgram(inBody("(:= Report.r Flow.rtt) (:= speed 3) (:= x speed)"));
    expect(warnings).toEqual([
      {
        line: 3,
        column: 16,
        message:
          "`Flow.rtt` is not declared: never bound, so it reads 0 (did you mean `Flow.rtt_sample_us`?)",
        isMistake: true,
      },
      { line: 3, column: 30, message: "`speed` is not declared: a local variable", isMistake: false },
    ]);
    const hint = (name: string) =>
      compileProgram(`(def (Report (acked 0)) (x 0)) (when true (:= x ${name}))`).warnings[0]!.message;
    expect(hint("acked")).toContain("did you mean `Report.acked`?");
    expect(hint("cwnd")).toContain("did you mean `Cwnd`?");
    expect(hint("y")).not.toContain("did you mean");
  });

  it("warns of words that are glued to what follows", () => {
    const { warnings } = compileProgram("(def (volatilex 0))\n(whentrue (:= x (addx 1))\n (:= x (-5 3)))");
    expect(warnings.map(({ line, column, message }) => [line, column, message.split(":")[0]])).toEqual([
      [1, 7, "`volatilex` reads as `volatile x`"],
      [2, 2, "`whentrue` reads as `when true`"],
      [2, 18, "`addx` reads as `add x`"],
      [3, 9, "`-5` reads as `- 5`"],
    ]);
  });

  it("takes comments in the places of Portus only, if asked to", () => {
    const compile = (source: string) => compileProgram(source, {}, { comments: "portus" });
    expect(compile("(def (x 0)) # a\n(when true x) # b\n(when true x)").events).toHaveLength(2);
    for (const source of [
      "# a\n(def (x 0)) (when true x)",
      "(def (x 0)) # a\n# b\n(when true x)",
      "(def (x 0)) (when true # a\n x)",
      "(def (x 0)) (when true x) # a\n",
    ]) {
      expect(() => compile(source), source).toThrow(/no comment can stand here/);
    }
  });

  it("refuses what would make Portus panic", () => {
    for (const body of [
      "(if (> x 1) 5)",
      "(:= Cwnd (if (> x 1) 5))",
      "(:= l (ewma 2 x))",
      "(:= x (if (if x 1) 2))",
    ]) {
      expect(refusal(inBody(body)).message, body).toMatch(/bound|bind/);
    }
    expect(refusal("(def (Report (x true)))(when Report.x (report))").message).toContain("condition");
    expect(refusal("(def (Report (x true)))(when (report) (report))").message).toContain("condition");
    expect(refusal("(def (Report (x 1)))(when (&& (report) true) (report))").message).toContain("condition");
  });

  it("refuses what libccp cannot run: more than 8 temporaries, more than 255 instructions", () => {
    const nested = (depth: number): string => (depth === 0 ? "1" : `(+ ${nested(depth - 1)} 1)`);
    expect(compileProgram(inBody(`(:= x ${nested(8)})`)).instructions.length).toBe(12);
    expect(refusal(inBody(`(:= x ${nested(9)})`)).message).toContain("intermediate results");
    const many = (count: number) => inBody("(:= x 1)".repeat(count));
    expect(compileProgram(many(252)).instructions.length).toBe(255);
    expect(refusal(many(253)).message).toContain("256 instructions");
    expect(refusal(inBody(`(:= x ${nested(100_000 / 100)})`)).message).toContain("nest deeper");
  });

  it("refuses a report without report variables, which an agent would take for the end of the flow", () => {
    const source = "(def (x 0))(when true (report))";
    expect(refusal(source)).toMatchObject({ line: 1, column: 23 });
    expect(compileProgram(source, {}, { mode: "libccp" }).reportFieldCount).toBe(0);
  });

  it("takes new initial values, and skips names that cannot have one", () => {
    const { instructions, warnings } = compileProgram(inBody("(report)"), { x: 7, Cwnd: 3, nope: 1 });
    expect(instructions[1]).toMatchObject({ opcode: 2, rightIndex: 7 });
    expect(warnings).toHaveLength(2);
    expect(() => compileProgram(inBody("(report)"), { x: 2 ** 31 })).toThrow(CompileError);
    expect(() => compileProgram(inBody("(report)"), { x: -1 })).toThrow(CompileError);
  });
});
