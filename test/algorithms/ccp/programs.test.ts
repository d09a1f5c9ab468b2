import { describe, expect, it } from "vitest";
import { BASELINE_INFO, BASELINES } from "../../../algorithms/registry.ts";
import { compileProgram } from "../../../ccp-bridge/lang/compiler.ts";

describe("baseline programs", () => {
  it.each([...BASELINES])("%s compiles within libccp's limits", (name, make) => {
    const algorithm = make();
    expect(algorithm.name).toBe(name);
    for (const source of Object.values(algorithm.programs)) {
      const program = compileProgram(source);
      expect(program.instructions.length).toBeLessThanOrEqual(255);
      expect(program.reportFieldCount).toBeGreaterThan(0);
    }
  });

  it("are described with their source", () => {
    expect([...BASELINE_INFO.keys()]).toEqual([
      "reno",
      "cubic",
      "dctcp",
      "vegas",
      "bbr",
      "portus-reno",
      "portus-vegas",
      "portus-const",
      "portus-bbr",
    ]);
    for (const { description, source } of BASELINE_INFO.values()) {
      expect(description).not.toBe("");
      expect(source).not.toBe("");
    }
  });
});
