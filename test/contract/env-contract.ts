/** What every `Env` promises, local or remote: order of reset and step, seeds, ends, spaces and errors. */
import { afterEach, describe, expect, it } from "vitest";
import type { ErrorKind } from "../../core/errors.ts";
import type { Env, TimeStep } from "../../envs/env.ts";

/** Longest episode that the suite waits for. */
const MAX_STEPS = 100_000;

/** Steps that a comparison takes. */
const COMPARED_STEPS = 50;

/** Expects a CcparkError of this kind. */
export async function expectKind(
  promise: Promise<unknown>,
  kind: ErrorKind,
  message?: RegExp,
): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toMatchObject({ name: "CcparkError", kind });
  if (message !== undefined) expect((error as Error).message).toMatch(message);
}

/** A deterministic action inside the box, or one of the choices, that differs from step to step. */
export function actionAt(env: Pick<Env, "actionSpace">, step: number): Float32Array {
  const { actionSpace } = env;
  if (actionSpace.kind === "discrete") return Float32Array.of((7 * step + 3) % actionSpace.n);
  const { low, high } = actionSpace;
  return Float32Array.from(low, (lo, i) => {
    const from = Number.isFinite(lo) ? lo : -1;
    const to = Number.isFinite(high[i]) ? high[i]! : 1;
    return from + (to - from) * (0.5 + 0.45 * Math.sin(step * 0.7 + i));
  });
}

/** The first observation and up to `steps` steps, ended early by the episode's end. */
export async function trajectory(env: Env, seed: number, steps: number): Promise<TimeStep[]> {
  const seen = [await env.reset({ seed })];
  for (let i = 0; i < steps; i++) {
    const taken = await env.step(actionAt(env, i));
    seen.push({ ...taken, observation: taken.observation.slice() });
    if (taken.terminated || taken.truncated) break;
  }
  return seen;
}

function expectInBox(env: Env, { observation, reward }: TimeStep): void {
  const { low, high, dimensions } = env.observationSpace;
  expect(observation).toBeInstanceOf(Float32Array);
  expect(observation.length).toBe(env.observationSpace.shape[0]);
  observation.forEach((value, i) => {
    expect(value, dimensions[i]!.name).toBeGreaterThanOrEqual(low[i]!);
    expect(value, dimensions[i]!.name).toBeLessThanOrEqual(high[i]!);
  });
  expect(Number.isFinite(reward)).toBe(true);
}

/**
 * Declares the suite.
 * @param makeEnv a fresh environment of the same configuration in each call; its episodes must end by themselves
 * @param clock of its testbed
 */
export function envContract(
  name: string,
  makeEnv: () => Promise<Env>,
  clock: "virtual" | "real" = "virtual",
): void {
  /** what holds to the byte holds only where time stands still between calls */
  const inVirtualTime = it.runIf(clock === "virtual");

  describe(`${name} keeps the contract of Env`, () => {
    const made: Env[] = [];
    const make = async (): Promise<Env> => {
      const env = await makeEnv();
      made.push(env);
      return env;
    };
    afterEach(async () => {
      for (const env of made.splice(0)) await env.close();
    });

    it("describes each dimension of its spaces, and each choice", async () => {
      const env = await make();
      for (const space of [env.observationSpace, env.actionSpace]) {
        if (space.kind === "discrete") {
          expect(space.choices.length).toBe(space.n);
          expect(new Set(space.choices.map((choice) => choice.name)).size).toBe(space.n);
          for (const { name, definition } of space.choices) expect(`${name}: ${definition}`).toMatch(/.: ./);
          continue;
        }
        expect(space.dimensions.length).toBe(space.shape[0]);
        expect(new Set(space.dimensions.map((d) => d.name)).size).toBe(space.shape[0]);
        space.dimensions.forEach((d, i) => {
          expect(d.unit).not.toBe("");
          expect(d.definition).not.toBe("");
          expect(space.low[i]).toBe(Math.fround(d.low));
          expect(space.high[i]).toBe(Math.fround(d.high));
          expect(space.low[i]!).toBeLessThanOrEqual(space.high[i]!);
        });
      }
    });

    it("answers a reset with reward 0 and no end, and the first step does not truncate", async () => {
      const env = await make();
      const first = await env.reset({ seed: 1 });
      expect(first).toMatchObject({ reward: 0, terminated: false, truncated: false });
      expectInBox(env, first);
      const second = await env.step(actionAt(env, 0));
      expect(second.truncated).toBe(false);
      expectInBox(env, second);
    });

    it("refuses a step before the first reset and goes on after it", async () => {
      const env = await make();
      await expectKind(env.step(actionAt(env, 0)), "failed-precondition");
      await env.reset({ seed: 1 });
      await env.step(actionAt(env, 0));
    });

    inVirtualTime(
      "gives the same bytes for the same seed and actions, in one environment and in another",
      async () => {
        const env = await make();
        const once = await trajectory(env, 7, COMPARED_STEPS);
        expect(await trajectory(env, 7, COMPARED_STEPS)).toEqual(once);
        expect(await trajectory(await make(), 7, COMPARED_STEPS)).toEqual(once);
      },
    );

    inVirtualTime("gives other episodes for other seeds", async () => {
      const env = await make();
      const once = await trajectory(env, 7, COMPARED_STEPS);
      expect(await trajectory(env, 8, COMPARED_STEPS)).not.toEqual(once);
    });

    it("takes seeds from 0 to 2^53 - 1 and no other", async () => {
      const env = await make();
      await env.reset({ seed: 0 });
      await env.reset({ seed: Number.MAX_SAFE_INTEGER });
      for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) {
        await expectKind(env.reset({ seed }), "invalid-argument");
      }
    });

    it("ends its episode, then refuses steps until a reset", async () => {
      const env = await make();
      await env.reset({ seed: 3 });
      let last: TimeStep | undefined;
      for (let i = 0; i < MAX_STEPS; i++) {
        last = await env.step(actionAt(env, i));
        if (last.terminated || last.truncated) break;
      }
      expect(last!.terminated || last!.truncated).toBe(true);
      expectInBox(env, last!);
      await expectKind(env.step(actionAt(env, 0)), "failed-precondition");
      await env.reset({ seed: 3 });
      await env.step(actionAt(env, 0));
    });

    it("refuses an action of the wrong length or not finite, and nothing has happened", async () => {
      const env = await make();
      const undisturbed = await trajectory(env, 5, 2);
      const first = await env.reset({ seed: 5 });
      const width = env.actionSpace.shape[0];
      await expectKind(env.step(new Float32Array(width + 1)), "invalid-argument");
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        await expectKind(env.step(new Float32Array(width).fill(bad)), "invalid-argument");
      }
      const next = await env.step(actionAt(env, 0));
      expect(next.info.stepUs).toBeGreaterThan(0);
      if (clock === "real") return;
      expect(first).toEqual(undisturbed[0]);
      expect(next).toEqual(undisturbed[1]);
    });

    it("takes a finite action outside the box, and says so in its info; refuses what is none of the choices", async () => {
      const env = await make();
      const { actionSpace } = env;
      await env.reset({ seed: 5 });
      if (actionSpace.kind === "discrete") {
        for (const bad of [-1, 0.5, actionSpace.n, 2 ** 40]) {
          await expectKind(env.step(Float32Array.of(bad)), "invalid-argument", /none of the choices/);
        }
        expect((await env.step(Float32Array.of(actionSpace.n - 1))).info.clippedActions).toBe(0);
        return;
      }
      const { high } = actionSpace;
      const clipped = await env.step(high.map((bound) => bound * 2 + 1));
      expect(clipped.info.clippedActions).toBe(1);
      await env.reset({ seed: 5 });
      const atTheBound = await env.step(high.slice());
      expect(atTheBound.info.clippedActions).toBe(0);
      expect(clipped.info.cwndBytes).toBe(atTheBound.info.cwndBytes);
      if (clock === "real") return;
      expect(clipped.observation).toEqual(atTheBound.observation);
      expect(clipped.reward).toBe(atTheBound.reward);
    });

    it("does not overwrite what it returned", async () => {
      const env = await make();
      const first = await env.reset({ seed: 9 });
      const copy = first.observation.slice();
      for (let i = 0; i < 5; i++) await env.step(actionAt(env, i));
      expect(first.observation).toEqual(copy);
    });

    inVirtualTime("does not keep the caller's action array", async () => {
      const env = await make();
      await env.reset({ seed: 9 });
      const action = actionAt(env, 0);
      const pending = env.step(action);
      action.fill(Number.NaN);
      const step = await pending;
      await env.reset({ seed: 9 });
      expect(step).toEqual(await env.step(actionAt(env, 0)));
    });

    it("closes twice", async () => {
      const env = await make();
      await env.close();
      await env.close();
    });
  });
}
