/** The vector form of this process whose rows may be stepped by several threads: the contract, and bytes without threads. */
import { afterEach, describe, expect, it } from "vitest";
import { servedEnvs } from "../../cli/served-env.ts";
import type { AsyncVectorEnv } from "../../envs/env.ts";
import { makeEnv } from "../../envs/local-env.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { EpisodeSeeds } from "../../envs/vector/episode-seeds.ts";
import { makeVectorEnv, openVectorEnv } from "../../envs/vector/local-vector-env.ts";
import { OwnThread } from "../../envs/vector/worker-threads.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";
import { expectKind } from "../contract/env-contract.ts";
import { snapshot, vectorActionsAt, vectorContract } from "../contract/vector-contract.ts";
import { SERVED_TOY } from "../grpc/toy-env.ts";

const KWARGS = { scenario: "park-paper", durationSec: 1 };
const scenario = resolveScenario(KWARGS.scenario, KWARGS);
const kind = servedEnvs()[0]!;
const served = {
  url: new URL("../../cli/env-worker.ts", import.meta.url),
  data: { scenarios: ["park-paper"] },
};
const toy = { url: new URL("../grpc/toy-worker.ts", import.meta.url) };

const opened: AsyncVectorEnv[] = [];
afterEach(async () => {
  for (const env of opened.splice(0)) await env.close();
});
const open = async (numEnvs: number, workers: number): Promise<AsyncVectorEnv> => {
  const env = await openVectorEnv({ kind, kwargs: KWARGS, numEnvs, workers, worker: served });
  opened.push(env);
  return env;
};
const openToy = async (kwargs: object, workers: number, numEnvs = 2): Promise<AsyncVectorEnv> => {
  const own = { ...kwargs };
  const env = await openVectorEnv({ kind: SERVED_TOY, kwargs: own, numEnvs, workers, worker: toy });
  opened.push(env);
  return env;
};

vectorContract(
  "the vector on 2 threads, choices",
  (numEnvs) =>
    openVectorEnv({ kind, kwargs: { ...KWARGS, action: "indigo" }, numEnvs, workers: 2, worker: served }),
  async () => makeEnv(scenario, { ...DEFAULT_ENV_OPTIONS, action: "indigo" }),
);

for (const workers of [1, 2, 3]) {
  vectorContract(
    `the vector on ${workers} threads`,
    (numEnvs) => openVectorEnv({ kind, kwargs: KWARGS, numEnvs, workers, worker: served }),
    async () => makeEnv(scenario, DEFAULT_ENV_OPTIONS),
  );
}

describe("a thread for which the system has no room", () => {
  it.each(["EMFILE", "ERR_WORKER_INIT_FAILED"])("is told as such: %s", async (code) => {
    const text = `throw Object.assign(new Error("no room"), { code: "${code}" })`;
    const thread = new OwnThread({ url: new URL(`data:text/javascript,${encodeURIComponent(text)}`) });
    await expectKind(thread.greet(), "resource-exhausted", /no room for another worker thread \(`ulimit -n`/);
  });
});

describe("the number of threads", () => {
  it("changes no byte, over several episodes of each row", async () => {
    const rows = 5;
    const here = makeVectorEnv(scenario, DEFAULT_ENV_OPTIONS, rows);
    const others = await Promise.all([1, 2, 3, 8].map((workers) => open(rows, workers)));
    here.reset(3);
    for (const env of others) await env.reset(3);
    let ends = 0;
    for (let i = 0; i < 120; i++) {
      const actions = vectorActionsAt(here, rows, i);
      here.step(actions);
      ends += here.endedEpisodes.length;
      const expected = { ...snapshot({ ...here } as unknown as AsyncVectorEnv), finals: finalsOf(here) };
      for (const env of others) {
        await env.step(actions);
        expect({ ...snapshot(env), finals: finalsOf(env) }).toEqual(expected);
      }
    }
    expect(ends).toBeGreaterThan(2 * rows);
  });

  it("is a whole number of at least 1, with a module beyond 1", async () => {
    for (const workers of [0, 1.5, Number.NaN])
      await expectKind(open(2, workers), "invalid-argument", /workers/);
    const bare = openVectorEnv({ kind, kwargs: KWARGS, numEnvs: 2, workers: 2 });
    await expectKind(bare, "invalid-argument", /no module/);
    await expectKind(open(0, 2), "invalid-argument", /number of environments/);
  });
});

/** Last observations of the rows that ended. */
function finalsOf(env: Pick<AsyncVectorEnv, "finalObservations" | "truncated" | "observationSpace">) {
  const width = env.observationSpace.shape[0];
  return [...env.truncated.keys()]
    .filter((row) => env.truncated[row] === 1)
    .map((row) => [...env.finalObservations.slice(row * width, (row + 1) * width)]);
}

describe("episodes", () => {
  it("of a row have the seeds of EpisodeSeeds, on any thread", async () => {
    const env = await openToy({ steps: 2 }, 2);
    await env.reset(41);
    const seeds: number[][] = [[], []];
    for (let i = 0; i < 10; i++) {
      await env.step(vectorActionsAt(env, 2, i));
      for (const episode of env.endedEpisodes) seeds[episode.env]!.push(episode.seed);
    }
    for (const row of [0, 1]) {
      const expected = new EpisodeSeeds(41 + row);
      for (const seed of seeds[row]!) {
        expect(seed).toBe(expected.upcoming);
        expected.advance();
      }
      expect(seeds[row]!.length).toBe(5);
    }
  });
});

describe("a vector on several threads", () => {
  it("tells what an environment threw and what reproduces it, and can be reset", async () => {
    for (const workers of [1, 2]) {
      const env = await openToy({ scenario: "toy-explodes" }, workers);
      await env.reset(7);
      const step = (): Promise<void> => env.step(vectorActionsAt(env, 2, 0));
      await step();
      await step();
      await expectKind(step(), "internal", /environment 0 threw in step \(seed 7, step 2\): boom/);
      await expectKind(step(), "failed-precondition", /row 0: step before the first reset/);
      await env.reset(7);
      await step();
    }
  });

  it("refuses a call while another is under way", async () => {
    const env = await openToy({}, 2);
    const pending = env.reset(1);
    await expectKind(env.reset(1), "failed-precondition", /under way/);
    await pending;
    await env.step(vectorActionsAt(env, 2, 0));
  });

  it("refuses a seed that leaves no room for its rows", async () => {
    const env = await openToy({}, 2);
    await expectKind(env.reset(-1), "invalid-argument", /seed/);
    await expectKind(env.reset(Number.MAX_SAFE_INTEGER), "invalid-argument", /seed/);
    await env.reset(Number.MAX_SAFE_INTEGER - 1);
  });

  it("says of environments that cannot be made what is wrong with them", async () => {
    await expectKind(openToy({ scenario: "toy-shrt" }, 2), "not-found", /toy-short/);
  });
});
