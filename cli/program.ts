/** Reads the command line and hands over. Commands load what they need only when they run. */
import { Command } from "commander";
import { addAgent } from "./commands/agent.ts";
import { addAlgorithm } from "./commands/algorithm/algorithm.ts";
import { addBench } from "./commands/bench.ts";
import { addBundle } from "./commands/bundle/bundle.ts";
import { addCcp } from "./commands/ccp.ts";
import { addCompare } from "./commands/compare.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDataset } from "./commands/dataset/dataset.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addAttack } from "./commands/evaluation/attack.ts";
import { addEvaluate } from "./commands/evaluation/evaluate.ts";
import { addFork } from "./commands/evaluation/fork.ts";
import { addLeague } from "./commands/evaluation/league.ts";
import { addPlot } from "./commands/evaluation/plot.ts";
import { addReproduce } from "./commands/evaluation/reproduce.ts";
import { addUi } from "./commands/evaluation/ui.ts";
import { addExperiment } from "./commands/experiment.ts";
import { addExplain } from "./commands/explain/explain.ts";
import { addFlows } from "./commands/flows/flows.ts";
import { addDistill } from "./commands/learn/distill.ts";
import { addSweep } from "./commands/learn/sweep.ts";
import { addLink } from "./commands/link.ts";
import { addQuickstart } from "./commands/quickstart.ts";
import { addRun } from "./commands/run.ts";
import { addServe } from "./commands/serve.ts";
import { addSim } from "./commands/sim.ts";
import { addStack } from "./commands/stack/stack.ts";
import { addTrace } from "./commands/trace.ts";
import { addTrain } from "./commands/train.ts";
import { packageVersion } from "./own-package.ts";

const EXIT_CODES = `
Exit codes:
  0    it worked
  1    it failed (port in use, peer gone, defect)
  2    wrong usage or input
  130  stopped by Ctrl-C

CCPARK_DEBUG=1 adds stack traces to error messages.`;

/** All commands. */
export function makeProgram(): Command {
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
  addSweep(program);
  addDistill(program);
  addDataset(program);
  addBench(program);
  addCompare(program);
  addPlot(program);
  addReproduce(program);
  addUi(program);
  addLeague(program);
  addServe(program);
  addFlows(program);
  addAgent(program);
  addSim(program);
  addAlgorithm(program);
  addEvaluate(program);
  addFork(program);
  addAttack(program);
  addExperiment(program);
  addExplain(program);
  addDoctor(program);
  addLink(program);
  addRun(program);
  addBundle(program);
  addStack(program);
  addTrace(program);
  addCcp(program);
  addCompletion(program);
  return program;
}
