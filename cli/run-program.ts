/** A command line from its arguments to its exit code: V8's flags, broken pipes, errors in one sentence. */
import { type Command, CommanderError } from "commander";
import { wrapEachSignature } from "../core/v8-inlining.ts";
import { survivePipes } from "./console.ts";
import { EXIT } from "./exit/exit-codes.ts";
import { reportError } from "./exit/report-error.ts";

/** @param program with `exitOverride`, set before its subcommands were added: they inherit it */
export async function runProgram(program: Command): Promise<void> {
  survivePipes();
  wrapEachSignature();
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else {
      reportError(error);
    }
  }
}
