/** What real runs vary is drawn by the seed, and only where a scenario asks for it. */
import { describe, expect, it } from "vitest";
import { reno } from "../../algorithms/native/reno.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { resolveScenarios } from "../../scenarios/scenario-files.ts";
import { TYPICAL_VARIATION } from "../../scenarios/variation.ts";
import type { RunResult } from "../../testbeds/results.ts";

const PLAIN = getScenario("park-paper", { durationSec: 5 });
const VARIED: Scenario = { ...PLAIN, variation: TYPICAL_VARIATION };
const SEEDS = [1, 2, 3, 4];

/** Reno, whose slow start ends with losses: Cubic leaves it by the RTT, at the same window in every run of this link. */
function run(scenario: Scenario, seed: number): RunResult {
  return runAlgorithm({ scenario, seed, rewardName: "score", algorithm: reno });
}

function spread(values: readonly number[]): number {
  return Math.max(...values) / Math.min(...values) - 1;
}

describe("variation", () => {
  it("makes runs of a constant link differ as real ones do, around the same means", () => {
    const delays = (scenario: Scenario): number[] =>
      SEEDS.map((seed) => run(scenario, seed).metrics.meanQueueDelayMs);
    const [plain, varied] = [delays(PLAIN), delays(VARIED)];
    expect(spread(plain)).toBeLessThan(0.001);
    expect(spread(varied)).toBeGreaterThan(0.002);
    expect(spread(varied)).toBeLessThan(0.2);
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
    expect(mean(varied) / mean(plain)).toBeGreaterThan(0.9);
    expect(mean(varied) / mean(plain)).toBeLessThan(1.1);
  });

  it("gives the same bytes for the same seed", () => {
    expect(run(VARIED, 3)).toEqual(run(VARIED, 3));
  });

  for (const [what, variation] of [
    ["send jitter", { sendJitterUs: 100 }],
    ["ACK jitter", { ackJitterRtt: 0.005 }],
    ["packets in the queue at the start", { startQueue: 0.25 }],
  ] as const) {
    it(`${what} alone changes a run, by the seed`, () => {
      const seen = [1, 2].map((seed) => run({ ...PLAIN, variation }, seed).metrics.meanQueueDelayMs);
      expect(seen[0]).not.toBe(seen[1]);
      expect(seen[0]).not.toBe(run(PLAIN, 1).metrics.meanQueueDelayMs);
    });
  }

  it("moves the start of flows beside the flow under test by at most a round trip, never its own", () => {
    const flows = [{ algorithm: "reno", startSec: 1 }];
    const starts = SEEDS.map((seed) =>
      run({ ...PLAIN, flows, variation: { crossPhaseRtt: 1 } }, seed).flows!.map(({ startSec }) => startSec),
    );
    for (const [own, beside] of starts) {
      expect(own).toBe(0);
      expect(beside).toBeGreaterThan(1);
      expect(beside).toBeLessThan(1.05);
    }
    expect(new Set(starts.map(([, beside]) => beside)).size).toBe(SEEDS.length);
  });

  it("is what suites and --vary add, to scenarios that say nothing of it themselves", () => {
    const override = { path: "variation.startQueue", value: 0, text: "variation.startQueue=0" };
    const [plain] = resolveScenarios(["park-paper"]);
    const [varied] = resolveScenarios(["park-paper"], { vary: true });
    const [changed] = resolveScenarios(["park-paper"], { vary: true, overrides: [override] });
    expect(plain!.of(1)).toEqual(getScenario("park-paper"));
    expect(varied!.of(1).variation).toEqual(TYPICAL_VARIATION);
    expect(changed!.of(1).variation).toEqual({ ...TYPICAL_VARIATION, startQueue: 0 });
  });
});
