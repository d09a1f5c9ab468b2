/** Steps of runs that others control, as the environment would have shown them. */
import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runAgent, runAlgorithm } from "../../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS } from "../../../envs/options.ts";
import { OracleTeacher } from "../../../envs/recorded/teacher.ts";
import { getAction } from "../../../envs/signals/actions.ts";
import { SingleFlowSlot } from "../../../envs/vector/slots/single-flow.ts";
import { constantWindow } from "../../../eval/contenders/constant-contender.ts";
import { oracleContender } from "../../../eval/contenders/oracle-contender.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";

const env = DEFAULT_ENV_OPTIONS;
const scenario = { ...resolveScenario("park-paper"), durationSec: 5 };
const common = { scenario, seed: 1, rewardName: env.reward, recordSteps: env };
const WIDTH = 30;

describe("recorded steps", () => {
  it("have one observation more than steps, a reward each, and an action inside the box", () => {
    const { steps } = runAlgorithm({ ...common, algorithm: makeAlgorithm(resolveAlgorithm("cubic")) });
    const count = steps!.rewards.length;
    expect(count).toBeGreaterThan(30);
    expect(steps!.observations).toHaveLength((count + 1) * WIDTH);
    expect(steps!.actions).toHaveLength(count);
    expect(steps!.actions.every((a) => a >= -1 && a <= 1)).toBe(true);
    // slow start doubles the window in its first rounds
    expect(steps!.actions[1]).toBeGreaterThan(0.9);
    expect(steps!.rewards.every(Number.isFinite)).toBe(true);
  });

  it("of a window that never moves are actions that keep it", () => {
    const { steps } = runAlgorithm({ ...common, algorithm: constantWindow(40) });
    // from the initial window of the environment to its own, and then nothing
    for (const action of steps!.actions.slice(2)) expect(Math.abs(action)).toBeLessThan(0.05);
  });

  it("are paid by the share of the link where the reward asks for it", () => {
    const { steps, metrics } = runAlgorithm({
      ...common,
      recordSteps: { ...env, reward: "general" },
      algorithm: constantWindow(40),
    });
    // a sixth of the link and no queue: what is missing is throughput alone
    expect(metrics.utilisation).toBeLessThan(0.25);
    for (const reward of steps!.rewards.slice(5)) {
      expect(reward).toBeCloseTo(1.5 * Math.log2(metrics.utilisation), 0);
    }
  });

  it("of a policy are about what it did itself", () => {
    const said: number[] = [];
    const agent = {
      act: () => {
        said.push(said.length < 5 ? 0.5 : 0);
        return Float32Array.of(said.at(-1)!);
      },
    };
    const { steps } = runAgent({ ...common, agent, env });
    const grown = steps!.actions.slice(0, 12).reduce((sum, a) => sum + a, 0);
    expect(grown).toBeCloseTo(2.5, 0);
    expect(Math.abs(steps!.rewards.length - said.length)).toBeLessThan(0.2 * said.length);
  });

  it("of the oracle are those of the best of its ways to send", async () => {
    const { steps, metrics } = await oracleContender().run({ ...common, seriesBinSec: 1 });
    expect(metrics.utilisation).toBeGreaterThan(0.95);
    expect(steps!.rewards.length).toBeGreaterThan(30);
  });

  it("are the same bytes for the same seed, and change nothing of the run", () => {
    const run = (recordSteps: typeof env | undefined) =>
      runAlgorithm({ ...common, recordSteps, algorithm: makeAlgorithm(resolveAlgorithm("cubic")) });
    const [a, b] = [run(env), run(env)];
    expect(a.steps).toEqual(b.steps);
    const { steps: _, ...recorded } = a;
    expect(recorded).toEqual(run(undefined));
  });
});

describe("what comes nearest to what another control did", () => {
  const of = (name: string, before: number, after: number): number[] =>
    getAction(name).nearest!(
      { cwndBytes: before * 1460, rateBytesPerSec: 0 },
      { cwndBytes: after * 1460, rateBytesPerSec: 0 },
      1460,
    );

  it("is a factor, held at the box", () => {
    expect(of("multiplicative", 10, 20)).toEqual([1]);
    expect(of("multiplicative", 10, 100)).toEqual([1]);
    expect(of("multiplicative", 16, 8 * Math.SQRT2)[0]).toBeCloseTo(-0.5, 10);
  });

  it("is the choice of the nearest window by ratio", () => {
    expect(of("indigo", 100, 52)).toEqual([0]);
    expect(of("indigo", 100, 91)).toEqual([1]);
    expect(of("indigo", 100, 101)).toEqual([2]);
    expect(of("indigo", 100, 108)).toEqual([3]);
    expect(of("indigo", 100, 190)).toEqual([4]);
  });
});

describe("OracleTeacher", () => {
  it("fills the link with little queue where a policy does what it says", () => {
    const teacher = new OracleTeacher(env.action);
    const slot = new SingleFlowSlot(env, { scenarios: scenario }, undefined, undefined, teacher);
    const state = new Float32Array(1);
    slot.reset(3);
    while (!slot.ended) {
      slot.writeState(state, 0);
      slot.step(state);
    }
    const { utilisation, meanQueueDelayMs } = slot.episodeMetrics();
    expect(utilisation).toBeGreaterThan(0.9);
    expect(meanQueueDelayMs).toBeLessThan(2);
  });

  it("knows a link's changes ahead", () => {
    const step = { ...resolveScenario("cell-lte-driving"), durationSec: 10 };
    const slot = new SingleFlowSlot(
      { ...env, action: "indigo" },
      { scenarios: step },
      undefined,
      undefined,
      new OracleTeacher("indigo"),
    );
    const state = new Float32Array(1);
    slot.reset(3);
    while (!slot.ended) {
      slot.writeState(state, 0);
      expect([0, 1, 2, 3, 4]).toContain(state[0]);
      slot.step(state);
    }
    expect(slot.episodeMetrics()["utilisation"]).toBeGreaterThan(0.6);
  });
});
