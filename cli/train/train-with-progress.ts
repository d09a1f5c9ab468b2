/** Wiring shared by `train` and `quickstart`: a training with progress on stderr and an orderly end on Ctrl-C. */
import { type ProgressLine, type TrainOptions, type TrainResult, train } from "../../training/train.ts";
import { exitOnInterrupt, printErr, stopOnInterrupt } from "../console.ts";
import { startTask } from "./progress.ts";

function note({ meanScore, meanUtilisation, meanQueueDelayMs }: ProgressLine): string {
  if (!Number.isFinite(meanScore)) return "";
  return `score ${meanScore.toFixed(2)}, utilisation ${(100 * meanUtilisation).toFixed(0)} %, queue ${meanQueueDelayMs.toFixed(1)} ms`;
}

/**
 * @param totalSteps environment steps that the run is to have in all
 * @param already those that it has
 * @param onLine after each update, after the progress display
 */
export async function trainWithProgress(
  options: Omit<TrainOptions, "signal" | "onProgress"> & { readonly totalSteps: number },
  {
    quiet,
    already,
    onLine,
  }: {
    readonly quiet: boolean;
    readonly already: number;
    readonly onLine?: (line: ProgressLine) => void;
  },
): Promise<TrainResult> {
  const abort = new AbortController();
  stopOnInterrupt(() => {
    printErr("\nstopping after this update\n");
    abort.abort();
  });
  const total = options.totalSteps;
  const task = await startTask({ label: "training", total, unit: "steps", quiet, already });
  let latest = "";
  const result = await train({
    ...options,
    signal: abort.signal,
    onProgress(line) {
      latest = note(line) || latest;
      task.update(Math.min(line.steps, total), latest);
      onLine?.(line);
    },
  });
  exitOnInterrupt();
  task.finish(latest);
  return result;
}
