/** Wiring shared by `train` and `quickstart`: a training with progress on stderr and an orderly end on Ctrl-C. */
import { type ProgressLine, type TrainOptions, type TrainResult, train } from "../../training/train.ts";
import { exitOnInterrupt, printErr, stopOnInterrupt } from "../console.ts";
import { startTask } from "./progress.ts";

export type TrainRun = TrainResult & { readonly lines: readonly ProgressLine[] };

function note({ meanScore, meanUtilisation, meanQueueDelayMs }: ProgressLine): string {
  if (!Number.isFinite(meanScore)) return "";
  return `score ${meanScore.toFixed(2)}, utilisation ${(100 * meanUtilisation).toFixed(0)} %, queue ${meanQueueDelayMs.toFixed(1)} ms`;
}

/** @param onLine after each update, after the progress display */
export async function trainWithProgress(
  options: Omit<TrainOptions, "signal" | "onProgress">,
  { quiet, onLine }: { readonly quiet: boolean; readonly onLine?: (line: ProgressLine) => void },
): Promise<TrainRun> {
  const abort = new AbortController();
  stopOnInterrupt(() => {
    printErr("\nstopping after this update\n");
    abort.abort();
  });
  const task = await startTask({ label: "training", total: options.totalSteps, unit: "steps", quiet });
  const lines: ProgressLine[] = [];
  let latest = "";
  const result = await train({
    ...options,
    signal: abort.signal,
    onProgress(line) {
      lines.push(line);
      latest = note(line) || latest;
      task.update(Math.min(line.steps, options.totalSteps), latest);
      onLine?.(line);
    },
  });
  exitOnInterrupt();
  task.finish(latest);
  return { ...result, lines };
}
