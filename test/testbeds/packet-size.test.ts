/** The size of packets is the scenario's: jumbo frames and small ones in the link, the algorithms, the books and the policies. */
import { describe, expect, it } from "vitest";
import { ccpAlgorithm, makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { ALGORITHMS } from "../../algorithms/registry.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { CongestionEnv } from "../../envs/congestion-env.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { envelopeOf } from "../../envs/signals/envelope.ts";
import { groundTruth } from "../../envs/vector/slots/ground-truth.ts";
import { linkLabel } from "../../eval/links.ts";
import type { DisciplineSpec } from "../../scenarios/disciplines/registry.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { type DirectionInput, fixedScenario, type ScenarioTemplate } from "../../scenarios/template.ts";
import { EMULATED } from "../../testbeds/emulated/emulated.ts";
import { RunRecorder } from "../../testbeds/exports/recorder.ts";
import { LINUX } from "../../testbeds/linux/linux.ts";
import { shellsRefuse } from "../../testbeds/mahimahi/command-line.ts";
import { measure } from "../../testbeds/measure.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import type { Run, Testbed } from "../../testbeds/testbed.ts";
import { UDP } from "../../testbeds/udp/udp.ts";
import { describeWithLinks } from "./host/with-links.ts";

const SIZES = [300, 576, 1500, 9000];

function link(mtuBytes: number, more: ScenarioTemplate = {}): Scenario {
  return fixedScenario({
    forward: { rate: { kind: "constant", mbps: 48 }, queue: { packets: 20 } },
    rttMs: 40,
    durationSec: 4,
    fixed: { startSec: 0, sendJitterUs: 0 },
    mtuBytes,
    ...more,
  });
}

/** A window that never moves. */
function holding(packets: number): CongestionControlFactory {
  return ({ mssBytes }) => ({
    name: "holding",
    cwndBytes: packets * mssBytes,
    pacingRateBytesPerSec: undefined,
    onAck: () => {},
    onCongestion: () => {},
  });
}

async function finished(testbed: Testbed, scenario: Scenario, control = holding(10)): Promise<Run> {
  const run = await testbed.open(scenario, 1, { control: () => control, seriesBinSec: 0.5 });
  try {
    while (run.nowNs < run.endNs) await run.runUntil(run.endNs);
    return run;
  } finally {
    await run.close();
  }
}

describe("packets of any size", () => {
  it.each(SIZES)(
    "of %i bytes fill the link with their payload, and its queue with so many of them",
    async (mtuBytes) => {
      const bdp = Math.ceil(((48e6 / 8) * 0.04) / mtuBytes);
      const forward: DirectionInput = { rate: { kind: "constant", mbps: 48 }, queue: { packets: bdp + 20 } };
      const run = await finished(SIMULATED, link(mtuBytes, { forward }), holding(bdp + 10));
      const metrics = measure(run);
      // all but the first half of a round trip
      expect(metrics.utilisation).toBeGreaterThan(0.98);
      expect(metrics.goodputMbps / metrics.utilisation).toBeCloseTo((48 * (mtuBytes - 52)) / mtuBytes, 0);
      const { maxQueuedPackets, maxQueuedBytes } = run.truth!.forward;
      expect(maxQueuedPackets).toBeLessThanOrEqual(bdp + 10);
      expect(maxQueuedBytes).toBe(maxQueuedPackets * mtuBytes);
      expect(run.truth!.payloadRatio).toBe((mtuBytes - 52) / mtuBytes);
      // as many wait as the window is over the bandwidth-delay product, less those that are being sent
      const packetMs = (mtuBytes * 8) / 48e3;
      expect(metrics.meanQueueDelayMs / packetMs).toBeGreaterThan(7);
      expect(metrics.meanQueueDelayMs / packetMs).toBeLessThan(13);
    },
  );

  it("are counted by bandwidth-delay products and times of a queue", () => {
    const queueOf = (mtuBytes: number, queue: { bdp?: number; ms?: number }) =>
      link(mtuBytes, { forward: { rate: { kind: "constant", mbps: 48 }, queue } }).forward.queue.packets;
    // 48 Mbit/s x 40 ms = 240 kB, 10 ms of it 60 kB
    expect(SIZES.map((size) => queueOf(size, { bdp: 1 }))).toEqual([800, 417, 160, 27]);
    expect(SIZES.map((size) => queueOf(size, { ms: 10 }))).toEqual([200, 104, 40, 7]);
  });

  it("change nothing where they are 1500 bytes", async () => {
    const { mtuBytes: _, ...plain } = link(1500);
    const algorithm = ccpAlgorithm("cubic");
    const runs = [link(1500), plain].map((scenario) => {
      const run = SIMULATED.open(scenario, 3, { control: () => algorithm });
      run.runUntil(run.endNs);
      return measure(run);
    });
    expect(runs[0]).toEqual(runs[1]);
  });

  it("go the same way through both networks, and through every discipline", async () => {
    for (const mtuBytes of [300, 9000]) {
      const plain = measure(await finished(SIMULATED, link(mtuBytes), holding(300)));
      // a recorder makes the general network carry the flow
      const recorder = new RunRecorder(["qlog", "mahimahi"]);
      const run = SIMULATED.open(link(mtuBytes), 1, {
        control: () => holding(300),
        seriesBinSec: 0.5,
        recorder,
      });
      run.runUntil(run.endNs);
      expect(measure(run)).toEqual(plain);
      for (const kind of ["codel", "pie", "fq-codel", "sfq", "drr", "red"] as const) {
        const discipline: DisciplineSpec =
          kind === "red" ? { kind, minPackets: 20, maxPackets: 60 } : { kind };
        const forward: DirectionInput = {
          rate: { kind: "constant", mbps: 48 },
          queue: { packets: 200, discipline },
        };
        const { utilisation } = measure(await finished(SIMULATED, link(mtuBytes, { forward }), holding(60)));
        expect(utilisation, `${kind} ${mtuBytes}`).toBeGreaterThan(mtuBytes === 300 ? 0.05 : 0.95);
      }
    }
  });

  it.each(["reno", "cubic", "native-reno", "native-cubic"])(
    "are to %s what packets of 1500 bytes are on a link of as many packets per second",
    (name) => {
      const runs = [1500, 9000, 300].map((mtuBytes) => {
        const forward: DirectionInput = {
          rate: { kind: "constant", mbps: (24 * mtuBytes) / 1500 },
          queue: { packets: 60 },
        };
        const scenario = link(mtuBytes, {
          forward,
          reverse: { rate: { kind: "unlimited" } },
          durationSec: 10,
        });
        const control = makeAlgorithm(resolveAlgorithm(name));
        const run = SIMULATED.open(scenario, 1, { control: () => control });
        run.runUntil(run.endNs);
        const { sentPackets, droppedPackets, meanQueueDelayMs } = measure(run);
        return { sentPackets, droppedPackets, meanQueueDelayMs: meanQueueDelayMs.toFixed(1) };
      });
      expect(runs[0]!.droppedPackets).toBeGreaterThan(0);
      expect(runs[1]).toEqual(runs[0]);
      expect(runs[2]).toEqual(runs[0]);
    },
  );

  it("drive every algorithm", () => {
    const forward: DirectionInput = { rate: { kind: "constant", mbps: 48 }, queue: { bdp: 1 } };
    for (const mtuBytes of [576, 9000]) {
      for (const [name, { ccp }] of ALGORITHMS) {
        if (ccp === undefined) continue;
        const run = SIMULATED.open(link(mtuBytes, { forward, durationSec: 2 }), 1, {
          control: () => ccpAlgorithm(name),
        });
        run.runUntil(run.endNs);
        expect(measure(run).utilisation, `${name} ${mtuBytes}`).toBeGreaterThan(0.02);
      }
    }
  });

  it("take the opportunities of a trace that they need: one of 1504 bytes is less than a jumbo packet", async () => {
    // 1000 opportunities a second: 12 Mbit/s
    const rate = { kind: "trace", name: "ours", opportunitiesMs: [1] } as const;
    const forward = { rate, queue: { packets: 100 } };
    for (const [mtuBytes, mostMbps] of [
      [9000, (1504 * 8e-3 * 8948) / 9004],
      [576, (1504 * 8e-3 * 524) / 580],
    ] as const) {
      const run = await finished(
        SIMULATED,
        link(mtuBytes, { forward, fixed: { startSec: 0, traceOffsetMs: 0 } }),
        holding(150),
      );
      expect(measure(run).goodputMbps).toBeGreaterThan(0.95 * mostMbps);
      expect(measure(run).goodputMbps).toBeLessThanOrEqual(mostMbps);
    }
  });

  it("fill links of 400 Gbit/s", () => {
    const forward: DirectionInput = { rate: { kind: "constant", mbps: 400_000 }, queue: { bdp: 1 } };
    const scenario = link(9000, { forward, rttMs: 0.05, sender: { minRtoMs: 1 }, durationSec: 0.01 });
    const run = SIMULATED.open(scenario, 1, { control: () => ccpAlgorithm("cubic") });
    run.runUntil(run.endNs);
    expect(measure(run).utilisation).toBeGreaterThan(0.85);
  });

  it("are refused where they can never pass, or are no packets", () => {
    const small = (forward: object) => () =>
      link(9000, { forward: { rate: { kind: "constant", mbps: 48 }, ...forward } as never });
    expect(small({ queue: { bytes: 9000 } })).toThrow(
      "[scenario] forward.queue.bytes: got 9000, expected >= 9004",
    );
    expect(small({ queue: { packets: 9 }, policer: { mbps: 10, burstBytes: 3000 } })).toThrow(
      "[scenario] forward.policer.burstBytes: got 3000, expected >= 9004",
    );
    expect(() => link(100)).toThrow("[scenario] mtuBytes: got 100, expected >= 300");
    expect(() => link(64_000)).toThrow("[scenario] mtuBytes: got 64000, expected <= 9216");
    expect(() => link(1500.5)).toThrow("[scenario] mtuBytes: got 1500.5, expected a whole number");
  });

  it("are what a policy's window counts, and what its envelope is made by", () => {
    for (const mtuBytes of [576, 9000]) {
      const env = new CongestionEnv(link(mtuBytes), {
        ...DEFAULT_ENV_OPTIONS,
        action: "absolute",
        stepMs: 20,
      });
      env.reset(1);
      for (let i = 0; i < 20; i++) env.step([20, 0]);
      const { info } = env.step([20, 0]);
      expect(info.cwndBytes).toBe(20 * (mtuBytes - 52));
    }
    const wide = (mtuBytes: number) =>
      envelopeOf(link(mtuBytes, { forward: { rate: { kind: "constant", mbps: 1_000 }, queue: { bdp: 1 } } }));
    // 5 MB
    expect(wide(576).maxCwndPackets).toBe(Math.ceil((4 * 5e6) / 576));
    expect(wide(9000).maxCwndPackets).toBe(4800);
  });

  it("stand in labels, logs and the state of the link", () => {
    const scenario = link(9000);
    expect(linkLabel(scenario)).toBe("48 Mbit/s, 40 ms, 20 packets, packets of 9000 bytes");
    expect(linkLabel(link(1500))).toBe("48 Mbit/s, 40 ms, 20 packets");
    const recorder = new RunRecorder(["qlog", "mahimahi"]);
    const run = SIMULATED.open(scenario, 1, { control: () => holding(10), recorder });
    run.runUntil(run.endNs);
    const { links, flows, baseRttUs } = groundTruth(run, scenario);
    expect(links[0]!.bufferBytes).toBe(20 * 9000);
    expect(flows[0]!.cwndBytes).toBe(10 * 8948);
    expect(baseRttUs).toBeCloseTo(40_000 + 1_500, 6);
  });

  it("of Ethernet's size are all that Mahimahi's shells carry", () => {
    expect(shellsRefuse(link(9000))).toBe(
      "the device of mm-link carries packets of 1500 bytes, got mtuBytes 9000",
    );
    expect(shellsRefuse(link(1500))).toBeUndefined();
  });

  it("cross sockets as they cross the simulator, however many come at once", {
    timeout: 30_000,
  }, async () => {
    const forward: DirectionInput = { rate: { kind: "constant", mbps: 48 }, queue: { packets: 100 } };
    const run = await finished(UDP, link(9000, { forward, durationSec: 2 }), holding(80));
    expect(measure(run).goodputMbps).toBeGreaterThan(20);
    expect(measure(run).goodputMbps).toBeLessThan(48);
    // the system's buffers hold a dozen of them
    expect("timing" in run && run.timing.strayLosses).toBeLessThan(5);
  });
});

describeWithLinks("packets of any size on real links", () => {
  it.each([9000])(
    "of %i bytes are the datagrams of an emulated link",
    { timeout: 30_000 },
    async (mtuBytes) => {
      const packets = Math.ceil(30_000 / mtuBytes) + 5;
      const run = await finished(
        EMULATED,
        link(mtuBytes, {
          forward: { rate: { kind: "constant", mbps: 12 }, queue: { packets: 100 } },
          durationSec: 2,
        }),
        holding(3 * packets),
      );
      expect(measure(run).goodputMbps).toBeGreaterThan(5);
      expect(measure(run).goodputMbps).toBeLessThanOrEqual((12 * (mtuBytes - 52)) / mtuBytes);
      expect(run.truth!.forward.servedBytes(run.nowNs) % mtuBytes).toBe(0);
    },
  );

  it.skipIf(LINUX.refuses(link(1500)) !== undefined).each([9000, 576])(
    "of %i bytes are the segments of Linux TCP",
    { timeout: 60_000 },
    async (mtuBytes) => {
      const scenario = link(mtuBytes, {
        forward: { rate: { kind: "constant", mbps: 12 }, queue: { packets: 100 } },
        durationSec: 3,
      });
      const run = await LINUX.open(scenario, 1, { control: () => ccpAlgorithm("reno") });
      try {
        while (run.nowNs < run.endNs) await run.runUntil(run.endNs);
      } finally {
        await run.close();
      }
      const { goodputMbps, servedBytes } = measure(run);
      expect(goodputMbps).toBeGreaterThan(5);
      expect(goodputMbps).toBeLessThanOrEqual((12 * (mtuBytes - 52)) / mtuBytes);
      // what arrives while the run is being closed, in which its queue goes on, does not count
      expect(run.flows[0]!.path!.firstArrivedPackets * mtuBytes).toBeLessThanOrEqual(servedBytes);
    },
  );
});
