/**
 * The same seed and actions give the same bytes, wherever the environment is: here, over unary calls, over a stream that is
 * cut on the way, alone or as rows of a vector; random actions, lossy link, over episode ends, under every autoreset.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { servedHost } from "../../cli/served-env.ts";
import { connectEnv, connectVectorEnv } from "../../envs/grpc/client.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";
import { type CuttableProxy, startProxy } from "./proxy.ts";
import {
  type Trajectory,
  type TrajectoryPlan,
  trajectoryHere,
  trajectoryOfSingles,
  trajectoryOfVector,
} from "./trajectory.ts";

const SEED = 20_261;
console.log(`seed ${SEED}`);
const STEPS = 10_000;
/** Ten thousand unary calls through the relay take 6 s alone, and minutes beside other work. */
vi.setConfig({ testTimeout: 400_000 });
const KWARGS = {
  scenario: { extends: "park-paper", durationSec: 2, forward: { lossRate: 0.01 } },
  stepMs: 10,
};

let server: RunningServer;
let proxy: CuttableProxy;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: servedHost() });
  proxy = await startProxy(server.port);
});
afterAll(async () => {
  proxy.cut();
  proxy.close();
  await server.close();
});

const options = () => ({ address: `127.0.0.1:${proxy.port}`, kwargs: KWARGS });
const cutHalfway = (step: number): void => {
  if (step === STEPS / 2) proxy.cut();
};

describe.each(["next-step", "same-step", "disabled"] as const)("ten thousand steps under %s", (mode) => {
  const plan: TrajectoryPlan = { kwargs: KWARGS, numEnvs: 2, seed: SEED, mode, steps: STEPS };
  let here: Trajectory;
  beforeAll(async () => {
    here = await trajectoryHere(plan);
    expect(here.ends).toBeGreaterThan(2 * 45);
  });

  it.each(["stream", "unary"] as const)("as rows of a vector over %s, cut halfway", async (transport) => {
    const env = await connectVectorEnv({ ...options(), numEnvs: 2, autoreset: mode, transport });
    expect(await trajectoryOfVector(env, plan, cutHalfway)).toEqual(here);
    await env.close();
  });
});

describe("ten thousand steps", () => {
  it.each(["stream", "unary"] as const)("of a single environment over %s, cut halfway", async (transport) => {
    const plan: TrajectoryPlan = {
      kwargs: KWARGS,
      numEnvs: 1,
      seed: SEED,
      mode: "disabled",
      steps: STEPS,
    };
    const env = await connectEnv({ ...options(), transport });
    expect(await trajectoryOfSingles([env], plan, cutHalfway)).toEqual(await trajectoryHere(plan));
    await env.close();
  });
});
