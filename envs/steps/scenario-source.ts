/** Where the scenario of an episode comes from: one for all, or drawn anew by each episode's generator. */
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import { UNDER_TEST } from "../../scenarios/flows.ts";
import type { Scenario } from "../../scenarios/scenario.ts";

export type ScenarioSource = Scenario | ((rng: Rng) => Scenario);

/**
 * Whoever steps the environment controls its flows under test: no algorithm is there whose parameters could change.
 * @throws CcparkError (invalid-argument) for a scenario that changes some
 */
export function expectNoChanges({ name, changes, flows = [] }: Scenario): void {
  const at = flows.findIndex((plan) => plan.algorithm === UNDER_TEST && plan.changes !== undefined);
  if (changes === undefined && at === -1) return;
  const field = changes === undefined ? `flows.${at}.changes` : "changes";
  const message = `[env] scenario ${name}: ${field}: got changes of an algorithm's parameters, expected none: its flow is the environment's`;
  throw new CcparkError("invalid-argument", message, { field: `scenario.${field}` });
}

/**
 * The scenario of the episode of this seed.
 * @throws CcparkError (invalid-argument) for a seed that is not a whole number from 0 to 2^53 - 1, and as `expectNoChanges`
 */
export function drawScenario(source: ScenarioSource, seed: number): Scenario {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new CcparkError(
      "invalid-argument",
      `[env] wrong seed: got ${seed}, expected a whole number from 0 to 2^53 - 1`,
    );
  }
  const drawn = typeof source === "function" ? source(Rng.fromSeed(seed).fork("scenario")) : source;
  expectNoChanges(drawn);
  return drawn;
}
