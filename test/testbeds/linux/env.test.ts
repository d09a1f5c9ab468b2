import { describe, expect, it } from "vitest";
import type { TimeStep } from "../../../envs/env.ts";
import { makeEnv } from "../../../envs/local-env.ts";
import { runAgentLater } from "../../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS } from "../../../envs/options.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import { LINUX, LINUX_PACING } from "../../../testbeds/linux/linux.ts";
import { kernelRefuses } from "./kernel-access.ts";

const SHORT = { ...getScenario("park-paper", { durationSec: 1.5 }), fixed: { startSec: 0.05 } };

describe.skipIf(kernelRefuses() !== undefined)("an environment on Linux TCP", () => {
  it.each([LINUX, LINUX_PACING])(
    "$name begins with the flow's first report to come, whose connection takes its time, and steps until the end",
    async (testbed) => {
      const env = makeEnv(SHORT, DEFAULT_ENV_OPTIONS, testbed);
      try {
        const steps: TimeStep[] = [await env.reset({ seed: 1 })];
        while (!steps.at(-1)!.truncated) steps.push(await env.step(Float32Array.of(0.5)));
        // a step is an RTT of 50 ms and more
        expect(steps.length).toBeGreaterThan(8);
        expect(steps.length).toBeLessThan(40);
        const { info } = steps.at(-2)!;
        expect(info.rttUs).toBeGreaterThan(50_000);
        expect(info.cwndBytes).toBeGreaterThan(steps[1]!.info.cwndBytes);
        expect(steps.reduce((sum, step) => sum + step.info.deliveredBytes, 0)).toBeGreaterThan(100_000);
        for (const { observation, reward } of steps) {
          expect([...observation, reward].every(Number.isFinite)).toBe(true);
        }
      } finally {
        await env.close();
      }
    },
  );

  it("lets a policy act in a measured run, by every report", async () => {
    let acted = 0;
    const agent = {
      act: () => {
        acted++;
        return Float32Array.of(0);
      },
    };
    const run = { scenario: SHORT, seed: 1, rewardName: "score", env: DEFAULT_ENV_OPTIONS, testbed: LINUX };
    const { decisions, metrics } = await runAgentLater({ ...run, agent });
    expect(acted).toBeGreaterThan(8);
    expect(decisions!.count).toBeGreaterThan(acted - 3);
    // ten packets in 50 ms, a window that nobody changes
    expect(metrics.goodputMbps).toBeGreaterThan(1.2);
    expect(metrics.goodputMbps).toBeLessThan(2.5);
    expect(metrics.lossRate).toBe(0);
  });
});
