/**
 * The command line: from here on Ctrl-C ends it with its exit code, and an error is told in a sentence. Everything else is loaded after
 * that: it takes a while.
 */
import { loadModulesBy } from "../../core/module-files.ts";
import { exitOnInterrupt, withoutHandlers } from "../console.ts";
import { reportError } from "../exit/report-error.ts";

export async function start(): Promise<void> {
  exitOnInterrupt();
  loadModulesBy(withoutHandlers);
  try {
    const { runProgram } = await import("../run-program.ts");
    const { makeProgram } = await import("../program.ts");
    await runProgram(makeProgram());
  } catch (error) {
    reportError(error);
  }
}
