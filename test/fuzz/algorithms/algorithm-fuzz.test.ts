/** The short form of `npm run fuzz:algorithms`. */
import { describe, expect, it } from "vitest";
import { FORMS, runAlgorithmFuzz } from "./run.ts";

const SEED = 1;
const CASES = 20;

describe(`random reports and ACKs for every algorithm, seed ${SEED}`, () => {
  it("neither make one throw nor decide what no datapath can do", { timeout: 120_000 }, () => {
    const { tally, findings } = runAlgorithmFuzz(SEED, CASES);
    expect(findings.map(({ name, error }) => `${name}: ${error.message}`)).toEqual([]);
    expect(tally.get("cases")).toBe(2 * CASES * FORMS.length);
    expect(tally.get("reports")).toBeGreaterThan(10_000);
    expect(tally.get("ACKs")).toBeGreaterThan(100_000);
  });
});
