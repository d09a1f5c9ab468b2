import { describe, expect, it } from "vitest";
import { CompileError } from "../../../ccp-bridge/lang/compile-error.ts";
import { compileProgram } from "../../../ccp-bridge/lang/compiler.ts";
import { describeProgram } from "../../../ccp-bridge/lang/describe.ts";
import { loadVectors, toHex } from "../vectors.ts";

const vectors = loadVectors();

/** Portus admits comments in two places only; by default we admit them wherever white space may stand. */
const ACCEPTED_BY_US = new Set(["two_comments_in_a_row", "comment_inside_expression"]);

describe.skipIf(vectors === undefined)("programs compiled by Portus", () => {
  for (const vector of vectors?.compile ?? []) {
    const compile = (comments: "anywhere" | "portus" = "portus") =>
      compileProgram(vector.source, Object.fromEntries(vector.updates ?? []), { mode: "libccp", comments });
    if (vector.result === "ok") {
      it(`compiles ${vector.name} to the same bytes and registers`, () => {
        const program = compile();
        expect(toHex(compile("anywhere").bytes)).toBe(vector.hex);
        const { events, instrs, hex, registers } = vector;
        expect(describeProgram(program)).toEqual({ events, instrs, hex, registers });
      });
    } else {
      it(`refuses ${vector.name} with line and column`, () => {
        expect(() => compile()).toThrow(CompileError);
        expect(() => compile()).toThrow(/line \d+, column \d+: ./);
      });
      const name = `${ACCEPTED_BY_US.has(vector.name) ? "accepts" : "refuses"} ${vector.name} with comments anywhere`;
      it(name, () => {
        if (ACCEPTED_BY_US.has(vector.name)) {
          expect(compile("anywhere").instructions.length).toBeGreaterThan(0);
        } else expect(() => compile("anywhere")).toThrow(CompileError);
      });
    }
  }
});
