/**
 * The simulator with our congestion control against Linux 6.18's own TCP over Mahimahi (mm-delay, mm-link; iperf3, 30 s,
 * one flow, drop-tail in both directions, one run each on a quiet machine). Bounds: goodput within 5 %; for Cubic and
 * Reno also mean queueing delay within 20 % or 2 ms. And each CCP algorithm against its native twin: goodput within 3 %,
 * delay within 10 %.
 *
 * BBR's queue is not compared here: over links of constant rate it depends on the millisecond by which Mahimahi's programs
 * are late, which these links leave out (`recorded-links.test.ts` has it).
 */
import { describe, expect, it } from "vitest";
import { constantRate, makeDirection } from "../../scenarios/links.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { LINUX_SENDER } from "../../scenarios/sender-options.ts";
import {
  DURATION_SEC,
  expectLikeLinux,
  expectWithin,
  NATIVE,
  overCcp,
  type Reference,
  run,
} from "./linux.ts";

interface ReferenceLink {
  readonly mbps: number;
  readonly delayMs: number;
  readonly queuePackets: number;
  readonly linux: Readonly<Record<"cubic" | "reno" | "bbr", Reference>>;
}

const of = (goodputMbps: number, meanQueueDelayMs: number): Reference => ({ goodputMbps, meanQueueDelayMs });

const LINKS: readonly ReferenceLink[] = [
  {
    mbps: 48,
    delayMs: 25,
    queuePackets: 400,
    linux: { cubic: of(45.97, 77.5), reno: of(45.96, 61.0), bbr: of(45.16, 8.9) },
  },
  {
    mbps: 48,
    delayMs: 10,
    queuePackets: 160,
    linux: { cubic: of(46.22, 32.5), reno: of(46.21, 25.8), bbr: of(45.54, 19.3) },
  },
  {
    mbps: 12,
    delayMs: 30,
    queuePackets: 60,
    linux: { cubic: of(11.51, 45.2), reno: of(11.47, 33.5), bbr: of(11.28, 17.3) },
  },
  {
    mbps: 96,
    delayMs: 10,
    queuePackets: 160,
    linux: { cubic: of(92.36, 14.8), reno: of(91.56, 10.0), bbr: of(90.98, 14.4) },
  },
];

function scenarioOf(link: ReferenceLink): Scenario {
  const direction = makeDirection(constantRate(link.mbps), { packets: link.queuePackets });
  return {
    name: "linux-reference",
    source: "Linux 6.18 over Mahimahi",
    description: `${link.mbps} Mbit/s, ${link.delayMs} ms each way, ${link.queuePackets} packets`,
    forward: direction,
    reverse: direction,
    propagationDelayMs: link.delayMs,
    durationSec: DURATION_SEC,
    ackPolicy: "delayed",
    sender: LINUX_SENDER,
  };
}

describe.each(LINKS)("$mbps Mbit/s, $delayMs ms each way, $queuePackets packets", (link) => {
  it.each(["cubic", "reno"] as const)("%s behaves as Linux's, native and over CCP", (name) => {
    const native = run(scenarioOf(link), NATIVE[name]);
    const ccp = run(scenarioOf(link), overCcp(name));
    expectLikeLinux(native, link.linux[name]);
    expectLikeLinux(ccp, link.linux[name]);
    expectWithin(ccp.goodputMbps, native.goodputMbps, 0.03 * native.goodputMbps, "twin's goodput, Mbit/s");
    expectWithin(
      ccp.meanQueueDelayMs,
      native.meanQueueDelayMs,
      0.1 * native.meanQueueDelayMs,
      "twin's mean queueing delay, ms",
    );
  });

  it("bbr has the goodput of Linux's BBR v1 and a shorter queue than Cubic", () => {
    const ccp = run(scenarioOf(link), overCcp("bbr"));
    const { goodputMbps } = link.linux.bbr;
    expectWithin(ccp.goodputMbps, goodputMbps, 0.05 * goodputMbps, "goodput, Mbit/s");
    expect(ccp.meanQueueDelayMs).toBeLessThan(link.linux.cubic.meanQueueDelayMs / 2);
  });

  it("vegas fills the link with a few packets of queue", () => {
    const ccp = run(scenarioOf(link), overCcp("vegas"));
    expect(ccp.utilisation).toBeGreaterThan(0.95);
    expect(ccp.meanQueueDelayMs).toBeLessThan(8);
  });
});
