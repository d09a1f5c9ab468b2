/** `ccpark train`: trains a policy into a run folder, or goes on with one. */
import { type Command, Option } from "commander";
import { EXIT } from "../exit/exit-codes.ts";
import { parseList } from "../options.ts";
import type { TrainingOptions } from "../train/run-training.ts";
import { addTrainingOptions } from "../train/training-options.ts";

async function train(options: TrainingOptions): Promise<void> {
  const { runTraining } = await import("../train/run-training.ts");
  const result = await runTraining(options);
  if (result.stopped) process.exitCode = EXIT.interrupted;
}

export function addTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a policy; Ctrl-C stops after the update in progress and keeps what was learnt")
    .requiredOption(
      "--out <dir>",
      "run folder: config.json, progress.jsonl, checkpoint.ccpark; of evaluations evaluations.jsonl, best.ccpark, curve.svg, report.html",
    );
  addTrainingOptions(command)
    .option(
      "--resume <path>",
      "go on with this checkpoint or run folder, as it was: other options than --steps, --workers, --backend and those of evaluations must not contradict it",
    )
    .addOption(
      new Option(
        "--override <names>",
        "with --resume: options or hyperparameters that may differ from here on, such as reward,learningRate",
      ).argParser(parseList),
    )
    .option("--json", "one JSON line per update on stdout")
    .option("--quiet", "no progress and no messages")
    .action(train);
}
