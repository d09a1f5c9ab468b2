import { describe, expect, it } from "vitest";
import { incast } from "../../eval/experiments/ccp-thesis/incast.ts";
import {
  INCAST_SETTING,
  incastRuns,
  ratioOfMeans,
  runIncast,
  summariseIncast,
} from "../../eval/experiments/ccp-thesis/incast-model.ts";
import { drawSvg } from "../../eval/report/picture.ts";
import { mean } from "../../eval/statistics.ts";

const SMALL = { ...INCAST_SETTING, rateGbps: 10, packets: 10 };

describe("the incast experiment", () => {
  it("without loss the tail is the time of all packets at the port's rate, half an RTT later", () => {
    const { tailUs, droppedPackets } = runIncast({ ...SMALL, bufferPackets: 1000 }, undefined, 1);
    const serviceUs = (50 * 10 * 1500) / 1250;
    expect(droppedPackets).toBe(0);
    expect(tailUs).toBeGreaterThan(serviceUs + 10);
    expect(tailUs).toBeLessThan(serviceUs + 10 + INCAST_SETTING.startJitterUs);
  });

  it.each(["reno", "reno-in-agent"] as const)(
    "%s at no distance that hears of every ACK does what Reno in the datapath does, without loss",
    (algorithm) => {
      const setting = { ...SMALL, packets: 100, bufferPackets: 10_000 };
      const agent = { algorithm, reportEveryUs: 0, stalenessUs: 0 };
      expect(runIncast(setting, agent, 7)).toEqual(runIncast(setting, undefined, 7));
    },
  );

  it("of the agent that grows at its reports the interval alone makes flows late that a full port drops", () => {
    const setting = { ...SMALL, rateGbps: 40, packets: 100 };
    const meanTailUs = (reportEveryUs: number) => {
      const agent = { algorithm: "reno-in-agent", reportEveryUs, stalenessUs: 20 } as const;
      return mean([1, 2, 3, 4, 5].map((seed) => runIncast(setting, agent, seed).tailUs));
    };
    expect(meanTailUs(500)).toBeGreaterThan(1.2 * meanTailUs(10));
  });

  it("the same seed gives the same run, another seed another", () => {
    const setting = { ...SMALL, packets: 100 };
    const agent = { algorithm: "portus-reno", reportEveryUs: 50, stalenessUs: 20 } as const;
    const run = runIncast(setting, agent, 3);
    expect(runIncast(setting, agent, 3)).toEqual(run);
    expect(runIncast(setting, agent, 4)).not.toEqual(run);
  });

  it("every run of the plan is summarised, tabled and drawn", async () => {
    const plan = {
      ratesGbps: [10, 40],
      packets: [10],
      intervalsUs: [10, 100],
      seeds: [1, 2],
      stalenessUs: 20,
      algorithm: "reno-in-agent",
      setting: INCAST_SETTING,
    } as const;
    const records = [...incastRuns(plan)];
    expect(records).toHaveLength(2 * 3 * 2);
    const rows = summariseIncast(records);
    expect(rows.map(({ rateGbps, intervalUs }) => [rateGbps, intervalUs])).toEqual([
      [10, 10],
      [10, 100],
      [40, 10],
      [40, 100],
    ]);
    for (const { ratio } of rows) expect(ratio.samples).toBe(2);
    const { bufferPackets, minRtoMs, startJitterUs } = plan.setting;
    const settings = { ...plan, rates: plan.ratesGbps, bufferPackets, minRtoMs, startJitterUs };
    const { text, figure, claims } = incast.report(records, settings);
    expect(text).toContain("466 packets");
    expect(text).toContain("RTO floor 1 ms");
    expect(text).toContain("reno-in-agent");
    expect(claims.map(({ verdict }) => verdict)).toEqual(["pass", undefined]);
    expect(await drawSvg(figure.spec, figure.names)).toContain("</svg>");
  });

  it("a ratio of paired means has no spread where the pairs are proportional", () => {
    const ratio = ratioOfMeans([2, 4, 6], [1, 2, 3]);
    expect(ratio.mean).toBeCloseTo(2, 12);
    expect(ratio.ci95 ?? 0).toBeCloseTo(0, 12);
  });
});
