/** Several flows that learn one policy, on a real link. */
import { describe, expect, it } from "vitest";
import { encodeCheckpoint } from "../../../agents/checkpoint.ts";
import { getLearner, policyFromCheckpoint } from "../../../agents/registry.ts";
import { crossTrafficAlgorithm } from "../../../algorithms/cross-traffic.ts";
import { runAgent } from "../../../envs/measured-run.ts";
import { parseEnvOptions } from "../../../envs/options.ts";
import { checkTemplate, fixedScenario, type ScenarioInput } from "../../../scenarios/template.ts";
import { type TrainResult, train } from "../../../training/train.ts";
import { openFlowsEnvs, type TrainingEnvSpec } from "../../../training/training-env.ts";

const INPUT: ScenarioInput = {
  name: "two flows",
  rttMs: 40,
  durationSec: 8,
  forward: { rate: { kind: "constant", mbps: 24 }, queue: { bdp: 4 } },
  flows: [{ algorithm: "test", count: 1, startSec: 1 }],
};
const TEMPLATE = checkTemplate(INPUT, { name: "two flows" });
const env = parseEnvOptions({ stepMs: 40 });
const SPEC: TrainingEnvSpec = { env, episodeSec: 8, scenarios: [{ name: "two flows", template: TEMPLATE }] };

const learn = (totalSteps: number, seed = 1): Promise<TrainResult> =>
  train({
    makeEnvs: () => openFlowsEnvs(SPEC, 16),
    learner: "mappo",
    options: { ...getLearner("mappo").tuned, rolloutSteps: 128 },
    totalSteps,
    seed,
  });

describe("environments whose rows are flows", () => {
  it("show each flow's row the same state, and a flow that is not there yet zeros", async () => {
    const envs = await openFlowsEnvs(SPEC, 4);
    expect(envs.numEnvs).toBe(4);
    await envs.reset(3);
    const width = envs.observationSpace.shape[0];
    const [first, second] = [envs.observations.slice(0, width), envs.observations.slice(width, 2 * width)];
    expect(second.every((x) => x === 0)).toBe(true);
    expect(first).not.toEqual(second);
    for (let i = 0; i < 60; i++) await envs.step(new Float32Array(4));
    expect(envs.states!.subarray(0, 12)).toEqual(envs.states!.subarray(12, 24));
    expect(envs.states!.subarray(0, 12).some((x) => x > 0)).toBe(true);
    expect(envs.observations.subarray(width, 2 * width).some((x) => x !== 0)).toBe(true);
    expect([...envs.terminated]).toEqual([0, 0, 0, 0]);
  });
});

describe("mappo", { timeout: 240_000 }, () => {
  it("learns two flows' policy: they fill the link and share it, with a short queue, and the same seed gives the same bytes", async () => {
    const seed = 1;
    const score = (result: TrainResult): { delayMs: number; utilisation: number; jain: number } => {
      const agent = policyFromCheckpoint(result.checkpoint);
      const scenario = { ...fixedScenario(INPUT), durationSec: 20 };
      const run = runAgent({
        scenario,
        seed: 9,
        rewardName: "score",
        algorithms: crossTrafficAlgorithm,
        agent,
        env,
      });
      const { meanQueueDelayMs: delayMs, utilisation } = run.metrics;
      return { delayMs, utilisation, jain: run.jainIndex! };
    };
    const learnt = await learn(160_000, seed);
    const after = score(learnt);
    const before = score(await learn(2048, seed));
    const facts = `seed ${seed}: before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`;
    expect(before.utilisation, facts).toBeLessThan(0.5);
    expect(after.utilisation, facts).toBeGreaterThan(0.9);
    expect(after.delayMs, facts).toBeLessThan(5);
    expect(after.jain, facts).toBeGreaterThan(0.95);
    const again = [await learn(8192, 2), await learn(8192, 2)].map(({ checkpoint }) =>
      encodeCheckpoint(checkpoint),
    );
    expect(again[0]).toEqual(again[1]);
  });
});
