/** Prague over DualPI2: what L4S promises (RFC 9330, RFC 9332), beside what classic flows get there. */
import { describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { SIMULATED } from "../../../testbeds/simulated/simulated.ts";
import { type Path, path, run } from "./published-paths.ts";

const LINK: Path = { mbps: 40, rttMs: 20, queuePackets: 400, durationSec: 30 };
const DUALPI2 = {
  forward: { queue: { packets: LINK.queuePackets, discipline: { kind: "dualpi2" as const } } },
  sender: { ecn: "accurate" as const },
};

/** Queueing delay of the first flow that 99 % of its packets do not exceed. */
function p99Ms(name: string, scenario: Scenario): number {
  const open = SIMULATED.open(scenario, 1, { control: () => ccpAlgorithm(name) });
  open.runUntil(open.endNs);
  const { queueDelay } = open.flows[0]!.path!.statistics;
  expect(queueDelay.count).toBeGreaterThan(1000);
  return queueDelay.quantileUs(0.99) / 1000;
}

describe("Prague over DualPI2", () => {
  it("keeps 99 % of the L queue's delays at 2 ms or less at 40 Mbit/s, alone, beside Cubic and beside others of its kind", () => {
    const others = [
      [],
      [{ algorithm: "cubic" }],
      [{ algorithm: "test" }, { algorithm: "test", startSec: 5 }],
    ];
    for (const flows of others) {
      expect(p99Ms("prague", path(LINK, { ...DUALPI2, flows }))).toBeLessThanOrEqual(2);
    }
    const { metrics } = run("prague", path(LINK, DUALPI2));
    expect(metrics.utilisation).toBeGreaterThan(0.93);
  });

  it.each([5, 10, 20, 50])("shares the link with Cubic between 0.5 and 2, at an RTT of %d ms", (rttMs) => {
    const scenario = path({ ...LINK, rttMs }, { ...DUALPI2, flows: [{ id: "cubic", algorithm: "cubic" }] });
    const { metrics, flows } = run("prague", scenario);
    const cubic = flows!.find(({ id }) => id === "cubic")!;
    const ratio = cubic.goodputMbps / metrics.goodputMbps;
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
    expect(metrics.goodputMbps + cubic.goodputMbps).toBeGreaterThan(0.9 * LINK.mbps);
  });

  it("loses at most a fifth of what Reno loses there, and its delay rises by a fifth of Reno's at most", () => {
    const reno = run("reno", path(LINK, DUALPI2)).metrics;
    const prague = run("prague", path(LINK, DUALPI2)).metrics;
    expect(reno.droppedPackets).toBeGreaterThan(20);
    expect(prague.droppedPackets).toBeLessThanOrEqual(reno.droppedPackets / 5);
    expect(prague.p95QueueDelayMs).toBeLessThan(reno.p95QueueDelayMs / 5);
  });

  it("has no larger share for a shorter RTT below 25 ms", () => {
    const flows = [{ id: "near", algorithm: "test", propagationDelayMs: 1 }];
    const result = run("prague", path(LINK, { ...DUALPI2, flows }));
    const near = result.flows!.find(({ id }) => id === "near")!;
    const ratio = near.goodputMbps / result.metrics.goodputMbps;
    expect(ratio).toBeGreaterThan(0.67);
    expect(ratio).toBeLessThan(1.5);
  });

  it("is Reno where the receiver does not tell how many packets were marked", () => {
    for (const ecn of ["off", "classic"] as const) {
      const { metrics } = run("prague", path(LINK, { ...DUALPI2, sender: { ecn } }));
      // in the classic queue, and told by drops
      expect(metrics.droppedPackets).toBeGreaterThan(20);
      expect(metrics.meanQueueDelayMs).toBeGreaterThan(5);
      expect(metrics.utilisation).toBeGreaterThan(0.9);
    }
  });
});
