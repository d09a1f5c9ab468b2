#!/usr/bin/env node
/** `ccpark`: reads the command line and hands over. Commands load what they need only when they run. */
import { Command, CommanderError } from "commander";
import { CcparkError } from "../core/errors.ts";
import { raiseInliningBudget } from "../core/v8-inlining.ts";
import { addAgent } from "./agent.ts";
import { addBench } from "./bench.ts";
import { addCcp } from "./ccp.ts";
import { exitOnInterrupt, printErr, survivePipes } from "./console.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { addExperiment } from "./experiment.ts";
import { addExplain } from "./explain.ts";
import { addQuickstart } from "./quickstart.ts";
import { addServe } from "./serve.ts";
import { addSim } from "./sim.ts";
import { addTrace } from "./trace.ts";
import { addTrain } from "./train.ts";
import { packageVersion } from "./version.ts";

const EXIT_CODES = `
Exit codes:
  0    it worked
  1    it failed (port in use, peer gone, defect)
  2    wrong usage or input
  130  stopped by Ctrl-C

CCPARK_DEBUG=1 adds stack traces to error messages.`;

function makeProgram(): Command {
  const program = new Command("ccpark")
    .description("A reinforcement-learning environment for congestion control.")
    .version(packageVersion())
    .helpOption("-h, --help", "show help")
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for all options)")
    .addHelpText("after", EXIT_CODES)
    .exitOverride();
  addQuickstart(program);
  addTrain(program);
  addBench(program);
  addServe(program);
  addAgent(program);
  addSim(program);
  addExperiment(program);
  addExplain(program);
  addTrace(program);
  addCcp(program);
  return program;
}

/** One sentence; the stack only for those who ask for it. */
function report(error: unknown): void {
  const debug = (process.env["CCPARK_DEBUG"] ?? "") !== "";
  if (debug && error instanceof Error) printErr(`${error.stack}\n`);
  else if (error instanceof CcparkError) printErr(`error: ${error.message}\n`);
  else {
    const message = error instanceof Error ? error.message : String(error);
    printErr(
      `error: ${message}\nThis looks like a defect of ccpark; CCPARK_DEBUG=1 shows where it happened.\n`,
    );
  }
}

survivePipes();
exitOnInterrupt();
raiseInliningBudget();
try {
  await makeProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    report(error);
    process.exitCode = exitCodeOf(error);
  }
}
