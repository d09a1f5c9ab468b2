import { describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import { ALGORITHMS } from "../../../algorithms/registry.ts";
import { checkSpec } from "../../../algorithms/spec.ts";
import { compileProgram } from "../../../ccp-bridge/lang/compiler.ts";

describe("registered algorithms", () => {
  const overCcp = [...ALGORITHMS.values()].filter(({ ccp }) => ccp !== undefined).map(({ name }) => name);
  it.each(overCcp)("%s compiles within libccp's limits", (name) => {
    const algorithm = ccpAlgorithm(name);
    expect(algorithm.name).toBe(name);
    for (const source of Object.values(algorithm.programs)) {
      const program = compileProgram(source);
      expect(program.instructions.length).toBeLessThanOrEqual(255);
      expect(program.reportFieldCount).toBeGreaterThan(0);
    }
  });

  it("are described, with what they read and why their constants are what they are", () => {
    expect([...ALGORITHMS.keys()]).toEqual([
      "reno",
      "cubic",
      "westwood",
      "illinois",
      "htcp",
      "cdg",
      "dctcp",
      "prague",
      "vegas",
      "ledbat",
      "ledbat-dtl",
      "dtl",
      "aggregate",
      "ledbat-plus-plus",
      "copa",
      "swift",
      "tfrc",
      "gcc",
      "scream",
      "bbr",
      "bbr3",
      "pcc-allegro",
      "vivace",
      "sprout",
      "nimbus",
      "portus-reno",
      "portus-vegas",
      "portus-const",
      "portus-bbr",
    ]);
    for (const spec of ALGORITHMS.values()) {
      expect(checkSpec(spec, spec.name)).toBe(spec);
      expect(spec.summary).not.toBe("");
      expect(spec.source).not.toBe("");
      expect(spec.reads.length).toBeGreaterThan(0);
      for (const { why } of spec.params) expect(why).not.toBe("");
    }
  });
});
