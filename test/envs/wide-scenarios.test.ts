/** What a scenario says about links, flows and traffic is what the simulator does: one law per field, read off results. */
import { describe, expect, it } from "vitest";
import { cubic } from "../../algorithms/native/cubic.ts";
import { dctcp } from "../../algorithms/native/dctcp.ts";
import { reno } from "../../algorithms/native/reno.ts";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import { MSS_BYTES, NANOS_PER_SEC } from "../../core/units.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { makeLink } from "../../scenarios/links.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { FlowSummary, RunResult } from "../../testbeds/results.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { segmentsOf } from "../../testbeds/traffic/applications.ts";

const SEED = 11;
const BASE = makeLink({ mbps: 12, rttMs: 40, bufferBdp: 2, durationSec: 20 });
/** payload share of a packet of 1500 bytes */
const PAYLOAD = MSS_BYTES / 1500;

function run(changes: Partial<Scenario>, algorithm = cubic): RunResult {
  return runAlgorithm({ scenario: { ...BASE, ...changes }, seed: SEED, rewardName: "score", algorithm });
}

function flow(result: RunResult, id: string): FlowSummary {
  return result.flows!.find((each) => each.id === id)!;
}

/** Payload rate of the flow under test in seconds `fromSec` to `toSec`, Mbit/s. */
function goodputIn({ series }: RunResult, fromSec: number, toSec: number): number {
  const bins = series.throughputMbps.filter(
    (_, i) => series.timeSec[i]! > fromSec && series.timeSec[i]! <= toSec,
  );
  return bins.reduce((sum, each) => sum + each, 0) / bins.length;
}

describe(`a wide scenario (seed ${SEED})`, () => {
  it("steps of a propagation delay show in the one-way delay, and order is kept", () => {
    const forward = {
      kind: "steps" as const,
      points: [
        { atSec: 0, delayMs: 60 },
        { atSec: 10, delayMs: 20 },
      ],
    };
    const changed = run({ delay: { forward }, application: { kind: "constant-rate", mbps: 1 } });
    // half of the packets take 60 ms, half 20 ms, and each takes a packet time of 1 ms
    expect(changed.metrics.meanOneWayDelayMs).toBeCloseTo(41, 0);
    expect(changed.metrics.p95OneWayDelayMs).toBeCloseTo(61, 0);
    expect(changed.metrics.droppedPackets).toBe(0);
  });

  it("asymmetric propagation adds up to the round trip", () => {
    const simulation = SIMULATED.open(
      { ...BASE, propagationDelayMs: 10, reversePropagationDelayMs: 50, ackPolicy: "per-packet" },
      SEED,
      { control: () => reno },
    );
    simulation.runUntil(simulation.startNs + NANOS_PER_SEC);
    // 60 ms of propagation, the packet's millisecond, the ACK's 35 us
    expect(simulation.flows[0]!.minRttUs).toBeGreaterThan(61_000);
    expect(simulation.flows[0]!.minRttUs).toBeLessThan(61_200);
  });

  it("a route of three hops is as fast as its slowest, and a flow on one hop shares that hop alone", () => {
    const hop = (mbps: number): Scenario["forward"] => ({
      ...BASE.forward,
      rate: { kind: "constant", mbps },
    });
    const links = { middle: hop(6), last: hop(20) };
    const route = { forward: ["forward", "middle", "last"], reverse: ["reverse"] };
    const alone = run({ links, route });
    expect(alone.metrics.goodputMbps).toBeGreaterThan(5.5 * PAYLOAD);
    expect(alone.metrics.goodputMbps).toBeLessThan(6 * PAYLOAD);
    const beside = run({
      links,
      route,
      flows: [{ id: "beside", algorithm: "cubic", route: { forward: ["last"], reverse: ["reverse"] } }],
    });
    const shared = flow(beside, "beside").goodputMbps + beside.metrics.goodputMbps;
    expect(shared).toBeGreaterThan(18 * PAYLOAD);
    expect(shared).toBeLessThan(20 * PAYLOAD);
  });

  it("a backward flow sends its data over the reverse link and leaves the forward link to ACKs", () => {
    const reverse = { ...BASE.reverse, rate: { kind: "constant" as const, mbps: 3 }, queue: { packets: 30 } };
    const result = run({
      reverse,
      flows: [{ id: "back", algorithm: "cubic", direction: "backward" }],
    });
    expect(flow(result, "back").direction).toBe("backward");
    // the others' ACKs take 0.2 Mbit/s and places in the queue
    expect(flow(result, "back").goodputMbps).toBeGreaterThan(2);
    expect(flow(result, "back").goodputMbps).toBeLessThan(3 * PAYLOAD);
    expect(result.metrics.goodputMbps).toBeGreaterThan(9);
  });

  it("flows join and leave at their times, relative to the flow under test", () => {
    const result = run({
      flows: [
        { id: "early", algorithm: "reno", startSec: -5, stopSec: 5 },
        { id: "late", algorithm: "reno", count: 2, startSec: 8, startEverySec: 4 },
      ],
    });
    expect(flow(result, "early")).toMatchObject({ startSec: -5, durationSec: 10 });
    expect(flow(result, "late-0")).toMatchObject({ startSec: 8, durationSec: 12 });
    expect(flow(result, "late-1")).toMatchObject({ startSec: 12, durationSec: 8 });
    // from the fifth to the eighth second the flow under test is alone
    expect(goodputIn(result, 6, 8)).toBeGreaterThan(10.5);
    expect(goodputIn(result, 1, 5)).toBeLessThan(10);
  });

  it("nothing arrives while an outage lasts, and a blackhole loses what a policer would have let through", () => {
    const outage = run({ forward: { ...BASE.forward, outages: [{ fromSec: 5, toSec: 7 }] } });
    expect(goodputIn(outage, 5.5, 7)).toBe(0);
    expect(goodputIn(outage, 12, 20)).toBeGreaterThan(10);
    const blackhole = run({ forward: { ...BASE.forward, blackholes: [{ fromSec: 5, toSec: 5.3 }] } });
    expect(blackhole.metrics.droppedPackets).toBeGreaterThan(20);
    const policed = run({ forward: { ...BASE.forward, policer: { mbps: 4, burstBytes: 30_000 } } });
    expect(policed.metrics.goodputMbps).toBeLessThan(4 * PAYLOAD + 0.02);
    expect(policed.metrics.goodputMbps).toBeGreaterThan(2);
  });

  it("an application that pauses sends nothing then, and one of constant rate sends that rate", () => {
    const paused = run({ application: { kind: "pauses", pauses: [{ fromSec: 5, toSec: 10 }] } });
    expect(goodputIn(paused, 6, 10)).toBe(0);
    expect(goodputIn(paused, 12, 20)).toBeGreaterThan(10);
    const constant = run({ application: { kind: "constant-rate", mbps: 2 } });
    expect(constant.metrics.goodputMbps).toBeCloseTo(2, 1);
    const video = run({ application: { kind: "video", mbps: 3 } });
    expect(video.metrics.goodputMbps).toBeGreaterThan(2.6);
    expect(video.metrics.goodputMbps).toBeLessThan(3.4);
  });

  it("transfers come as a Poisson process of the load, complete, and no faster than the path allows", () => {
    const simulation = SIMULATED.open(
      {
        ...BASE,
        application: { kind: "constant-rate", mbps: 0.1 },
        traffic: [
          {
            kind: "transfers",
            algorithm: "reno",
            sizes: { kind: "exponential", meanBytes: 20_000 },
            load: 0.4,
          },
        ],
        durationSec: 120,
      },
      SEED,
      { control: () => cubic },
    );
    simulation.runUntil(simulation.endNs);
    const { started, completed } = simulation.transfers;
    // 0.4 x 12 Mbit/s of 20 kB (20.7 kB on the wire) for 120 s: 3475 +- 59
    expect(Math.abs(started - 3475)).toBeLessThan(4 * 59);
    expect(completed.length).toBeGreaterThan(0.99 * started);
    for (const { bytes, startNs, completedNs } of completed) {
      expect(completedNs - startNs).toBeGreaterThanOrEqual(20e6 + segmentsOf(bytes, MSS_BYTES) * 1e6 - 1);
    }
  });

  it("incast: as many transfers as senders in each round, all of their size", () => {
    const simulation = SIMULATED.open(
      {
        ...BASE,
        application: { kind: "constant-rate", mbps: 0.1 },
        traffic: [
          { kind: "incast", algorithm: "reno", senders: 8, bytes: 14_480, everySec: 2, jitterUs: 50 },
        ],
        durationSec: 9.9,
      },
      SEED,
      { control: () => cubic },
    );
    simulation.runUntil(simulation.endNs);
    expect(simulation.transfers.started).toBe(5 * 8);
    expect(simulation.transfers.completed).toHaveLength(5 * 8);
  });

  it("datagrams take their rate and leave the rest", () => {
    const { metrics } = run({ traffic: [{ kind: "datagrams", arrivals: "poisson", mbps: 6 }] });
    expect(metrics.goodputMbps).toBeGreaterThan(5);
    expect(metrics.goodputMbps).toBeLessThan(6.2);
    expect(metrics.utilisation).toBeGreaterThan(0.95);
  });

  it("strict priority starves the flow behind", () => {
    const forward = {
      ...BASE.forward,
      queue: { packets: 80, discipline: { kind: "strict-priority" as const } },
    };
    const result = run({
      forward,
      flows: [{ id: "behind", algorithm: "cubic", priority: 1, startSec: 2 }],
    });
    expect(flow(result, "behind").goodputMbps).toBeLessThan(0.1 * result.metrics.goodputMbps);
  });

  it("DCTCP on step marking holds the queue near the threshold without a drop, and fills the link", () => {
    const forward = {
      ...BASE.forward,
      queue: { packets: 200, discipline: { kind: "step-mark" as const, thresholdPackets: 20 } },
    };
    const { metrics } = run({ forward, sender: { ecn: "accurate" } }, dctcp);
    expect(metrics.droppedPackets).toBe(0);
    expect(metrics.utilisation).toBeGreaterThan(0.98);
    expect(metrics.meanQueueDelayMs).toBeLessThan(22);
    expect(metrics.meanQueueDelayMs).toBeGreaterThan(8);
  });

  it("an algorithm over CCP is ECN-capable only where its program reads marks", () => {
    const forward = {
      ...BASE.forward,
      queue: { packets: 200, discipline: { kind: "codel" as const, ecn: true } },
    };
    const marking = { forward, sender: { ecn: "accurate" as const } };
    const over = (name: string): RunResult["metrics"] =>
      runAlgorithm({
        scenario: { ...BASE, ...marking },
        seed: SEED,
        rewardName: "score",
        algorithm: ccpAlgorithm(name),
      }).metrics;
    // marks instead of drops for the one, and for the other drops that hold its queue
    expect(over("dctcp").droppedPackets).toBe(0);
    expect(over("reno").droppedPackets).toBeGreaterThan(0);
    expect(over("reno").meanQueueDelayMs).toBeLessThan(10);
  });

  it("a measured run tells the control of a spurious cut: undo pays where packets overtake each other", () => {
    const jitter = { kind: "uniform" as const, maxMs: 12, reorder: true };
    const path = { forward: { ...BASE.forward, jitter } };
    const plain = run(path).metrics.goodputMbps;
    expect(run({ ...path, sender: { undo: true } }).metrics.goodputMbps).toBeGreaterThan(1.5 * plain);
  });

  it("flows under test share one algorithm, and equal ones share the link", () => {
    const { flows, jainIndex } = run({ flows: [{ algorithm: "test", count: 3 }], durationSec: 60 }, reno);
    expect(flows!.map(({ algorithm }) => algorithm)).toEqual(["test", "test", "test", "test"]);
    expect(jainIndex).toBeGreaterThan(0.9);
  });
});
