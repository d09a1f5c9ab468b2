/**
 * The folder of one training run. Whole files are written to a temporary name and renamed; progress lines are appended
 * one whole line at a time.
 *
 *   config.json       what was asked for: options, seed, total steps, environment
 *   progress.jsonl    one line per update, see ProgressLine
 *   checkpoint.ccpark the latest checkpoint
 */
import {
  accessSync,
  appendFileSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Checkpoint } from "../agents/checkpoint.ts";
import { loadCheckpoint, replaceFile, saveCheckpoint } from "../agents/checkpoint-files.ts";
import { CcparkError, type ErrorKind } from "../core/errors.ts";

export const CHECKPOINT_FILE = "checkpoint.ccpark";
export const PROGRESS_FILE = "progress.jsonl";
export const CONFIG_FILE = "config.json";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export interface RunFolder {
  readonly path: string;
  readonly checkpointPath: string;
  saveCheckpoint(checkpoint: Checkpoint): void;
  appendProgress(line: { readonly [key: string]: JsonValue }): void;
  saveConfig(config: { readonly [key: string]: JsonValue }): void;
}

function refuse(kind: ErrorKind, path: string, why: string, cause?: unknown): CcparkError {
  return new CcparkError(kind, `[train] run folder \`${path}\`: ${why}`, { cause });
}

/** Keeps the lines of the updates that the checkpoint knows; the run goes on after them. */
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
  replaceFile(path, kept.map((line) => `${line}\n`).join(""));
}

/**
 * Makes the folder and proves that it takes files, before any training.
 * @param resume updates of the checkpoint that the run goes on from; undefined for a new run
 * @throws CcparkError: permission-denied or invalid-argument where it cannot be written; already-exists where a new run
 *   would overwrite an old one
 */
export function openRunFolder(path: string, resume?: { readonly updates: number }): RunFolder {
  const at = (name: string): string => join(path, name);
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK | constants.X_OK);
    const probe = at(".writable.tmp");
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (cause) {
    const { code } = cause as { code?: string };
    const kind: ErrorKind =
      code === "EEXIST" || code === "ENOTDIR" ? "invalid-argument" : "permission-denied";
    throw refuse(kind, path, `cannot write there (${code ?? "unknown reason"})`, cause);
  }
  if (resume === undefined && (existsSync(at(CHECKPOINT_FILE)) || existsSync(at(PROGRESS_FILE)))) {
    throw refuse("already-exists", path, "holds a run already; resume it or choose another folder");
  }
  if (resume !== undefined) keepProgress(at(PROGRESS_FILE), resume.updates);
  return {
    path,
    checkpointPath: at(CHECKPOINT_FILE),
    saveCheckpoint: (checkpoint) => saveCheckpoint(at(CHECKPOINT_FILE), checkpoint),
    saveConfig: (config) => replaceFile(at(CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`),
    appendProgress: (line) => {
      try {
        appendFileSync(at(PROGRESS_FILE), `${JSON.stringify(line)}\n`);
      } catch (cause) {
        throw refuse(
          "internal",
          path,
          `cannot append to ${PROGRESS_FILE}: ${(cause as Error).message}`,
          cause,
        );
      }
    },
  };
}

/**
 * @param path a checkpoint file, or the folder of a run
 * @throws CcparkError (not-found) where there is none
 */
export function loadRunCheckpoint(path: string): Checkpoint {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  return loadCheckpoint(isFolder ? join(path, CHECKPOINT_FILE) : path);
}
