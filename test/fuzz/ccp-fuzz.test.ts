/** The short form of `npm run fuzz:ccp`. */
import { describe, expect, it } from "vitest";
import { runFuzz } from "./run.ts";

const PLAN = { seed: 1, programs: 8000, messages: 10_000, dialogues: 2000, agreements: 500 };
const { tally, findings } = await runFuzz(PLAN);

describe("20,000 mutated programs, messages and dialogues", () => {
  it("neither crash nor break a promise", () => {
    expect(findings.map(({ name, error }) => `${name}: ${error.message}`)).toEqual([]);
  });

  it("have at least 30 % of programs that compile and run 100 ACKs each", () => {
    const compiled = tally.get("programs: compiled and run");
    const refused = tally.get("programs: refused");
    expect(compiled + refused).toBe(PLAN.programs);
    expect(compiled / PLAN.programs).toBeGreaterThan(0.3);
    const acks = tally.rows("run: ").filter(([what]) => what !== "reports");
    expect(acks.reduce((sum, [, count]) => sum + count, 0)).toBe(100 * compiled);
  });

  it("are refused for every reason that the language has", () => {
    const reasons = tally.rows("refused: ").map(([reason]) => reason);
    for (const part of [
      "instructions in",
      "intermediate results",
      "without report variables",
      "one control variable",
    ]) {
      expect(
        reasons.some((reason) => reason.includes(part)),
        part,
      ).toBe(true);
    }
  });

  it("reach the datapath's refusals as well as its programs", () => {
    const answers = new Set(tally.rows("receive: ").map(([answer]) => answer));
    for (const answer of ["accepted", "8", "-22", "-32", "-33", "-41", "-52", "-53", "-71"]) {
      expect(answers).toContain(answer);
    }
    expect(tally.get("agent: reports")).toBeGreaterThan(50);
    expect(tally.get("agent: malformed")).toBeGreaterThan(1000);
    expect(tally.get("dialogues: recovered")).toBeGreaterThan(50);
  });
});

describe("random valid programs over random measurements", () => {
  it("give the same registers, messages and codes interpreted and compiled to WebAssembly", () => {
    expect(tally.get("agreement: programs")).toBe(PLAN.agreements);
    expect(tally.get("agreement: messages compared")).toBeGreaterThan(PLAN.agreements);
  });
});
