import { describe, expect, it } from "vitest";
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { CongestionEnv } from "../../envs/congestion-env.ts";
import { makeEnv } from "../../envs/local-env.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { MultiFlowEnv, type MultiFlowStep } from "../../envs/multi-flow-env.ts";
import { DEFAULT_ENV_OPTIONS, DEFAULT_MULTI_FLOW_OPTIONS, parseEnvOptions } from "../../envs/options.ts";
import { flowsUnderTest } from "../../scenarios/flows.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { ApplicationSpec } from "../../scenarios/traffic/applications.ts";
import type { StackSpec } from "../../scenarios/traffic/stack.ts";
import { validateScenario } from "../../scenarios/validate.ts";
import type { NetworkFlow } from "../../sim/network.ts";
import { measure, summariseFlows } from "../../testbeds/measure.ts";
import { stackRefusal } from "../../testbeds/real-time/real-time-run.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import type { VirtualTestbed } from "../../testbeds/testbed.ts";
import { UDP } from "../../testbeds/udp/udp.ts";
import { envContract } from "../contract/env-contract.ts";
import { testbedContract } from "../contract/testbed-contract.ts";

const STREAM: StackSpec = ["order", "reliable", "cc", "sack", "frame", "simulated"];
const STACK = getScenario("stack", { durationSec: 5 });

/** The simulator, where each flow but calls is a stack. */
const BY_STACKS: VirtualTestbed = {
  ...SIMULATED,
  name: "simulated, flows are stacks",
  records: [],
  open(scenario, seed, options) {
    const isCall = ({ application }: Pick<Scenario, "application">): boolean => application?.kind === "media";
    const flows = scenario.flows?.map((plan) => (isCall(plan) ? plan : { ...plan, stack: STREAM }));
    const stack = isCall(scenario) ? undefined : STREAM;
    return SIMULATED.open({ ...scenario, ...(stack && { stack }), ...(flows && { flows }) }, seed, options);
  },
};

testbedContract(BY_STACKS);
envContract("a flow that is a stack", async () =>
  makeEnv(getScenario("stack", { durationSec: 3 }), DEFAULT_ENV_OPTIONS),
);
envContract("several flows that share a window", async () =>
  makeEnv(getScenario("stack-shared", { durationSec: 3 }), DEFAULT_ENV_OPTIONS),
);

describe("a flow that is a stack", () => {
  const run = (scenario: Scenario, reference: string) =>
    runAlgorithm({ scenario, seed: 1, rewardName: "park", algorithm: crossTrafficAlgorithm(reference) });

  it.each(["native-cubic", "copa", "dtl:priority=0"])(
    "does on a link what the engine's sender does: %s",
    (reference) => {
      const { stack: _, ...engine } = getScenario("stack", { durationSec: 8 });
      const [byEngine, byStack] = [engine, { ...engine, stack: STREAM }].map(
        (each) => run(each, reference).metrics,
      );
      expect(byStack!.goodputMbps / byEngine!.goodputMbps).toBeGreaterThan(0.95);
      expect(byStack!.goodputMbps / byEngine!.goodputMbps).toBeLessThan(1.05);
      expect(Math.abs(byStack!.meanQueueDelayMs - byEngine!.meanQueueDelayMs)).toBeLessThan(4);
    },
  );

  it("gives the same bytes for the same seed, encrypted and compressed too", () => {
    const stack: StackSpec = [
      { chunnel: "compress", level: 1 },
      "order",
      "reliable",
      "cc",
      "sack",
      { chunnel: "encrypt", secret: "only we two know" },
      "simulated",
    ];
    const lossy = { ...STACK, stack, forward: { ...STACK.forward, lossRate: 0.01, corruptionRate: 0.01 } };
    const [first, again] = [1, 2].map(() => run(lossy, "cubic").metrics);
    expect(first).toEqual(again);
    expect(first!.goodputMbps).toBeGreaterThan(0.5);
    expect(first!.droppedPackets).toBeGreaterThan(10);
  });

  describe("has an application", () => {
    const APPLICATIONS: readonly ApplicationSpec[] = [
      { kind: "finite", bytes: 2_000_000 },
      { kind: "on-off", meanOnSec: 0.5, meanOffSec: 0.5 },
      { kind: "constant-rate", mbps: 3 },
      { kind: "video", mbps: 2 },
      { kind: "short-transfers", minBytes: 10_000, maxBytes: 60_000, meanOffSec: 0.1 },
      { kind: "pauses", pauses: [{ fromSec: 1, toSec: 3 }] },
    ];

    it.each(APPLICATIONS)("and sends what the engine's sender would: %j", (application) => {
      const { stack: _, ...engine } = { ...getScenario("stack", { durationSec: 8 }), application };
      const [byEngine, byStack] = [engine, { ...engine, stack: STREAM }].map(
        (each) => run(each, "native-cubic").metrics,
      );
      expect(byEngine!.goodputMbps).toBeLessThan(11);
      expect(byStack!.goodputMbps / byEngine!.goodputMbps).toBeGreaterThan(0.9);
      expect(byStack!.goodputMbps / byEngine!.goodputMbps).toBeLessThan(1.1);
    });

    const opened = (scenario: Scenario, seed = 1) =>
      SIMULATED.open(scenario, seed, {
        control: () => crossTrafficAlgorithm("native-cubic"),
        algorithms: crossTrafficAlgorithm,
      });
    const ends = (scenario: Scenario) => {
      const world = opened(scenario);
      while (world.nowNs < world.endNs) world.runUntil(world.endNs);
      return summariseFlows(world).map(({ completionMs, goodputMbps }) => ({ completionMs, goodputMbps }));
    };

    it("that ends: all bytes arrive once, the flow is over, and how long it took is told, with losses too", () => {
      const bytes = 600_000;
      const application = { kind: "finite", bytes } as const;
      const scenario: Scenario = {
        ...STACK,
        durationSec: 20,
        forward: { ...STACK.forward, lossRate: 0.03 },
        application,
        flows: [{ id: "other", algorithm: "reno", stack: STREAM, application, startSec: 1, deadlineSec: 15 }],
      };
      const world = opened(scenario);
      while (world.nowNs < world.endNs) world.runUntil(world.endNs);
      const flows = summariseFlows(world);
      world.flows.forEach((flow, i) => {
        const packets = Math.ceil(bytes / flow.mssBytes);
        expect((flow.path as NetworkFlow).firstArrivedPackets).toBe(packets);
        expect(flow.isComplete).toBe(true);
        expect(flow.lostPackets).toBeGreaterThan(3);
        expect(flow.inflightPackets).toBe(0);
        // no sooner than the link serves them
        expect(flows[i]!.completionMs).toBeGreaterThan((bytes * 8) / 12_000);
        expect(flows[i]!.completionMs).toBeLessThan(15_000);
      });
      expect(flows[1]!.deadlineMet).toBe(true);
      expect(ends(scenario)).toEqual(
        flows.map(({ completionMs, goodputMbps }) => ({ completionMs, goodputMbps })),
      );
    });

    it("whose completion time is the engine's sender's", () => {
      const application = { kind: "finite", bytes: 3_000_000 } as const;
      const { stack: _, ...engine } = { ...getScenario("stack", { durationSec: 8 }), application };
      const [byEngine, byStack] = [engine, { ...engine, stack: STREAM }].map(
        (each) => ends(each)[0]!.completionMs!,
      );
      expect(byEngine).toBeGreaterThan(2_000);
      expect(byStack! / byEngine!).toBeGreaterThan(0.95);
      expect(byStack! / byEngine!).toBeLessThan(1.05);
    });

    it("that ends beside one that does not: shares are those of the time of both", () => {
      const scenario: Scenario = {
        ...STACK,
        durationSec: 10,
        flows: [
          {
            id: "short",
            algorithm: "native-cubic",
            stack: STREAM,
            application: { kind: "finite", bytes: 1_500_000 },
          },
        ],
      };
      const { jainIndex, metrics } = run(scenario, "native-cubic");
      expect(jainIndex).toBeGreaterThan(0.8);
      expect(metrics.utilisation).toBeGreaterThan(0.9);
    });

    it("that ends: an environment sees its flow through", () => {
      const env = new CongestionEnv(
        { ...STACK, durationSec: 8, application: { kind: "finite", bytes: 500_000 } },
        DEFAULT_ENV_OPTIONS,
      );
      env.reset(1);
      let delivered = 0;
      for (let isOver = false; !isOver; ) {
        const { info, terminated, truncated } = env.step([0]);
        delivered += info.deliveredBytes;
        isOver = terminated || truncated;
      }
      const [flow] = env.run.flows;
      expect(flow!.isComplete).toBe(true);
      expect(delivered).toBeGreaterThanOrEqual(500_000);
      expect(delivered).toBeLessThan(520_000);
    });

    it("that waits until all has come, which a stack that may lose does not tell", () => {
      const stack: StackSpec = ["once", "cc", "sack", "frame", "simulated"];
      const open = (application: ApplicationSpec): unknown => opened({ ...STACK, stack, application });
      expect(() => open({ kind: "finite", bytes: 1_000 })).toThrow(
        "stack: got a stack that may lose, expected `reliable` in it: its application waits until all has come",
      );
      expect(() => open({ kind: "constant-rate", mbps: 1 })).not.toThrow();
    });
  });

  it("stops when its plan says so", () => {
    const scenario: Scenario = {
      ...STACK,
      flows: [{ id: "other", algorithm: "reno", stack: STREAM, startSec: 1, stopSec: 2 }],
    };
    const world = SIMULATED.open(scenario, 1, {
      control: () => crossTrafficAlgorithm("reno"),
      algorithms: crossTrafficAlgorithm,
    });
    world.runUntil(world.startNs + 3e9);
    const sent = world.flows[1]!.sentPackets;
    expect(sent).toBeGreaterThan(50);
    world.runUntil(world.endNs);
    expect(world.flows[1]!.sentPackets).toBe(sent);
  });

  it("answers a larger window with more packets, and a smaller one with fewer", () => {
    const env = new CongestionEnv(
      STACK,
      parseEnvOptions({ action: "absolute", observation: "park-14", stepMs: 100 }),
    );
    env.reset(1);
    const steady = (packets: number): number => {
      let [bytes, spanUs] = [0, 0];
      for (let i = 0; i < 14; i++) {
        const { info } = env.step([packets, 1e9]);
        // the first steps still show the window before
        if (i < 4) continue;
        bytes += info.deliveredBytes;
        spanUs += info.stepUs;
        expect(info.cwndBytes).toBe(packets * 1448);
      }
      return (bytes * 8) / spanUs;
    };
    const rates = [10, 20, 5].map(steady);
    // so many packets in 40 ms and their own time
    rates.forEach((mbps, i) => {
      const expected = ([10, 20, 5][i]! * 1448 * 8) / 41_000;
      expect(mbps / expected).toBeGreaterThan(0.9);
      expect(mbps / expected).toBeLessThan(1.1);
    });
  });
});

describe("several peers of one host", () => {
  const OPTIONS = DEFAULT_MULTI_FLOW_OPTIONS;

  function episode(scenario: Scenario): { readonly env: MultiFlowEnv; readonly last: MultiFlowStep } {
    const env = new MultiFlowEnv(scenario, OPTIONS);
    let last = env.reset(3);
    while (!env.ended) last = env.step(new Map(last.liveFlows.map((id) => [id, [0.02]])));
    return { env, last };
  }

  it("have an agent each where each has a window", () => {
    const scenario = getScenario("stack-neighbours", { durationSec: 4 });
    expect(flowsUnderTest(scenario)).toEqual(["flow-0", "near", "far"]);
    const { env } = episode(scenario);
    for (const flow of env.run.flows) expect(flow.deliveredPackets).toBeGreaterThan(20);
    const windows = env.run.flows.map((flow) => flow.cwndPackets);
    expect(new Set(windows).size).toBeGreaterThanOrEqual(1);
  });

  it("have one agent where they share a window, and never more in flight than it", () => {
    const scenario = getScenario("stack-shared", { durationSec: 4 });
    expect(flowsUnderTest(scenario)).toEqual(["flow-0"]);
    const { env } = episode(scenario);
    const { flows } = env.run;
    for (const flow of flows) {
      expect(flow.deliveredPackets).toBeGreaterThan(20);
      expect(flow.cwndPackets).toBe(flows[0]!.cwndPackets);
    }
    const inflight = flows.reduce((sum, flow) => sum + flow.inflightPackets, 0);
    expect(inflight).toBeLessThanOrEqual(flows[0]!.cwndPackets * 1.05 + 1);
  });
});

describe("a stack in a scenario", () => {
  const refused = (changes: Record<string, unknown>): string => {
    try {
      validateScenario({ ...STACK, ...changes });
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };

  it.each([
    [{ stack: [] }, /stack: .*expected/],
    [
      { stack: ["order", "reliable", "cc", "sack", "frame", "udp"] },
      /stack\.5: .*expected `simulated` at the end/,
    ],
    [{ stack: ["sack", "simulated"] }, /stack: .*expected one `cc` in it/],
    [
      { stack: [{ chunnel: "cc", algorithm: "copa" }, "sack", "simulated"] },
      /stack\.0\.algorithm: .*expected none/,
    ],
    [{ stack: [7, "cc", "simulated"] }, /stack\.0: got 7, expected a name of a chunnel/],
    [{ sender: { prr: "rfc9937" } }, /sender: .*expected none beside `stack`/],
    [
      {
        application: { kind: "media", streams: [{ name: "a", framesPerSec: 10, bytes: 1000 }] },
      },
      /application: .*expected none beside `stack`/,
    ],
  ])("is refused by its schema where it cannot run: %j", (changes, message) => {
    expect(refused(changes)).toMatch(message);
  });

  it.each([
    [["cc", "sack", "fram", "simulated"], "not-found", /chunnel at stack\.2.*frame/],
    [
      ["reliable", "cc", "frame", "simulated"],
      "invalid-argument",
      /stack\.1: got `cc` with no chunnel below it that tells which messages arrived/,
    ],
    [
      ["reliable", "cc", "sack", "frame", "simulated"],
      "invalid-argument",
      /stack: got a stack that may deliver twice/,
    ],
    [
      ["serialise", "order", "reliable", "cc", "sack", "simulated"],
      "invalid-argument",
      /stack: got a stack that takes value/,
    ],
  ])("names the chunnel that does not fit: %j", (stack, kind, message) => {
    const open = (): unknown =>
      SIMULATED.open({ ...STACK, stack }, 1, { control: () => crossTrafficAlgorithm("native-reno") });
    expect(open).toThrowError(expect.objectContaining({ kind, message: expect.stringMatching(message) }));
  });

  it("shares a window only with flows of the same algorithm that start no earlier", () => {
    const stack = [{ chunnel: "cc", group: "a" }, "sack", "frame", "simulated"];
    expect(refused({ stack, flows: [{ algorithm: "reno", stack }] })).toMatch(
      /flows\.0\.algorithm: .*`test`/,
    );
    expect(refused({ stack, flows: [{ algorithm: "test", stack, startSec: -1 }] })).toMatch(
      /flows\.0\.startSec/,
    );
  });

  it("runs where its datagrams can go: other worlds say so", () => {
    expect(stackRefusal(STACK)).toMatch(/stacks of chunnels, expected none: simulated and udp run them/);
    expect(SIMULATED.refuses(STACK) ?? UDP.refuses(STACK)).toBeUndefined();
  });

  it("goes over loopback UDP through the relay's links in real time", async () => {
    const scenario: Scenario = { ...STACK, durationSec: 2, fixed: { startSec: 0.1 } };
    const world = await UDP.open(scenario, 1, {
      control: () => crossTrafficAlgorithm("native-cubic"),
      seriesBinSec: 0.5,
    });
    try {
      while (world.nowNs < world.endNs) await world.runUntil(world.endNs);
      const { goodputMbps, meanOneWayDelayMs } = measure(world);
      // a busy machine lets little of a short run through
      expect(goodputMbps).toBeGreaterThan(0.5);
      expect(goodputMbps).toBeLessThan(12);
      expect(meanOneWayDelayMs).toBeGreaterThan(20);
      expect(world.flows[0]!.srttUs).toBeGreaterThan(40_000);
    } finally {
      await world.close();
    }
  });
});

describe("measured quantities", () => {
  it("fit one another: what is sent arrives, is dropped or under way", () => {
    const world = SIMULATED.open(STACK, 1, { control: () => crossTrafficAlgorithm("native-cubic") });
    world.runUntil(world.endNs);
    const [flow] = world.flows;
    const { droppedPackets, sentPackets } = measure(world);
    const { arrivedPackets } = flow!.path as NetworkFlow;
    expect(arrivedPackets + droppedPackets).toBeLessThanOrEqual(sentPackets + 5);
    expect(arrivedPackets + droppedPackets).toBeGreaterThanOrEqual(sentPackets - 120);
    expect(flow!.lostPackets).toBeLessThanOrEqual(droppedPackets + 2);
  });
});
