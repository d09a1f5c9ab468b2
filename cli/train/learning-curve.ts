/** Wiring: the learning curve of a checkpoint that still lies in the folder of its run. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { TrainingFacts } from "../../agents/learner.ts";
import { CcparkError } from "../../core/errors.ts";
import { PROGRESS_FILE } from "../../training/run-files.ts";

/** Objects of a JSON Lines file of a run. What does not exist is null there and NaN here. */
export function readLines<Line>(path: string): Line[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line, (_, value: unknown) => (value === null ? Number.NaN : value)) as Line];
    } catch (cause) {
      throw new CcparkError(
        "invalid-argument",
        `[bench] broken learning curve, ${basename(path)} line ${i + 1}: expected one JSON object per line`,
        { cause },
      );
    }
  });
}

/** Lines of `progress.jsonl` beside a checkpoint; none: no curve. */
export function learningBeside(checkpointPath: string): TrainingFacts[] {
  const path = join(dirname(checkpointPath), PROGRESS_FILE);
  return existsSync(path) ? readLines(path) : [];
}
