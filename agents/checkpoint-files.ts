/** Checkpoints on disk: replaced as one act, so that a reader never sees half of one. */
import { readFileSync } from "node:fs";
import { fileError, writeFilesWhole } from "../core/whole-files.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";

/** @throws CcparkError that names the path; (failed-precondition) for numbers that are not finite */
export function saveCheckpoint(path: string, checkpoint: Checkpoint): void {
  writeFilesWhole({ [path]: encodeCheckpoint(checkpoint) });
}

/** @throws CcparkError: not-found, permission-denied, or invalid-argument for a file that is not a checkpoint */
export function loadCheckpoint(path: string): Checkpoint {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw fileError("[checkpoint] cannot read", path, cause);
  }
  return decodeCheckpoint(bytes, path);
}
