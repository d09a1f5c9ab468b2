/** A command line from its arguments to its exit code: broken pipes, errors in one sentence. */
import { type Command, CommanderError } from "commander";
import { UnknownName } from "../core/errors.ts";
import { printErr, survivePipes } from "./console.ts";
import { EXIT } from "./exit/exit-codes.ts";
import { reportError } from "./exit/report-error.ts";
import { addUsageHints } from "./exit/usage-hints.ts";

/** @param program with `exitOverride`, set before its subcommands were added: they inherit it */
export async function runProgram(program: Command): Promise<void> {
  survivePipes();
  addUsageHints(program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else {
      reportError(error);
      if (error instanceof UnknownName) {
        const { otherMeaning } = await import("./exit/other-meaning.ts");
        const meaning = await otherMeaning(
          error,
          program.commands.map((command) => command.name()),
        );
        if (meaning !== undefined) printErr(`${meaning}\n`);
      }
    }
  }
}
