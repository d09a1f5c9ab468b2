/** How an error is told: in one sentence, with its exit code. */
import { CcparkError, printable } from "../../core/errors.ts";
import { placeInModule, thrownText } from "../../core/module-files.ts";
import { printErr } from "../console.ts";
import { exitCodeOf } from "./exit-codes.ts";

/** What the system refuses is no defect: what it was, and what helps. */
const REFUSED_BY_SYSTEM: Readonly<Record<string, string>> = {
  EMFILE: "this process may have too few files open (`ulimit -n`): expected at least 256",
  ENFILE: "the system has too many files open",
  ENOSPC: "no space is left where it writes",
  EDQUOT: "the quota of disk space is used up",
  ENOMEM: "the system has no memory left",
  EAGAIN: "the system has no room for another process or thread (`ulimit -u`)",
  ERR_WORKER_INIT_FAILED: "the system has no room for another thread (`ulimit -u`, `ulimit -n`)",
  ERR_WORKER_OUT_OF_MEMORY: "a thread ran out of memory",
};

/** With those of its causes; what a thread has told of one is text already. */
function stackOf(error: Error): string {
  const { stack = error.message, cause } = error;
  if (cause instanceof Error) return `${stack}\ncaused by ${stackOf(cause)}`;
  return typeof cause === "string" ? `${stack}\ncaused by ${cause}` : stack;
}

/** Whether stacks are asked for. */
export function isDebugging(): boolean {
  return (process.env["CCPARK_DEBUG"] ?? "") !== "";
}

/** Tells it on stderr, and its exit code to the process; the stack only to those who ask for it. */
export function reportError(error: unknown): void {
  process.exitCode = exitCodeOf(error);
  if (isDebugging() && error instanceof Error) printErr(`${printable(stackOf(error))}\n`);
  else if (error instanceof CcparkError) printErr(`error: ${printable(error.message)}\n`);
  else if (placeInModule(error) !== undefined) printErr(`error: ${printable(thrownText(error))}\n`);
  else {
    const message = error instanceof Error ? error.message : String(error);
    const refused = REFUSED_BY_SYSTEM[String((error as NodeJS.ErrnoException | undefined)?.code)];
    if (refused !== undefined) {
      printErr(`error: ${refused}: ${printable(message)}\n`);
      return;
    }
    printErr(
      `error: ${printable(message)}\nThis looks like a defect of ccpark; CCPARK_DEBUG=1 shows where it happened.\n`,
    );
  }
}
