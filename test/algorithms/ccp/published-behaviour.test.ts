/** What the papers and RFCs promise of each algorithm, on links where it can be told from what others do. */
import { describe, expect, it } from "vitest";
import { between, type Path, path, run } from "./published-paths.ts";

const BROADBAND: Path = { mbps: 12, rttMs: 40, queuePackets: 80, durationSec: 30 };

describe("Westwood+", () => {
  it("keeps twice what Reno keeps where losses tell of no queue", () => {
    const lossy = path({ ...BROADBAND, mbps: 24 }, { forward: { lossRate: 0.01 } });
    const reno = run("reno", lossy).metrics.goodputMbps;
    const westwood = run("westwood", lossy).metrics.goodputMbps;
    expect(westwood, `Reno ${reno}`).toBeGreaterThan(2 * reno);
  });
});

describe("Illinois and H-TCP", () => {
  it.each(["illinois", "htcp"])("%s fills a fast long path sooner after a cut than Reno", (name) => {
    // 400 packets of path and a short queue: Reno needs 200 rounds of 100 ms to be back
    const long = path({ mbps: 48, rttMs: 100, queuePackets: 40, durationSec: 40 });
    const reno = run("reno", long).metrics.utilisation;
    expect(run(name, long).metrics.utilisation, `Reno ${reno}`).toBeGreaterThan(reno + 0.03);
  });
});

describe("CDG", () => {
  it("holds the queue short of where loss would come, and takes chance losses for none of its own", () => {
    const { meanQueueDelayMs, lossRate } = run("cdg", path(BROADBAND)).metrics;
    expect(meanQueueDelayMs).toBeLessThan(15);
    expect(lossRate).toBeLessThan(0.001);
    const lossy = path(BROADBAND, { forward: { lossRate: 0.01 } });
    const reno = run("reno", lossy).metrics.goodputMbps;
    expect(run("cdg", lossy).metrics.goodputMbps, `Reno ${reno}`).toBeGreaterThan(1.3 * reno);
  });
});

describe("LEDBAT", () => {
  const home: Path = { mbps: 10, rttMs: 40, queuePackets: 300, durationSec: 60 };

  it.each([
    ["ledbat", 100],
    ["ledbat:targetMs=25", 25],
    ["ledbat-dtl", 100],
    ["ledbat-plus-plus", 60],
  ])("%s fills the link and stays at its target of %d ms", (name, targetMs) => {
    const result = run(name, path(home), 1);
    const settled = between(result.series, result.series.queueDelayMs, 30, 60);
    expect(settled).toBeGreaterThan(0.3 * targetMs);
    expect(settled).toBeLessThan(1.15 * targetMs);
    expect(result.metrics.utilisation).toBeGreaterThan(0.9);
  });

  it.each(["ledbat", "ledbat-dtl", "ledbat-plus-plus"])("%s yields to Reno within 10 s", (name) => {
    const flows = [{ algorithm: "reno", id: "reno", startSec: 20 }];
    const { series } = run(name, path(home, { flows }), 1);
    const share = between(series, series.throughputMbps, 30, 60) / home.mbps;
    expect(share).toBeLessThan(0.2);
  });
});

describe("Copa", () => {
  // one BDP is 20 packets, and the queue holds two of its own on average
  const paper: Path = { mbps: 12, rttMs: 20, queuePackets: 200, durationSec: 20 };

  it("fills the link with a queue that empties within every five RTTs", () => {
    const result = run("copa", path(paper), 0.1);
    expect(result.metrics.utilisation).toBeGreaterThan(0.95);
    expect(between(result.series, result.series.queueDelayMs, 5, 20)).toBeLessThan(6);
    expect(result.metrics.lossRate).toBe(0);
  });

  it("starves beside Cubic only if it may not switch its mode", () => {
    const scenario = path(
      { ...paper, queuePackets: 60, durationSec: 60 },
      { flows: [{ algorithm: "cubic" }] },
    );
    const share = (name: string): number => run(name, scenario).metrics.goodputMbps / paper.mbps;
    const fixed = share("copa:modeSwitching=0");
    expect(fixed).toBeLessThan(0.15);
    expect(share("copa"), `without switching ${fixed}`).toBeGreaterThan(2 * fixed);
  });
});

describe("Swift", () => {
  it("holds the delay at the target that it was given", () => {
    for (const marginMs of [5, 20]) {
      const result = run(
        `swift:marginMs=${marginMs},scalingMs=0`,
        path({ ...BROADBAND, mbps: 48, queuePackets: 320 }),
        1,
      );
      const settled = between(result.series, result.series.queueDelayMs, 15, 30);
      expect(settled).toBeGreaterThan(0.6 * marginMs);
      expect(settled).toBeLessThan(1.3 * marginMs);
    }
  });
});
