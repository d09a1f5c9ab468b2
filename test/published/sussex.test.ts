/** The suite of the University of Sussex, and paths over low orbits: what their members are. */
import { describe, expect, it } from "vitest";
import { findSuite, suiteScenarios } from "../../scenarios/presets/suites.ts";
import { resolveScenarios } from "../../scenarios/scenario-files.ts";

const scenariosOf = (suite: string) =>
  resolveScenarios(suiteScenarios(findSuite(suite), false)).map((entry) => entry.of(1));

describe("the suite of Sussex", () => {
  const scenarios = scenariosOf("sussex");
  const named = (name: string) => scenarios.find((scenario) => scenario.name === `sussex/${name}`)!;

  it("has 30 links of like round trips, 30 of unlike ones, CUBIC in both orders, and 50 draws with and without loss", () => {
    const count = (begin: string): number =>
      scenarios.filter(({ name }) => name.startsWith(`sussex/${begin}`)).length;
    expect(["intra-rtt", "inter-rtt", "friendly-first", "friendly-last"].map(count)).toEqual([
      30, 30, 30, 30,
    ]);
    expect(count("responsiveness-")).toBe(100);
    expect(count("responsiveness-loss-")).toBe(50);
  });

  it("flow 1 lives 2 D and flow 2 joins at D / 2, D twice the delay in ms as seconds", () => {
    const { durationSec, flows = [] } = named("intra-rtt-30ms-1bdp");
    expect(durationSec).toBe(120);
    expect(flows[0]).toMatchObject({ algorithm: "test", startSec: 30 });
    expect(named("friendly-last-30ms-1bdp").flows![0]).toMatchObject({ algorithm: "cubic", startSec: -30 });
  });

  it("a draw of responsiveness changes every 10 s within 1 to 100 Mbit/s and 20 to 200 ms, the same each time", () => {
    const { forward, delay, durationSec } = named("responsiveness-07");
    expect(durationSec).toBe(300);
    expect(forward.rate.kind === "steps" && forward.rate.points).toHaveLength(30);
    const delays = delay!.forward!;
    for (const { delayMs } of delays.kind === "steps" ? delays.points : []) {
      expect(delayMs + 10).toBeGreaterThanOrEqual(20);
      expect(delayMs + 10).toBeLessThanOrEqual(200);
    }
    expect(scenariosOf("sussex").find(({ name }) => name === "sussex/responsiveness-07")!.forward).toEqual(
      forward,
    );
  });
});

describe("paths over low orbits", () => {
  it("hand over every 15 s", () => {
    for (const { forward, durationSec } of scenariosOf("leo")) {
      expect(forward.outages!.map(({ fromSec }) => fromSec)).toEqual([15, 30, 45, 60, 75, 90, 105]);
      expect(durationSec).toBe(120);
    }
  });
});
