/** A command line from its arguments to its exit code: inlining budget, broken pipes, errors in one sentence. */
import { type Command, CommanderError } from "commander";
import { CcparkError, printable } from "../core/errors.ts";
import { raiseInliningBudget } from "../core/v8-inlining.ts";
import { printErr, survivePipes } from "./console.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";

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

/** One sentence; the stack only for those who ask for it. */
function report(error: unknown): void {
  const debug = (process.env["CCPARK_DEBUG"] ?? "") !== "";
  if (debug && error instanceof Error) printErr(`${printable(error.stack ?? "")}\n`);
  else if (error instanceof CcparkError) printErr(`error: ${printable(error.message)}\n`);
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

/** @param program with `exitOverride`, set before its subcommands were added: they inherit it */
export async function runProgram(program: Command): Promise<void> {
  survivePipes();
  raiseInliningBudget();
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else {
      report(error);
      process.exitCode = exitCodeOf(error);
    }
  }
}
