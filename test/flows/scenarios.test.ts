/** The scenarios of named flows in the simulator: what they are for shows in each. */
import { describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { NANOS_PER_SEC } from "../../core/units.ts";
import { CongestionEnv } from "../../envs/congestion-env.ts";
import { parseEnvOptions } from "../../envs/options.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { measure } from "../../testbeds/measure.ts";
import { SIMULATED, type SimulatedRun } from "../../testbeds/simulated/simulated.ts";

const SEED = 1;

function open(scenario: Scenario, algorithm: CcpAlgorithm, seed = SEED): SimulatedRun {
  return SIMULATED.open(scenario, seed, { control: () => algorithm });
}

/** Payload delivered by the end of each bin, bits; counted from the start of the flow under test. */
function course(run: SimulatedRun, binSec: number, flow = 0): number[] {
  const bits: number[] = [];
  const { startNs, endNs } = run;
  for (let i = 1; startNs + i * binSec * NANOS_PER_SEC <= endNs; i++) {
    run.runUntil(startNs + i * binSec * NANOS_PER_SEC);
    const { deliveredPackets, mssBytes } = run.flows[flow]!;
    bits.push(8 * deliveredPackets * mssBytes);
  }
  return bits;
}

/** Between two times from the start, of a course with bins of `binSec`. */
function mbps(bits: readonly number[], binSec: number, fromSec: number, toSec: number): number {
  const at = (sec: number): number => (sec <= 0 ? 0 : bits[Math.round(sec / binSec) - 1]!);
  return (at(toSec) - at(fromSec)) / (toSec - fromSec) / 1e6;
}

describe("flows-mobility", () => {
  it.each(["reno", "cubic", "bbr", "vegas", "copa"])(
    "moves under one name: counters of %s never fall, and it has 90 percent of the new capacity again",
    (name) => {
      const run = open(getScenario("flows-mobility"), ccpAlgorithm(name));
      const [flow] = run.flows;
      const bits = course(run, 0.5);
      expect(run.flows[0]).toBe(flow);
      expect(bits.every((sum, i) => i === 0 || sum >= bits[i - 1]!)).toBe(true);
      expect(mbps(bits, 0.5, 10, 20)).toBeGreaterThan(7);
      const capacityMbps = 2 * run.truth.payloadRatio;
      // a second of 90 % of what the new path can carry, after what the old one had under way
      let sec = 20.5;
      while (sec < 59 && mbps(bits, 0.5, sec, sec + 1) < 0.9 * capacityMbps) sec += 0.5;
      expect(sec - 20).toBeLessThan(15);
      for (let at = 21; at < 59; at++) expect(mbps(bits, 0.5, at, at + 1)).toBeLessThan(2.1);
    },
  );

  it("is measured by the link that the flow takes: capacity, what was served and drops move with it", () => {
    const run = open(getScenario("flows-mobility"), ccpAlgorithm("cubic"));
    const { startNs, endNs, truth } = run;
    run.runUntil(endNs);
    const at = (sec: number): number => startNs + sec * NANOS_PER_SEC;
    const perSec = (from: number, to: number): number =>
      (8 * truth.forward.capacityBytes(at(from), at(to))) / (to - from) / 1e6;
    expect(perSec(0, 20)).toBeCloseTo(10, 6);
    expect(perSec(20, 60)).toBeCloseTo(2, 6);
    expect(perSec(10, 30)).toBeCloseTo(6, 6);
    expect(measure(run).utilisation).toBeGreaterThan(0.8);
    expect(measure(run).utilisation).toBeLessThanOrEqual(1);
  });
});

describe("a flow that is moved when somebody asks", () => {
  const { moves: _, ...stays } = getScenario("flows-mobility");
  const scenario: Scenario = { ...stays, durationSec: 30, spareLinks: ["away", "away-back"] };
  const AWAY = { forward: "away", reverse: "away-back" };
  const facts = (run: SimulatedRun): unknown =>
    run.flows.map(({ sentPackets, deliveredPackets, lostPackets, srttUs }) => [
      ...[sentPackets, deliveredPackets, lostPackets, srttUs],
      ...[measure(run).utilisation, run.truth.forward.droppedPackets],
    ]);

  it("goes the way of one whose scenario moves it at that time, to the byte", () => {
    const planned = open({ ...getScenario("flows-mobility"), durationSec: 30 }, ccpAlgorithm("cubic"));
    planned.runUntil(planned.endNs);
    const asked = open(scenario, ccpAlgorithm("cubic"));
    asked.runUntil(asked.startNs + 20 * NANOS_PER_SEC);
    asked.move("flow-0", AWAY);
    asked.runUntil(asked.endNs);
    expect(facts(asked)).toEqual(facts(planned));
  });

  it("may come back: the measured link moves with it, and counters never fall", () => {
    const run = open(scenario, ccpAlgorithm("cubic"));
    const bits: number[] = [];
    const { startNs, truth } = run;
    for (let sec = 1; sec <= 30; sec++) {
      run.runUntil(startNs + sec * NANOS_PER_SEC);
      bits.push(8 * run.flows[0]!.deliveredPackets * run.flows[0]!.mssBytes);
      if (sec === 10) run.move("flow-0", AWAY);
      if (sec === 20) run.move("flow-0", { forward: "forward", reverse: "reverse" });
    }
    expect(bits.every((sum, i) => i === 0 || sum >= bits[i - 1]!)).toBe(true);
    const at = (sec: number): number => startNs + sec * NANOS_PER_SEC;
    const capacityMbps = (from: number, to: number): number =>
      (8 * truth.forward.capacityBytes(at(from), at(to))) / (to - from) / 1e6;
    expect([capacityMbps(0, 10), capacityMbps(10, 20), capacityMbps(20, 30)]).toEqual([10, 2, 10]);
    expect(mbps(bits, 1, 5, 10)).toBeGreaterThan(8);
    expect(mbps(bits, 1, 12, 20)).toBeLessThan(2);
    expect(mbps(bits, 1, 12, 20)).toBeGreaterThan(1.7);
    expect(mbps(bits, 1, 25, 30)).toBeGreaterThan(8);
  });

  it("is refused in one sentence where it cannot go", () => {
    const run = open(scenario, ccpAlgorithm("cubic"));
    expect(() => run.move("flow-0", { ...AWAY, forward: "nowhere" })).toThrow(
      '[testbed] forward: got "nowhere", expected one of forward, reverse, away, away-back',
    );
    expect(() => run.move("flow-9", AWAY)).toThrow("no flow `flow-9`");
    const standing = open(getScenario("park-paper"), ccpAlgorithm("cubic"));
    expect(() => standing.move("flow-0", AWAY)).toThrow("park-paper: its flows stay, expected `moves`");
  });
});

describe("flows-standby", () => {
  /** The algorithm, with the times at which an agent has got the flow. */
  function watched(name: string): { readonly algorithm: CcpAlgorithm; readonly startedUs: number[] } {
    const startedUs: number[] = [];
    const algorithm = ccpAlgorithm(name);
    return {
      startedUs,
      algorithm: {
        ...algorithm,
        newFlow: (control, info) => {
          startedUs.push(info.nowUs);
          return algorithm.newFlow(control, info);
        },
      },
    };
  }

  it.each(["reno", "cubic", "bbr"])(
    "lets the standby of %s act within 0.1 s of the lease's end, and 80 percent of the goodput is there in the next 2 s",
    (name) => {
      const { algorithm, startedUs } = watched(name);
      const run = open(getScenario("flows-standby"), algorithm);
      const bits = course(run, 0.1);
      expect(startedUs).toHaveLength(2);
      const tookOverSec = startedUs[1]! / 1e6 - run.startNs / NANOS_PER_SEC;
      // renewed last at 9.9 or 10 s
      expect(tookOverSec).toBeGreaterThan(10.4 - 1e-6);
      expect(tookOverSec).toBeLessThan(10.6);
      const before = mbps(bits, 0.1, 6, 10);
      const after = mbps(bits, 0.1, 10.6, 12.6);
      expect(after).toBeGreaterThan(0.8 * before);
      expect(after).toBeGreaterThan(0.8 * 10 * run.truth.payloadRatio);
    },
  );

  it("takes an environment's flow over too: it is silent for the lease, and the same flow goes on acting", () => {
    const env = new CongestionEnv(getScenario("flows-standby"), parseEnvOptions({ stepMs: 100 }));
    let step = env.reset(SEED);
    const reported: number[] = [];
    const action = new Float32Array(env.actionSpace.shape[0]);
    let steps = 0;
    while (!step.truncated) {
      step = env.step(action);
      steps++;
      if (step.info.report) reported.push(step.info.timeUs / 1e6);
    }
    expect(steps).toBeGreaterThan(100);
    const between = (from: number, to: number): number =>
      reported.filter((sec) => sec > from && sec <= to).length;
    expect(between(9, 10)).toBeGreaterThan(5);
    expect(between(10.1, 10.4)).toBe(0);
    expect(between(10.7, 11.7)).toBeGreaterThan(5);
    expect(between(19, 20)).toBeGreaterThan(5);
  });
});

describe("flows-layered", () => {
  it("splits 6 Mbit/s by the weights 1:2:3 within 5 %, three levels deep", () => {
    const run = open(getScenario("flows-layered"), ccpAlgorithm("aggregate"));
    const fromNs = run.startNs + 10 * NANOS_PER_SEC;
    run.runUntil(fromNs);
    const at = run.flows.map(({ deliveredPackets }) => deliveredPackets);
    run.runUntil(run.endNs);
    const got = run.flows.map(({ deliveredPackets }, i) => deliveredPackets - at[i]!);
    const sum = got.reduce((a, b) => a + b, 0);
    const due = [1 / 6, 2 / 6, 3 / 36, 6 / 36, 9 / 216, 18 / 216, 27 / 216];
    const off = got.map((packets, i) => packets / sum / due[i]! - 1);
    expect((sum * 1448 * 8) / 50e6).toBeGreaterThan(0.9 * 6 * run.truth.payloadRatio);
    for (const each of off) expect(Math.abs(each)).toBeLessThan(0.05);
  });
});

describe("flows-slow-branch", () => {
  it("lets the branches that are not slow have what the slow one cannot take, where each is controlled by itself", () => {
    const share = (name: string): number[] => {
      const run = open(getScenario("flows-slow-branch"), ccpAlgorithm(name));
      run.runUntil(run.endNs);
      return run.flows.map(({ deliveredPackets }) => (deliveredPackets * 1448 * 8) / 30e6);
    };
    const [near, also, slow] = share("cubic");
    expect(near! + also!).toBeGreaterThan(9.5);
    expect(slow).toBeGreaterThan(0.3);
    expect(slow).toBeLessThan(0.5);
    // one window for all: the branch's losses are everybody's
    const [a, b] = share("aggregate");
    expect(a! + b!).toBeLessThan(near! + also!);
  });
});

describe("flows-overflow-feedback", () => {
  it("tells the sender by what was overwritten alone, and delay-based control overwrites less", () => {
    const lost = (name: string): number => {
      const run = open(getScenario("flows-overflow-feedback"), ccpAlgorithm(name));
      run.runUntil(run.endNs);
      const { goodputMbps, lossRate } = measure(run);
      expect(goodputMbps).toBeGreaterThan(2.5);
      expect(run.truth.forward.maxQueuedPackets).toBeLessThanOrEqual(8);
      return lossRate;
    };
    const reno = lost("reno");
    expect(reno).toBeGreaterThan(0);
    expect(lost("vegas")).toBeLessThan(reno);
  });
});

it.each(["flows-mobility", "flows-standby", "flows-slow-branch", "flows-layered", "flows-overflow-feedback"])(
  "%s gives the same counts for the same seed",
  (name) => {
    const counts = (seed: number): string => {
      const run = open({ ...getScenario(name), durationSec: 22 }, ccpAlgorithm("cubic"), seed);
      run.runUntil(run.endNs);
      return JSON.stringify(run.flows.map((flow) => [flow.sentPackets, flow.deliveredPackets, flow.srttUs]));
    };
    expect(counts(5)).toBe(counts(5));
    expect(counts(6)).not.toBe(counts(5));
  },
);

it("a scenario says where a flow can move, and who belongs together says one weight", async () => {
  const { validateScenario } = await import("../../scenarios/validate.ts");
  const scenario = getScenario("flows-mobility");
  const [move] = scenario.moves!;
  const strange = { ...move!, atSec: 30, forward: "nowhere" };
  expect(() => validateScenario({ ...scenario, moves: [move!, strange] })).toThrow("moves.1.forward");
  expect(() => validateScenario({ ...scenario, moves: [move!, move!] })).toThrow("more than 20");
  const { moves: _, ...stays } = scenario;
  expect(() => validateScenario(stays)).toThrow("links.away: ");
  expect(() => validateScenario({ ...stays, spareLinks: ["away", "away-back", "elsewhere"] })).toThrow(
    "spareLinks.2",
  );
  expect(validateScenario({ ...stays, spareLinks: ["away", "away-back"] })).toBeDefined();
  expect(() => validateScenario({ ...scenario, weight: 0 })).toThrow("weight");
  expect(() =>
    validateScenario({ ...getScenario("flows-standby"), standby: { killAtSec: 1, leaseSec: 0 } }),
  ).toThrow("standby.leaseSec");
});
