/**
 * A client whose connection is lost at random places gets the bytes of one that lost nothing. Seeds are printed; set
 * RESUME_SEED to repeat a run.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rng } from "../../core/random.ts";
import { connectEnv, connectVectorEnv } from "../../envs/grpc/client.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";
import { actionAt, expectKind, trajectory } from "../contract/env-contract.ts";
import { snapshot, vectorActionsAt } from "../contract/vector-contract.ts";
import { type CuttableProxy, startProxy } from "./proxy.ts";
import { localToyEnv, toyHost } from "./toy-env.ts";

const SEED = Number(process.env["RESUME_SEED"] ?? Date.now() % 1_000_000);
console.log(`RESUME_SEED=${SEED}`);

let server: RunningServer;
let proxy: CuttableProxy;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: toyHost() });
  proxy = await startProxy(server.port);
});
afterAll(async () => {
  proxy.cut();
  proxy.close();
  await server.close();
});
const through = (): string => `127.0.0.1:${proxy.port}`;

describe("a connection that is lost", () => {
  it.each(["stream", "unary"] as const)(
    "costs nothing but time, however often and wherever it is cut: %s",
    async (transport) => {
      const rng = Rng.fromSeed(SEED).fork(transport);
      const direct = await connectVectorEnv({ address: `127.0.0.1:${server.port}`, numEnvs: 2 });
      const cut = await connectVectorEnv({ address: through(), numEnvs: 2, transport });
      await direct.reset(SEED);
      await cut.reset(SEED);
      let cuts = 0;
      for (let step = 0; step < 120; step++) {
        const batch = 1 + rng.integer(cut.maxInFlight);
        for (let i = 0; i < batch; i++) cut.send(vectorActionsAt(cut, 2, step + i));
        if (rng.next() < 0.2) {
          // before the requests are written, while they are under way, or while answers are
          const delayMs = rng.integer(4);
          if (delayMs === 3) proxy.cut();
          else setTimeout(() => proxy.cut(), delayMs);
          cuts += 1;
        }
        for (let i = 0; i < batch; i++) {
          await cut.receive();
          await direct.step(vectorActionsAt(direct, 2, step + i));
          expect(snapshot(cut)).toEqual(snapshot(direct));
        }
        // while nothing is under way, too
        if (rng.next() < 0.05) proxy.cut();
      }
      expect(cuts).toBeGreaterThan(8);
      await cut.close();
      await direct.close();
    },
  );

  it("is resumed when it fell silent instead of closing", async () => {
    const silent = await startProxy(server.port);
    const env = await connectEnv({ address: `127.0.0.1:${silent.port}`, keepaliveMs: 200 });
    const expected = await trajectory(localToyEnv({}), 4, 2);
    await env.reset({ seed: 4 });
    expect(await env.step(actionAt(env, 0))).toEqual(expected[1]);
    silent.freeze();
    expect(await env.step(actionAt(env, 1))).toEqual(expected[2]);
    await env.close();
    silent.cut();
    silent.close();
  });

  it("is an error once resumeMs has passed, for everyone who waits and ever after", async () => {
    const gone = await startProxy(server.port);
    const address = `127.0.0.1:${gone.port}`;
    const env = await connectEnv({ address, resumeMs: 300 });
    await env.reset({ seed: 1 });
    gone.close();
    gone.cut();
    const waiting = [env.step(actionAt(env, 0)), env.step(actionAt(env, 1))];
    await Promise.all(waiting.map((step) => expectKind(step, "unavailable", /not resumed within 300 ms/)));
    await expectKind(env.step(actionAt(env, 2)), "unavailable");
    await env.close();
  });

  it("is not-found at once when the session did not outlive it", async () => {
    const gone = await startProxy(server.port);
    const leaseMs = 400;
    const env = await connectEnv({ address: `127.0.0.1:${gone.port}`, leaseMs, resumeMs: 30_000 });
    await env.reset({ seed: 1 });
    gone.close();
    gone.cut();
    const step = expectKind(env.step(actionAt(env, 0)), "not-found", /lease/);
    await new Promise((resolve) => setTimeout(resolve, 2 * leaseMs));
    const back = await startProxy(server.port, gone.port);
    await step;
    await env.close();
    back.cut();
    back.close();
  });
});
