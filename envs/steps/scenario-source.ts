/** Where the scenario of an episode comes from: one for all, or drawn anew by each episode's generator. */
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import type { Scenario } from "../../scenarios/scenario.ts";

export type ScenarioSource = Scenario | ((rng: Rng) => Scenario);

/**
 * The scenario of the episode of this seed.
 * @throws CcparkError (invalid-argument) for a seed that is not a whole number from 0 to 2^53 - 1
 */
export function drawScenario(source: ScenarioSource, seed: number): Scenario {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new CcparkError(
      "invalid-argument",
      `[env] wrong seed: got ${seed}, expected a whole number from 0 to 2^53 - 1`,
    );
  }
  return typeof source === "function" ? source(Rng.fromSeed(seed).fork("scenario")) : source;
}
