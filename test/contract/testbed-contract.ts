/**
 * What every testbed keeps, whoever owns its clock: run it on each. Bounds are wide where a real clock on a busy machine
 * is in play; what they compare is the link model, not the machine.
 */
import { describe, expect, it } from "vitest";
import { cubic } from "../../algorithms/native/cubic.ts";
import { reno } from "../../algorithms/native/reno.ts";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import type { AckObserver } from "../../ccp-bridge/observed-control.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../core/units.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { measure, summariseFlows, timeSeries } from "../../testbeds/measure.ts";
import type { OpenOptions, Run, Testbed } from "../../testbeds/testbed.ts";

const LINK: Scenario = {
  ...getScenario("park-paper", { durationSec: 1.5 }),
  name: "contract",
  forward: { rate: { kind: "constant", mbps: 12 }, queue: { packets: 40 }, lossRate: 0 },
  propagationDelayMs: 10,
  fixed: { startSec: 0.1, sendJitterUs: 0 },
};

async function toEnd(run: Run): Promise<void> {
  while (run.nowNs < run.endNs) await run.runUntil(run.endNs);
}

export function testbedContract(testbed: Testbed): void {
  const open = (scenario: Scenario, options: Partial<OpenOptions> = {}): Run | Promise<Run> =>
    testbed.open(scenario, 1, { control: () => reno, ...options });
  const finished = async (scenario: Scenario, options: Partial<OpenOptions> = {}): Promise<Run> => {
    const run = await open(scenario, { seriesBinSec: 0.5, ...options });
    try {
      await toEnd(run);
      return run;
    } finally {
      await run.close();
    }
  };

  describe(`testbed ${testbed.name}`, () => {
    it("starts no time before the first runUntil, and then starts flows at their times", async () => {
      const run = await open(LINK);
      try {
        expect(run.nowNs).toBe(0);
        expect(run.startNs).toBe(0.1 * NANOS_PER_SEC);
        expect(run.endNs - run.startNs).toBe(1.5 * NANOS_PER_SEC);
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(run.nowNs).toBe(0);
        expect(run.flows[0]).toMatchObject({ hasStarted: false, cwndPackets: 0, acks: 0, isBackward: false });
        await run.runUntil(run.startNs - NANOS_PER_MILLI);
        expect(run.nowNs).toBeGreaterThanOrEqual(run.startNs - NANOS_PER_MILLI);
        // on a busy machine a packet may wait for its processor for longer than for the link
        const waitMs = testbed.clock === "virtual" ? 100 : 400;
        await run.runUntil(run.startNs + waitMs * NANOS_PER_MILLI);
        expect(run.flows[0]!.hasStarted).toBe(true);
        expect(run.flows[0]!.acks).toBeGreaterThan(0);
        expect(run.flows[0]!.srttUs).toBeGreaterThan(20_000);
      } finally {
        await run.close();
      }
    });

    it("fills the link, and says so in numbers that fit one another", async () => {
      const run = await finished(LINK);
      const metrics = measure(run);
      expect(metrics.goodputMbps).toBeGreaterThan(6);
      expect(metrics.goodputMbps).toBeLessThan(12);
      expect(metrics.utilisation).toBeGreaterThan(0.5);
      expect(metrics.utilisation).toBeLessThanOrEqual(1);
      // 40 packets of a millisecond
      expect(metrics.meanQueueDelayMs).toBeGreaterThan(2);
      expect(metrics.p95QueueDelayMs).toBeLessThan(42);
      expect(metrics.meanOneWayDelayMs).toBeGreaterThan(metrics.meanQueueDelayMs + 10);
      const [flow] = run.flows;
      expect(flow!.sentPackets).toBeGreaterThanOrEqual(flow!.deliveredPackets);
      expect(flow!.path!.firstArrivedPackets).toBeGreaterThanOrEqual(flow!.deliveredPackets);
      const { throughputMbps, timeSec } = timeSeries(run);
      expect(timeSec).toEqual([0.5, 1, 1.5]);
      const mean = throughputMbps.reduce((sum, each) => sum + each, 0) / 3;
      expect(mean / metrics.goodputMbps).toBeGreaterThan(0.95);
      expect(mean / metrics.goodputMbps).toBeLessThan(1.05);
    });

    it("loses what the scenario loses", async () => {
      const lossy: Scenario = { ...LINK, forward: { ...LINK.forward, lossRate: 0.05 } };
      const { lossRate } = measure(await finished(lossy, { control: () => holding(20) }));
      expect(lossRate).toBeGreaterThan(0.02);
      expect(lossRate).toBeLessThan(0.09);
    });

    it("calls back at points of its time, in their order, and stops where a call-back asks for it", async () => {
      const run = await open(LINK);
      try {
        const called: string[] = [];
        run.schedule(30 * NANOS_PER_MILLI, () => called.push("second"));
        run.schedule(20 * NANOS_PER_MILLI, () => called.push("first"));
        run.schedule(40 * NANOS_PER_MILLI, () => {
          called.push("stop");
          run.requestStop();
        });
        expect(await run.runUntil(run.startNs)).toBe(false);
        expect(called).toEqual(["first", "second", "stop"]);
        expect(run.nowNs).toBeGreaterThanOrEqual(40 * NANOS_PER_MILLI);
        expect(await run.runUntil(run.startNs)).toBe(true);
      } finally {
        await run.close();
      }
    });

    it("gives each flow under test the control of its id, and cross traffic the algorithm that it names", async () => {
      const asked: string[] = [];
      const flows = [
        { algorithm: "test", id: "other" },
        { algorithm: "cubic", id: "cross", startSec: 0.2 },
      ];
      const run = await finished(
        { ...LINK, flows },
        {
          control: (id) => {
            asked.push(id);
            return id === "other" ? cubic : reno;
          },
        },
      );
      expect(asked).toEqual(["flow-0", "other"]);
      measure(run);
      const summaries = summariseFlows(run);
      expect(summaries.map(({ id, algorithm }) => [id, algorithm])).toEqual([
        ["flow-0", "test"],
        ["other", "test"],
        ["cross", "cubic"],
      ]);
      const sum = summaries.reduce((total, { goodputMbps }) => total + goodputMbps, 0);
      for (const { goodputMbps } of summaries) expect(goodputMbps).toBeGreaterThan(0.05);
      expect(sum).toBeGreaterThan(8);
      expect(sum).toBeLessThan(14);
    });

    it("runs a CCP algorithm, whose agent knows the flows by their ids, and shows their ACKs", async () => {
      const vegas = ccpAlgorithm("vegas");
      const names: string[] = [];
      const control: CcpAlgorithm = {
        ...vegas,
        newFlow: (flow, info) => {
          names.push(info.name);
          return vegas.newFlow(flow, info);
        },
      };
      let acked = 0;
      let smallestRttUs = Number.POSITIVE_INFINITY;
      const observer: AckObserver = {
        record: ({ ackedPackets, misorderedPackets, rttUs }) => {
          acked += ackedPackets + misorderedPackets;
          if (rttUs > 0) smallestRttUs = Math.min(smallestRttUs, rttUs);
        },
      };
      const run = await finished(
        { ...LINK, flows: [{ algorithm: "test", id: "other" }] },
        { control: () => control, observer: (id) => (id === "other" ? observer : undefined) },
      );
      expect(names.sort()).toEqual(["flow-0", "other"]);
      const { deliveredPackets, minRttUs } = run.flows[1]!;
      expect(deliveredPackets).toBeGreaterThan(100);
      expect(acked / deliveredPackets).toBeGreaterThan(0.9);
      expect(acked).toBeLessThanOrEqual(deliveredPackets);
      expect(smallestRttUs).toBeGreaterThanOrEqual(minRttUs);
      expect(measure(run).utilisation).toBeGreaterThan(0.5);
    });

    it("refuses unknown cross traffic before anything runs", async () => {
      const flows = [{ algorithm: "cubik" }];
      await expect((async () => open({ ...LINK, flows }))()).rejects.toThrow(/cubik/);
    });

    it("tells when all that a flow had to send has been acknowledged", async () => {
      const run = await finished({ ...LINK, application: { kind: "finite", bytes: 144_800 } });
      const [flow] = run.flows;
      const { isComplete, deliveredPackets, mssBytes } = flow!;
      expect({ isComplete, deliveredPackets }).toEqual({
        isComplete: true,
        deliveredPackets: Math.ceil(144_800 / mssBytes),
      });
    });

    it("can be closed before its end, and twice", async () => {
      const run = await open(LINK);
      await run.runUntil(run.startNs);
      await run.close();
      await run.close();
    });
  });
}

/** A fixed window. */
function holding(packets: number): CongestionControlFactory {
  return ({ mssBytes }) => ({
    name: "holding",
    cwndBytes: packets * mssBytes,
    pacingRateBytesPerSec: undefined,
    onAck: () => {},
    onCongestion: () => {},
  });
}
