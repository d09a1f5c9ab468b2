import { describe, expect, it } from "vitest";
import { cubic as nativeCubic } from "../../algorithms/native/cubic.ts";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { MSS_BYTES } from "../../core/units.ts";
import { runAgent, runAlgorithm } from "../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { UNLIMITED } from "../../scenarios/links.ts";
import { getScenario } from "../../scenarios/presets.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";
import { measure } from "../../testbeds/measure.ts";
import { powerScore } from "../../testbeds/score.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { loadTrace } from "../../traces/trace-files.ts";
import { sharedData } from "../shared-data.ts";

const SHORT = getScenario("park-paper", { durationSec: 10 });

function holding(cwndPackets: number): CongestionControlFactory {
  return () => ({
    name: "holding",
    cwndBytes: cwndPackets * MSS_BYTES,
    pacingRateBytesPerSec: undefined,
    onAck() {},
    onCongestion() {},
  });
}

describe("a measured run", () => {
  it("lasts as long as it says, at whatever fraction of a nanosecond it began", () => {
    const scenario = getScenario("park-paper", { durationSec: 1 });
    for (let seed = 1; seed <= 10; seed++) {
      const run = { scenario, seed, algorithm: holding(20), rewardName: "score" };
      expect(runAlgorithm(run).metrics.durationSec).toBe(1);
    }
  });

  it("keeps the definitions of its quantities", () => {
    const { metrics } = runAlgorithm({
      scenario: SHORT,
      seed: 1,
      algorithm: ccpAlgorithm("cubic"),
      rewardName: "score",
    });
    expect(metrics.durationSec).toBeCloseTo(10, 9);
    expect(metrics.score).toBe(powerScore(metrics.goodputMbps * 125_000, metrics.meanQueueDelayMs * 1000));
    expect(metrics.lossRate).toBe(metrics.droppedPackets / metrics.sentPackets);
    expect(metrics.servedBytes + metrics.wastedBytes).toBeCloseTo(48 * 125_000 * 10, 0);
    expect(metrics.utilisation).toBeCloseTo(metrics.servedBytes / (48 * 125_000 * 10), 9);
    expect(metrics.p95QueueDelayMs).toBeGreaterThan(metrics.meanQueueDelayMs);
    // goodput counts payload: 1448 of 1500 bytes, less what was under way at the end
    expect(metrics.goodputMbps).toBeLessThanOrEqual((48 * MSS_BYTES) / 1500);
  });

  it("has the queueing delay of arithmetic: a window of BDP + n packets waits n packet times", () => {
    for (const extra of [4, 40, 160]) {
      const { metrics } = runAlgorithm({
        scenario: { ...SHORT, reverse: UNLIMITED, fixed: { sendJitterUs: 0 } },
        seed: 1,
        algorithm: holding(200 + extra),
        rewardName: "score",
      });
      // 250 us a packet; a packet is served while it is no longer queued, and delayed ACKs release two at once
      expect(Math.abs(metrics.meanQueueDelayMs - 0.25 * extra)).toBeLessThan(0.5);
    }
  });

  it("gives a policy that holds its window the metrics and the reward of a control that does", () => {
    const agent = { act: () => Float32Array.of(230, 0) };
    const policy = runAgent({
      scenario: SHORT,
      seed: 3,
      agent,
      env: { ...DEFAULT_ENV_OPTIONS, action: "absolute" },
      rewardName: "score",
    });
    const control = runAlgorithm({ scenario: SHORT, seed: 3, algorithm: holding(230), rewardName: "score" });
    // they differ in the first round trip only, which the policy spends at the initial window
    expect(policy.metrics.goodputMbps / control.metrics.goodputMbps).toBeCloseTo(1, 1);
    expect(policy.metrics.meanQueueDelayMs).toBeCloseTo(control.metrics.meanQueueDelayMs, 0);
    expect(Math.abs(policy.reward - control.reward)).toBeLessThan(0.15);
  });

  it("has a series whose bins add up to the goodput", () => {
    const { metrics, series } = runAlgorithm({
      scenario: SHORT,
      seed: 2,
      algorithm: nativeCubic,
      rewardName: "score",
    });
    expect(series.timeSec).toHaveLength(20);
    const mean = series.throughputMbps.reduce((a, b) => a + b) / 20;
    expect(mean).toBeCloseTo(metrics.goodputMbps, 9);
    expect(Math.max(...series.throughputMbps)).toBeLessThanOrEqual(series.capacityMbps[0]! + 0.05);
    expect(Math.max(...series.queueDelayMs)).toBeLessThan(101);
    expect(new Set(series.cwndPackets).size).toBeGreaterThan(5);
  });
});

describe("a run over a trace", () => {
  it.for(["Verizon-LTE-short.down", "ATT-LTE-driving-2016.down"])(
    "of %s serves and wastes n x 1504 bytes per period, and wastes nothing while the queue is never empty",
    (name, { skip }) => {
      const tracePath = sharedData(`traces/${name}`);
      if (tracePath === undefined) return skip(`recorded trace ${name} is absent`);
      const { opportunitiesMs } = loadTrace(tracePath);
      const periodSec = opportunitiesMs[opportunitiesMs.length - 1]! / 1000;
      const full = {
        ...resolveScenario("ccp-cell", { tracePath }),
        durationSec: periodSec,
        fixed: { traceOffsetMs: 0 },
      };
      const { metrics } = runAlgorithm({
        scenario: full,
        seed: 1,
        algorithm: ccpAlgorithm("cubic"),
        rewardName: "score",
      });
      expect(metrics.servedBytes + metrics.wastedBytes).toBe(opportunitiesMs.length * 1504);
      const flood = { ...full, forward: { ...full.forward, queue: {} } };
      const simulation = SIMULATED.open(flood, 1, { control: () => holding(20_000) });
      // one lap on, when 20,000 packets wait at every moment
      simulation.runUntil(simulation.startNs + 1e9);
      const before = simulation.truth.forward.servedBytes(simulation.nowNs);
      simulation.runUntil(simulation.nowNs + periodSec * 1e9);
      const after = simulation.truth.forward.servedBytes(simulation.nowNs);
      expect(after - before).toBe(opportunitiesMs.length * 1504);
      expect(measure(simulation).lossRate).toBe(0);
    },
  );
});
