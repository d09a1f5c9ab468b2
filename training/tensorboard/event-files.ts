/**
 * A training for TensorBoard: an event file per start of the run, in a folder of their own in the run folder. They are the only files of a
 * run that hold the time of day, which TensorBoard's axes want.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { appendToFile } from "../../core/whole-files.ts";
import type { EvaluationLine } from "../evaluation/evaluations.ts";
import type { ProgressLine } from "../train.ts";
import { recordOf, restartEvent, scalarsEvent, versionEvent } from "./event-file.ts";

export const TENSORBOARD_FOLDER = "tensorboard";

export interface TensorBoard {
  progress(line: ProgressLine): void;
  evaluation(line: EvaluationLine): void;
}

/** What of a line of progress is no measure. */
const COUNTS = new Set(["update", "steps", "totalSteps"]);

/**
 * The file is made with the first line.
 * @param runDir exists
 * @param already environment steps of the run before this start
 * @param nowSec seconds since 1970
 * @throws CcparkError where it cannot be written
 */
export function openTensorBoard(runDir: string, already: number, nowSec: () => number): TensorBoard {
  const folder = join(runDir, TENSORBOARD_FOLDER);
  let path: string | undefined;
  const append = (make: (wallTimeSec: number) => Uint8Array): void => {
    const now = nowSec();
    if (path === undefined) {
      mkdirSync(folder, { recursive: true });
      path = join(
        folder,
        `events.out.tfevents.${String(Math.floor(now)).padStart(10, "0")}.${already}.ccpark`,
      );
      appendToFile(path, recordOf(versionEvent(now)));
      if (already > 0) appendToFile(path, recordOf(restartEvent(now, already + 1)));
    }
    appendToFile(path, recordOf(make(now)));
  };
  return {
    progress({ losses, ...facts }) {
      const scalars: Record<string, number> = {};
      for (const [name, value] of Object.entries(facts)) {
        if (!COUNTS.has(name)) scalars[`training/${name}`] = value;
      }
      for (const [name, value] of Object.entries(losses)) scalars[`loss/${name}`] = value;
      append((now) => scalarsEvent(now, facts.steps, scalars));
    },
    evaluation({ steps, score, utilisation, meanQueueDelayMs, lossRate, baselines }) {
      const measures = { score, utilisation, meanQueueDelayMs, lossRate };
      const scalars = Object.fromEntries([
        ...Object.entries(measures).map(([name, value]) => [`validation/${name}`, value] as const),
        ...Object.entries(baselines).map(([name, value]) => [`validation/score-${name}`, value] as const),
      ]);
      append((now) => scalarsEvent(now, steps, scalars));
    },
  };
}
