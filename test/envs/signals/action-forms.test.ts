/** Forms of action on a real link: what each does with its bounds and its middle, and what goes on below it by itself. */
import { describe, expect, it } from "vitest";
import { crossTrafficAlgorithm } from "../../../algorithms/cross-traffic.ts";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { CongestionEnv } from "../../../envs/congestion-env.ts";
import { runAgent, runAlgorithm } from "../../../envs/measured-run.ts";
import { parseEnvOptions } from "../../../envs/options.ts";
import { ACTIONS, getAction } from "../../../envs/signals/actions.ts";
import { makeLink } from "../../../scenarios/links.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";
import { fixedScenario } from "../../../scenarios/template.ts";
import type { RunResult } from "../../../testbeds/results.ts";

const LINK = makeLink({ mbps: 12, rttMs: 40, bufferBdp: 1, name: "12 Mbit/s, 40 ms", durationSec: 10 });

/** @returns what the link measured of an agent that always does the same */
function alwaysThe(name: string, action: readonly number[]): ReturnType<CongestionEnv["metrics"]> {
  const env = new CongestionEnv(
    LINK,
    parseEnvOptions({ action: name, observation: "general", reward: "general" }),
  );
  env.begin(1);
  while (!env.truncated) {
    env.advance(action);
    const { cwndBytes, pacingRateBytesPerSec } = env.info();
    expect(cwndBytes).toBeGreaterThanOrEqual(2 * 1448);
    expect(Number.isFinite(cwndBytes) && Number.isFinite(pacingRateBytesPerSec)).toBe(true);
  }
  return env.metrics();
}

/** A run of a policy that adds nothing to what goes on below its action. */
function runAlone(action: string, scenario: Scenario): RunResult {
  const env = parseEnvOptions({ action, observation: "general", reward: "general", stepMs: "rtt" });
  const nothing = new Float32Array(getAction(action).space.shape[0]);
  const agent = { act: () => nothing };
  return runAgent({ scenario, seed: 1, rewardName: "score", algorithms: crossTrafficAlgorithm, agent, env });
}

describe.each([...ACTIONS.keys()])("action %s", (name) => {
  it("keeps windows and rates that are numbers at both ends of its space", () => {
    const { space } = getAction(name);
    const ends =
      space.kind === "box" ? [[...space.low], [...space.high]] : space.choices.map((_, choice) => [choice]);
    // the form of Park leaves a field alone at 0
    for (const action of ends) expect(alwaysThe(name, action).goodputMbps).toBeGreaterThan(0);
  });
});

describe("what goes on below an action by itself", () => {
  it.each([
    ["steered", [0, 0], 0.9, 4],
    ["orca", [0], 0.9, 45],
    ["confined", [1], 0.85, 10],
    ["choose", [0], 0.9, 45],
    ["choose", [1], 0.85, 10],
    ["choose", [2], 0.8, 20],
  ] as const)("fills the link under %s %j", (name, action, utilisation, delayMs) => {
    const metrics = alwaysThe(name, action);
    expect(metrics.utilisation).toBeGreaterThan(utilisation);
    expect(metrics.meanQueueDelayMs).toBeLessThan(delayMs);
  });

  it.each([1, 2, 4])(
    "leaves a flow under steered a share beside one of Cubic, with a buffer of %i BDP",
    (bdp) => {
      const scenario = fixedScenario({
        name: "beside Cubic",
        rttMs: 40,
        durationSec: 60,
        forward: { rate: { kind: "constant", mbps: 24 }, queue: { bdp } },
        flows: [{ id: "cubic", algorithm: "cubic", startSec: 0 }],
      });
      const { flows } = runAlone("steered", scenario);
      const [own, cubic] = flows!.map(({ goodputMbps }) => goodputMbps);
      expect(own! / (own! + cubic!)).toBeGreaterThan(0.2);
      expect(own! / (own! + cubic!)).toBeLessThan(0.75);
    },
  );

  it("gives the queue back under steered when the flow that filled it has gone", () => {
    const scenario = fixedScenario({
      name: "Cubic, for 20 s",
      rttMs: 40,
      durationSec: 60,
      forward: { rate: { kind: "constant", mbps: 24 }, queue: { bdp: 2 } },
      flows: [{ id: "cubic", algorithm: "cubic", startSec: 0, stopSec: 20 }],
    });
    const { series } = runAlone("steered", scenario);
    const delays = series.queueDelayMs.slice(-20); // the last 10 s
    expect(Math.max(...delays)).toBeLessThan(4);
  });

  it("follows a rate that changes by itself under steered: 70 % of it, at a third of Cubic's delay", () => {
    const scenario = { ...resolveScenario("cell-lte-driving"), durationSec: 30 };
    const { metrics } = runAlone("steered", scenario);
    const cubic = runAlgorithm({
      scenario,
      seed: 1,
      rewardName: "score",
      algorithm: makeAlgorithm(resolveAlgorithm("cubic")),
    });
    expect(metrics.utilisation).toBeGreaterThan(0.7);
    expect(metrics.meanQueueDelayMs).toBeLessThan(cubic.metrics.meanQueueDelayMs / 3);
  });

  it("has a memory of each flow alone: a second episode begins anew", () => {
    const [first, second] = [alwaysThe("steered", [0.1, 0]), alwaysThe("steered", [0.1, 0])];
    expect(second).toEqual(first);
  });
});
