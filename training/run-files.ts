/**
 * The folder of one training run. Whole files are written to a temporary name and renamed; progress lines are appended
 * one whole line at a time. Who trains there holds its lock.
 *
 *   config.json       what was asked for: options, seed, total steps, environment, and what changed later, see RunConfig
 *   progress.jsonl    one line per update, see ProgressLine
 *   checkpoint.ccpark the latest checkpoint
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
const FILES = [CHECKPOINT_FILE, PROGRESS_FILE, CONFIG_FILE];

export interface RunFolder {
  readonly path: string;
  readonly checkpointPath: string;
  saveCheckpoint(checkpoint: Checkpoint): void;
  appendProgress(line: JsonObject): void;
  saveConfig(config: RunConfig): void;
  /**
   * Keeps the lines of the updates that the checkpoint knows; the run goes on after them. 0: none.
   */
  keepProgress(updates: number): void;
  /** Lets others write there; may be called twice. */
  close(): void;
}

function keepProgress(path: string, updates: number): void {
  if (!existsSync(path)) return;
  const kept = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => {
      try {
        return (JSON.parse(line) as { update: number }).update <= updates;
      } catch {
        return false; // the empty end, or a line cut by a crash
      }
    });
  writeFilesWhole({ [path]: kept.map((line) => `${line}\n`).join("") });
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
    keepProgress: (updates) => keepProgress(at(PROGRESS_FILE), updates),
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
    `[train] run folder \`${folder}\`: holds a run already; resume it or choose another folder`,
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
    const message = `[train] run folder \`${path}\`: holds no checkpoint; a run that was ended before its first one is started again, without --resume`;
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

/** Whether a path means the checkpoint of this run folder, which exists. */
export function isCheckpointOf(path: string, folder: string): boolean {
  const own = join(folder, CHECKPOINT_FILE);
  return existsSync(own) && realpathSync(own) === realpathSync(checkpointPathOf(path));
}
