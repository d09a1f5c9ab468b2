/** The scenarios of named flows in the simulator: what they are for shows in each. */
import { describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { measure } from "../../testbeds/measure.ts";
import { SIMULATED, type SimulatedRun } from "../../testbeds/simulated/simulated.ts";

const SEED = 1;

function open(scenario: Scenario, algorithm: CcpAlgorithm, seed = SEED): SimulatedRun {
  return SIMULATED.open(scenario, seed, { control: () => algorithm });
}

describe("flows-slow-branch", () => {
  it("lets the branches that are not slow have what the slow one cannot take, where each is controlled by itself", () => {
    const share = (name: string): number[] => {
      const run = open(getScenario("flows-slow-branch"), ccpAlgorithm(name));
      run.runUntil(run.endNs);
      return run.flows.map(({ deliveredPackets }) => (deliveredPackets * 1448 * 8) / 30e6);
    };
    const [near, also, slow] = share("cubic");
    expect(near! + also!).toBeGreaterThan(9.5);
    expect(slow).toBeGreaterThan(0.3);
    expect(slow).toBeLessThan(0.5);
    // one window for all: the branch's losses are everybody's
    const [a, b] = share("aggregate");
    expect(a! + b!).toBeLessThan(near! + also!);
  });
});

describe("flows-overflow-feedback", () => {
  it("tells the sender by what was overwritten alone, and delay-based control overwrites less", () => {
    const lost = (name: string): number => {
      const run = open(getScenario("flows-overflow-feedback"), ccpAlgorithm(name));
      run.runUntil(run.endNs);
      const { goodputMbps, lossRate } = measure(run);
      expect(goodputMbps).toBeGreaterThan(2.5);
      expect(run.truth.forward.maxQueuedPackets).toBeLessThanOrEqual(8);
      return lossRate;
    };
    const reno = lost("reno");
    expect(reno).toBeGreaterThan(0);
    expect(lost("vegas")).toBeLessThan(reno);
  });
});

it.each(["flows-slow-branch", "flows-overflow-feedback"])(
  "%s gives the same counts for the same seed",
  (name) => {
    const counts = (seed: number): string => {
      const run = open({ ...getScenario(name), durationSec: 22 }, ccpAlgorithm("cubic"), seed);
      run.runUntil(run.endNs);
      return JSON.stringify(run.flows.map((flow) => [flow.sentPackets, flow.deliveredPackets, flow.srttUs]));
    };
    expect(counts(5)).toBe(counts(5));
    expect(counts(6)).not.toBe(counts(5));
  },
);
