/** A report with made-up runs: enough contenders, links and seeds to try every part of the page without a simulator. */
import type { TrainingFacts } from "../../agents/learner.ts";
import { Rng } from "../../core/random.ts";
import { runBenchmark } from "../../eval/benchmark.ts";
import type { Contender, RunOptions } from "../../eval/contenders/contender.ts";
import { storedScenario } from "../../eval/links.ts";
import { makeReportData, type ReportData } from "../../eval/report/report-data.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { jainIndex } from "../../testbeds/fairness.ts";
import type { FlowSummary, RunResult } from "../../testbeds/results.ts";

export function makeScenario(name: string, changes: Partial<Scenario> = {}): Scenario {
  return {
    name,
    source: "made up",
    description: "made up",
    forward: { rate: { kind: "constant", mbps: 48 }, queue: { packets: 400 }, lossRate: 0 },
    reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
    propagationDelayMs: 25,
    durationSec: 30,
    ackPolicy: "delayed",
    ...changes,
  };
}

const CHARACTERS: Readonly<Record<string, { share: number; delayMs: number; swing: number }>> = {
  agent: { share: 0.97, delayMs: 0.9, swing: 0.1 },
  untrained: { share: 0.22, delayMs: 0.05, swing: 0.4 },
  constant: { share: 0.96, delayMs: 1.1, swing: 0.05 },
  cubic: { share: 0.97, delayMs: 78, swing: 0.3 },
  vegas: { share: 0.93, delayMs: 0.6, swing: 0.1 },
  bbr: { share: 0.95, delayMs: 3.5, swing: 0.6 },
  reno: { share: 0.95, delayMs: 61, swing: 0.5 },
};

export function sampleRun({ scenario, seed, rewardName, seriesBinSec }: RunOptions, name: string): RunResult {
  const rng = Rng.fromSeed(seed).fork(`${name} ${scenario.name}`);
  const { share, delayMs, swing } = CHARACTERS[name] ?? { share: 0.9, delayMs: 10, swing: 0.2 };
  const varying = scenario.forward.rate.kind === "trace";
  const mbps = scenario.forward.rate.kind === "constant" ? scenario.forward.rate.mbps : 9;
  const bins = Math.round(scenario.durationSec / seriesBinSec);
  const timeSec = Array.from({ length: bins }, (_, i) => (i + 1) * seriesBinSec);
  const capacityMbps = timeSec.map(
    (t) => mbps * 0.965 * (varying ? 1 + 0.8 * Math.sin(t / 2) * Math.sin(t) : 1),
  );
  const ramp = (t: number): number => Math.min(1, 0.15 + t);
  const throughputMbps = capacityMbps.map(
    (c, i) => c * share * ramp(timeSec[i]!) * (1 - 0.08 * swing * rng.next()),
  );
  const wave = (t: number): number => 1 + swing * Math.sin(t * 1.3 + seed) + 0.1 * rng.next();
  const queueDelayMs = timeSec.map((t) => delayMs * wave(t) * ramp(t) * (varying ? 4 : 1));
  const goodputMbps = throughputMbps.reduce((a, b) => a + b, 0) / bins;
  const sorted = [...queueDelayMs].sort((a, b) => a - b);
  const meanQueueDelayMs = queueDelayMs.reduce((a, b) => a + b, 0) / bins;
  return {
    testbed: "simulated",
    metrics: {
      durationSec: scenario.durationSec,
      goodputMbps,
      utilisation: goodputMbps / (mbps * 0.965),
      meanQueueDelayMs,
      p95QueueDelayMs: sorted[Math.floor(bins * 0.95)]!,
      meanOneWayDelayMs: scenario.propagationDelayMs + meanQueueDelayMs,
      p95OneWayDelayMs: scenario.propagationDelayMs + sorted[Math.floor(bins * 0.95)]!,
      lossRate: delayMs > 50 ? 0.003 * (1 + rng.next()) : 0,
      score: Math.log2(goodputMbps * 125_000) - 0.5 * Math.log2(Math.max(1000, 1000 * meanQueueDelayMs)),
      sentPackets: 100_000,
      droppedPackets: 0,
      servedBytes: 150_000_000,
      wastedBytes: 1_000_000,
    },
    reward: 2 * share - 0.01 * delayMs + 0.02 * rng.next(),
    rewardName,
    series: {
      binSec: seriesBinSec,
      timeSec,
      throughputMbps,
      capacityMbps,
      queueDelayMs,
      cwndPackets: queueDelayMs.map((d) => (mbps * (50 + d)) / 12),
    },
  };
}

export function sampleContender(name: string): Contender {
  return { name, description: `${name}, made up`, run: (options) => sampleRun(options, name) };
}

export function sampleLearning(updates: number): TrainingFacts[] {
  const rng = Rng.fromSeed(5);
  return Array.from({ length: updates }, (_, i) => ({
    steps: (i + 1) * 2048,
    totalSteps: updates * 2048,
    episodes: i * 3,
    meanEpisodeReturn: i % 7 === 3 ? Number.NaN : 300 * (1 - Math.exp(-i / 20)) + 40 * rng.next(),
    meanScore: i % 7 === 3 ? Number.NaN : 17 - 4 * Math.exp(-i / 20) + 0.6 * rng.next(),
    meanUtilisation: 0.9,
    meanQueueDelayMs: 3,
  }));
}

/** Made-up company of a run: flows that start one after the other, the last of them backward, and transfers. */
export function withCompany(run: RunResult, seed: number, flowCount: number): RunResult {
  const { durationSec, goodputMbps, p95OneWayDelayMs } = run.metrics;
  const flows = Array.from({ length: flowCount }, (_, i): FlowSummary => {
    const startSec = (i * durationSec) / flowCount;
    return {
      id: `flow-${i}`,
      algorithm: i === 0 ? "test" : "cubic",
      direction: i > 0 && i === flowCount - 1 ? "backward" : "forward",
      startSec,
      durationSec: durationSec - startSec,
      goodputMbps: goodputMbps / (i + 1),
      meanQueueDelayMs: 1,
      p95OneWayDelayMs,
      lossRate: 0,
      sentPackets: 1000,
      droppedPackets: 0,
    };
  });
  const forward = flows.filter(({ direction }) => direction === "forward");
  const transfers = {
    started: 200,
    completed: 190,
    ...{ meanMs: 60 + seed, medianMs: 50 + seed, p95Ms: 90, p99Ms: 300 + 10 * seed, maxMs: 400 },
  };
  return { ...run, flows, jainIndex: jainIndex(forward.map((flow) => flow.goodputMbps)), transfers };
}

export async function sampleReport(
  names: readonly string[] = Object.keys(CHARACTERS),
  /** flows of the second link; its first runs without company */
  flowCount = 1,
): Promise<ReportData> {
  const scenarios = [
    makeScenario("park-paper"),
    makeScenario("cell-walk", {
      forward: {
        rate: { kind: "trace", name: "somewhere/cell-walk.down", opportunitiesMs: [0, 1, 2, 3, 5, 8] },
        queue: { packets: 1000 },
        lossRate: 0,
      },
    }),
  ];
  const seeds = [1, 2, 3];
  const contenders = names.map((name): Contender => {
    const alone = sampleContender(name);
    if (flowCount === 1) return alone;
    return {
      ...alone,
      run: (options) => {
        const run = sampleRun(options, name);
        return options.scenario === scenarios[1] ? withCompany(run, options.seed, flowCount) : run;
      },
    };
  });
  const runs = [];
  for await (const run of runBenchmark({ scenarios, contenders, seeds, rewardName: "power" })) runs.push(run);
  return makeReportData({
    title: "Made-up contenders & </script> on two links",
    provenance: {
      command: "ccpark bench --scenario park-paper,cell-walk --seeds 3",
      options: { scenario: ["park-paper", "cell-walk"], seeds: [1, 2, 3] },
      versions: { ccpark: "0.1.0" },
    },
    scenarios: scenarios.map(storedScenario),
    contenders: contenders.map(({ name, description }) => ({ name, description })),
    seeds,
    rewardName: "power",
    runs,
    learning: sampleLearning(100),
  });
}
