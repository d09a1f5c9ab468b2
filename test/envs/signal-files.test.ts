import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { reno } from "../../algorithms/native/reno.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { getAction, makeAction } from "../../envs/signals/actions.ts";
import { flowRewards } from "../../envs/signals/flow-rewards.ts";
import { emptyInterval } from "../../envs/signals/interval.ts";
import {
  firstView,
  getObservation,
  OBSERVATIONS,
  registerObservation,
} from "../../envs/signals/observations.ts";
import { getReward, registerReward } from "../../envs/signals/rewards.ts";
import { checkAction, checkObservation, checkReward, loadSignals } from "../../envs/signals/signal-files.ts";
import { getScenario } from "../../scenarios/presets.ts";

const OBSERVATION = "./examples/signals/my-observation.js";
const ACTION = "./examples/signals/my-action.js";
const REWARD = "./examples/signals/my-reward.js";
const ABOUT = { name: "a", definition: "a", source: "a" };
const PART = { ...ABOUT, unit: "1", low: 0, high: 1, of: () => 0 };

describe("observations and rewards of one's own", () => {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-signals-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are known by their path once they are loaded, twice or at the same time too", async () => {
    expect(() => getObservation(OBSERVATION)).toThrow(/unknown observation/);
    const names = { observations: [OBSERVATION, "standard"], rewards: [REWARD, "score"] };
    await Promise.all([loadSignals(names), loadSignals(names)]);
    await loadSignals(names);
    expect(getObservation(OBSERVATION)).toMatchObject({
      name: OBSERVATION,
      history: 4,
      space: { shape: [8] },
    });
    expect(getReward(REWARD).name).toBe(REWARD);
    expect([...flowRewards().keys()]).toContain(REWARD);
    expect([...OBSERVATIONS.keys()].filter((name) => name === OBSERVATION)).toHaveLength(1);
  });

  it("say what the examples say they say", async () => {
    await loadSignals({ observations: [OBSERVATION], rewards: [REWARD] });
    const interval = {
      ...emptyInterval(1448),
      stepUs: 100_000,
      ackedBytes: 125_000,
      ackedPackets: 90,
      lostPackets: 10,
      meanRttUs: 60_000,
      minRttUs: 40_000,
    };
    const view = firstView(interval, 14_480);
    expect(getObservation(OBSERVATION).values(view)).toEqual([0.5, 0.1]);
    const reward = getReward(REWARD);
    expect(reward.of(interval)).toBe(10 - 2);
    expect(reward.components.reduce((sum, component) => sum + component.of(interval), 0)).toBe(10 - 2);
    const run = runAlgorithm({
      scenario: getScenario("park-paper", { durationSec: 5 }),
      seed: 1,
      rewardName: REWARD,
      algorithm: reno,
    });
    const { goodputMbps, meanQueueDelayMs } = run.metrics;
    expect(Math.abs(run.reward / (goodputMbps - 0.1 * meanQueueDelayMs) - 1)).toBeLessThan(0.2);
  });

  it("have names of their own", () => {
    const parts = { ...ABOUT, history: 1, features: [PART] };
    expect(() => registerObservation({ ...parts, name: "standard" })).toThrow("`standard` is known already");
    const reward = { ...ABOUT, low: 0, high: 1, components: [], of: () => 0 };
    expect(() => registerReward({ ...reward, name: "park" })).toThrow("`park` is known already");
  });

  it.each([
    [null, "default export: expected an observation's parts"],
    [{ ...ABOUT, name: "" }, "name: expected a text that is not empty"],
    [{ ...ABOUT, history: 0 }, "history: expected a whole number of frames from 1 to 1000"],
    [{ ...ABOUT, history: 1, features: [] }, "features: expected a list that is not empty"],
    [{ ...ABOUT, history: 1, features: [null] }, "features.0: expected an object"],
    [{ ...ABOUT, history: 1, features: [ABOUT] }, "features.0.of: expected a function"],
    [{ ...ABOUT, history: 1, features: [{ ...PART, unit: 1 }] }, "features.0.unit: expected a text"],
    [
      { ...ABOUT, history: 1, features: [{ ...PART, low: 2 }] },
      "features.0.low, high: expected numbers, low below",
    ],
    [
      { ...ABOUT, history: 1, features: [PART, PART] },
      "features.1.name: expected a name of its own, not `a` again",
    ],
  ])("an observation's field that is wrong is named: %j", (input, sentence) => {
    expect(() => checkObservation(input, "`./a.js`")).toThrow(`[observation] \`./a.js\`: ${sentence}`);
  });

  it.each([
    [3, "default export: expected an action's parts"],
    [ABOUT, "dimensions, choices: expected one of the two"],
    [{ ...ABOUT, dimensions: [PART], choices: [PART] }, "dimensions, choices: expected one of the two"],
    [{ ...ABOUT, choices: [] }, "choices: expected a list that is not empty"],
    [{ ...ABOUT, dimensions: [{ ...PART, unit: 1 }] }, "dimensions.0.unit: expected a text"],
    [
      { ...ABOUT, dimensions: [{ ...PART, high: Number.POSITIVE_INFINITY }] },
      "dimensions.0.low, high: expected finite numbers",
    ],
    [{ ...ABOUT, choices: [PART] }, "apply: expected a function of (action, setting, mssBytes)"],
  ])("an action's field that is wrong is named: %j", (input, sentence) => {
    expect(() => checkAction(input, "`./a.js`")).toThrow(`[action] \`./a.js\`: ${sentence}`);
  });

  it("actions of one's own hold the window, and say where they set none", async () => {
    await loadSignals({ actions: [ACTION] });
    const { apply, space } = getAction(ACTION);
    expect(space).toMatchObject({ kind: "box", dimensions: [{ name: "packets" }] });
    const setting = { cwndBytes: 14_480, rateBytesPerSec: 0 };
    const view = firstView(emptyInterval(1448), 14_480);
    apply([5], setting, 1448, view);
    expect(setting.cwndBytes).toBe(15 * 1448);
    for (let i = 0; i < 5; i++) apply([-10], setting, 1448, view);
    expect(setting.cwndBytes).toBe(2 * 1448);
    const wrong = makeAction({
      ...ABOUT,
      choices: [{ name: "a", definition: "a" }],
      apply(_, given) {
        given.rateBytesPerSec = Number.NaN;
      },
    });
    const message = "[env] action a: rateBytesPerSec: got NaN, expected a finite number from 0";
    expect(() => wrong.apply([0], setting, 1448, view)).toThrow(message);
  });

  it.each([
    [3, "default export: expected a RewardSpec"],
    [{ ...ABOUT, source: undefined }, "source: expected a text"],
    [{ ...ABOUT, low: 0, high: Number.NaN }, "low, high: expected numbers, low below high"],
    [{ ...ABOUT, low: 0, high: 1, components: {} }, "components: expected a list that is not empty"],
    [{ ...ABOUT, low: 0, high: 1, components: [PART] }, "of: expected a function of an Interval"],
  ])("a reward's field that is wrong is named: %j", (input, sentence) => {
    expect(() => checkReward(input, "`./a.js`")).toThrow(`[reward] \`./a.js\`: ${sentence}`);
  });

  it("several fields that are wrong are told at once, beyond six as a number", () => {
    const wrong = { name: "a", low: 0, high: 1, components: [{ name: "a" }] };
    expect(() => checkReward(wrong, "`./a.js`")).toThrow(
      "[reward] `./a.js`: definition: expected a text that is not empty; source: expected a text that is not empty; components.0.definition: expected a text that is not empty; components.0.of: expected a function; of: expected a function of an Interval",
    );
    const features = Array.from({ length: 5 }, (_, i) => ({ name: `a${i}`, definition: "a" }));
    expect(() => checkObservation({ ...ABOUT, history: 1, features }, "`./a.js`")).toThrow(/; and 9 more$/);
  });

  it("are refused where they say what is no number, and where their file is missing", async () => {
    const path = join(folder, "nothing.mjs");
    writeFileSync(
      path,
      'export default { name: "a", definition: "a", source: "a", low: 0, high: 1, components: [{ name: "a", definition: "a", of: () => 0 }], of: () => undefined };',
    );
    await loadSignals({ rewards: [path] });
    const message = `[env] reward ${path}: got undefined, expected a finite number`;
    expect(() => getReward(path).of(emptyInterval(1448))).toThrow(message);
    const gone = { observations: ["./gone.js"] };
    await expect(loadSignals(gone, "runs/mine")).rejects.toThrow(
      "[observation] no module `./gone.js`: expected a JavaScript file; runs/mine was made with it",
    );
  });
});
