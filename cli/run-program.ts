/** A command line from its arguments to its exit code: V8's flags, broken pipes, errors in one sentence. */
import { type Command, CommanderError } from "commander";
import { wrapEachSignature } from "../core/v8-inlining.ts";
import { survivePipes } from "./console.ts";
import { EXIT } from "./exit/exit-codes.ts";
import { reportError } from "./exit/report-error.ts";

/** What follows a list with spaces in it is taken for an argument. */
function outputError(text: string, write: (text: string) => void): void {
  write(text);
  if (text.startsWith("error: too many arguments"))
    write("a list has commas and no spaces, such as --algorithms cubic,bbr\n");
}

/** @param program with `exitOverride`, set before its subcommands were added: they inherit it */
export async function runProgram(program: Command): Promise<void> {
  survivePipes();
  for (const command of program.commands) {
    if (command.options.some(({ long }) => long === "--algorithms")) command.configureOutput({ outputError });
  }
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
