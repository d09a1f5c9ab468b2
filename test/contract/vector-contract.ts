/**
 * What every `AsyncVectorEnv` promises, local or remote: each row is the single environment of its seed, SAME_STEP at the
 * ends, and the array life of `VectorRows`.
 */
import { afterEach, describe, expect, it } from "vitest";
import type { AsyncVectorEnv, EndedEpisode, Env } from "../../envs/env.ts";
import { actionAt, expectKind } from "./env-contract.ts";

const ROWS = 3;
const SEED = 7;
/** Longest wait for an end. */
const MAX_STEPS = 100_000;

/** Actions of all rows at a step: those of `actionAt`, shifted by row so that rows differ. */
export function vectorActionsAt(env: Pick<Env, "actionSpace">, rows: number, step: number): Float32Array {
  const width = env.actionSpace.shape[0];
  const actions = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) actions.set(actionAt(env, step + 13 * i), i * width);
  return actions;
}

/** Copies of what the last call has filled. */
export function snapshot(env: AsyncVectorEnv): object {
  const { observations, rewards, terminated, truncated, endedEpisodes } = env;
  return {
    observations: observations.slice(),
    rewards: rewards.slice(),
    terminated: terminated.slice(),
    truncated: truncated.slice(),
    endedEpisodes: [...endedEpisodes],
  };
}

/**
 * Declares the suite.
 * @param make a fresh vector form of so many environments; @param makeSingle the single one of the same configuration
 */
export function vectorContract(
  name: string,
  make: (numEnvs: number) => Promise<AsyncVectorEnv>,
  makeSingle: () => Promise<Env>,
): void {
  describe(`${name} keeps the contract of VectorEnv`, () => {
    const made: { close(): Promise<void> }[] = [];
    const keep = <T extends { close(): Promise<void> }>(env: T): T => {
      made.push(env);
      return env;
    };
    const makeRows = async (rows = ROWS): Promise<AsyncVectorEnv> => keep(await make(rows));
    afterEach(async () => {
      for (const env of made.splice(0)) await env.close();
    });

    it("has the spaces of the single form and one row per environment", async () => {
      const [env, single] = [await makeRows(), keep(await makeSingle())];
      expect(env.observationSpace).toEqual(single.observationSpace);
      expect(env.actionSpace).toEqual(single.actionSpace);
      expect(env.numEnvs).toBe(ROWS);
      expect(env.observations.length).toBe(ROWS * env.observationSpace.shape[0]);
      expect(env.finalObservations.length).toBe(env.observations.length);
      for (const column of [env.rewards, env.terminated, env.truncated]) expect(column.length).toBe(ROWS);
    });

    it("gives row i the bytes of the single form with seed + i, up to and with its end", async () => {
      const env = await makeRows();
      const width = env.observationSpace.shape[0];
      const actionWidth = env.actionSpace.shape[0];
      const singles = await Promise.all(Array.from({ length: ROWS }, async () => keep(await makeSingle())));
      await env.reset(SEED);
      for (const [i, single] of singles.entries()) {
        const first = await single.reset({ seed: SEED + i });
        expect(env.observations.slice(i * width, (i + 1) * width)).toEqual(first.observation);
      }
      const running = new Set(singles.keys());
      for (let step = 0; step < MAX_STEPS && running.size > 0; step++) {
        const actions = vectorActionsAt(env, ROWS, step);
        await env.step(actions);
        for (const i of running) {
          const taken = await singles[i]!.step(actions.slice(i * actionWidth, (i + 1) * actionWidth));
          const ended = taken.terminated || taken.truncated;
          const shown = ended ? env.finalObservations : env.observations;
          expect(shown.slice(i * width, (i + 1) * width)).toEqual(taken.observation);
          expect(env.rewards[i]).toBe(taken.reward);
          expect(env.terminated[i]).toBe(taken.terminated ? 1 : 0);
          expect(env.truncated[i]).toBe(taken.truncated ? 1 : 0);
          if (ended) running.delete(i);
        }
      }
      expect(running.size).toBe(0);
    });

    it("begins the next episode in the step that ends one, and tells seed, steps and return", async () => {
      const env = await makeRows(2);
      const single = keep(await makeSingle());
      const width = env.observationSpace.shape[0];
      await env.reset(SEED);
      const episodes: EndedEpisode[] = [];
      const firsts = [env.observations.slice(0, width)];
      const sums = [0];
      for (let step = 0; step < MAX_STEPS && episodes.length < 2; step++) {
        await env.step(vectorActionsAt(env, 2, step));
        sums[sums.length - 1]! += env.rewards[0]!;
        if (env.terminated[0] === 0 && env.truncated[0] === 0) continue;
        episodes.push(...env.endedEpisodes.filter((episode) => episode.env === 0));
        firsts.push(env.observations.slice(0, width));
        sums.push(0);
      }
      expect(episodes.length).toBe(2);
      expect(episodes[0]!.seed).toBe(SEED);
      for (const [k, episode] of episodes.entries()) {
        expect((await single.reset({ seed: episode.seed })).observation).toEqual(firsts[k]);
        expect(episode.episodeReturn).toBeCloseTo(sums[k]!, 9);
        expect(episode.steps).toBeGreaterThan(0);
      }
    });

    it("gives the same bytes for the same seed and actions, again and in another one", async () => {
      const run = async (env: AsyncVectorEnv): Promise<object[]> => {
        await env.reset(SEED);
        const seen = [snapshot(env)];
        for (let step = 0; step < 60; step++) {
          await env.step(vectorActionsAt(env, ROWS, step));
          seen.push(snapshot(env));
        }
        return seen;
      };
      const env = await makeRows();
      const once = await run(env);
      expect(await run(env)).toEqual(once);
      expect(await run(await makeRows())).toEqual(once);
    });

    it("refuses a step before the first reset, a wrong length, and actions that are not finite", async () => {
      const env = await makeRows();
      const actions = vectorActionsAt(env, ROWS, 0);
      await expectKind(env.step(actions), "failed-precondition");
      await env.reset(SEED);
      await expectKind(env.step(actions.slice(1)), "invalid-argument");
      await expectKind(env.step(actions.slice().fill(Number.NaN)), "invalid-argument");
      if (env.actionSpace.kind === "discrete") {
        for (const bad of [-1, 0.5, env.actionSpace.n]) {
          await expectKind(
            env.step(actions.slice().fill(bad, 1, 2)),
            "invalid-argument",
            /row 1.*none of the choices/,
          );
        }
      }
      await env.step(actions);
    });

    it("fills the same arrays in each call, and does not keep the caller's", async () => {
      const env = await makeRows();
      const { observations, rewards } = env;
      await env.reset(SEED);
      const actions = vectorActionsAt(env, ROWS, 0);
      const pending = env.step(actions);
      actions.fill(Number.NaN);
      await pending;
      const once = snapshot(env);
      await env.reset(SEED);
      await env.step(vectorActionsAt(env, ROWS, 0));
      expect(snapshot(env)).toEqual(once);
      expect(env.observations).toBe(observations);
      expect(env.rewards).toBe(rewards);
    });

    it("closes twice", async () => {
      const env = await makeRows();
      await env.close();
      await env.close();
    });
  });
}
