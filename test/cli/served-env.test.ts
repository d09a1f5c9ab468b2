/** The environment that `ccpark serve` makes from a client's keyword arguments. */
import { describe, expect, it } from "vitest";
import { servedEnvs } from "../../cli/served-env.ts";
import type { SlotEnv } from "../../envs/vector/slots/slot-env.ts";
import { makeLink } from "../../scenarios/links.ts";
import type { Scenario } from "../../scenarios/scenario.ts";

const [singleFlow] = servedEnvs();
const make = (kwargs: Record<string, unknown>): SlotEnv => singleFlow!.make(kwargs, 1)[0]!;

function observationOf(env: SlotEnv): Float32Array {
  const observations = new Float32Array(env.observationSpace.shape[0]);
  const [rewards, flags] = [new Float64Array(1), new Uint8Array(1)];
  env.writeView(
    { observations, rewards, terminated: flags, truncated: flags, present: flags, live: flags },
    0,
  );
  return observations;
}

describe("the served environment", () => {
  it("steps the scenario that the client names, and measures the episode", () => {
    const env = make({ scenario: "park-paper", durationSec: 1, stepMs: 50, actionPolicy: "clip" });
    env.reset(3);
    let steps = 0;
    for (; !env.ended && steps < 1000; steps++) env.step(new Float32Array(env.actionSpace.shape[0]));
    expect(steps).toBeGreaterThanOrEqual(15);
    expect(env.episodeMetrics(0)).toMatchObject({ durationSec: 1, goodputMbps: expect.any(Number) });
  });

  it("takes a scenario as data, in the beginning or with a reset", () => {
    const link = makeLink({ mbps: 12, rttMs: 20, durationSec: 1 });
    const [first, other] = [make({ scenario: link }), make({})];
    first.reset(1);
    other.reset(1, link);
    for (let i = 0; i < 20; i++) {
      first.step(Float32Array.of(0.1));
      other.step(Float32Array.of(0.1));
      expect(observationOf(first)).toEqual(observationOf(other));
    }
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
    expect(() => make(kwargs)).toThrow(message);
  });

  it("refuses a scenario of a reset that is out of range, and goes on as before", () => {
    const env = make({ durationSec: 1 });
    env.reset(1);
    const link = makeLink({ mbps: 12, rttMs: 20 });
    expect(() => env.reset(1, { ...link, durationSec: -1 } as Scenario)).toThrow(/durationSec/);
    env.step(new Float32Array(env.actionSpace.shape[0]));
    expect(env.ended).toBe(false);
  });
});
