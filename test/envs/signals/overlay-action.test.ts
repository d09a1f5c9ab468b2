/** The action of an overlay: a choice beside the window, which the policy leaves alone from then on. */
import { expect, it } from "vitest";
import { Rng } from "../../../core/random.ts";
import { CongestionEnv } from "../../../envs/congestion-env.ts";
import { MultiFlowEnv } from "../../../envs/multi-flow-env.ts";
import { DEFAULT_ENV_OPTIONS, DEFAULT_MULTI_FLOW_OPTIONS } from "../../../envs/options.ts";
import { getScenario } from "../../../scenarios/presets.ts";

it("moves the flow under test to the detour and back, and the same actions give the same bytes", () => {
  const scenario = { ...getScenario("ron-outage-3", { rng: Rng.fromSeed(1) }), durationSec: 10 };
  const options = { ...DEFAULT_ENV_OPTIONS, action: "overlay", stepMs: 100 };
  const play = (choice: number): string => {
    const env = new CongestionEnv(scenario, options);
    let step = env.reset(1);
    const rtts: number[] = [];
    while (!step.truncated) {
      step = env.step([0, choice]);
      rtts.push(step.info.rttUs);
    }
    return JSON.stringify([rtts, env.metrics().sentPackets]);
  };
  const [direct, detour] = [play(0), play(1)];
  expect(play(1)).toBe(detour);
  const least = (text: string): number =>
    Math.min(...(JSON.parse(text)[0] as number[]).filter((rttUs) => rttUs > 0));
  // 42 ms there and back on the direct path, 62 ms over the third node
  expect(least(direct)).toBeLessThan(50_000);
  expect(least(direct)).toBeGreaterThan(41_000);
  // the first packets leave before the first action
  expect(
    JSON.parse(detour)[0]
      .slice(5)
      .filter((rttUs: number) => rttUs > 0 && rttUs < 60_000),
  ).toEqual([]);
});

it("gives each flow of a split its share, an agent each", () => {
  const scenario = { ...getScenario("multipath-4", { rng: Rng.fromSeed(1) }), durationSec: 8 };
  const env = new MultiFlowEnv(scenario, { ...DEFAULT_MULTI_FLOW_OPTIONS, action: "overlay", stepMs: 100 });
  let step = env.reset(1);
  const delivered = [0, 0, 0, 0];
  for (let steps = 0; !step.ended; steps++) {
    const actions = step.liveFlows.map((id): [string, number[]] => [id, [0, id === "flow-1" ? 1 : 0.25]]);
    step = env.step(new Map(actions.map(([id, action]) => [id, Float32Array.from(action)])));
    // what was given before the first action has arrived
    if (steps > 20)
      for (const [id, { info }] of step.flows) delivered[Number(id.slice(5))]! += info.deliveredBytes;
  }
  const others = (delivered[0]! + delivered[2]! + delivered[3]!) / 3;
  expect(others).toBeGreaterThan(0);
  expect(delivered[1]! / others).toBeGreaterThan(3);
  expect(delivered[1]! / others).toBeLessThan(5);
});
