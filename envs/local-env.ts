/** The single, asynchronous form of the environment: a view of the synchronous one. */
import { CongestionEnv } from "./congestion-env.ts";
import type { Env } from "./env.ts";
import type { EnvOptions } from "./options.ts";
import type { ScenarioSource } from "./scenario-source.ts";

export function makeEnv(scenario: ScenarioSource, options: EnvOptions): Env {
  const env = new CongestionEnv(scenario, options);
  return {
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    reset: async ({ seed, scenario: other }) => env.reset(seed, other),
    step: async (action) => env.step(action),
    close: async () => {},
  };
}
