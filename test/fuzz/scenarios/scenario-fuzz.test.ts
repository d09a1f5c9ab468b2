/** The short form of `npm run fuzz:scenarios`. */
import { expect, it } from "vitest";
import { fuzzScenarios } from "./run.ts";

it("scenario objects are refused in one sentence or run their first step, and nobody else waits", {
  timeout: 300_000,
}, async () => {
  const seed = 7;
  const outcome = await fuzzScenarios({ objects: 200, seed, built: false });
  expect(outcome.findings, `seed ${seed}`).toEqual([]);
  expect(outcome.refused).toBeGreaterThan(10);
  // a busy machine ends by the clock what a quiet one runs
  expect(outcome.ran + outcome.ended).toBeGreaterThan(15);
  expect(outcome.ran).toBeGreaterThan(10);
  expect(outcome.asked).toBeGreaterThan(100);
});
