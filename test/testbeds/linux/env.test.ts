import { describe, expect, it } from "vitest";
import type { TimeStep } from "../../../envs/env.ts";
import { makeEnv } from "../../../envs/local-env.ts";
import { DEFAULT_ENV_OPTIONS } from "../../../envs/options.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import { LINUX } from "../../../testbeds/linux/linux.ts";
import { kernelRefuses } from "./kernel-access.ts";

const SCENARIO = { ...getScenario("park-paper", { durationSec: 3 }), fixed: { startSec: 0.5 } };

describe.skipIf(kernelRefuses() !== undefined)("an environment on Linux TCP", () => {
  it("has steps that reports of the kernel end, in which actions take effect, and ends by time", async () => {
    const env = makeEnv(SCENARIO, DEFAULT_ENV_OPTIONS, LINUX);
    const steps: TimeStep[] = [];
    try {
      let step = await env.reset({ seed: 1 });
      while (!step.truncated && !step.terminated) {
        step = await env.step(Float32Array.of(steps.length < 10 ? 0.3 : 0));
        steps.push(step);
      }
    } finally {
      await env.close();
    }
    expect(steps.length).toBeGreaterThan(10);
    expect(steps.at(-1)!.truncated).toBe(true);
    expect(steps.filter(({ info }) => info.report).length).toBeGreaterThan(steps.length / 2);
    const windows = steps.map(({ info }) => info.cwndBytes);
    expect(Math.max(...windows)).toBeGreaterThan(2 * windows[0]!);
    expect(steps.reduce((sum, { info }) => sum + info.deliveredBytes, 0)).toBeGreaterThan(100_000);
  });
});
