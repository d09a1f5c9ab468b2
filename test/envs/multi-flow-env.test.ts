import { describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { MSS_BYTES } from "../../core/units.ts";
import { CongestionEnv } from "../../envs/congestion-env.ts";
import { runAgent } from "../../envs/measured-run.ts";
import { MultiFlowEnv, type MultiFlowStep } from "../../envs/multi-flow-env.ts";
import {
  DEFAULT_ENV_OPTIONS,
  DEFAULT_MULTI_FLOW_OPTIONS,
  type MultiFlowOptions,
  parseMultiFlowOptions,
} from "../../envs/options.ts";
import { getFlowReward } from "../../envs/signals/flow-rewards.ts";
import { GLOBAL_STATE } from "../../envs/signals/global-state.ts";
import { emptyInterval } from "../../envs/signals/interval.ts";
import type { Box } from "../../envs/spaces.ts";
import { envPrograms, INTERVAL_PROGRAM } from "../../envs/steps/env-program.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { FlowPlan } from "../../scenarios/traffic/flow-plan.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";

/** 48 Mbit/s, 50 ms round trip: 200 packets in flight fill it; a queue of 400. */
const LINK = getScenario("park-paper", { durationSec: 2 });
const OPTIONS: MultiFlowOptions = DEFAULT_MULTI_FLOW_OPTIONS;
const WINDOWS: MultiFlowOptions = { ...OPTIONS, action: "absolute", observation: "park-14" };

function withFlows(flows: readonly FlowPlan[], changes: Partial<Scenario> = {}): Scenario {
  return { ...LINK, name: "several", flows, ...changes };
}

const PAIR = withFlows([{ algorithm: "test" }]);

function sameForAll(action: readonly number[], { liveFlows }: MultiFlowStep): Map<string, number[]> {
  return new Map(liveFlows.map((id) => [id, [...action]]));
}

/** All steps of an episode, the reset first; every live flow does the same. */
function episode(env: MultiFlowEnv, seed: number, action: readonly number[] = [0]): MultiFlowStep[] {
  const steps = [env.reset(seed)];
  while (!env.ended) steps.push(env.step(sameForAll(action, steps[steps.length - 1]!)));
  return steps;
}

/** A deterministic action that differs between steps and flows. */
function wobble(step: number, flow: number): number {
  return Math.fround(Math.sin(step * 0.7 + flow) / 2);
}

function expectInBox({ dimensions }: Box, values: Float32Array): void {
  const outside = dimensions.filter(
    ({ low, high }, i) => !(values[i]! >= Math.fround(low) && values[i]! <= Math.fround(high)),
  );
  expect(outside.map(({ name }) => name)).toEqual([]);
}

describe("flows", () => {
  it("are called as in the scenario; those with another algorithm are not among them", () => {
    const env = new MultiFlowEnv(
      withFlows([{ algorithm: "cubic" }, { id: "peer", count: 2, algorithm: "test" }, { algorithm: "test" }]),
      OPTIONS,
    );
    const { liveFlows, flows } = env.reset(1);
    expect(env.possibleFlows).toEqual(["flow-0", "peer-0", "peer-1", "flow-4"]);
    expect(liveFlows).toEqual(env.possibleFlows);
    expect([...flows.keys()]).toEqual(env.possibleFlows);
    const underTest = env.run.flows.filter(({ algorithm }) => algorithm === "test");
    expect(underTest.map(({ id }) => id)).toEqual(env.possibleFlows);
  });

  it("join at the end of the step in which they start, act from the next on, and are told once of their end", () => {
    const late = { id: "late", algorithm: "test", startSec: 0.505, stopSec: 1.005 };
    const env = new MultiFlowEnv(withFlows([late]), OPTIONS);
    const steps = episode(env, 1);
    // steps of 20 ms: it starts in the 26th and stops in the 51st
    const there = steps.flatMap(({ flows }, i) => (flows.has("late") ? [i] : []));
    expect(there).toEqual(Array.from({ length: 26 }, (_, i) => 26 + i));
    const joined = steps[26]!;
    expect(joined.liveFlows).toEqual(["flow-0", "late"]);
    expect(joined.flows.get("late")).toMatchObject({ reward: 0, terminated: false, truncated: false });
    expect(joined.flows.get("late")!.info.stepUs).toBeCloseTo(15_000, 3);
    expect(steps[50]!.flows.get("late")).toMatchObject({ terminated: false });
    const last = steps[51]!;
    expect(last.flows.get("late")).toMatchObject({ terminated: true, truncated: false });
    expect(last.flows.get("late")!.reward).not.toBe(0);
    expect(last.liveFlows).toEqual(["flow-0"]);
    expect(steps[steps.length - 1]!.flows.get("flow-0")).toMatchObject({
      terminated: false,
      truncated: true,
    });
  });

  it("are truncated at the end of the episode, and then no step is taken until a reset", () => {
    const env = new MultiFlowEnv(PAIR, OPTIONS);
    const steps = episode(env, 1);
    expect(steps).toHaveLength(101);
    for (const { truncated, terminated, info } of steps[100]!.flows.values()) {
      expect({ truncated, terminated }).toEqual({ truncated: true, terminated: false });
      expect(info.timeUs).toBeCloseTo(2_000_000, 3);
    }
    expect(steps[100]).toMatchObject({ ended: true, liveFlows: [] });
    expect(() => env.step(new Map())).toThrow(/step after the end of the episode/);
    expect(env.reset(2)).toMatchObject({ ended: false, liveFlows: ["flow-0", "flow-1"] });
  });

  it("that have all they had to send acknowledged are over; the episode goes on without any", () => {
    const finite = { kind: "finite", bytes: 40 * MSS_BYTES } as const;
    const back = { algorithm: "test", startSec: 1.5 };
    const env = new MultiFlowEnv(withFlows([back], { application: finite }), OPTIONS);
    const steps = episode(env, 1);
    const over = steps.findIndex(({ flows }) => flows.get("flow-0")?.terminated);
    // 10 and then, at a window that is held, 10 a round trip
    expect(over).toBeGreaterThan(9);
    expect(over).toBeLessThan(14);
    expect(steps[over + 1]).toMatchObject({ liveFlows: [], ended: false });
    expect(steps[over + 1]!.flows.size).toBe(0);
    expect(steps[76]!.liveFlows).toEqual(["flow-1"]);
    expect(steps).toHaveLength(101);
  });

  it("that start and are over in one step, or start in the last step, never appear", () => {
    const flows = [
      { id: "brief", algorithm: "test", startSec: 0.501, stopSec: 0.515 },
      { id: "last", algorithm: "test", startSec: 1.99 },
    ];
    const env = new MultiFlowEnv(withFlows(flows), OPTIONS);
    for (const { flows: there } of episode(env, 1)) expect([...there.keys()]).toEqual(["flow-0"]);
  });

  it("that start before flow-0 are live at the reset, with what their reports have said so far", () => {
    const env = new MultiFlowEnv(withFlows([{ algorithm: "test", startSec: -1 }]), WINDOWS);
    const { flows } = env.reset(1);
    const early = flows.get("flow-1")!;
    expect(early.info.timeUs).toBeCloseTo(1_000_000, 3);
    expect(early.info.stepUs).toBeCloseTo(1_000_000, 3);
    // 20 round trips at the initial window of 10
    expect(early.info.deliveredBytes / MSS_BYTES).toBeGreaterThan(170);
    expect(early.info.deliveredBytes / MSS_BYTES).toBeLessThanOrEqual(200);
    expect(flows.get("flow-0")!.info).toMatchObject({ report: false, deliveredBytes: 0, stepUs: 0 });
  });

  it("may differ from episode to episode within possibleFlows, in a drawn scenario too", () => {
    const draw = (rng: { next(): number }): Scenario => (rng.next() < 0.5 ? PAIR : withFlows([]));
    expect(() => new MultiFlowEnv(draw, OPTIONS)).toThrow(/no possibleFlows/);
    const env = new MultiFlowEnv(draw, OPTIONS, { possibleFlows: ["flow-0", "flow-1"] });
    const counts = new Set(Array.from({ length: 12 }, (_, seed) => env.reset(seed).liveFlows.length));
    expect(counts).toEqual(new Set([1, 2]));
    const other = withFlows([{ id: "peer", algorithm: "test" }]);
    expect(() => env.reset(1, other)).toThrow("[env] unknown flow under test `peer`");
    const twins = withFlows([{ id: "flow-0", algorithm: "test" }]);
    expect(() => new MultiFlowEnv(twins, OPTIONS)).toThrow(/two flows under test are called flow-0/);
  });
});

describe("a step", () => {
  it("gives the same bytes for the same seed and actions, packed or by id, and others for another seed", () => {
    const scenario = withFlows([
      { algorithm: "test", startSec: 0.31, stopSec: 1.7 },
      { algorithm: "cubic", startSec: -0.5 },
    ]);
    const byId = (seed: number): unknown[] => {
      const env = new MultiFlowEnv(scenario, OPTIONS);
      const seen: unknown[] = [];
      let last = env.reset(seed);
      for (let step = 0; ; step++) {
        const flows = env.possibleFlows.map((id) => last.flows.get(id));
        seen.push([
          flows.map((flow) => [...(flow?.observation ?? new Float32Array(env.observationSpace.shape[0]))]),
          flows.map((flow) => [flow?.reward ?? 0, flow?.terminated ? 1 : 0, flow?.truncated ? 1 : 0]),
          env.possibleFlows.map((id) => [last.flows.has(id), last.liveFlows.includes(id)].map(Number)),
          [...last.state],
        ]);
        if (last.ended) return seen;
        const actions = last.liveFlows.map(
          (id) => [id, [wobble(step, env.possibleFlows.indexOf(id))]] as const,
        );
        last = env.step(new Map(actions));
      }
    };
    const packed = (seed: number): unknown[] => {
      const env = new MultiFlowEnv(scenario, OPTIONS);
      const { rows, possibleFlows } = env;
      const width = env.observationSpace.shape[0];
      const seen: unknown[] = [];
      env.resetRows(seed);
      for (let step = 0; ; step++) {
        seen.push([
          possibleFlows.map((_, i) => [...rows.observations.slice(i * width, (i + 1) * width)]),
          possibleFlows.map((_, i) => [rows.rewards[i], rows.terminated[i], rows.truncated[i]]),
          possibleFlows.map((_, i) => [rows.present[i], rows.live[i]]),
          [...env.state],
        ]);
        if (env.ended) return seen;
        env.stepRows(
          Float32Array.from(possibleFlows, (_, i) => (rows.live[i] === 1 ? wobble(step, i) : Number.NaN)),
        );
      }
    };
    const once = byId(5);
    expect(once).toHaveLength(101);
    expect(byId(5)).toEqual(once);
    expect(packed(5)).toEqual(once);
    expect(byId(6)).not.toEqual(once);
  });

  it("gives the same bytes after another episode in the same environment", () => {
    const env = new MultiFlowEnv(PAIR, OPTIONS);
    const once = episode(env, 3, [0.1]);
    episode(env, 4, [0.2]);
    expect(episode(env, 3, [0.1])).toEqual(once);
  });

  it("takes the reports that came in it: their bytes add up, step by step", () => {
    const scenario = withFlows([{ algorithm: "test", startSec: 0.123 }], { durationSec: 1 });
    const stepMs = 30;
    // the same flows, at the window that is held, with reports every quarter of a step
    const reports: { readonly flow: number; readonly atNs: number; readonly bytes: number }[] = [];
    const listener: CcpAlgorithm = {
      name: "listener",
      programs: { [INTERVAL_PROGRAM]: envPrograms(false)[INTERVAL_PROGRAM]! },
      newFlow(control, { flowId, initCwndBytes }) {
        control.setProgram(INTERVAL_PROGRAM, { Cwnd: initCwndBytes, intervalUs: 7499 });
        return {
          onReport: (report) => {
            const packets = report.get("packetsAcked") + report.get("packetsMisordered");
            reports.push({ flow: flowId, atNs: simulation.nowNs, bytes: packets * MSS_BYTES });
          },
        };
      },
    };
    const controlled = runCcpAlgorithm(listener);
    const simulation = SIMULATED.open(scenario, 9, { control: () => controlled });
    simulation.runUntil(simulation.endNs);
    const flowIds = [...new Set(reports.map(({ flow }) => flow))];

    const env = new MultiFlowEnv(scenario, { ...OPTIONS, stepMs });
    const steps = episode(env, 9);
    const { startNs, endNs } = env.run;
    expect(steps).toHaveLength(1 + Math.ceil(1000 / stepMs));
    let total = 0;
    steps.forEach(({ flows }, i) => {
      const [fromNs, toNs] = [i - 1, i].map((k) => Math.min(startNs + k * stepMs * 1e6, endNs));
      for (const [id, { info }] of flows) {
        const own = reports.filter(
          ({ flow, atNs }) =>
            flow === flowIds[env.possibleFlows.indexOf(id)] && atNs > fromNs! && atNs <= toNs!,
        );
        expect(info.report, `${id} at ${i}`).toBe(own.length > 0);
        expect(info.deliveredBytes, `${id} at ${i}`).toBe(own.reduce((sum, { bytes }) => sum + bytes, 0));
        total += info.deliveredBytes;
      }
    });
    expect(total).toBe(reports.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(total).toBeGreaterThan(300 * MSS_BYTES);
  });

  it("without a report has zero counters and holds the RTT", () => {
    const outages = [{ fromSec: 0.5, toSec: 1.2 }];
    const env = new MultiFlowEnv(withFlows([], { forward: { ...LINK.forward, outages } }), WINDOWS);
    const steps = episode(env, 1, [50, 0]);
    let silent = 0;
    let heldRttUs = 0;
    for (const { flows } of steps) {
      const { info, observation } = flows.get("flow-0")!;
      if (info.report) heldRttUs = info.rttUs;
      else if (heldRttUs > 0) {
        silent++;
        expect(info).toMatchObject({ deliveredBytes: 0, lostPackets: 0, rttUs: heldRttUs });
        expect([...observation.slice(0, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
      }
    }
    expect(silent).toBeGreaterThan(25);
  });

  it("shows a flow alone the same as beside one that never sends, and half the link beside its like", () => {
    const window = (windows: readonly number[], flows: readonly FlowPlan[]): number[] => {
      const env = new MultiFlowEnv(withFlows(flows, { fixed: { startSec: 0.5, sendJitterUs: 0 } }), WINDOWS);
      const bytes = windows.map(() => 0);
      let last = env.reset(1);
      while (!last.ended) {
        last = env.step(new Map(last.liveFlows.map((id, i) => [id, [windows[i]!, 0]])));
        [...last.flows.values()].forEach(({ info }, i) => {
          bytes[i]! += info.timeUs > 500_000 ? info.deliveredBytes : 0;
        });
      }
      return bytes.map((each) => (each * 8) / 1.5e6);
    };
    const [alone] = window([300], []);
    expect(alone).toBeGreaterThan(45);
    const silent: FlowPlan = {
      algorithm: "test",
      application: { kind: "pauses", pauses: [{ fromSec: 0, toSec: 9 }] },
    };
    expect(window([300, 300], [silent])[0]).toBe(alone);
    const [a, b] = window([300, 300], [{ algorithm: "test" }]);
    expect(a! + b!).toBeGreaterThan(45);
    expect(a! / b!).toBeCloseTo(1, 1);
    const [small, large] = window([100, 300], [{ algorithm: "test" }]);
    expect(large! / small!).toBeCloseTo(3, 0);
  });

  it("keeps to its boxes beside cubic and a flow the other way, in both observations", () => {
    const scenario = withFlows([
      { algorithm: "test" },
      { algorithm: "cubic", startSec: -0.5 },
      { id: "back", algorithm: "test", direction: "backward", startSec: 0.4 },
    ]);
    for (const observation of ["standard", "park-14"]) {
      const env = new MultiFlowEnv(scenario, { ...OPTIONS, observation, reward: "sage-fair" });
      const steps = episode(env, 2, [0.05]);
      const seen = new Map<string, number>();
      for (const { flows, state } of steps) {
        expectInBox(env.stateSpace, state);
        for (const [id, { observation: values, info, reward }] of flows) {
          expectInBox(env.observationSpace, values);
          expect(reward).toBeGreaterThanOrEqual(0);
          expect(reward).toBeLessThanOrEqual(25);
          seen.set(id, (seen.get(id) ?? 0) + info.deliveredBytes);
        }
      }
      expect([...seen.keys()]).toEqual(["flow-0", "flow-1", "back"]);
      for (const bytes of seen.values()) expect(bytes).toBeGreaterThan(500_000);
      expect(env.run.flows.map(({ path }) => path!.firstArrivedPackets > 300)).toEqual([
        true,
        true,
        true,
        true,
      ]);
    }
  });

  it("finds the algorithms of cross traffic by the resolver that was given", () => {
    const scenario = withFlows([{ algorithm: "vegas" }]);
    expect(() => new MultiFlowEnv(scenario, OPTIONS).reset(1)).toThrow(/unknown native algorithm `vegas`/);
    const env = new MultiFlowEnv(scenario, OPTIONS, {
      algorithms: () => runCcpAlgorithm(ccpAlgorithm("vegas")),
    });
    episode(env, 1);
    expect(env.run.flows[1]!.acks).toBeGreaterThan(100);
  });
});

describe("actions", () => {
  it("are those of each flow, in effect from the next ACK", () => {
    const env = new MultiFlowEnv(PAIR, OPTIONS);
    env.reset(1);
    const { flows } = env.step(
      new Map([
        ["flow-1", [1]],
        ["flow-0", [-0.5]],
      ]),
    );
    expect(flows.get("flow-1")!.info.cwndBytes).toBeCloseTo(20 * MSS_BYTES, 6);
    expect(flows.get("flow-0")!.info.cwndBytes).toBeCloseTo((10 * MSS_BYTES) / Math.SQRT2, 6);
  });

  it("are refused before any acts: unknown, missing, of a flow that is not live, bad or of the wrong length", () => {
    const late = { id: "late", algorithm: "test", startSec: 1 };
    const env = new MultiFlowEnv(withFlows([{ algorithm: "test" }, late]), {
      ...OPTIONS,
      actionPolicy: "reject",
    });
    expect(() => env.step(new Map())).toThrow(/step before the first reset/);
    expect(() => env.stepRows(new Float32Array(3))).toThrow(/step before the first reset/);
    const undisturbed = env.reset(1);
    const next = env.step(sameForAll([0.5], undisturbed));
    env.reset(1);
    const step =
      (...actions: [string, number[]][]) =>
      () =>
        env.step(new Map(actions));
    expect(step(["flow-0", [0]], ["flow-7", [0]])).toThrow("[env] unknown flow `flow-7`");
    expect(step(["flow-0", [0]])).toThrow(
      "[env] no action for flow-1: expected one for each live flow (flow-0, flow-1)",
    );
    expect(step(["flow-0", [0]], ["flow-1", [0]], ["late", [0]])).toThrow(
      "[env] action for late, which is not live: expected actions for flow-0, flow-1",
    );
    expect(step(["flow-0", [0]], ["flow-1", [Number.NaN]])).toThrow(
      "[env] action of flow-1 is not finite at log2CwndChange: got NaN",
    );
    expect(step(["flow-0", [0]], ["flow-1", [7]])).toThrow(
      "[env] action of flow-1 outside the box at log2CwndChange: got 7, expected -1 to 1",
    );
    expect(step(["flow-0", [0, 0]], ["flow-1", [0]])).toThrow(/action of flow-0 has the wrong length: got 2/);
    expect(() => env.stepRows(new Float32Array(2))).toThrow("wrong length: got 2, expected 3 x 1");
    expect(() => env.stepRows(Float32Array.of(0, Number.NaN, 0))).toThrow(/action of flow-1 is not finite/);
    expect(env.step(sameForAll([0.5], undisturbed))).toEqual(next);
  });

  it("outside the box are clipped and counted for their flow", () => {
    const env = new MultiFlowEnv(PAIR, OPTIONS);
    env.reset(1);
    const { flows } = env.step(
      new Map([
        ["flow-0", [7]],
        ["flow-1", [0.5]],
      ]),
    );
    expect(flows.get("flow-0")!.info).toMatchObject({ clippedActions: 1, cwndBytes: 20 * MSS_BYTES });
    expect(flows.get("flow-1")!.info.clippedActions).toBe(0);
  });

  it("arrive late by the action delay, also when their flow has gone meanwhile", () => {
    const sent = (actionDelayUs: number): number => {
      const scenario = withFlows([{ algorithm: "test", stopSec: 0.5 }]);
      const env = new MultiFlowEnv(scenario, { ...WINDOWS, actionDelayUs });
      episode(env, 1, [60, 0]);
      return env.run.flows[1]!.sentPackets;
    };
    // ten round trips at 60 packets; eight at the initial 10 and then two
    expect(sent(0)).toBeGreaterThan(2 * sent(400_000));
  });
});

describe("rewards", () => {
  const pairOf = (share: "own" | "mean", reward = "score"): number[][] => {
    const env = new MultiFlowEnv(PAIR, { ...OPTIONS, share, reward });
    let last = env.reset(1);
    const seen: number[][] = [];
    while (!last.ended) {
      last = env.step(
        new Map([
          ["flow-0", [0.05]],
          ["flow-1", [0]],
        ]),
      );
      seen.push([...last.flows.values()].map((flow) => flow.reward));
    }
    return seen;
  };

  it("are each flow's own, or the mean over the flows that acted", () => {
    const own = pairOf("own");
    expect(own.some(([a, b]) => a! > b! + 1)).toBe(true);
    expect(pairOf("mean")).toEqual(own.map(([a, b]) => [(a! + b!) / 2, (a! + b!) / 2]));
  });

  it("of sage-fair are 25 at 0.95 of the fair share and fall on both sides", () => {
    const fair = getFlowReward("sage-fair");
    const at = (bytesPerSec: number, stepUs = 1e6): number =>
      fair.of({ ...emptyInterval(1), stepUs, ackedPackets: bytesPerSec }, 1e6);
    expect(at(0.95e6)).toBe(25);
    expect(at(0.95e6 * 1.5)).toBeCloseTo(25 * Math.exp(-2), 12);
    expect(at(0.95e6 * 0.5)).toBeCloseTo(25 * Math.exp(-2), 12);
    expect(at(5e6)).toBe(at(0.95e6 * 2));
    expect(at(0)).toBeCloseTo(25 * Math.exp(-8), 12);
    expect(at(0, 0)).toBe(at(0));
    expect(() => getFlowReward("sage-fare")).toThrow(/did you mean `sage-fair`/);
  });

  it("of sage-fair know the flows on the link, cross traffic included and the other direction not", () => {
    const shareOf = (flows: readonly FlowPlan[]): number => {
      const env = new MultiFlowEnv(withFlows(flows), { ...WINDOWS, reward: "sage-fair" });
      let last = env.reset(1);
      // 8 Mbit/s of payload: the fair share of six on 48 Mbit/s
      while (!last.ended) last = env.step(sameForAll([400, 1e6], last));
      return last.flows.get("flow-0")!.reward;
    };
    // a third of the link each would be 2.9 times what they take
    expect(shareOf([{ algorithm: "test", count: 5 }])).toBeGreaterThan(20);
    expect(
      shareOf([
        { algorithm: "test", count: 4 },
        { algorithm: "reno", sender: { initialCwndPackets: 2, receiveWindowPackets: 20 } },
      ]),
    ).toBeGreaterThan(20);
    expect(shareOf([{ algorithm: "test", count: 2 }])).toBeLessThan(5);
    expect(
      shareOf([
        { algorithm: "test", count: 2 },
        { algorithm: "test", count: 3, direction: "backward" },
      ]),
    ).toBeLessThan(5);
  });
});

describe("the global state", () => {
  const at = (state: Float32Array): Record<string, number> =>
    Object.fromEntries(GLOBAL_STATE.space.dimensions.map(({ name }, i) => [name, state[i]!]));

  it("is what the simulator's books say", () => {
    const flows: FlowPlan[] = [
      { algorithm: "test", propagationDelayMs: 45 },
      { algorithm: "cubic" },
      { algorithm: "test", startSec: 1.5 },
    ];
    const env = new MultiFlowEnv(
      withFlows(flows, { forward: { ...LINK.forward, queue: { packets: 60 } } }),
      WINDOWS,
    );
    let last = env.reset(3);
    expect(at(last.state)).toMatchObject({ sumThroughput: 0, lossRate: 0, flows: Math.fround(0.3) });
    const books = () => {
      const { nowNs, truth, flows: all } = env.run;
      return all.map((flow) => {
        const path = flow.path!;
        path.advance(nowNs);
        truth!.forward.servedBytes(nowNs);
        const { queueDelay } = path.statistics;
        return {
          arrived: path.firstArrivedPackets,
          sent: flow.sentPackets,
          dropped: path.droppedPackets,
          delays: queueDelay.count,
          delaySumUs: queueDelay.sumUs,
          window: flow.cwndPackets,
        };
      });
    };
    let losses = 0;
    for (let i = 0; i < 60; i++) {
      const before = books();
      const windows = new Map([
        ["flow-0", [20 + i, 0]],
        ["flow-1", [90, 0]],
      ]);
      last = env.step(windows);
      const after = books();
      const mbps = [0, 1].map((f) => ((after[f]!.arrived - before[f]!.arrived) * MSS_BYTES * 8) / 20_000);
      const delayMs = [0, 1].map((f) => {
        const served = after[f]!.delays - before[f]!.delays;
        return served > 0 ? (after[f]!.delaySumUs - before[f]!.delaySumUs) / served / 1000 : Number.NaN;
      });
      const sent = after[0]!.sent + after[1]!.sent - before[0]!.sent - before[1]!.sent;
      const dropped = after[0]!.dropped + after[1]!.dropped - before[0]!.dropped - before[1]!.dropped;
      const state = at(last.state);
      expect(state["sumThroughput"]).toBeCloseTo((mbps[0]! + mbps[1]!) / 500, 6);
      expect(state["minThroughput"]).toBeCloseTo(Math.min(...mbps) / 500, 6);
      expect(state["maxThroughput"]).toBeCloseTo(Math.max(...mbps) / 500, 6);
      if (delayMs.every(Number.isFinite)) {
        expect(state["meanLatency"]).toBeCloseTo((25 + 45 + delayMs[0]! + delayMs[1]!) / 2 / 500, 6);
      }
      expect(state["minWindow"]).toBeCloseTo(Math.min(after[0]!.window, after[1]!.window) / 1000, 6);
      expect(state["maxWindow"]).toBeCloseTo(Math.max(after[0]!.window, after[1]!.window) / 1000, 6);
      expect(state["meanWindow"]).toBeCloseTo((after[0]!.window + after[1]!.window) / 2000, 6);
      if (sent > 0) expect(state["lossRate"]).toBeCloseTo(Math.min(1, dropped / sent), 6);
      expect(state["flows"]).toBeCloseTo(0.3, 6);
      expect(state["oneWayDelay"]).toBeCloseTo(35 / 500, 6);
      expect(state["bandwidth"]).toBeCloseTo(48 / 500, 6);
      expect(state["bdp"]).toBeCloseTo(((48e6 / 8) * 0.07) / 10e6, 6);
      losses += dropped;
    }
    expect(losses).toBeGreaterThan(0);
  });

  it("counts a flow from its joining to its end, and is empty without any", () => {
    const finite = { kind: "finite", bytes: 20 * MSS_BYTES } as const;
    const env = new MultiFlowEnv(
      withFlows([{ algorithm: "test", startSec: 1, stopSec: 1.5 }], { application: finite }),
      WINDOWS,
    );
    const steps = episode(env, 1, [30, 0]);
    const states = steps.map(({ state }) => at(state));
    expect(states[40]).toMatchObject({ sumThroughput: 0, meanWindow: 0, flows: 0, bdp: 0 });
    expect(states[40]!["bandwidth"]).toBeCloseTo(48 / 500, 6);
    expect(states[60]!["minWindow"]).toBeCloseTo(0.03, 6);
    expect(states[60]!["flows"]).toBeCloseTo(0.1, 6);
    expect(states[76]).toMatchObject({ minWindow: 0, flows: 0 });
  });

  it("ends at its bounds on an unlimited link", () => {
    const unlimited: Scenario = { ...PAIR, forward: { ...LINK.forward, rate: { kind: "unlimited" } } };
    const env = new MultiFlowEnv(unlimited, OPTIONS);
    for (const { state } of episode(env, 1)) expectInBox(env.stateSpace, state);
    expect(at(env.state)).toMatchObject({ bandwidth: 100, bdp: 100 });
  });
});

describe("options", () => {
  it("have defaults and are refused by name; a step of one round trip is refused", () => {
    expect(parseMultiFlowOptions({})).toEqual(DEFAULT_MULTI_FLOW_OPTIONS);
    expect(parseMultiFlowOptions({ share: "mean", stepMs: 30 })).toMatchObject({ share: "mean", stepMs: 30 });
    expect(() => parseMultiFlowOptions({ share: "all" })).toThrow(/wrong option at share/);
    expect(() => parseMultiFlowOptions({ stepMs: "rtt" })).toThrow(
      "[env] wrong option at stepMs: got rtt, expected milliseconds",
    );
    const rtt = { ...OPTIONS, stepMs: "rtt" } as unknown as MultiFlowOptions;
    expect(() => new MultiFlowEnv(PAIR, rtt)).toThrow("[env] wrong option at stepMs: got rtt");
  });
});

describe("the environment with one flow", () => {
  it("refuses a scenario with several flows under test and says what to use", () => {
    const message =
      "[env] scenario several has 2 flows under test (flow-0, flow-1): expected one; use MultiFlowEnv for several";
    expect(() => new CongestionEnv(PAIR, DEFAULT_ENV_OPTIONS)).toThrow(message);
    const env = new CongestionEnv(LINK, DEFAULT_ENV_OPTIONS);
    expect(() => env.reset(1, PAIR)).toThrow(message);
  });

  it("takes cross traffic, and the initial window of the scenario", () => {
    const scenario = withFlows([{ algorithm: "vegas" }], { sender: { initialCwndPackets: 20 } });
    const env = new CongestionEnv(scenario, DEFAULT_ENV_OPTIONS, {
      algorithms: () => runCcpAlgorithm(ccpAlgorithm("vegas")),
    });
    expect(env.reset(1).info.cwndBytes).toBe(20 * MSS_BYTES);
    let last = env.step([0]);
    while (!last.truncated) last = env.step([0]);
    expect(env.run.flows[1]!.acks).toBeGreaterThan(100);
  });
});

describe("a run of a policy", () => {
  const run = { seed: 4, rewardName: "score", env: { ...DEFAULT_ENV_OPTIONS, action: "absolute" } };
  const holding = (cwndPackets: number) => ({ act: () => Float32Array.of(cwndPackets, 0) });

  it("steers every flow under test by the same policy, each with its own steps", () => {
    const scenario = withFlows(
      [
        { algorithm: "test", startSec: 2, propagationDelayMs: 25 },
        { algorithm: "test", startSec: -1, stopSec: 5 },
      ],
      { durationSec: 10 },
    );
    const { flows, jainIndex, metrics } = runAgent({ ...run, scenario, agent: holding(200) });
    expect(flows!.map(({ id }) => id)).toEqual(["flow-0", "flow-1", "flow-2"]);
    // alone 40 of 48 Mbit/s at least, and the link is full when there are two
    expect(metrics.utilisation).toBeGreaterThan(0.9);
    for (const { goodputMbps } of flows!) expect(goodputMbps).toBeGreaterThan(15);
    expect(jainIndex).toBeGreaterThan(0.9);
  });

  it("or by one of its own", () => {
    const scenario = withFlows([{ id: "small", algorithm: "test" }], { durationSec: 5 });
    const asked: string[] = [];
    const agent = (id: string) => {
      asked.push(id);
      return holding(id === "small" ? 20 : 100);
    };
    const [large, small] = runAgent({ ...run, scenario, agent }).flows!;
    expect(asked.sort()).toEqual(["flow-0", "small"]);
    expect(large!.goodputMbps / small!.goodputMbps).toBeCloseTo(5, 0);
  });

  it("can be recorded, and has the results of one that is not", () => {
    const scenario = withFlows([{ algorithm: "test", startSec: 0.5 }]);
    const plain = { ...run, scenario, agent: holding(60) };
    const { recordings, ...result } = runAgent({
      ...plain,
      recording: { formats: ["mahimahi"], title: "several" },
    });
    expect(recordings!.mahimahi!.length).toBeGreaterThan(10_000);
    expect(result).toEqual(runAgent(plain));
  });

  it("shows each flow what it would see alone, where they do not meet", () => {
    // an unlimited link: nobody waits for another
    const free: Partial<Scenario> = {
      forward: { ...LINK.forward, rate: { kind: "unlimited" } },
      reverse: { ...LINK.reverse, rate: { kind: "unlimited" } },
      fixed: { startSec: 0.5, sendJitterUs: 0 },
      durationSec: 3,
    };
    const seenIn = (scenario: Scenario): Map<string, string[]> => {
      const seen = new Map<string, string[]>();
      runAgent({
        ...run,
        scenario,
        agent: (id) => {
          const own: string[] = [];
          seen.set(id, own);
          return {
            act(observation) {
              own.push(observation.join(" "));
              return Float32Array.of(20 + (own.length % 7), 0);
            },
          };
        },
      });
      return seen;
    };
    const alone = seenIn(withFlows([], free));
    const peer = { algorithm: "test", startSec: 0.013, propagationDelayMs: 31 };
    const together = seenIn(withFlows([peer], free));
    // ACKs come in bursts one round trip apart, and a step takes more than one: every second burst reports
    expect(alone.get("flow-0")!.length).toBeGreaterThanOrEqual(29);
    expect(together.get("flow-1")!.length).toBeGreaterThan(20);
    expect(together.get("flow-0")).toEqual(alone.get("flow-0"));
  });
});
