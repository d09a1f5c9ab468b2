/** Wiring: the learning curve of a checkpoint that still lies in the folder of its run. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TrainingFacts } from "../../agents/learner.ts";
import { CcparkError } from "../../core/errors.ts";
import { PROGRESS_FILE } from "../../training/run-files.ts";

/** Lines of `progress.jsonl` beside a checkpoint; none: no curve. What does not exist is null there and NaN here. */
export function learningBeside(checkpointPath: string): TrainingFacts[] {
  const path = join(dirname(checkpointPath), PROGRESS_FILE);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      const parsed = JSON.parse(line) as Record<string, number | null>;
      return [
        Object.fromEntries(
          Object.entries(parsed).map(([k, v]) => [k, v ?? Number.NaN]),
        ) as unknown as TrainingFacts,
      ];
    } catch (cause) {
      throw new CcparkError(
        "invalid-argument",
        `[bench] broken learning curve, ${PROGRESS_FILE} line ${i + 1}: expected one JSON object per line`,
        { cause },
      );
    }
  });
}
