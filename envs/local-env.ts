/** The asynchronous forms of the environment: views of the synchronous ones. */
import { CongestionEnv } from "./congestion-env.ts";
import type { AsyncVectorEnv, Env, VectorEnv } from "./env.ts";
import type { EnvOptions } from "./options.ts";
import type { ScenarioSource } from "./steps/scenario-source.ts";

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

/** The vector form as one that is waited for; its arrays are the same. */
export function toAsyncVectorEnv(env: VectorEnv): AsyncVectorEnv {
  return {
    ...env,
    reset: async (seed) => env.reset(seed),
    step: async (actions) => env.step(actions),
    close: async () => {},
  };
}
