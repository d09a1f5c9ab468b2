/** Half of a gradient computed by a thread of the environments. */
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { FusedMlp } from "../../agents/fused/fused-mlp.ts";
import { mlpLayout } from "../../agents/nn/mlp.ts";
import { valueStep } from "../../agents/nn/on-policy/value-step.ts";
import { ValueThread } from "../../agents/nn/on-policy/value-thread.ts";
import { Rng } from "../../core/random.ts";
import { TRAINING_DEFAULTS } from "../../training/defaults.ts";
import { openTrainingEnvs } from "../../training/training-env.ts";

const ROWS = 33;
const layout = mlpLayout([5, 8, 8, 1]);
const rng = Rng.fromSeed(7);
const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => rng.uniform(-1, 1));

const open = (workers: number) => {
  const { env, episodeSec } = TRAINING_DEFAULTS;
  return openTrainingEnvs({ env, episodeSec }, { numEnvs: 4, workers });
};

describe("the value network's half of an update", () => {
  it.each([2, 3])("has the same bits in another of %i threads as here", async (workers) => {
    const envs = await open(workers);
    try {
      const thread = new ValueThread(envs, layout, ROWS);
      const weights = draw(layout.size);
      const questions = [ROWS, 1, 20].map((rows) => ({
        rows,
        observations: draw(5 * rows),
        targets: draw(rows),
      }));
      while (!thread.ask(weights, questions[0]!, 0.5)) await wait(1);
      const here = new FusedMlp(layout);
      for (const [i, question] of questions.entries()) {
        if (i > 0) expect(thread.ask(weights, question, 0.5)).toBe(true);
        const answer = thread.answer();
        const expected = valueStep(here, weights, question, 0.5);
        expect(answer.valueLoss).toBe(expected.valueLoss);
        expect([...answer.gradient]).toEqual([...expected.gradient]);
      }
      await thread.end();
      await envs.reset(1); // the threads are free again
    } finally {
      await envs.close();
    }
  });

  it("answers once, also where the call that wakes the thread comes after the answer", async () => {
    const envs = await open(2);
    let control: Int32Array = new Int32Array(0);
    const seen: typeof envs = {
      ...envs,
      perform: (task, given) => {
        ({ control } = given as unknown as { control: Int32Array });
        return envs.perform!(task, given);
      },
    };
    try {
      const thread = new ValueThread(seen, layout, ROWS);
      const question = { rows: 1, observations: draw(5), targets: draw(1) };
      while (!thread.ask(draw(layout.size), question, 1)) await wait(1);
      thread.answer();
      const before = [...control];
      for (let i = 0; i < 20; i++) {
        for (const at of control.keys()) Atomics.notify(control, at);
        await wait(1);
      }
      expect([...control]).toEqual(before);
      await thread.end();
    } finally {
      await envs.close();
    }
  });

  it("is nobody's but the learner's where there is one thread", async () => {
    const envs = await open(1);
    const thread = new ValueThread(envs, layout, ROWS);
    await wait(20);
    expect(thread.ask(draw(layout.size), { rows: 1, observations: draw(5), targets: draw(1) }, 1)).toBe(
      false,
    );
    await thread.end();
    await envs.close();
  });

  it("ends where no question was asked", async () => {
    const envs = await open(2);
    await new ValueThread(envs, layout, ROWS).end();
    const late = new ValueThread(envs, layout, ROWS);
    await wait(50);
    await late.end();
    await envs.close();
  });
});
