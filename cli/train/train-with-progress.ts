/** Wiring shared by `train` and `quickstart`: a training with progress on stderr, pictures of it, and an orderly end on Ctrl-C. */
import {
  type LearningPoint,
  learningNote,
  learningVerdict,
  learningWarning,
} from "../../eval/learning/learning.ts";
import type { EvaluationLine } from "../../training/evaluation/evaluations.ts";
import { openTensorBoard } from "../../training/tensorboard/event-files.ts";
import { type ProgressLine, type TrainOptions, type TrainResult, train } from "../../training/train.ts";
import { exitOnInterrupt, printErr, stopOnInterrupt } from "../console.ts";
import { drawLearning, evaluationsIn } from "./learning-files.ts";
import { startTask } from "./progress.ts";

/** Seconds between two pictures of a training that goes on. */
const DRAW_EVERY_SEC = 15;
const MILLIS_PER_SEC = 1000;

/** Without evaluations: of the episodes that ended, each on another link. */
function episodesNote({ meanScore, meanUtilisation, meanQueueDelayMs }: ProgressLine): string {
  if (!Number.isFinite(meanScore)) return "";
  return `score ${meanScore.toFixed(2)}, utilisation ${(100 * meanUtilisation).toFixed(0)} %, queue ${meanQueueDelayMs.toFixed(1)} ms`;
}

/**
 * @param totalSteps environment steps that the run is to have in all
 * @param already those that it has
 * @param tensorBoard whether event files are written
 * @param onLine after each update, after the progress display
 */
export async function trainWithProgress(
  options: Omit<TrainOptions, "signal" | "onProgress" | "onEvaluation"> & {
    readonly totalSteps: number;
    readonly runDir: string;
  },
  {
    quiet,
    already,
    tensorBoard = true,
    onLine,
  }: {
    readonly quiet: boolean;
    readonly already: number;
    readonly tensorBoard?: boolean;
    readonly onLine?: (line: ProgressLine) => void;
  },
): Promise<TrainResult> {
  const abort = new AbortController();
  stopOnInterrupt(() => {
    printErr("\nstopping after this update\n");
    abort.abort();
  });
  const { totalSteps: total, runDir } = options;
  const task = await startTask({ label: "training", total, unit: "steps", quiet, already });
  const board = tensorBoard ? openTensorBoard(runDir, already, () => Date.now() / MILLIS_PER_SEC) : undefined;
  let latest = "";
  let warned = quiet;
  let evaluations: LearningPoint[] | undefined;
  let drawnSec = performance.now() / MILLIS_PER_SEC;
  let drawing: Promise<void> | undefined;
  const onEvaluation = (line: EvaluationLine): void => {
    // those of earlier starts are in the folder by now, this one among them
    evaluations = evaluations === undefined ? evaluationsIn(runDir) : [...evaluations, line];
    latest = learningNote(evaluations);
    const warning = warned ? "" : learningWarning(evaluations);
    if (warning !== "") {
      warned = true;
      printErr(`warning: ${warning}\n`);
    }
    board?.evaluation(line);
    const nowSec = performance.now() / MILLIS_PER_SEC;
    if (drawing !== undefined || nowSec - drawnSec < DRAW_EVERY_SEC) return;
    drawnSec = nowSec;
    drawing = drawLearning(runDir, true).finally(() => {
      drawing = undefined;
    });
    drawing.catch(() => {}); // the last picture tells what is wrong
  };
  const result = await train({
    ...options,
    signal: abort.signal,
    onEvaluation,
    onProgress(line) {
      if (options.evaluation === undefined) latest = episodesNote(line) || latest;
      board?.progress(line);
      task.update(Math.min(line.steps, total), latest);
      onLine?.(line);
    },
  });
  exitOnInterrupt();
  task.finish(latest);
  await drawing?.catch(() => {});
  // where nothing was left to do, whatever page there is stays: a benchmark may have written it
  if (result.last !== undefined) await drawLearning(runDir, false);
  const verdict = learningVerdict(evaluations ?? []);
  if (!quiet && verdict !== "") printErr(`${verdict}\n`);
  if (!quiet && result.stoppedEarly) printErr("stopped early: evaluations no longer got better\n");
  return result;
}
