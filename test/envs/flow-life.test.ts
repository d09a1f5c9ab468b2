/** What is measured of a flow belongs to its life, and what did not happen is measured of nobody. */
import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { makeLink } from "../../scenarios/links.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { validateScenario } from "../../scenarios/validate.ts";
import { seriesCsv } from "../../testbeds/exports/series-rows.ts";
import type { RunResult } from "../../testbeds/results.ts";

const REWARD = "score";
const TRANSFER = { kind: "finite", bytes: 20_000_000 } as const;
const LINK = makeLink({ mbps: 20, rttMs: 40, durationSec: 60 });

function run(scenario: Scenario, algorithm: string, recording?: RunResult["recordings"]): RunResult {
  return runAlgorithm({
    scenario: validateScenario(scenario),
    seed: 1,
    rewardName: REWARD,
    algorithm: makeAlgorithm(resolveAlgorithm(algorithm)),
    ...(recording && { recording: { formats: ["mahimahi"], title: "" } }),
  });
}

describe("a finite flow", () => {
  for (const name of ["cubic", "bbr", "vegas", "reno"]) {
    it(`${name}: 20 MB on 20 Mbit/s are measured until all is acknowledged, not until the scenario ends`, () => {
      const { metrics, reward } = run({ ...LINK, application: TRANSFER, deadlineSec: 9 }, name);
      const endless = run({ ...LINK, durationSec: metrics.durationSec }, name);
      // 13,813 segments of 1500 bytes take 8.29 s
      expect(metrics.durationSec).toBeGreaterThan(8.29);
      expect(metrics.durationSec).toBeLessThan(9);
      expect(metrics.completionMs).toBeCloseTo(1000 * metrics.durationSec, 6);
      expect(metrics.goodputMbps).toBeCloseTo((13_813 * 1448 * 8e-6) / metrics.durationSec, 6);
      expect(metrics).toMatchObject({ deadlineSec: 9, deadlineMet: true });
      for (const quantity of ["goodputMbps", "utilisation", "meanQueueDelayMs", "score"] as const) {
        expect(metrics[quantity] / endless.metrics[quantity], quantity).toBeCloseTo(1, 1);
      }
      expect(reward / endless.reward).toBeCloseTo(1, 1);
      expect(endless.metrics).not.toHaveProperty("completionMs");
    });
  }

  it("that is not done has no completion time, and fails a deadline that has passed", () => {
    const slow = { ...LINK, durationSec: 5, application: TRANSFER };
    expect(run(slow, "reno").metrics).toMatchObject({ completionMs: Number.NaN, durationSec: 5 });
    expect(run({ ...slow, deadlineSec: 4 }, "reno").metrics.deadlineMet).toBe(false);
    expect(run({ ...slow, deadlineSec: 6 }, "reno").metrics).not.toHaveProperty("deadlineMet");
  });

  it("shares are compared while all are there: whoever is left alone is no sign of unfairness", () => {
    const finite = { algorithm: "reno", application: TRANSFER };
    const { flows, jainIndex } = run(
      { ...LINK, application: TRANSFER, flows: [{ ...finite, startSec: 4, deadlineSec: 10 }] },
      "reno",
    );
    expect(jainIndex).toBeGreaterThan(0.8);
    expect(jainIndex).toBeLessThanOrEqual(1);
    expect(
      flows!.map(({ completionMs, durationSec }) => Math.abs(completionMs! - 1000 * durationSec!) < 1e-6),
    ).toEqual([true, true]);
    expect(flows![1]).toMatchObject({ deadlineSec: 10, deadlineMet: false });
    const apart = run({ ...LINK, application: TRANSFER, flows: [{ ...finite, startSec: 20 }] }, "reno");
    expect(apart.flows).toHaveLength(2);
    expect(apart).not.toHaveProperty("jainIndex");
  });

  it("alone may have a deadline", () => {
    expect(() => validateScenario({ ...LINK, deadlineSec: 3 })).toThrow(
      /deadlineSec: got 3, expected an `application` of kind `finite` beside it/,
    );
    const flows = [{ algorithm: "reno", deadlineSec: 3 }];
    expect(() => validateScenario({ ...LINK, flows })).toThrow(/flows\.0\.deadlineSec/);
  });
});

describe("what did not happen", () => {
  const outage = makeLink({ mbps: 12, rttMs: 40, bufferBdp: 5, durationSec: 30 });
  const cut = { ...outage, forward: { ...outage.forward, outages: [{ fromSec: 25, toSec: 1000 }] } };

  it("is no delay: packets that wait for the end of an outage beyond the run are not in the mean", () => {
    const { metrics, recordings } = run(cut, "reno", {});
    const delaysMs = recordings!
      .mahimahi!.split("\n")
      .map((line) => /^\d+ - \d+ (\d+)$/.exec(line))
      .flatMap((match) => (match === null ? [] : [Number(match[1])]));
    // the log has sojourn times in whole milliseconds: service included, propagation not
    const meanMs = delaysMs.reduce((sum, each) => sum + each, 0) / delaysMs.length + 20;
    expect(metrics.meanOneWayDelayMs / meanMs).toBeCloseTo(1, 2);
    expect(metrics.p95OneWayDelayMs).toBeLessThan(400);
    // and the same of the network that is not recorded
    expect(run(cut, "reno").metrics.meanOneWayDelayMs).toBeCloseTo(metrics.meanOneWayDelayMs, 9);
  });

  it("has no value: a link that delivers nothing has no delay, and the lowest score of its duration", () => {
    const dead = { ...outage, forward: { ...outage.forward, outages: [{ fromSec: 0, toSec: 1000 }] } };
    const { metrics, series, ...rest } = run({ ...dead, flows: [{ algorithm: "reno" }] }, "reno");
    for (const quantity of ["meanQueueDelayMs", "p95QueueDelayMs", "meanOneWayDelayMs"] as const) {
      expect(metrics[quantity], quantity).toBeNaN();
    }
    expect(metrics.goodputMbps).toBe(0);
    expect(series.queueDelayMs.every(Number.isNaN)).toBe(true);
    expect(seriesCsv(series, [])).toMatch(/\n0\.5,0,\d*,,\d/);
    expect(metrics.utilisation).toBeNaN();
    expect(metrics.score).toBeCloseTo(Math.log2(1448) - 0.5 * Math.log2(30e6), 9);
    expect(rest).not.toHaveProperty("jainIndex");
    const slow = makeLink({ mbps: 0.05, rttMs: 40, bufferPackets: 10, durationSec: 30 });
    expect(run(slow, "reno").metrics.score).toBeGreaterThan(metrics.score);
  });
});
