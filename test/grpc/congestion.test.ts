/** The real environment behind the service: the contract, and the same bytes as in this process. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servedHost } from "../../cli/served-env.ts";
import type { Env } from "../../envs/env.ts";
import { connectEnv } from "../../envs/grpc/client.ts";
import { AutoresetMode, type StepResponse } from "../../envs/grpc/generated/ccpark/v1/environment.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";
import { unpackFloat32, unpackFloat64 } from "../../envs/grpc/wire.ts";
import { makeEnv } from "../../envs/local-env.ts";
import { makeVectorEnv } from "../../envs/local-vector-env.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { resolveScenario } from "../../envs/scenarios/scenario-files.ts";
import { envContract, expectKind, trajectory } from "../contract/env-contract.ts";
import { RawClient, resetPayload, stepPayload } from "./raw-client.ts";

const NAME = "park-paper";
const DURATION_SEC = 1;
const scenario = resolveScenario(NAME, { durationSec: DURATION_SEC });

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: servedHost() });
});
afterAll(() => server.close());

const local = async (): Promise<Env> => makeEnv(scenario, DEFAULT_ENV_OPTIONS);
const remote = (): Promise<Env> =>
  connectEnv({
    address: `127.0.0.1:${server.port}`,
    scenario: NAME,
    kwargs: { durationSec: DURATION_SEC },
  });

envContract("the local environment", local);
envContract("the environment over gRPC", remote);

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

  it("gives the bytes of the local vector form under SAME_STEP, over several episodes", async () => {
    const rows = 2;
    const steps = 250; // two ends at 10 ms a step
    const vector = makeVectorEnv(scenario, DEFAULT_ENV_OPTIONS, rows);
    const client = new RawClient(server.port);
    const session = await client.create({
      numEnvs: rows,
      kwargs: { scenario: NAME, durationSec: DURATION_SEC },
      autoresetMode: AutoresetMode.AUTORESET_MODE_SAME_STEP,
    });
    const stream = await client.attached(session);
    stream.write(resetPayload(1));
    await stream.read();
    vector.reset(7);
    let ends = 0;
    for (let i = 0; i < steps; i++) {
      const actions = Array.from(
        { length: rows * vector.actionSpace.shape[0] },
        (_, k) => 0.1 * Math.sin(i + k),
      );
      vector.step(Float32Array.from(actions));
      stream.write(stepPayload(i + 2, actions));
      const step = (await stream.read()).payload?.value as StepResponse;
      expect(unpackFloat32(step.observations[0]!)).toEqual(vector.observations);
      expect(unpackFloat64(step.rewards)).toEqual(vector.rewards);
      expect([...step.truncated]).toEqual([...vector.truncated]);
      const summary = step.episodes.map((e) => [
        e.row,
        Number(e.seed),
        e.length,
        e.episodeReturn,
        e.metrics.get("score"),
      ]);
      expect(summary).toEqual(
        vector.endedEpisodes.map((e) => [e.env, e.seed, e.steps, e.episodeReturn, e.score]),
      );
      ends += step.episodes.length;
    }
    expect(ends).toBeGreaterThanOrEqual(2 * rows);
    client.close();
  });
});
