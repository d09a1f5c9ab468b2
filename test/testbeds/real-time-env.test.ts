import { describe, expect, it } from "vitest";
import type { TimeStep } from "../../envs/env.ts";
import { makeEnv } from "../../envs/local-env.ts";
import { runAgentLater } from "../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import type { RealTimeTestbed } from "../../testbeds/testbed.ts";
import { UDP } from "../../testbeds/udp/udp.ts";
import { envContract } from "../contract/env-contract.ts";

const SHORT: Scenario = {
  ...getScenario("park-paper", { durationSec: 1 }),
  fixed: { startSec: 0.05 },
};
const OPTIONS = { ...DEFAULT_ENV_OPTIONS, stepMs: 20 };

envContract("env on real packets", async () => makeEnv(SHORT, OPTIONS, UDP), "real");

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function episode(decideMs: number): Promise<TimeStep[]> {
  const env = makeEnv(SHORT, OPTIONS, UDP);
  try {
    const steps = [await env.reset({ seed: 1 })];
    while (!steps.at(-1)!.truncated) {
      if (decideMs > 0) await wait(decideMs);
      steps.push(await env.step(Float32Array.of(0)));
    }
    return steps;
  } finally {
    await env.close();
  }
}

const sum = (steps: readonly TimeStep[], of: (step: TimeStep) => number): number =>
  steps.reduce((total, step) => total + of(step), 0);

describe("an environment in real time", () => {
  it("has the spaces, the infos and the ends of the one in virtual time", async () => {
    const real = makeEnv(SHORT, OPTIONS, UDP);
    const simulated = makeEnv(SHORT, OPTIONS, SIMULATED);
    expect(real.observationSpace).toEqual(simulated.observationSpace);
    expect(real.actionSpace).toEqual(simulated.actionSpace);
    const [step] = await episode(0);
    expect(Object.keys(step!.info)).toEqual(Object.keys((await simulated.reset({ seed: 1 })).info));
    await real.close();
  });

  it("counts what a policy missed that is too slow for its step, and loses nothing of it", async () => {
    const quick = await episode(0);
    const slow = await episode(100);
    // 100 ms of thinking where ACKs come in a bunch every 50 ms: their reports belong to the step that follows
    expect(sum(slow, ({ info }) => info.missedReports)).toBeGreaterThan(slow.length / 2);
    expect(sum(quick, ({ info }) => info.missedReports)).toBeLessThan(quick.length / 4);
    for (const { info } of slow.slice(1)) expect(info.actionLateUs).toBeGreaterThan(90_000);
    expect(slow.length).toBeLessThan(quick.length / 2);
    // a window of ten packets in 50 ms, whoever looks
    const bytes = sum(slow, ({ info }) => info.deliveredBytes);
    expect(bytes).toBeGreaterThan(0.5 * sum(quick, ({ info }) => info.deliveredBytes));
    expect(slow.at(-1)!.truncated).toBe(true);
  });

  it("resets although the run that ends reports once more while it is closed", async () => {
    const lingering: RealTimeTestbed = {
      ...UDP,
      async open(...args) {
        const run = await UDP.open(...args);
        const close = run.close.bind(run);
        run.close = async () => {
          for (let turn = 0; turn < 20; turn++) await run.runUntil(run.nowNs + 10_000_000);
          await close();
        };
        return run;
      },
    };
    const env = makeEnv(SHORT, OPTIONS, lingering);
    try {
      for (const seed of [1, 2]) {
        const first = await env.reset({ seed });
        expect(first.truncated).toBe(false);
        await env.step(Float32Array.of(0));
      }
    } finally {
      await env.close();
    }
  });

  it("measures a policy's run, and how its decisions came", async () => {
    const agent = { act: () => Float32Array.of(0.3) };
    const options = { scenario: SHORT, seed: 1, rewardName: "score", agent, env: OPTIONS };
    const result = await runAgentLater({ ...options, testbed: UDP });
    expect(result.testbed).toBe("udp");
    expect(result.metrics.goodputMbps).toBeGreaterThan(5);
    expect(result.decisions!.count).toBeGreaterThan(10);
    expect(result.timing!.strayLosses).toBe(0);
    expect((await runAgentLater({ ...options, testbed: SIMULATED })).decisions).toBeUndefined();
  });
});
