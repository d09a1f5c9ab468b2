import { describe, expect, it } from "vitest";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { loadVectors, toHex } from "./vectors.ts";
import { playVector } from "./vm-player.ts";

const vectors = loadVectors();

describe.skipIf(vectors === undefined).each(["interpreter", "wasm"] as const)(
  "libccp, by %s",
  (execution) => {
    for (const vector of vectors?.vm ?? []) {
      it(`does what libccp did, step by step: ${vector.name}`, () => playVector(vector, execution));
    }
  },
);

describe.skipIf(vectors === undefined)("programs of the scenarios", () => {
  it("compile to the bytes that were installed", () => {
    let compiled = 0;
    for (const step of (vectors?.vm ?? []).flatMap((vector) => vector.steps)) {
      const source = (step as { source?: string }).source;
      if (source === undefined || step.hex === undefined) continue;
      const { bytes } = compileProgram(source, {}, { mode: "libccp" });
      expect(step.hex.slice(40)).toBe(toHex(bytes));
      compiled += 1;
    }
    expect(compiled).toBeGreaterThan(40);
  });
});
