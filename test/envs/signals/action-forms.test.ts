/** Forms of action on a real link: what each does with its bounds and its middle, and what goes on below it by itself. */
import { describe, expect, it } from "vitest";
import { CongestionEnv } from "../../../envs/congestion-env.ts";
import { parseEnvOptions } from "../../../envs/options.ts";
import { ACTIONS, getAction } from "../../../envs/signals/actions.ts";
import { makeLink } from "../../../scenarios/links.ts";

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

  it("has a memory of each flow alone: a second episode begins anew", () => {
    const [first, second] = [alwaysThe("steered", [0.1, 0]), alwaysThe("steered", [0.1, 0])];
    expect(second).toEqual(first);
  });
});
