/** What the RFCs and drafts of media flows promise: TFRC, GCC and SCReAM. */
import { describe, expect, it } from "vitest";
import { tcpPacketsPerSec } from "../../../algorithms/ccp/media/tfrc.ts";
import type { RunResult } from "../../../testbeds/results.ts";
import { between, type Path, path, run } from "./published-paths.ts";

/** Standard deviation over mean of the throughput from a time on. */
function variation({ series }: RunResult, fromSec: number): number {
  const values = series.throughputMbps.filter((_, i) => series.timeSec[i]! > fromSec);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / values.length;
  return Math.sqrt(variance) / mean;
}

describe("TFRC (RFC 5348)", () => {
  it("takes the rate of TCP from the equation: 1 % loss events at 100 ms are 11.2 packets per RTT", () => {
    expect(tcpPacketsPerSec(0.01, 0.1)).toBeCloseTo(112.3, 1);
    // section 3.1: as 1 / (R sqrt(2p / 3)) where timeouts are rare
    expect(tcpPacketsPerSec(1e-6, 0.1) * 0.1 * Math.sqrt(2e-6 / 3)).toBeCloseTo(1, 3);
  });

  it("is smoother than Reno and within a factor of 2 of its throughput at 1 % loss", () => {
    const lossy = path(
      { mbps: 24, rttMs: 40, queuePackets: 80, durationSec: 60 },
      { forward: { lossRate: 0.01 } },
    );
    const reno = run("reno", lossy, 1);
    const tfrc = run("tfrc", lossy, 1);
    const ratio = tfrc.metrics.goodputMbps / reno.metrics.goodputMbps;
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
    expect(variation(tfrc, 5)).toBeLessThan(0.7 * variation(reno, 5));
  });

  it("shares a link with Reno within a factor of 2.5", () => {
    const link: Path = { mbps: 12, rttMs: 40, queuePackets: 60, durationSec: 90 };
    const { metrics, flows } = run("tfrc", path(link, { flows: [{ id: "reno", algorithm: "reno" }] }));
    const reno = flows!.find(({ id }) => id === "reno")!;
    const ratio = metrics.goodputMbps / reno.goodputMbps;
    expect(ratio).toBeGreaterThan(0.4);
    expect(ratio).toBeLessThan(2.5);
  });
});

/** RFC 8867 5.1: up to 3.5 Mbit/s and a queue of 300 ms. */
const MEDIA: Path = { mbps: 3, rttMs: 100, queuePackets: 75, durationSec: 90 };

describe("GCC (draft-ietf-rmcat-gcc-02)", () => {
  it("reaches 3 Mbit/s by 8 % a second and holds the queueing delay below 50 ms there", () => {
    const result = run("gcc:startKbps=300,probing=0", path(MEDIA), 1);
    const { series, metrics } = result;
    // 300 kbit/s times 1.08^30 is 3 Mbit/s
    const reached = series.timeSec[series.throughputMbps.findIndex((mbps) => mbps > 2.7)]!;
    expect(reached).toBeGreaterThan(20);
    expect(reached).toBeLessThan(60);
    expect(metrics.p95QueueDelayMs).toBeLessThan(50);
    expect(metrics.lossRate).toBe(0);
    expect(between(series, series.queueDelayMs, 60, 90)).toBeLessThan(25);
    expect(between(series, series.throughputMbps, 60, 90)).toBeGreaterThan(0.8 * MEDIA.mbps);
  });

  it("finds 3 Mbit/s within 3 s by probes of twice what arrives, and holds the queueing delay below 50 ms then", () => {
    const { series, metrics } = run("gcc", path(MEDIA), 1);
    expect(between(series, series.throughputMbps, 3, 10)).toBeGreaterThan(0.75 * MEDIA.mbps);
    expect(between(series, series.queueDelayMs, 10, 90)).toBeLessThan(25);
    expect(metrics.p95QueueDelayMs).toBeLessThan(60);
    // the last probe was twice of what the link has
    expect(metrics.lossRate).toBeLessThan(0.01);
  });

  it("gives way to a rate that falls to a third within seconds", () => {
    const points = [
      { atSec: 0, mbps: 3 },
      { atSec: 60, mbps: 1 },
    ];
    const { series } = run("gcc", path(MEDIA, { forward: { rate: { kind: "steps", points } } }), 1);
    expect(between(series, series.queueDelayMs, 70, 90)).toBeLessThan(60);
    expect(between(series, series.throughputMbps, 65, 90)).toBeGreaterThan(0.7);
  });

  it("bears 5 % loss and cuts by half of what is more than 10 %", () => {
    const at = (lossRate: number): number =>
      run(
        "gcc:startKbps=2000,probing=0",
        path({ ...MEDIA, mbps: 6, durationSec: 30 }, { forward: { lossRate } }),
      ).metrics.goodputMbps;
    expect(at(0.05)).toBeGreaterThan(1.4);
    expect(at(0.2)).toBeLessThan(0.8);
  });
});

describe("SCReAM (draft-johansson-ccwg-rfc8298bis-screamv2)", () => {
  it.each([60, 100])("fills 3 Mbit/s between half of its target of %d ms and the target", (targetMs) => {
    const result = run(`scream:targetMs=${targetMs}`, path({ ...MEDIA, rttMs: 40, queuePackets: 150 }), 1);
    const { series, metrics } = result;
    const settled = between(series, series.queueDelayMs, 20, 90);
    expect(settled).toBeGreaterThan(0.3 * targetMs);
    expect(settled).toBeLessThan(targetMs);
    expect(metrics.p95QueueDelayMs).toBeLessThan(1.1 * targetMs);
    expect(metrics.lossRate).toBe(0);
    expect(between(series, series.throughputMbps, 20, 90)).toBeGreaterThan(0.9 * MEDIA.mbps);
  });

  it("keeps its rate within a tenth once it has found the link", () => {
    expect(variation(run("scream", path(MEDIA), 1), 20)).toBeLessThan(0.1);
  });
});
