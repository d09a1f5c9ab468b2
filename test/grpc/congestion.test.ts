/** The real environment behind the service: the contract, and the same bytes as in this process. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servedHost } from "../../cli/served-env.ts";
import type { Env } from "../../envs/env.ts";
import { connectEnv, connectVectorEnv } from "../../envs/grpc/client.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";
import { makeEnv, toAsyncVectorEnv } from "../../envs/local-env.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { makeVectorEnv } from "../../envs/vector/local-vector-env.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";
import { envContract, expectKind, trajectory } from "../contract/env-contract.ts";
import { vectorContract } from "../contract/vector-contract.ts";

const NAME = "park-paper";
const DURATION_SEC = 1;
const scenario = resolveScenario(NAME, { durationSec: DURATION_SEC });

let server: RunningServer;
/** every session runs in worker threads */
let threaded: RunningServer;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: servedHost() });
  threaded = await startServer({ port: 0, envHost: servedHost({ workers: 2, stepBudgetUs: 0 }) });
});
afterAll(() => Promise.all([server.close(), threaded.close()]));

const optionsOf = ({ port }: RunningServer, action = DEFAULT_ENV_OPTIONS.action) => ({
  address: `127.0.0.1:${port}`,
  scenario: NAME,
  kwargs: { durationSec: DURATION_SEC, action },
});
const local = async (): Promise<Env> => makeEnv(scenario, DEFAULT_ENV_OPTIONS);
const remote = (): Promise<Env> => connectEnv(optionsOf(server));

for (const action of ["multiplicative", "indigo"]) {
  const options = { ...DEFAULT_ENV_OPTIONS, action };
  const single = async (): Promise<Env> => makeEnv(scenario, options);
  envContract(`the local environment, ${action}`, single);
  envContract(`the environment over gRPC, ${action}`, () => connectEnv(optionsOf(server, action)));
  envContract(`the environment in a worker thread over gRPC, ${action}`, () =>
    connectEnv(optionsOf(threaded, action)),
  );
  vectorContract(
    `the local vector, ${action}`,
    async (numEnvs) => toAsyncVectorEnv(makeVectorEnv(scenario, options, numEnvs)),
    single,
  );
  vectorContract(
    `the vector over gRPC, ${action}`,
    (numEnvs) => connectVectorEnv({ ...optionsOf(server, action), numEnvs }),
    single,
  );
  vectorContract(
    `the vector in two worker threads over gRPC, ${action}`,
    (numEnvs) => connectVectorEnv({ ...optionsOf(threaded, action), numEnvs }),
    single,
  );
}
envContract("a flow that is a stack of chunnels, over gRPC", () =>
  connectEnv({ ...optionsOf(server), scenario: "stack" }),
);
envContract("the environment over unary calls, indigo", () =>
  connectEnv({ ...optionsOf(server, "indigo"), transport: "unary" }),
);

describe("the environment over gRPC", () => {
  it("gives the bytes of the local one, whole episodes long", async () => {
    const [here, there] = [await local(), await remote()];
    for (const seed of [0, 12_345]) {
      expect(await trajectory(there, seed, 1000)).toEqual(await trajectory(here, seed, 1000));
    }
    expect(there.observationSpace).toEqual(here.observationSpace);
    expect(there.actionSpace).toEqual(here.actionSpace);
    await there.close();
  });

  it("takes a scenario with a reset, for that episode only", async () => {
    const [here, there] = [await local(), await remote()];
    const other = resolveScenario(NAME, { durationSec: 0.5 });
    expect(await there.reset({ seed: 1, scenario: other })).toEqual(
      await here.reset({ seed: 1, scenario: other }),
    );
    expect(await trajectory(there, 1, 1000)).toEqual(await trajectory(here, 1, 1000));
    const broken = { ...other, propagationDelayMs: -1 };
    await expectKind(there.reset({ seed: 1, scenario: broken }), "invalid-argument", /propagationDelayMs/);
    await there.close();
  });
});
