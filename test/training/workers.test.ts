/** A training on several threads is the same training. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { resolveScenarios } from "../../scenarios/scenario-files.ts";
import { TRAINING_DEFAULTS } from "../../training/defaults.ts";
import { train } from "../../training/train.ts";
import { openTrainingEnvs, type TrainingEnvSpec } from "../../training/training-env.ts";

const folder = mkdtempSync(join(tmpdir(), "ccpark-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { env } = TRAINING_DEFAULTS;
/** one that each seed draws, and one that is the same for all */
const named = resolveScenarios(["aurora-train", "park-paper"], { durationSec: 2 });
const SPECS: readonly [string, TrainingEnvSpec][] = [
  ["the training range", { env, episodeSec: 2 }],
  [
    "named scenarios",
    { env, episodeSec: 2, scenarios: named.map(({ name, template }) => ({ name, template })) },
  ],
];

it.each(SPECS)("learns the same from %s on one, two and three threads", async (name, spec) => {
  const written = async (workers: number): Promise<string[]> => {
    const runDir = join(folder, `${name} ${workers}`);
    await train({
      makeEnvs: () => openTrainingEnvs(spec, { numEnvs: 6, workers }),
      options: { hidden: [8], rolloutSteps: 32, minibatchSize: 64, epochs: 1, backend: "simd" },
      totalSteps: 6 * 32 * 4,
      seed: 5,
      checkpointEvery: 2,
      runDir,
    });
    return ["checkpoint.ccpark", "progress.jsonl"].map((file) => readFileSync(join(runDir, file), "latin1"));
  };
  const one = await written(1);
  expect(one[1]).toContain("meanScore");
  expect(await written(2)).toEqual(one);
  expect(await written(3)).toEqual(one);
});
