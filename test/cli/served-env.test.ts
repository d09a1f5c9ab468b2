/** The environment that `ccpark serve` makes from a client's keyword arguments. */
import { describe, expect, it } from "vitest";
import { makeServedEnv } from "../../cli/served-env.ts";
import type { Scenario } from "../../envs/scenario.ts";
import { makeLink } from "../../envs/scenarios/links.ts";

describe("the served environment", () => {
  it("steps the scenario that the client names, and measures the episode", () => {
    const env = makeServedEnv({ scenario: "park-paper", durationSec: 1, stepMs: 50, actionPolicy: "clip" });
    let step = env.reset(3);
    let steps = 0;
    for (; !step.truncated && steps < 1000; steps++)
      step = env.step(new Float32Array(env.actionSpace.shape[0]));
    expect(steps).toBeGreaterThanOrEqual(15);
    expect(env.episodeMetrics?.()).toMatchObject({ durationSec: 1, goodputMbps: expect.any(Number) });
  });

  it("takes a scenario as data, in the beginning or with a reset", () => {
    const link = makeLink({ mbps: 12, rttMs: 20, durationSec: 1 });
    expect(makeServedEnv({ scenario: link }).reset(1)).toEqual(makeServedEnv({}).reset(1, link));
  });

  it.each([
    [{ scenario: "park-papr" }, /did you mean `park-paper`/],
    [{ scenario: 7 }, /wrong scenario/],
    [{ scenario: "park-paper", durationSec: "long" }, /wrong durationSec/],
    [{ scenario: "ccp-cell", trace: "/etc/passwd" }, /a client may name a shipped one/],
    [{ speed: 1 }, /speed/],
    [{ observation: "park15" }, /did you mean `park-14`/],
    [{ stepMs: -1 }, /stepMs/],
  ])("refuses %j", (kwargs, message) => {
    expect(() => makeServedEnv(kwargs)).toThrow(message);
  });

  it("refuses a scenario of a reset that is out of range, and goes on as before", () => {
    const env = makeServedEnv({ durationSec: 1 });
    env.reset(1);
    const link = makeLink({ mbps: 12, rttMs: 20 });
    expect(() => env.reset(1, { ...link, durationSec: -1 } as Scenario)).toThrow(/durationSec/);
    expect(env.step(new Float32Array(env.actionSpace.shape[0])).truncated).toBe(false);
  });
});
