/** Trainings that are judged on validation links: what is kept of it, when it stops, and that interruption changes nothing. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadCheckpoint } from "../../agents/checkpoint-files.ts";
import { LEARNERS } from "../../agents/registry.ts";
import { Rng } from "../../core/random.ts";
import { resolveScenarios } from "../../scenarios/scenario-files.ts";
import { TRAINING_DEFAULTS } from "../../training/defaults.ts";
import type { EvaluationLine } from "../../training/evaluation/evaluations.ts";
import { makeEvaluator, validationLinks } from "../../training/evaluation/validation.ts";
import { type TrainOptions, train } from "../../training/train.ts";
import { drawsOf, openTrainingEnvs, type TrainingEnvSpec } from "../../training/training-env.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccpark-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const runDir = (name: string): string => join(folder, name);
const linesOf = (name: string): EvaluationLine[] =>
  readFileSync(join(runDir(name), "evaluations.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as EvaluationLine);

const scenarios = resolveScenarios(["link-24mbps-80ms-2bdp"], { durationSec: 1 }).map(
  ({ name, template }) => ({
    name,
    template,
  }),
);

/** One link of a second; 4 environments x 16 steps per update. */
function options(learner: string): TrainOptions {
  const actions = LEARNERS.get(learner)!.actions;
  const action = actions.includes("box") ? "multiplicative" : "indigo";
  const env = { ...TRAINING_DEFAULTS.env, stepMs: 20, action };
  const spec: TrainingEnvSpec = { env, episodeSec: 1, scenarios };
  return {
    learner,
    makeEnvs: () => openTrainingEnvs(spec, { numEnvs: 4 }),
    options: { hidden: [8], rolloutSteps: 16, backend: "wasm" },
    totalSteps: 64 * 6,
    seed: 3,
    checkpointEvery: 2,
    evaluation: { evaluator: makeEvaluator(env, validationLinks(spec)), every: 2, earlyStop: 0 },
  };
}

describe("evaluations of a training", () => {
  it("come before the first update, every N updates and at the end, and the best checkpoint is kept", async () => {
    const result = await train({ ...options("ppo"), totalSteps: 64 * 7, runDir: runDir("a") });
    const lines = linesOf("a");
    expect(lines.map(({ update }) => update)).toEqual([0, 2, 4, 6, 7]);
    const best = lines.reduce((a, b) => (b.score > a.score ? b : a));
    expect(result.bestPath).toBe(join(runDir("a"), "best.ccpark"));
    expect(loadCheckpoint(result.bestPath!).header.updates).toBe(best.update);
    for (const { links, baselines, score } of lines) {
      expect(score).toBeCloseTo(links.reduce((sum, link) => sum + link.score, 0) / links.length, 9);
      expect(baselines).toEqual(lines[0]!.baselines);
      expect(Object.keys(baselines)).toEqual(["cubic", "bbr"]);
    }
  });

  it("do not change what is learnt", async () => {
    const { evaluation: _, ...unjudged } = options("ppo");
    await train({ ...unjudged, runDir: runDir("unjudged") });
    await train({ ...options("ppo"), runDir: runDir("judged") });
    for (const file of ["checkpoint.ccpark", "progress.jsonl"]) {
      expect(readFileSync(join(runDir("judged"), file))).toEqual(
        readFileSync(join(runDir("unjudged"), file)),
      );
    }
    expect(existsSync(join(runDir("unjudged"), "evaluations.jsonl"))).toBe(false);
  });

  // those that learn from recorded runs or a teacher resume in the contract suite, which has both
  it.each([...LEARNERS].filter(([, { needs }]) => needs === undefined).map(([name]) => name))(
    "of %s: a run that is gone on with has the bytes of one that never stopped",
    async (learner) => {
      await train({ ...options(learner), runDir: runDir("whole") });
      const stop = new AbortController();
      await train({
        ...options(learner),
        runDir: runDir("cut"),
        signal: stop.signal,
        onProgress: ({ update }) => update === 4 && stop.abort(),
      });
      await train({ ...options(learner), runDir: runDir("cut"), resumeFrom: runDir("cut") });
      for (const file of ["checkpoint.ccpark", "progress.jsonl", "evaluations.jsonl", "best.ccpark"]) {
        expect(readFileSync(join(runDir("cut"), file)), file).toEqual(
          readFileSync(join(runDir("whole"), file)),
        );
      }
    },
  );

  it("end a training that no longer gets better, and leave it ended", async () => {
    const early = options("ppo");
    const evaluation = { ...early.evaluation!, every: 1, earlyStop: 2 };
    // a policy that does not move cannot get better
    const still = {
      ...early,
      options: { ...early.options, learningRate: 1e-300 },
      evaluation,
      totalSteps: 64 * 50,
    };
    const result = await train({ ...still, runDir: runDir("a") });
    expect(result).toMatchObject({ stoppedEarly: true, stopped: false });
    expect(result.learner.updates).toBe(2);
    const again = await train({ ...still, runDir: runDir("a"), resumeFrom: runDir("a") });
    expect(again.learner.updates).toBe(2);
    expect(linesOf("a").map(({ best }) => best)).toEqual([true, false, false]);
  });
});

describe("validation links", () => {
  it("are the same each time, and none that a training draws", () => {
    const spec = { episodeSec: 10 };
    const links = validationLinks(spec);
    expect(links).toHaveLength(8);
    expect(validationLinks(spec)).toEqual(links);
    const [draw] = drawsOf(spec);
    const trained = new Set(
      Array.from({ length: 500 }, (_, i) => JSON.stringify(draw!(Rng.fromSeed(1).fork(`${i}`)))),
    );
    expect(links.filter((link) => trained.has(JSON.stringify(link)))).toEqual([]);
  });

  it("of a scenario that leaves nothing to chance are that link, once, for 20 s at most", () => {
    const fixed = resolveScenarios(["park-paper"]).map(({ name, template }) => ({ name, template }));
    const links = validationLinks({ episodeSec: 10, scenarios: fixed });
    expect(links).toHaveLength(1);
    expect(links[0]!.durationSec).toBeLessThanOrEqual(20);
  });
});
