/** Checkpoints and other whole files on disk: written to a temporary name and renamed, so that a reader never sees half a file. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { CcparkError, type ErrorKind } from "../core/errors.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";

const KINDS: Readonly<Record<string, ErrorKind>> = {
  ENOENT: "not-found",
  ENOTDIR: "not-found",
  EACCES: "permission-denied",
  EPERM: "permission-denied",
  EROFS: "permission-denied",
  EISDIR: "invalid-argument",
  ENOSPC: "resource-exhausted",
};

/** The usual failures in words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "a part of the path is not a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  EISDIR: "it is a folder, expected a file",
  ENOSPC: "no space left",
};

function fileError(what: string, path: string, cause: unknown): CcparkError {
  const { code, message } = cause as { code?: string; message: string };
  return new CcparkError(
    KINDS[code ?? ""] ?? "internal",
    `[files] ${what} \`${path}\`: ${REASONS[code ?? ""] ?? code ?? message}`,
    {
      cause,
    },
  );
}

/** Cleans up after a failure; a second failure must not hide the first. */
function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // the first error says what is wrong
  }
}

/**
 * Replaces the file at `path` as one act, through `path`.tmp.
 * @throws CcparkError that names the path
 */
export function saveCheckpoint(path: string, checkpoint: Checkpoint): void {
  replaceFile(path, encodeCheckpoint(checkpoint));
}

/** The same for any content. */
export function replaceFile(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.tmp`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (cause) {
    removeIfThere(temporary);
    throw fileError("cannot write", path, cause);
  }
}

/** @throws CcparkError: not-found, permission-denied, or invalid-argument for a file that is not a checkpoint */
export function loadCheckpoint(path: string): Checkpoint {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw fileError("cannot read", path, cause);
  }
  return decodeCheckpoint(bytes, path);
}
