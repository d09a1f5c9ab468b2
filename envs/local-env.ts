/** The asynchronous forms of the environment: views of the synchronous ones. */
import { SIMULATED } from "../testbeds/simulated/simulated.ts";
import { expectAccepts, type Testbed } from "../testbeds/testbed.ts";
import { CongestionEnv, RealTimeCongestionEnv } from "./congestion-env.ts";
import type { AsyncVectorEnv, Env, VectorEnv } from "./env.ts";
import type { EnvOptions } from "./options.ts";
import type { ScenarioSource } from "./steps/scenario-source.ts";

/**
 * @param testbed the world that runs the episodes; absent: the simulator
 * @throws CcparkError (failed-precondition) where it refuses the scenario
 */
export function makeEnv(scenario: ScenarioSource, options: EnvOptions, testbed: Testbed = SIMULATED): Env {
  if (typeof scenario !== "function") expectAccepts(testbed, scenario);
  if (testbed.clock === "real") return new RealTimeCongestionEnv(scenario, options, { testbed });
  const env = new CongestionEnv(scenario, options, { testbed });
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
