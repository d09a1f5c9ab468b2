/** What the papers and RFCs promise of each algorithm, on links where it can be told from what others do. */
import { describe, expect, it } from "vitest";
import { between, type Path, path, run } from "./published-paths.ts";

const BROADBAND: Path = { mbps: 12, rttMs: 40, queuePackets: 80, durationSec: 30 };

describe("Cubic", () => {
  it("follows the curve of RFC 9438: concave to the old maximum, K seconds after the cut, convex beyond", () => {
    // one BDP is 400 packets and the queue as long; later nothing holds the window at its old maximum
    const points = [
      { atSec: 0, mbps: 48 },
      { atSec: 34, mbps: 480 },
    ];
    const link = path(
      { mbps: 48, rttMs: 100, queuePackets: 400, durationSec: 50 },
      { forward: { rate: { kind: "steps", points } } },
    );
    const { series } = run("cubic:slowStart=standard,fastConvergence=0", link, 0.1);
    const window = series.cwndPackets;
    // the last cut before the link grows
    let cut = window.findLastIndex((packets, i) => i > 0 && packets < 0.8 * window[i - 1]! && i < 340);
    const maximum = Math.max(...window.slice(cut - 10, cut));
    // RFC 9438 equation (2), with beta 0.7 and C 0.4
    const k = Math.cbrt((maximum * 0.3) / 0.4);
    while (window[cut + 1]! < window[cut]!) cut++;
    const cutSec = series.timeSec[cut]!;
    const at = (t: number): number => window[Math.round((cutSec + t) * 10) - 1]!;
    for (let t = 1; t < 2 * k && cutSec + t < 50; t += 0.5) {
      const expected = 0.4 * (t - k) ** 3 + maximum;
      expect(Math.abs(at(t) / expected - 1), `${t} s: ${at(t)}, the curve has ${expected}`).toBeLessThan(
        0.04,
      );
    }
    const growth = (t: number): number => at(t + 1) - at(t);
    expect(growth(0.5)).toBeGreaterThan(2 * growth(k / 2));
    expect(growth(k / 2)).toBeGreaterThan(2 * growth(k - 1));
    expect(growth(1.5 * k)).toBeGreaterThan(2 * growth(k));
    console.log(`K ${k.toFixed(2)} s, maximum ${maximum.toFixed(0)} packets, cut at ${cutSec.toFixed(1)} s`);
  });
});

describe("BBR", () => {
  const { series } = run("bbr", path({ mbps: 12, rttMs: 40, queuePackets: 200, durationSec: 25 }), 0.01);

  it("pulses once in eight RTTs: a queue of 5/4 that the next phase takes away", () => {
    const delays = series.queueDelayMs.slice(300, 900);
    const high = delays.map((ms) => ms > 10);
    const begins = high.flatMap((isHigh, i) => (isHigh && !high[i - 1] ? [i] : []));
    const gapsMs = begins.slice(1).map((at, i) => (at - begins[i]!) * 10);
    const mean = gapsMs.reduce((sum, gap) => sum + gap, 0) / gapsMs.length;
    expect(begins.length).toBeGreaterThan(12);
    // an RTT is 40 ms and a few of queue
    expect(mean).toBeGreaterThan(8 * 40);
    expect(mean).toBeLessThan(8 * 50);
  });

  it("ProbeRTT: four packets for 200 ms and an RTT, every 10 s", () => {
    const low = series.cwndPackets.map((packets) => packets <= 4.5);
    const begins = low.flatMap((isLow, i) => (isLow && !low[i - 1] ? [series.timeSec[i]!] : []));
    const spent = low.filter(Boolean).length * 10;
    expect(begins).toHaveLength(2);
    expect(begins[1]! - begins[0]!).toBeGreaterThan(10);
    expect(begins[1]! - begins[0]!).toBeLessThan(10.6);
    expect(spent / 2).toBeGreaterThanOrEqual(200);
    expect(spent / 2).toBeLessThan(320);
  });
});

describe("Vegas", () => {
  it.each([
    ["vegas", 2, 4],
    ["vegas:alpha=8,beta=12", 8, 12],
  ])("%s holds %d to %d packets in the queue", (name, low, high) => {
    // a packet of 1500 bytes takes 1 ms
    const { series, metrics } = run(
      name,
      path({ mbps: 12, rttMs: 40, queuePackets: 200, durationSec: 30 }),
      1,
    );
    const packets = between(series, series.queueDelayMs, 18, 30);
    expect(packets).toBeGreaterThan(low - 0.5);
    expect(packets).toBeLessThan(high + 0.5);
    expect(metrics.lossRate).toBe(0);
    expect(between(series, series.throughputMbps, 18, 30)).toBeGreaterThan(11.4);
  });
});

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

  it("swings as a triangle around one BDP and two packets more, and drains within five RTTs of the top", () => {
    const { series } = run("copa", path(paper), 0.01);
    const window = series.cwndPackets.slice(500);
    const delays = series.queueDelayMs.slice(500);
    // 20 packets of path and, on average, 1/delta of queue: 22
    const mean = window.reduce((sum, packets) => sum + packets, 0) / window.length;
    expect(mean).toBeGreaterThan(20);
    expect(mean).toBeLessThan(25);
    expect(Math.min(...window)).toBeGreaterThan(17);
    expect(Math.max(...window)).toBeLessThan(30);
    // bins of half an RTT: never further than a packet or so at once, and up and down in turns
    const steps = window.slice(1).map((packets, i) => Math.abs(packets - window[i]!));
    expect(Math.max(...steps)).toBeLessThan(3.5);
    const drained = delays.flatMap((ms, i) => (ms <= 1 ? [i] : []));
    const gaps = drained.slice(1).map((at, i) => (at - drained[i]!) / 2);
    expect(Math.max(...gaps), "RTTs between one empty queue and the next").toBeLessThan(10);
    for (const start of [0, 300, 600, 900]) {
      const top = delays.indexOf(Math.max(...delays.slice(start, start + 40)), start);
      const empty = delays.findIndex((ms, i) => i > top && ms <= 1);
      expect((empty - top) / 2, "RTTs from the top to the empty queue").toBeLessThanOrEqual(5);
    }
  });

  it("takes compressed ACKs for a queue unless of each report the least RTT counts", () => {
    // 25 ms, and ACKs that come every 50 ms at once, as over Wi-Fi: most RTTs are three times the path's
    const reverse = { rate: { kind: "constant", mbps: 12 }, queue: { packets: 1000 } } as const;
    const compressed = path(
      { ...paper, rttMs: 25, durationSec: 30 },
      { reverse: { ...reverse, slots: { everyMs: 50, maxPackets: 1000 } } },
    );
    const mended = run("copa:modeSwitching=0", compressed).metrics;
    const without = run("copa:modeSwitching=0,leastRtt=0", compressed).metrics;
    console.log(
      `${without.goodputMbps.toFixed(1)} against ${mended.goodputMbps.toFixed(1)} Mbit/s, ` +
        `${without.meanQueueDelayMs.toFixed(1)} and ${mended.meanQueueDelayMs.toFixed(1)} ms`,
    );
    expect(without.goodputMbps).toBeLessThan(2);
    expect(mended.goodputMbps).toBeGreaterThan(3 * without.goodputMbps);
    expect(mended.meanQueueDelayMs).toBeLessThan(11);
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
