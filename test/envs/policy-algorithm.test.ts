import { describe, expect, it } from "vitest";
import { GaussianPolicy, policySize } from "../../agents/nn/gaussian-policy.ts";
import { Rng } from "../../core/random.ts";
import { runAgent, runAlgorithm } from "../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions } from "../../envs/options.ts";
import { policyAlgorithm } from "../../envs/policy-algorithm.ts";
import { getAction } from "../../envs/signals/actions.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";

/** A policy with weights of its own that remembers what it saw and did. */
function makePolicy(env: EnvOptions) {
  const spec = {
    observationSpace: getObservation(env.observation).space,
    actionSpace: getAction(env.action).space,
    hidden: [16],
  };
  const rng = Rng.fromSeed(3).fork("weights");
  const weights = Float32Array.from({ length: policySize(spec) }, () => rng.uniform(-0.6, 0.6));
  const policy = new GaussianPolicy(spec, { weights });
  const decisions: string[] = [];
  return {
    decisions,
    act(observation: Float32Array, mode: "explore" | "greedy"): Float32Array {
      const action = policy.act(observation, mode);
      decisions.push(`${observation.join(" ")} -> ${action.join(" ")}`);
      return action;
    },
  };
}

describe("a policy as an algorithm", () => {
  it.each<Partial<EnvOptions>>([
    {},
    { reportLossAtOnce: true },
    // longer than a round trip: no step is silent
    { stepMs: 200 },
  ])("sees and decides what it does in the environment: %o", (options) => {
    const env: EnvOptions = { ...DEFAULT_ENV_OPTIONS, ...options };
    const scenario = resolveScenario("park-paper", { durationSec: 15 });
    const run = { scenario, seed: 2, rewardName: env.reward };
    const inEnv = makePolicy(env);
    const expected = runAgent({ ...run, agent: inEnv, env });
    const asAlgorithm = makePolicy(env);
    const got = runAlgorithm({ ...run, algorithm: policyAlgorithm("policy", asAlgorithm, env) });
    expect(asAlgorithm.decisions.length).toBeGreaterThan(50);
    expect(asAlgorithm.decisions).toEqual(inEnv.decisions);
    expect(got.metrics).toEqual(expected.metrics);
  });

  it("refuses an action delay, which a datapath has of its own", () => {
    const env = { ...DEFAULT_ENV_OPTIONS, actionDelayUs: 1000 };
    expect(() => policyAlgorithm("policy", makePolicy(env), env)).toThrow("action delay of 1000 us");
  });
});
