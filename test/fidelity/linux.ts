/** What the comparisons with Linux share: how a flow is run, and the bounds. */
import { expect } from "vitest";
import { cubic } from "../../algorithms/native/cubic.ts";
import { reno } from "../../algorithms/native/reno.ts";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { measure } from "../../testbeds/measure.ts";
import type { FlowMetrics } from "../../testbeds/results.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";

export const DURATION_SEC = 30;
export const NATIVE: Readonly<Record<"cubic" | "reno", CongestionControlFactory>> = { cubic, reno };

export interface Reference {
  readonly goodputMbps: number;
  readonly meanQueueDelayMs: number;
}

export function run(scenario: Scenario, control: CongestionControlFactory, seed = 1): FlowMetrics {
  const simulation = SIMULATED.open(scenario, seed, { control: () => control });
  simulation.runUntil(simulation.endNs);
  return measure(simulation);
}

export function overCcp(name: string): CongestionControlFactory {
  return runCcpAlgorithm(ccpAlgorithm(name));
}

export function expectWithin(got: number, expected: number, tolerance: number, what: string): void {
  expect(
    Math.abs(got - expected),
    `${what}: got ${got.toFixed(2)}, expected ${expected.toFixed(2)}`,
  ).toBeLessThanOrEqual(tolerance);
}

/** Goodput within 5 %, mean queueing delay within 20 % or 2 ms. */
export function expectLikeLinux(got: Reference, linux: Reference): void {
  expectWithin(got.goodputMbps, linux.goodputMbps, 0.05 * linux.goodputMbps, "goodput, Mbit/s");
  const tolerance = Math.max(0.2 * linux.meanQueueDelayMs, 2);
  expectWithin(got.meanQueueDelayMs, linux.meanQueueDelayMs, tolerance, "mean queueing delay, ms");
}
