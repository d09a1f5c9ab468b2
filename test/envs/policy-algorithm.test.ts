import { describe, expect, it } from "vitest";
import { makeDensity as networkPolicy } from "../../agents/nn/actor-critic.ts";
import { policySize } from "../../agents/nn/network-policy.ts";
import type { FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import { Rng } from "../../core/random.ts";
import { runAgent, runAlgorithm } from "../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions } from "../../envs/options.ts";
import { policyAlgorithm } from "../../envs/policy-algorithm.ts";
import { getAction } from "../../envs/signals/actions.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";

/** A policy with weights of its own that remembers what it saw and did. */
function makeDensity(env: EnvOptions) {
  const spec = {
    observationSpace: getObservation(env.observation).space,
    actionSpace: getAction(env.action).space,
    hidden: [16],
  };
  const rng = Rng.fromSeed(3).fork("weights");
  const weights = Float32Array.from({ length: policySize(spec) }, () => rng.uniform(-0.6, 0.6));
  const policy = networkPolicy(spec, { weights });
  const decisions: string[] = [];
  /** rows whose episode has begun, in order */
  const begun: number[] = [];
  return {
    decisions,
    begun,
    begin: (row: number): void => void begun.push(row),
    act(observation: Float32Array, mode: "explore" | "greedy", row: number): Float32Array {
      expect(begun).toContain(row);
      const action = policy.act(observation, mode);
      decisions.push(`${observation.join(" ")} -> ${action.join(" ")}`);
      return action;
    },
  };
}

describe("a policy as an algorithm", () => {
  it.each<Partial<EnvOptions>>([
    {},
    { reportLossAtOnce: true },
    // longer than a round trip: no step is silent
    { stepMs: 200 },
    { action: "indigo" },
  ])("sees and decides what it does in the environment: %o", (options) => {
    const env: EnvOptions = { ...DEFAULT_ENV_OPTIONS, ...options };
    const scenario = resolveScenario("park-paper", { durationSec: 15 });
    const run = { scenario, seed: 2, rewardName: env.reward };
    const inEnv = makeDensity(env);
    const expected = runAgent({ ...run, agent: inEnv, env });
    const asAlgorithm = makeDensity(env);
    const got = runAlgorithm({ ...run, algorithm: policyAlgorithm("policy", asAlgorithm, env) });
    expect(asAlgorithm.decisions.length).toBeGreaterThan(50);
    expect(asAlgorithm.decisions).toEqual(inEnv.decisions);
    expect(got.metrics).toEqual(expected.metrics);
    expect([inEnv.begun, asAlgorithm.begun]).toEqual([[0], [0]]);
  });

  it("begins a row of its own for each flow of a run, and takes the row of a flow that is gone for a new one", () => {
    const env: EnvOptions = { ...DEFAULT_ENV_OPTIONS, stepMs: 100 };
    const flows = [
      { id: "second", algorithm: "test", startSec: 1, stopSec: 2 },
      { id: "third", algorithm: "test", startSec: 3 },
    ];
    const scenario = { ...resolveScenario("park-paper", { durationSec: 5 }), flows };
    const run = { scenario, seed: 2, rewardName: env.reward };
    const inEnv = makeDensity(env);
    runAgent({ ...run, agent: inEnv, env });
    expect(inEnv.begun).toEqual([0, 1, 2]);
    const asAlgorithm = makeDensity(env);
    const { newFlow } = policyAlgorithm("policy", asAlgorithm, env);
    const control = { setProgram() {}, setWindow() {}, wakeAt() {} } as unknown as FlowControl;
    const info = { mssBytes: 1448, initCwndBytes: 14_480, nowUs: 0 } as FlowInfo;
    const [first] = [newFlow(control, info), newFlow(control, info)];
    first.onClose!();
    newFlow(control, info);
    expect(asAlgorithm.begun).toEqual([0, 1, 0]);
  });

  it.each(["rtt", 100] as const)("goes on deciding through an outage: steps of %s", (stepMs) => {
    const env: EnvOptions = { ...DEFAULT_ENV_OPTIONS, stepMs };
    const paper = resolveScenario("park-paper", { durationSec: 10 });
    const forward = { ...paper.forward, outages: [{ fromSec: 4, toSec: 11 }] };
    const run = { scenario: { ...paper, forward }, seed: 2, rewardName: env.reward };
    const inEnv = makeDensity(env);
    runAgent({ ...run, agent: inEnv, env });
    const asAlgorithm = makeDensity(env);
    runAlgorithm({ ...run, algorithm: policyAlgorithm("policy", asAlgorithm, env) });
    // the same until silence begins; there a step after a report (of a timeout, too) is longer
    const same = inEnv.decisions.findIndex((decision, i) => decision !== asAlgorithm.decisions[i]);
    expect(same).toBeGreaterThan(25);
    const [silent, expected] = [asAlgorithm, inEnv].map(({ decisions }) => decisions.length - same);
    expect(silent).toBeGreaterThan(20);
    expect(silent! / expected!).toBeGreaterThan(0.85);
    expect(silent! / expected!).toBeLessThanOrEqual(1);
  });

  it("refuses an action delay, which a datapath has of its own", () => {
    const env = { ...DEFAULT_ENV_OPTIONS, actionDelayUs: 1000 };
    expect(() => policyAlgorithm("policy", makeDensity(env), env)).toThrow("action delay of 1000 us");
  });

  describe("that answers later", () => {
    const env: EnvOptions = {
      ...DEFAULT_ENV_OPTIONS,
      observation: "park-14",
      action: "absolute",
      stepMs: 10,
    };
    const BYTES_ACKED = 0;

    /** A flow under a policy that answers when the test says so. */
    function slowFlow() {
      const seen: Float32Array[] = [];
      let answer: ((action: Float32Array) => void) | undefined;
      let fail: ((error: Error) => void) | undefined;
      const policy = {
        act: (observation: Float32Array) => {
          seen.push(observation.slice());
          return new Promise<Float32Array>((resolve, reject) => {
            answer = resolve;
            fail = reject;
          });
        },
      };
      const windows: number[] = [];
      const wakes: number[] = [];
      const control = {
        setProgram() {},
        setWindow: (cwndBytes: number) => void windows.push(cwndBytes),
        wakeAt: (atUs: number) => void wakes.push(atUs),
      } as unknown as FlowControl;
      const info = { mssBytes: 1000, initCwndBytes: 10_000, nowUs: 0 } as FlowInfo;
      const flow = policyAlgorithm("slow", policy, env).newFlow(control, info);
      const settle = () => new Promise((resolve) => setImmediate(resolve));
      return {
        flow,
        seen,
        windows,
        wakes,
        /** so many bytes were acknowledged since the last report */
        report(atMs: number, ackedBytes: number) {
          const values = Float64Array.from({ length: 15 }, (_, i) => (i === BYTES_ACKED ? ackedBytes : 1));
          flow.onReport({ nowUs: atMs * 1000, first: () => values } as unknown as Report);
        },
        async answer(cwndPackets: number) {
          answer!(Float32Array.of(cwndPackets, 0));
          await settle();
        },
        async fail(error: Error) {
          fail!(error);
          await settle();
        },
      };
    }

    it("decides with its answer; what is reported until then counts in the step after it", async () => {
      const { report, answer, seen, windows } = slowFlow();
      await answer(20);
      report(10, 3000);
      expect(seen).toHaveLength(2);
      report(20, 5000);
      report(30, 1000);
      expect(windows).toEqual([20_000]);
      expect(seen).toHaveLength(2);
      await answer(40);
      expect(windows).toEqual([20_000, 40_000]);
      report(40, 2000);
      expect(seen.map((observation) => observation[BYTES_ACKED])).toEqual([0, 3000, 8000]);
    });

    it("is asked again at once when a silence ended while it thought", async () => {
      const { flow, answer, seen, wakes } = slowFlow();
      await answer(20);
      flow.onWake!(20_000);
      expect(seen).toHaveLength(2);
      flow.onWake!(30_000);
      expect(seen).toHaveLength(2);
      await answer(30);
      expect(wakes.at(-1)).toBe(30_000);
      flow.onWake!(30_000);
      expect(seen).toHaveLength(3);
    });

    it("says nothing to a flow that is gone meanwhile", async () => {
      const { flow, report, answer, windows } = slowFlow();
      await answer(20);
      report(10, 1000);
      flow.onClose!();
      await answer(50);
      expect(windows).toEqual([20_000]);
    });

    it("fails where the flow is heard of next", async () => {
      const { report, fail, windows } = slowFlow();
      await fail(new Error("the runtime is gone"));
      expect(() => report(10, 1000)).toThrow("the runtime is gone");
      expect(windows).toEqual([]);
    });
  });
});
