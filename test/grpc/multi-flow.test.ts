/** Several flows over gRPC: ids that join and leave, states and errors as those of the local environment. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servedHost } from "../../cli/served-env.ts";
import { connectMultiFlowEnv, connectVectorEnv, type RemoteMultiFlowEnv } from "../../envs/grpc/client.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";
import { MultiFlowEnv } from "../../envs/multi-flow-env.ts";
import { DEFAULT_MULTI_FLOW_OPTIONS } from "../../envs/options.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { actionAt, expectKind } from "../contract/env-contract.ts";
import { startProxy } from "./proxy.ts";

/** One flow from the beginning, one that joins and leaves on the way. */
const SCENARIO: Scenario = {
  ...getScenario("park-paper", { durationSec: 2 }),
  name: "several",
  flows: [{ id: "late", algorithm: "test", startSec: 0.505, stopSec: 1.005 }],
};

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: servedHost() });
});
afterAll(() => server.close());

const connect = (transport: "stream" | "unary" = "stream", port = server.port): Promise<RemoteMultiFlowEnv> =>
  connectMultiFlowEnv({ address: `127.0.0.1:${port}`, scenario: SCENARIO, transport });
const actionsAt = (
  env: Pick<RemoteMultiFlowEnv, "actionSpace">,
  liveFlows: readonly string[],
  step: number,
): Map<string, Float32Array> => new Map(liveFlows.map((id, i) => [id, actionAt(env, step + 7 * i)]));

describe("several flows over gRPC", () => {
  it.each(["stream", "unary"] as const)(
    "equal the local ones field by field over %s, cut halfway",
    async (transport) => {
      const local = new MultiFlowEnv(SCENARIO, DEFAULT_MULTI_FLOW_OPTIONS);
      const proxy = await startProxy(server.port);
      const remote = await connect(transport, proxy.port);
      expect(remote.possibleFlows).toEqual(["flow-0", "late"]);
      expect(remote.observationSpace).toEqual(local.observationSpace);
      expect(remote.stateSpace).toEqual(local.stateSpace);
      for (const seed of [3, 4]) {
        let here = local.reset(seed);
        expect(await remote.reset({ seed })).toEqual(here);
        const seen = new Set<string>();
        for (let step = 0; !here.ended; step++) {
          if (step === 30) proxy.cut();
          const actions = actionsAt(remote, here.liveFlows, step);
          here = local.step(actions);
          expect(await remote.step(actions)).toEqual(here);
          for (const id of here.flows.keys()) seen.add(id);
        }
        expect([...seen].sort()).toEqual(["flow-0", "late"]);
      }
      await remote.close();
      proxy.cut();
      proxy.close();
    },
  );

  it("refuse actions for unknown flows and for those that are not live, or none for one that is", async () => {
    const remote = await connect();
    const { liveFlows } = await remote.reset({ seed: 1 });
    expect(liveFlows).toEqual(["flow-0"]);
    const action = actionAt(remote, 0);
    await expectKind(remote.step(new Map([["flow-1", action]])), "not-found", /did you mean `flow-0`/);
    const both = new Map([
      ["flow-0", action],
      ["late", action],
    ]);
    await expectKind(remote.step(both), "invalid-argument", /late, which is not live/);
    await expectKind(remote.step(new Map()), "invalid-argument", /no action for flow-0/);
    await remote.step(new Map([["flow-0", action]]));
    const truth = await remote.groundTruth();
    expect(truth.flows.map((flow) => flow.flowId)).toContain("flow-0");
    await remote.close();
  });

  it("are rows of a vector: environments by slots, with states, under autoreset", async () => {
    const numEnvs = 2;
    const env = await connectVectorEnv({
      address: `127.0.0.1:${server.port}`,
      envId: "ccpark/MultiFlow-v0",
      scenario: SCENARIO,
      numEnvs,
      withState: true,
      infoKeys: ["seed"],
    });
    const locals = Array.from(
      { length: numEnvs },
      () => new MultiFlowEnv(SCENARIO, DEFAULT_MULTI_FLOW_OPTIONS),
    );
    const width = env.actionSpace.shape[0];
    const slots = env.slotsPerEnv;
    expect(env.flowIds).toEqual(["flow-0", "late"]);
    await env.reset(5);
    for (const [i, local] of locals.entries()) local.resetRows(5 + i);
    const expectRows = (): void => {
      const of = (key: "observations" | "rewards" | "live" | "present"): number[] =>
        locals.flatMap(({ rows }) => [...rows[key]]);
      expect([...env.observations]).toEqual(of("observations"));
      expect([...env.rewards]).toEqual(of("rewards"));
      expect([...env.live]).toEqual(of("live"));
      expect([...env.present]).toEqual(of("present"));
      expect([...env.states]).toEqual(locals.flatMap(({ state }) => [...state]));
    };
    expectRows();
    for (let step = 0; ; step++) {
      const actions = new Float32Array(numEnvs * slots * width);
      for (let row = 0; row < numEnvs * slots; row++) actions.set(actionAt(env, step + row), row * width);
      await env.step(actions);
      for (const [i, local] of locals.entries()) {
        local.stepRows(actions.slice(i * slots * width, (i + 1) * slots * width));
      }
      if (locals[0]!.ended) break;
      expectRows();
    }
    expect([...env.ended]).toEqual([1, 1]);
    expect([...env.finalStates]).toEqual(locals.flatMap(({ state }) => [...state]));
    const last = env.finalObservations.slice(0, env.observationSpace.shape[0]);
    expect([...last]).toEqual([...locals[0]!.rows.observations.slice(0, last.length)]);
    expect(env.episodes.map(({ flowId, row }) => [row, flowId])).toEqual([
      [0, "flow-0"],
      [2, "flow-0"],
    ]);
    await env.close();
  });
});
