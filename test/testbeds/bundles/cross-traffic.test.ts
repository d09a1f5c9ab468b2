/** A bundle whose control is Nimbus, beside traffic of others and on gateways that are held up: links that nothing was tuned on. */
import { describe, expect, it } from "vitest";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import { bundleCompetition } from "../../../eval/experiments/bundles/competition.ts";
import {
  HOSTS,
  openSite,
  SENDBOX_ALGORITHM,
  siteRoute,
  siteScenario,
} from "../../../eval/experiments/bundles/site.ts";
import { mean } from "../../../eval/statistics.ts";

const control = "bundle-sfq";
const algorithm = SENDBOX_ALGORITHM.initial;

describe("a bundle beside others", () => {
  for (const [mbps, rttMs, beside] of [
    [6, 20, ["cubic-1", "cubic-2"]],
    [12, 10, ["cubic-1", "cubic-2"]],
    [12, 15, ["cubic-1", "poisson-20+cubic-1"]],
    [12, 35, ["poisson-40", "cubic-5"]],
    [12, 120, ["constant-30", "cubic-2"]],
    [150, 120, ["cubic-2"]],
  ] as const) {
    it(`gets at least 80 % of its part of ${mbps} Mbit/s, ${rttMs} ms: ${beside.join(", ")}`, async () => {
      const settings = { algorithm, beside, mbps, rttMs, seeds: 1 };
      const rows: object[] = [];
      for await (const row of bundleCompetition.run(settings)) rows.push(row);
      const { claims } = bundleCompetition.report(rows, settings);
      expect(claims.length).toBe(beside.length);
      for (const { claim, measured } of claims) expect(measured, claim).toBeGreaterThan(0.8);
    });
  }
});

describe("a bundle beside datagrams on a long path", () => {
  it("keeps the queue out of the network, where pulses are shorter than an RTT", async () => {
    const settings = { algorithm, beside: ["constant-30"], mbps: 12, rttMs: 120, seeds: 1 };
    const rows: { atSec: number; control: string; bottleneckMs: number }[] = [];
    for await (const row of bundleCompetition.run(settings)) rows.push(row as (typeof rows)[number]);
    const settled = rows.filter((row) => row.atSec > 30 && row.control === control);
    expect(mean(settled.map((row) => row.bottleneckMs))).toBeLessThan(30);
  });
});

describe("a bundle beside BBR, which takes half of a link from four Cubics without one", () => {
  for (const [mbps, rttMs] of [
    [60, 35],
    [150, 35],
    [24, 50],
    [12, 120],
  ] as const) {
    it(`gets at least 80 % of its part, and so does BBR: ${mbps} Mbit/s, ${rttMs} ms`, async () => {
      const settings = { algorithm, beside: ["bbr-1"], mbps, rttMs, seeds: 1 };
      const rows: { atSec: number; control: string; mbps: number; othersMbps: number }[] = [];
      for await (const row of bundleCompetition.run(settings)) rows.push(row as (typeof rows)[number]);
      const settled = rows.filter((row) => row.atSec > 30 && row.control === control);
      const own = mean(settled.map((row) => row.mbps)) / (0.8 * mbps);
      const others = mean(settled.map((row) => row.othersMbps)) / (0.2 * mbps);
      console.log(`the bundle ${own.toFixed(2)} of its due, BBR ${others.toFixed(2)}`);
      expect(own).toBeGreaterThan(0.8);
      expect(others).toBeGreaterThan(0.8);
    });
  }
});

describe("a bundle alone, whose congestion ACKs come together since its gateways are held up", () => {
  for (const impairment of [
    {},
    { slots: { everyMs: 10 } },
    { jitter: { kind: "uniform", maxMs: 5 } },
  ] as const) {
    it(`keeps the queue out of the network: ${JSON.stringify(impairment)}`, () => {
      const site = siteScenario({ mbps: 24, rttMs: 40, control, algorithm, durationSec: 40 });
      const long = { algorithm: HOSTS, count: 4, startEverySec: 0.1, ...siteRoute(control) };
      const run = openSite({ ...site, reverse: { ...site.reverse, ...impairment }, flows: [long] }, 1);
      const queuedBytes: number[] = [];
      const fromNs = run.startNs + 8 * NANOS_PER_SEC;
      run.runUntil(fromNs);
      const before = run.truth.forward.servedBytes(fromNs);
      while (run.nowNs < run.endNs) {
        run.runUntil(Math.min(run.endNs, run.nowNs + 50 * NANOS_PER_MILLI));
        queuedBytes.push(run.truth.forward.queuedBytes);
      }
      const mbps = ((run.truth.forward.servedBytes(run.nowNs) - before) * 8e3) / (run.nowNs - fromNs);
      run.close();
      const queuedMs = mean(queuedBytes) / 3000;
      console.log(`${JSON.stringify(impairment)}: ${queuedMs.toFixed(1)} ms, ${mbps.toFixed(1)} Mbit/s`);
      expect(queuedMs).toBeLessThan(20);
      expect(mbps).toBeGreaterThan(0.9 * 24);
    });
  }
});
