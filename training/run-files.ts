/**
 * The folder of one training run. Whole files are written to a temporary name and renamed; progress lines are appended
 * one whole line at a time. Who trains there holds its lock.
 *
 *   config.json       what was asked for: options, seed, total steps, environment, and what changed later, see RunConfig
 *   progress.jsonl    one line per update, see ProgressLine
 *   checkpoint.ccpark the latest checkpoint
 *   evaluations.jsonl one line per evaluation on validation links, see EvaluationLine
 *   focus.jsonl       one line per choice of links, see FocusStage; of trainings that have such
 *   best.ccpark       the checkpoint of the best of them
 *   .lock-PID-START   while it is written to
 */
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Checkpoint } from "../agents/checkpoint.ts";
import { loadCheckpoint, saveCheckpoint } from "../agents/checkpoint-files.ts";
import { CcparkError } from "../core/errors.ts";
import { appendToFile, claimFile, claimFolder, TEMPORARY, writeFilesWhole } from "../core/whole-files.ts";
import { type JsonObject, type RunConfig, readRunConfig } from "./run-config.ts";
import { lockFolder } from "./run-lock.ts";

export const CHECKPOINT_FILE = "checkpoint.ccpark";
export const PROGRESS_FILE = "progress.jsonl";
export const CONFIG_FILE = "config.json";
export const EVALUATIONS_FILE = "evaluations.jsonl";
export const FOCUS_FILE = "focus.jsonl";
export const BEST_FILE = "best.ccpark";
const FILES = [CHECKPOINT_FILE, PROGRESS_FILE, CONFIG_FILE, EVALUATIONS_FILE, FOCUS_FILE, BEST_FILE];

export interface RunFolder {
  readonly path: string;
  readonly checkpointPath: string;
  saveCheckpoint(checkpoint: Checkpoint): void;
  appendProgress(line: JsonObject): void;
  saveConfig(config: RunConfig): void;
  readonly bestPath: string;
  /** whether the best checkpoint of the evaluations is there */
  readonly holdsBest: boolean;
  saveBest(checkpoint: Checkpoint): void;
  appendEvaluation(line: JsonObject): void;
  appendFocus(line: JsonObject): void;
  /**
   * Keeps the lines of the updates that the checkpoint knows, and the best checkpoint where it is one of these; the run goes on after
   * them. A run that begins (0 updates) keeps none.
   * @returns the evaluations and the choices of links that were kept
   */
  keepLines(updates: number): {
    readonly evaluations: readonly JsonObject[];
    readonly focus: readonly JsonObject[];
  };
  /** Lets others write there; may be called twice. */
  close(): void;
}

interface KeptLine {
  readonly line: string;
  readonly parsed: JsonObject;
}

/** Lines of the updates that a checkpoint knows. */
function linesUntil(path: string, updates: number): KeptLine[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        const parsed = JSON.parse(line) as JsonObject;
        return updates > 0 && Number(parsed["update"]) <= updates ? [{ line, parsed }] : [];
      } catch {
        return []; // the empty end, or a line cut by a crash
      }
    });
}

/** @returns what was kept */
function keepLines(path: string, updates: number): JsonObject[] {
  if (!existsSync(path)) return [];
  const kept = linesUntil(path, updates);
  writeFilesWhole({ [path]: kept.map(({ line }) => `${line}\n`).join("") });
  return kept.map(({ parsed }) => parsed);
}

/** The best checkpoint is that of an evaluation which the run knows, or none. */
function keepBest(path: string, evaluations: readonly JsonObject[]): void {
  if (!existsSync(path)) return;
  try {
    const { updates } = loadCheckpoint(path).header;
    if (evaluations.some(({ update }) => update === updates)) return;
  } catch {
    // whatever it is, it is of no evaluation
  }
  rmSync(path);
}

/** What a writer left that was killed while it wrote. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (FILES.some((file) => name.startsWith(`${file}${TEMPORARY}`))) rmSync(join(folder, name));
  }
}

/**
 * Makes the folder, proves that it takes files and locks it, before any training.
 * @throws CcparkError where it cannot be written; (failed-precondition) where somebody else trains there
 */
export function openRunFolder(path: string): RunFolder {
  const at = (name: string): string => join(path, name);
  claimFolder(path);
  for (const file of FILES) claimFile(at(file));
  const close = lockFolder(path);
  removeLeftovers(path);
  return {
    path,
    close,
    checkpointPath: at(CHECKPOINT_FILE),
    saveCheckpoint: (checkpoint) => saveCheckpoint(at(CHECKPOINT_FILE), checkpoint),
    saveConfig: (config) => writeFilesWhole({ [at(CONFIG_FILE)]: `${JSON.stringify(config, null, 2)}\n` }),
    appendProgress: (line) => appendToFile(at(PROGRESS_FILE), `${JSON.stringify(line)}\n`),
    bestPath: at(BEST_FILE),
    get holdsBest() {
      return existsSync(at(BEST_FILE));
    },
    saveBest: (checkpoint) => saveCheckpoint(at(BEST_FILE), checkpoint),
    appendEvaluation: (line) => appendToFile(at(EVALUATIONS_FILE), `${JSON.stringify(line)}\n`),
    appendFocus: (line) => appendToFile(at(FOCUS_FILE), `${JSON.stringify(line)}\n`),
    keepLines: (updates) => {
      keepLines(at(PROGRESS_FILE), updates);
      const evaluations = keepLines(at(EVALUATIONS_FILE), updates);
      keepBest(at(BEST_FILE), evaluations);
      return { evaluations, focus: keepLines(at(FOCUS_FILE), updates) };
    },
  };
}

/** Whether there is a checkpoint: a run that was ended before its first one has nothing to lose. */
export function holdsRun(folder: string): boolean {
  return existsSync(join(folder, CHECKPOINT_FILE));
}

/**
 * A new run may take the place of one that was ended before its first checkpoint, and of nothing else.
 * @throws CcparkError: already-exists where it would overwrite a run; invalid-argument where files of these names are not a run's
 */
export function refuseOldRun(folder: string): void {
  const config = readRunConfig(join(folder, CONFIG_FILE));
  const isForeign = config === undefined && existsSync(join(folder, PROGRESS_FILE));
  if (!holdsRun(folder) && !isForeign) return;
  throw new CcparkError(
    "already-exists",
    `[train] run folder \`${folder}\`: holds a run already; resume it (\`--out ${folder} --resume ${folder}\`) or choose another folder`,
  );
}

/** Where the checkpoint lies that a path means: a checkpoint file, or the folder of a run. */
export function checkpointPathOf(path: string): string {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  return isFolder ? join(path, CHECKPOINT_FILE) : path;
}

/**
 * @param path a checkpoint file, or the folder of a run
 * @throws CcparkError (not-found) where there is none
 */
export function loadRunCheckpoint(path: string): Checkpoint {
  const file = checkpointPathOf(path);
  if (file !== path && !existsSync(file)) {
    const why = existsSync(join(path, CONFIG_FILE))
      ? "; a run that was ended before its first one is started again, without --resume"
      : ", expected the folder of a run, as `ccpark train --out` makes it";
    const message = `[train] run folder \`${path}\`: holds no checkpoint${why}`;
    throw new CcparkError("not-found", message);
  }
  return loadCheckpoint(file);
}

/**
 * The configuration beside a checkpoint.
 * @param path a checkpoint file, or the folder of a run
 * @returns undefined: it was taken out of its folder
 */
export function loadRunConfig(path: string): RunConfig | undefined {
  return readRunConfig(join(dirname(checkpointPathOf(path)), CONFIG_FILE));
}

/** The choices of links beside a checkpoint, up to it. */
export function loadRunFocus(path: string, updates: number): JsonObject[] {
  const file = join(dirname(checkpointPathOf(path)), FOCUS_FILE);
  return linesUntil(file, updates).map(({ parsed }) => parsed);
}

/** Whether a path means the checkpoint of this run folder, which exists. */
export function isCheckpointOf(path: string, folder: string): boolean {
  const own = join(folder, CHECKPOINT_FILE);
  return existsSync(own) && realpathSync(own) === realpathSync(checkpointPathOf(path));
}
