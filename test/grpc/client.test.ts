import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectEnv, type SessionOptions } from "../../envs/grpc/client.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { actionAt, envContract, expectKind, trajectory } from "../contract/env-contract.ts";
import { startProxy } from "./proxy.ts";
import { localToyEnv, toyHost } from "./toy-env.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: toyHost() });
});
afterAll(() => server.close());

const connect = (options: Omit<SessionOptions, "address"> = {}) =>
  connectEnv({ address: `127.0.0.1:${server.port}`, ...options });

envContract("the local toy", async () => localToyEnv({ scenario: "toy-short" }));
envContract("the toy over a stream", () => connect({ scenario: "toy-short" }));
envContract("the toy over unary calls", () => connect({ scenario: "toy-short", transport: "unary" }));

const DELAY_7: Scenario = {
  name: "custom",
  source: "test",
  description: "only its delay matters",
  forward: { rate: { kind: "constant", mbps: 12 }, queue: { packets: 100, bytes: undefined }, lossRate: 0 },
  reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
  propagationDelayMs: 7.25,
  durationSec: 1,
  ackPolicy: "delayed",
};

describe("a remote Env", () => {
  it.each(["toy-short", "toy-terminates"])("equals the local one field by field: %s", async (scenario) => {
    const remote = await connect({ scenario });
    for (const seed of [0, 7, Number.MAX_SAFE_INTEGER]) {
      expect(await trajectory(remote, seed, 100)).toEqual(
        await trajectory(localToyEnv({ scenario }), seed, 100),
      );
    }
    expect(remote.observationSpace).toEqual(localToyEnv({}).observationSpace);
    expect(remote.actionSpace).toEqual(localToyEnv({}).actionSpace);
    await remote.close();
  });

  it("takes a scenario with a reset", async () => {
    const remote = await connect();
    const local = localToyEnv({});
    expect(await remote.reset({ seed: 1, scenario: DELAY_7 })).toEqual(
      await local.reset({ seed: 1, scenario: DELAY_7 }),
    );
    expect(await remote.step(actionAt(remote, 0))).toEqual(await local.step(actionAt(local, 0)));
    const broken = { name: "broken" } as unknown as Scenario;
    await expectKind(remote.reset({ seed: 1, scenario: broken }), "invalid-argument", /propagationDelayMs/);
    expect(await remote.step(actionAt(remote, 1))).toEqual(await local.step(actionAt(local, 1)));
    await remote.close();
  });

  it("passes on what the environment says of scenario and kwargs", async () => {
    await expectKind(connect({ scenario: "toy-shorr" }), "not-found", /did you mean `toy-short`/);
    await expectKind(connect({ kwargs: { stepsMs: 1 } }), "invalid-argument", /did you mean `stepMs`/);
    await expectKind(connect({ envId: "ccpark/CongestionControl-v9" }), "not-found", /did you mean/);
    await expectKind(connect({ kwargs: { seed: -1 } }), "invalid-argument", /seed/);
    await expectKind(connect({ kwargs: { steps: (() => 1) as unknown } }), "invalid-argument", /plain data/);
  });

  it("rejects an action outside the box if asked to, and nothing has happened", async () => {
    const remote = await connect({ actionPolicy: "reject" });
    await remote.reset({ seed: 1 });
    await expectKind(remote.step(Float32Array.of(0, 0.5)), "invalid-argument", /row 0 .* down: got 0.5/);
    expect((await remote.step(Float32Array.of(0, 0.1))).info.timeUs).toBe(10_000.25);
    await remote.close();
  });

  it("keeps two environments apart", async () => {
    const [one, two] = await Promise.all([connect(), connect()]);
    const alone = await trajectory(one, 1, 10);
    await one.reset({ seed: 1 });
    await two.reset({ seed: 2 });
    for (let i = 0; i < 10; i++) {
      const [a] = await Promise.all([one.step(actionAt(one, i)), two.step(actionAt(two, i))]);
      expect(a).toEqual(alone[i + 1]);
    }
    await one.close();
    await two.step(actionAt(two, 10));
    await two.close();
    await expectKind(one.step(actionAt(one, 0)), "failed-precondition", /closed/);
  });

  it("answers steps that were asked at once in their order", async () => {
    const remote = await connect();
    const serial = await trajectory(remote, 4, 8);
    const first = remote.reset({ seed: 4 });
    const steps = Array.from({ length: 8 }, (_, i) => remote.step(actionAt(remote, i)));
    expect(await Promise.all([first, ...steps])).toEqual(serial);
    await remote.close();
  });

  it("says unavailable when nobody serves the address", async () => {
    const dead = await startServer({ port: 0, envHost: toyHost() });
    await dead.close();
    const refused = new RegExp(
      `127\\.0\\.0\\.1:${dead.port}: no service answers there \\(connect ECONNREFUSED [^)]*\\); .ccpark serve. starts one$`,
    );
    await expectKind(connectEnv({ address: `127.0.0.1:${dead.port}` }), "unavailable", refused);
  });

  it("says unavailable when the address accepts and stays silent", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    await expectKind(connectEnv({ address: `127.0.0.1:${port}`, timeoutMs: 300 }), "unavailable");
    silent.close();
  });

  it("says unavailable when the server goes, at once and ever after", async () => {
    const going = await startServer({ port: 0, envHost: toyHost(), limits: { shutdownGraceMs: 200 } });
    const remote = await connectEnv({ address: `127.0.0.1:${going.port}`, kwargs: { scenario: "toy-long" } });
    await remote.reset({ seed: 1 });
    const closed = going.close();
    await expectKind(
      (async () => {
        for (;;) await remote.step(actionAt(remote, 0));
      })(),
      "unavailable",
    );
    await expectKind(remote.reset({ seed: 1 }), "unavailable");
    await remote.close();
    await closed;
  });

  it("says unavailable when the connection breaks and is not to be resumed", async () => {
    const proxy = await startProxy(server.port);
    const remote = await connectEnv({ address: `127.0.0.1:${proxy.port}`, resumeMs: 0 });
    await remote.reset({ seed: 1 });
    const step = remote.step(actionAt(remote, 0));
    proxy.cut();
    await expectKind(step, "unavailable");
    proxy.close();
    await remote.close();
  });

  it("says unavailable when an answer does not come in time, to everyone who waits", async () => {
    const proxy = await startProxy(server.port);
    const remote = await connectEnv({ address: `127.0.0.1:${proxy.port}`, timeoutMs: 200 });
    await remote.reset({ seed: 1 });
    proxy.freeze();
    const waiting = [remote.step(actionAt(remote, 0)), remote.step(actionAt(remote, 1))];
    await Promise.all(waiting.map((step) => expectKind(step, "unavailable", /no answer within 200 ms/)));
    proxy.cut();
    proxy.close();
    await remote.close();
  });

  it("says internal, with what reproduces it, when the environment throws", async () => {
    const remote = await connect({ scenario: "toy-explodes" });
    await remote.reset({ seed: 11 });
    await remote.step(actionAt(remote, 0));
    await remote.step(actionAt(remote, 1));
    await expectKind(remote.step(actionAt(remote, 2)), "internal", /environment 0 .*seed 11, step 2.*boom/);
    await expectKind(remote.step(actionAt(remote, 3)), "internal");
    await remote.close();
  });

  it("frees its session on close", async () => {
    const before = server.sessionCount();
    const remote = await connect();
    expect(server.sessionCount()).toBe(before + 1);
    await remote.close();
    expect(server.sessionCount()).toBe(before);
  });
});
