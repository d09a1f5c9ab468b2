/** The vector form over gRPC, on the toy: what it offers beyond the contract, which test/grpc/congestion.test.ts runs. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  connectEnv,
  connectVectorEnv,
  type RemoteVectorEnv,
  type VectorOptions,
} from "../../envs/grpc/client.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";
import { expectKind } from "../contract/env-contract.ts";
import { snapshot, vectorActionsAt, vectorContract } from "../contract/vector-contract.ts";
import { localToyEnv, toyHost } from "./toy-env.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: toyHost() });
});
afterAll(() => server.close());

const made: RemoteVectorEnv[] = [];
afterEach(async () => {
  for (const env of made.splice(0)) await env.close();
});
const connect = async (options: Omit<VectorOptions, "address">): Promise<RemoteVectorEnv> => {
  const env = await connectVectorEnv({ address: `127.0.0.1:${server.port}`, ...options });
  made.push(env);
  return env;
};

for (const transport of ["stream", "unary"] as const) {
  vectorContract(
    `the toy vector over ${transport}`,
    (numEnvs) => connectVectorEnv({ address: `127.0.0.1:${server.port}`, numEnvs, transport }),
    async () => localToyEnv({}),
  );
}

const EPISODE_STEPS = 20;

describe("a remote vector", () => {
  it("under next-step ignores the action after an end and marks the rows that were reset", async () => {
    const env = await connect({ numEnvs: 2, autoreset: "next-step" });
    await env.reset(1);
    for (let i = 0; i < EPISODE_STEPS; i++) await env.step(vectorActionsAt(env, 2, i));
    expect([...env.truncated]).toEqual([1, 1]);
    expect([...env.ended]).toEqual([1, 1]);
    const last = env.observations.slice();
    await env.step(vectorActionsAt(env, 2, 0));
    expect([...env.resetRows]).toEqual([1, 1]);
    expect([...env.rewards]).toEqual([0, 0]);
    expect([...env.ended]).toEqual([0, 0]);
    expect(env.observations).not.toEqual(last);
    await env.step(vectorActionsAt(env, 2, 0));
    expect([...env.resetRows]).toEqual([0, 0]);
  });

  it("without autoreset refuses a step after an end until the rows that ended were reset", async () => {
    const env = await connect({ numEnvs: 2, autoreset: "disabled" });
    await env.reset(1);
    for (let i = 0; i < 5; i++) await env.step(vectorActionsAt(env, 2, i));
    await env.reset(undefined, { mask: Uint8Array.of(0, 1) });
    const rest = EPISODE_STEPS - 5;
    for (let i = 0; i < rest; i++) await env.step(vectorActionsAt(env, 2, i));
    expect([...env.truncated]).toEqual([1, 0]);
    await expectKind(env.step(vectorActionsAt(env, 2, 0)), "failed-precondition", /row 0/);
    await env.reset([5, 6], { mask: Uint8Array.of(1, 0) });
    await env.step(vectorActionsAt(env, 2, 0));
  });

  it("takes a seed per environment, and refuses another number of them", async () => {
    const env = await connect({ numEnvs: 2 });
    await env.reset([9, 9]);
    const width = env.observationSpace.shape[0];
    expect(env.observations.slice(0, width)).toEqual(env.observations.slice(width));
    await expectKind(env.reset([1]), "invalid-argument", /seeds/);
    await expectKind(env.reset([1, -1]), "invalid-argument", /seeds\[1\]/);
  });

  it("fills the info columns that were asked for, with the final ones of rows that ended", async () => {
    const env = await connect({ numEnvs: 2, infoKeys: ["timeUs", "report", "seed"] });
    await env.reset(3);
    expect([...env.infos.keys()]).toEqual(["timeUs", "report", "seed"]);
    expect(env.infos.get("seed")!.values).toEqual(BigInt64Array.of(3n, 4n));
    await env.step(vectorActionsAt(env, 2, 0));
    expect(env.infos.get("timeUs")!.values).toEqual(Float64Array.of(10_000.25, 10_000.25));
    expect(env.infos.get("report")!.values).toEqual(Uint8Array.of(1, 1));
    expect(env.infos.get("report")!.mask).toEqual(Uint8Array.of(1, 1));
    for (let i = 1; i < EPISODE_STEPS; i++) await env.step(vectorActionsAt(env, 2, i));
    expect(env.finalInfos.get("timeUs")!.values).toEqual(Float64Array.of(200_005, 200_005));
    expect(env.infos.get("timeUs")!.values).toEqual(Float64Array.of(0, 0));
    expect(env.episodes.map((episode) => episode.metrics.get("goodputMbps"))).toEqual(
      env.endedEpisodes.map((episode) => episode.goodputMbps),
    );
    await expectKind(connect({ numEnvs: 1, infoKeys: ["timeus"] }), "invalid-argument", /timeUs/);
  });

  it("receives in order what was sent ahead, with the bytes of one step after the other", async () => {
    const [ahead, serial] = [await connect({ numEnvs: 2 }), await connect({ numEnvs: 2 })];
    await ahead.reset(1);
    await serial.reset(1);
    const depth = ahead.maxInFlight;
    const sent = 3 * depth;
    for (let i = 0; i < sent + depth; i++) {
      if (i < sent) ahead.send(vectorActionsAt(ahead, 2, i));
      if (i < depth - 1) continue;
      if (i - depth + 1 >= sent) break;
      await ahead.receive();
      await serial.step(vectorActionsAt(serial, 2, i - depth + 1));
      expect(snapshot(ahead)).toEqual(snapshot(serial));
    }
    await expectKind(ahead.receive(), "failed-precondition", /no step was sent/);
  });

  it("refuses to send more than the server allows, and a step while sent ones are not received", async () => {
    const env = await connect({ numEnvs: 1 });
    await env.reset(1);
    const actions = vectorActionsAt(env, 1, 0);
    for (let i = 0; i < env.maxInFlight; i++) env.send(actions);
    expect(() => env.send(actions)).toThrow(/not received yet/);
    await expectKind(env.step(actions), "failed-precondition", /receive first/);
    await expectKind(env.reset(1), "failed-precondition", /receive first/);
    for (let i = 0; i < env.maxInFlight; i++) await env.receive();
    await env.step(actions);
  });

  it("tells the mistake of a sent step where it is received", async () => {
    const env = await connect({ numEnvs: 1 });
    await env.reset(1);
    env.send(vectorActionsAt(env, 1, 0).fill(Number.NaN));
    env.send(vectorActionsAt(env, 1, 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expectKind(env.receive(), "invalid-argument");
    await env.receive();
  });

  it("truncates after max_episode_steps and says what configuration it has", async () => {
    const [env, other] = [
      await connect({ numEnvs: 1, maxEpisodeSteps: 3 }),
      await connect({ numEnvs: 1, maxEpisodeSteps: 4 }),
    ];
    await env.reset(1);
    for (let i = 0; i < 3; i++) await env.step(vectorActionsAt(env, 1, i));
    expect(env.endedEpisodes.map((episode) => episode.steps)).toEqual([3]);
    expect(env.configDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(other.configDigest).not.toBe(env.configDigest);
  });
});

describe("options of a client", () => {
  it("refuses a token over plain text to another machine", async () => {
    const options = { address: "192.0.2.1:50551", token: "secret" };
    await expectKind(connectEnv(options), "invalid-argument", /without TLS/);
  });

  it("names what is wrong with a certificate", async () => {
    const address = `127.0.0.1:${server.port}`;
    await expectKind(connectEnv({ address, tls: { ca: "no PEM", key: "x" } }), "invalid-argument", /TLS/);
  });
});
