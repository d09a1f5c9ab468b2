/** Wiring: the environment that a client of `ccpark serve` asks for, made from its keyword arguments. */
import { CcparkError } from "../core/errors.ts";
import { CongestionEnv } from "../envs/congestion-env.ts";
import type { MakeEnv } from "../envs/grpc/session-env.ts";
import { parseEnvOptions } from "../envs/options.ts";
import type { Scenario } from "../envs/scenario.ts";
import { resolveScenario } from "../envs/scenarios/scenario-files.ts";
import { validateScenario } from "../envs/scenarios/validate.ts";
import { SHIPPED_TRACES } from "../traces/shipped.ts";

const DEFAULT_SCENARIO = "park-paper";

/** A client names a shipped trace; paths of the server's file system are not for it to open. */
function shippedTrace(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const names = SHIPPED_TRACES.map((trace) => trace.name);
  if (typeof value === "string" && names.includes(value)) return value;
  throw new CcparkError(
    "not-found",
    `[env] unknown trace ${JSON.stringify(value)}: a client may name a shipped one: ${names.join(", ")}`,
  );
}

function scenarioOf(value: unknown, trace: unknown, durationSec: unknown): Scenario {
  if (typeof value === "object" && value !== null) return validateScenario(value);
  if (typeof value !== "string") {
    throw new CcparkError(
      "invalid-argument",
      `[env] wrong scenario: got ${JSON.stringify(value)}, expected a name or a scenario object`,
    );
  }
  if (durationSec !== undefined && typeof durationSec !== "number") {
    throw new CcparkError(
      "invalid-argument",
      `[env] wrong durationSec: got ${JSON.stringify(durationSec)}, expected seconds above 0`,
    );
  }
  return resolveScenario(value, { tracePath: shippedTrace(trace), durationSec });
}

/** Keyword arguments: scenario, trace, durationSec and the options of the environment (`EnvOptions`). */
export const makeServedEnv: MakeEnv = (kwargs) => {
  const { scenario = DEFAULT_SCENARIO, trace, durationSec, ...options } = kwargs;
  const env = new CongestionEnv(scenarioOf(scenario, trace, durationSec), parseEnvOptions(options));
  return {
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    reset: (seed, other) => env.reset(seed, other === undefined ? undefined : validateScenario(other)),
    step: (action) => env.step(action),
    episodeMetrics: () => ({ ...env.metrics() }),
  };
};
