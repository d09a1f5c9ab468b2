/** What the papers on algorithms with a model of the path, or of what rates do, say of them. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { fixedScenario, type ScenarioTemplate } from "../../../scenarios/template.ts";
import type { FlowMetrics } from "../../../testbeds/results.ts";
import { parseMahimahiTrace } from "../../../traces/mahimahi.ts";
import { sharedData } from "../../shared-data.ts";

const SEED = 1;

function link(mbps: number, rttMs: number, packets: number, over: ScenarioTemplate = {}): ScenarioTemplate {
  const rate = { kind: "constant", mbps } as const;
  const { forward, ...rest } = over;
  return {
    propagationDelayMs: rttMs / 2,
    durationSec: 30,
    forward: { rate, queue: { packets }, ...(forward as object) },
    reverse: { rate, queue: { packets } },
    ...rest,
  };
}

function metricsOf(reference: string, template: ScenarioTemplate): FlowMetrics {
  const scenario = fixedScenario(template, { name: "link" });
  return runAlgorithm({ scenario, seed: SEED, rewardName: "score", algorithm: ccpAlgorithm(reference) })
    .metrics;
}

describe(`PCC, 24 Mbit/s, 40 ms, 1 % loss, seed ${SEED}`, () => {
  const lossy = link(24, 40, 160, { forward: { lossRate: 0.01 } });

  it("Vivace keeps the throughput that Cubic loses, with hardly a queue", () => {
    const vivace = metricsOf("vivace", lossy);
    expect(metricsOf("cubic", lossy).utilisation).toBeLessThan(0.25);
    expect(vivace.utilisation).toBeGreaterThan(0.7);
    expect(vivace.meanQueueDelayMs).toBeLessThan(10);
  });

  it("Allegro fills the link and its queue, and stays at the loss that it tolerates", () => {
    const { utilisation, lossRate } = metricsOf("pcc-allegro", lossy);
    expect(utilisation).toBeGreaterThan(0.95);
    expect(lossRate).toBeLessThan(0.08);
  });
});

describe(`Vivace, seed ${SEED}`, () => {
  it("holds the queue near empty, by the RTT gradient; without that term it fills it", () => {
    const path = link(12, 40, 80);
    expect(metricsOf("vivace", path).meanQueueDelayMs).toBeLessThan(8);
    expect(metricsOf("vivace:latency=0", path).meanQueueDelayMs).toBeGreaterThan(30);
  });

  it("is repeatable: the order of its trials is drawn from the flow's own generator", () => {
    const path = link(12, 40, 80, { durationSec: 10 });
    expect(metricsOf("vivace", path)).toEqual(metricsOf("vivace", path));
  });
});

describe(`Sprout on recorded links, 20 ms, seed ${SEED}`, () => {
  it.each(["Verizon-LTE-short", "ATT-LTE-driving-2016"])(
    "%s: delivers most of it within its 100 ms, where Cubic waits for more than half a second",
    (name) => {
      const path = sharedData(`traces/${name}.down`);
      if (path === undefined) return;
      const { opportunitiesMs } = parseMahimahiTrace(readFileSync(path, "utf8"), name);
      const rate = { kind: "trace", name, opportunitiesMs } as const;
      const recorded = link(20, 20, 400, { durationSec: 60, forward: { rate, queue: { packets: 400 } } });
      const sprout = metricsOf("sprout", recorded);
      expect(sprout.utilisation).toBeGreaterThan(0.65);
      expect(sprout.p95QueueDelayMs).toBeLessThan(110);
      expect(metricsOf("cubic", recorded).meanQueueDelayMs).toBeGreaterThan(500);
    },
  );
});
