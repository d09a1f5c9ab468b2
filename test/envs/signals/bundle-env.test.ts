/** The environment whose action is a bundle's rate: its hosts know nothing of it, here, over gRPC and in a benchmark. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servedHost } from "../../../cli/served-env.ts";
import { CongestionEnv } from "../../../envs/congestion-env.ts";
import { connectEnv } from "../../../envs/grpc/client.ts";
import { type RunningServer, startServer } from "../../../envs/grpc/server.ts";
import { makeEnv } from "../../../envs/local-env.ts";
import { runAgent } from "../../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions } from "../../../envs/options.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import { checkTemplate } from "../../../scenarios/template.ts";
import { envContract, trajectory } from "../../contract/env-contract.ts";

const SHORT = getScenario("bundle-rival", { durationSec: 2 });
const OPTIONS: EnvOptions = {
  ...DEFAULT_ENV_OPTIONS,
  observation: "bundle",
  action: "bundle-rate",
  stepMs: 10,
};

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: servedHost() });
});
afterAll(() => server.close());

const remote = () => {
  const { observation, action, stepMs } = OPTIONS;
  const kwargs = { durationSec: SHORT.durationSec, observation, action, stepMs };
  return connectEnv({ address: `127.0.0.1:${server.port}`, scenario: "bundle-rival", kwargs });
};

for (const stepMs of [10, "rtt"] as const) {
  envContract(`a bundle's environment, step ${stepMs}`, async () => makeEnv(SHORT, { ...OPTIONS, stepMs }));
}
envContract("a bundle's environment, standard signals", async () => makeEnv(SHORT, DEFAULT_ENV_OPTIONS));
envContract("a bundle's environment over gRPC", remote);

describe("a bundle under test", () => {
  it("gives the same bytes here and over gRPC, whole episodes long", async () => {
    const there = await remote();
    for (const seed of [0, 7]) {
      expect(await trajectory(there, seed, 1000)).toEqual(
        await trajectory(makeEnv(SHORT, OPTIONS), seed, 1000),
      );
    }
    await there.close();
  });

  it("leaves at the rate that the action sets, and what is held back waits in the sendbox, as the observation tells", () => {
    const env = new CongestionEnv(getScenario("bundle-alone", { durationSec: 12 }), {
      ...OPTIONS,
      stepMs: 100,
    });
    const { dimensions } = env.observationSpace;
    const at = (name: string): number => dimensions.findIndex((each) => each.name === name);
    env.reset(1);
    const steps = (count: number, action: number) => {
      let last = env.step([action]);
      for (let i = 1; i < count; i++) last = env.step([action]);
      return last;
    };
    const full = steps(50, 0.05);
    const halved = env.step([-1]).info.pacingRateBytesPerSec;
    expect(halved).toBeCloseTo(full.info.pacingRateBytesPerSec / 2, 0);
    const held = steps(20, 0);
    const arrived = (held.info.deliveredBytes / held.info.stepUs) * 1e6;
    expect(Math.abs(arrived / halved - 1)).toBeLessThan(0.15);
    const waits = at("siteQueue[0]");
    expect(held.observation[waits]!).toBeGreaterThan(0.2);
    expect(held.observation[waits]!).toBeGreaterThan(full.observation[waits]!);
    expect(held.observation[at("networkQueue[0]")]!).toBeLessThan(0.02);
  });

  it("is measured as a whole, beside flows that are not in it, in a run of a policy that ends", () => {
    const scenario = getScenario("bundle-rival", { durationSec: 15 });
    const run = () =>
      runAgent({
        scenario,
        seed: 1,
        rewardName: OPTIONS.reward,
        env: { ...OPTIONS, stepMs: 50 },
        agent: { act: () => Float32Array.of(0.02) },
      });
    const { metrics, flows } = run();
    expect(flows!.map(({ id, algorithm }) => [id, algorithm])).toEqual([
      ["flow-0", "test"],
      ["rival", "native-cubic"],
    ]);
    expect(metrics.goodputMbps).toBeGreaterThan(20);
    expect(metrics.utilisation).toBeLessThanOrEqual(1);
    expect(run()).toEqual(run());
  });

  it("is the only one, and leaves no flow to test beside it", () => {
    const { links, flows } = SHORT;
    const bundle = SHORT.bundles![0]!;
    const two = {
      route: { forward: ["site", "other", "forward"], reverse: ["reverse"] },
      links: { ...links, other: links!["site"]! },
      bundles: [bundle, { link: "other", algorithm: "test" }],
    };
    expect(() => checkTemplate({ ...SHORT, ...two })).toThrow(
      /bundles.*at most one whose algorithm is `test`/,
    );
    expect(() => checkTemplate({ ...SHORT, flows: [{ ...flows![0]!, algorithm: "test" }] })).toThrow(
      /flows\.0\.algorithm.*which the bundle is/,
    );
  });
});
