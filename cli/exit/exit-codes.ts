/**
 * Exit codes of `ccpark`, one table:
 *   0    it worked
 *   1    it failed: a port in use, a peer gone, a defect of ours
 *   2    wrong usage or input: an unknown name or option, a malformed file, a scenario too large for memory, a folder that
 *        cannot be written
 *   130  stopped by Ctrl-C
 */
import { CcparkError, type ErrorKind } from "../../core/errors.ts";

export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

const OF_KIND: Readonly<Record<ErrorKind, number>> = {
  "invalid-argument": EXIT.usage,
  "not-found": EXIT.usage,
  "already-exists": EXIT.usage,
  "permission-denied": EXIT.usage,
  "failed-precondition": EXIT.failure,
  unavailable: EXIT.failure,
  "resource-exhausted": EXIT.usage,
  internal: EXIT.failure,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof CcparkError ? OF_KIND[error.kind] : EXIT.failure;
}
