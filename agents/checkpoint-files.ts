/** Checkpoints on disk: replaced as one act, so that a reader never sees half of one. */
import { CcparkError } from "../core/errors.ts";
import { readRegular } from "../core/text-files.ts";
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
    bytes = readRegular(path);
  } catch (cause) {
    if (cause instanceof CcparkError) {
      throw new CcparkError(cause.kind, `[checkpoint] cannot read ${cause.message}`, { cause });
    }
    throw fileError("[checkpoint] cannot read", path, cause);
  }
  return decodeCheckpoint(bytes, path);
}
