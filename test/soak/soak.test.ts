/** The short form of `npm run soak:grpc`. */
import { expect, it } from "vitest";
import { soak } from "./soak.ts";

it("a server survives a minute of 50 clients that connect, step and die at random, a fifth of them hostile", {
  timeout: 240_000,
}, async () => {
  const seed = 1;
  const outcome = await soak({ minutes: 1, seed });
  expect(outcome.problems, `seed ${seed}`).toEqual([]);
  expect(outcome.steps).toBeGreaterThan(1_000); // a machine that has other work does little more
  expect(outcome.attacks).toBeGreaterThan(5); // 7 on two cores that a dozen others wanted
  expect(outcome.kills).toBeGreaterThan(2);
});
