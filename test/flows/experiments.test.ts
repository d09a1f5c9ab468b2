/** The experiments of named flows: what each scenario must show, by its own claims; and that a seed is a run. */
import { describe, expect, it } from "vitest";
import { expectClaims, outcomeOf } from "../testbeds/overlays/experiment-claims.ts";

const SCENARIOS = [
  "flows-mobility",
  "flows-standby",
  "flows-slow-branch",
  "flows-layered",
  "flows-overflow-feedback",
];

describe.each(SCENARIOS)("%s", (name) => {
  it("holds what it claims, and gives the same rows for the same seed alone", {
    timeout: 180_000,
  }, async () => {
    const outcome = await outcomeOf(name, { seed: 3 });
    expectClaims(outcome);
    const rows = JSON.stringify(outcome.rows);
    expect(JSON.stringify((await outcomeOf(name, { seed: 3 })).rows)).toBe(rows);
    expect(JSON.stringify((await outcomeOf(name, { seed: 4 })).rows)).not.toBe(rows);
  });
});
