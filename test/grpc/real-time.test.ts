import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servedHost } from "../../cli/served-env.ts";
import { connectEnv, connectVectorEnv } from "../../envs/grpc/client.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";
import { envContract, expectKind } from "../contract/env-contract.ts";

const KWARGS = { scenario: "park-paper", durationSec: 0.6, stepMs: 20, testbed: "udp" };

describe.each([0, 1])("real packets behind the service, %i worker threads", (workers) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({ port: 0, envHost: servedHost({ workers }) });
  });
  afterAll(() => server.close());
  const address = (): string => `127.0.0.1:${server.port}`;

  envContract(
    "a remote env on real packets",
    () => connectEnv({ address: address(), kwargs: KWARGS }),
    "real",
  );

  it("steps several at the same time, each with an end of its own", async () => {
    const env = await connectVectorEnv({ address: address(), kwargs: KWARGS, numEnvs: 3 });
    await env.reset(5);
    const began = performance.now();
    let ended = 0;
    const actions = new Float32Array(3 * env.actionSpace.shape[0]);
    for (let steps = 0; ended < 3 && steps < 200; steps++) {
      await env.step(actions);
      ended += env.endedEpisodes.length;
    }
    expect(ended).toBeGreaterThanOrEqual(3);
    // one after the other would take three times 0.6 s, and the resets up to 1 s each
    expect(performance.now() - began).toBeLessThan(10_000);
    await env.close();
  });

  it("refuses in one sentence what the testbed cannot run", async () => {
    await expectKind(
      connectEnv({ address: address(), kwargs: { ...KWARGS, testbed: "upd" } }),
      "not-found",
      /unknown testbed `upd`; did you mean `udp`/,
    );
    const forward = { rate: { kind: "constant", mbps: 900 } };
    await expectKind(
      connectEnv({
        address: address(),
        kwargs: { ...KWARGS, durationSec: undefined, scenario: { extends: "park-paper", forward } },
      }).then(async (env) => {
        await env.reset({ seed: 1 });
      }),
      "failed-precondition",
      /udp cannot run .* 900 Mbit\/s, expected at most 200/,
    );
  });
});
