/** Wiring: the learning curve of a run folder as `curve.svg` and, until a benchmark writes its own there, as `report.html`. */
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { writeFilesWhole } from "../../core/whole-files.ts";
import type { LearningPoint } from "../../eval/learning/learning.ts";
import { CHECKPOINT_FILE, CONFIG_FILE, EVALUATIONS_FILE } from "../../training/run-files.ts";
import { learningBeside, readLines } from "./learning-curve.ts";

export const CURVE_FILE = "curve.svg";
export const PAGE_FILE = "report.html";

/** Evaluations of a run so far, also those before it was gone on with. */
export function evaluationsIn(runDir: string): LearningPoint[] {
  const path = join(runDir, EVALUATIONS_FILE);
  return existsSync(path) ? readLines<LearningPoint>(path) : [];
}

/** Nothing where nothing was evaluated. */
export async function drawLearning(runDir: string, isRunning: boolean): Promise<void> {
  const evaluations = evaluationsIn(runDir);
  if (evaluations.length === 0) return;
  const { learningSvg } = await import("../../eval/learning/learning-chart.ts");
  const { learningPage } = await import("../../eval/learning/learning-page.ts");
  const learning = { evaluations, progress: learningBeside(join(runDir, CHECKPOINT_FILE)) };
  const config = readFileSync(join(runDir, CONFIG_FILE), "utf8");
  const { algorithm } = JSON.parse(config) as { algorithm: string };
  const title = `Training ${basename(resolve(runDir))}: ${algorithm}`;
  const curve = await learningSvg(title, learning);
  writeFilesWhole({
    [join(runDir, CURVE_FILE)]: curve,
    [join(runDir, PAGE_FILE)]: learningPage({ title, learning, curve, config, isRunning }),
  });
}
