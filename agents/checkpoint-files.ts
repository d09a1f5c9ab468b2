/** Checkpoints on disk: written to a temporary name and renamed, so that a reader never sees half a file. */
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

function fileError(what: string, path: string, cause: unknown): CcparkError {
  const { code, message } = cause as { code?: string; message: string };
  return new CcparkError(
    KINDS[code ?? ""] ?? "internal",
    `[checkpoint] ${what} \`${path}\`: ${code ?? message}`,
    {
      cause,
    },
  );
}

/**
 * Replaces the file at `path` as one act.
 * @throws CcparkError that names the path
 */
export function saveCheckpoint(path: string, checkpoint: Checkpoint): void {
  const temporary = `${path}.tmp`;
  try {
    writeFileSync(temporary, encodeCheckpoint(checkpoint));
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
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
