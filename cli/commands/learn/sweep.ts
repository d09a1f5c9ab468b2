/** `ccpark sweep`: a training for each setting of hyperparameters, one after the other on this machine, and which was best. */

import { type Command, Option } from "commander";
import { seedsText } from "../../../eval/seeds.ts";
import type { TrialOutcome } from "../../../training/sweep/sweep.ts";
import { collect, MAX_SEED, parseWhole } from "../../options.ts";
import type { TrainingOptions } from "../../train/run-training.ts";
import { addTrainingOptions } from "../../train/training-options.ts";

interface SweepOptions extends Omit<TrainingOptions, "resume" | "override"> {
  readonly vary: readonly string[];
  readonly trials?: number;
  readonly seeds: number;
  readonly sweepSeed: number;
}

const MAX_SEEDS = 1000;

const settingsText = (settings: object): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(" ");

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

async function sweep({ vary, trials: count, seeds, sweepSeed, ...options }: SweepOptions): Promise<void> {
  const { join } = await import("node:path");
  const { default: Table } = await import("cli-table3");
  const { CcparkError } = await import("../../../core/errors.ts");
  const { claimFolder, writeFilesWhole } = await import("../../../core/whole-files.ts");
  const { DEFAULT_LEARNER, getLearner } = await import("../../../agents/registry.ts");
  const { makeTrials, parseVaried, ranked } = await import("../../../training/sweep/sweep.ts");
  const { holdsRun, loadRunConfig } = await import("../../../training/run-files.ts");
  const { loadConfig } = await import("../../train/run-again.ts");
  const { evaluationsIn } = await import("../../train/learning-files.ts");
  const { runTraining } = await import("../../train/run-training.ts");
  const { versions } = await import("../../bench/run-benchmark.ts");
  const { printErr, printOut } = await import("../../console.ts");
  const { EXIT } = await import("../../exit/exit-codes.ts");

  if (options.evaluateEvery === 0) {
    const message =
      "[sweep] --evaluate-every: got 0, expected at least 1: trials are compared by their evaluations";
    throw new CcparkError("invalid-argument", message);
  }
  const configured = options.config === undefined ? undefined : loadConfig(options.config);
  const learner = getLearner(options.learner ?? configured?.algorithm ?? DEFAULT_LEARNER);
  const trials = makeTrials(learner, vary.map(parseVaried), { count, seed: sweepSeed });
  claimFolder(options.out);
  const say = (text: string): void => {
    if (options.quiet !== true) printErr(text);
  };
  const seedList = Array.from({ length: seeds }, (_, i) => (options.seed ?? 1) + i);
  const outcomes: TrialOutcome[] = [];

  for (const [i, settings] of trials.entries()) {
    const best: number[] = [];
    const last: number[] = [];
    const bestSteps: number[] = [];
    let baselines: Readonly<Record<string, number>> = {};
    let failure: string | undefined;
    for (const seed of seedList) {
      const out = join(options.out, `trial-${String(i + 1).padStart(3, "0")}-seed-${seed}`);
      say(`trial ${i + 1} of ${trials.length}, seed ${seed}: ${settingsText(settings)}\n`);
      try {
        // a sweep that is started again goes on where it stopped
        const isBegun = holdsRun(out);
        if (isBegun) expectSame(loadRunConfig(out)?.options ?? {}, settings, out);
        const result = await runTraining({
          ...(isBegun
            ? { steps: options.steps, workers: options.workers, backend: options.backend, resume: out }
            : { ...options, seed }),
          set: isBegun
            ? { learner: {}, scenario: [] }
            : { ...options.set, learner: { ...options.set.learner, ...settings } },
          tensorboard: options.tensorboard,
          backend: options.backend,
          out,
          quiet: true,
          json: undefined,
        } as TrainingOptions);
        if (result.stopped) {
          process.exitCode = EXIT.interrupted;
          say("stopped; started again, the sweep goes on\n");
          return;
        }
      } catch (error) {
        if (!(error instanceof CcparkError) || error.kind !== "failed-precondition") throw error;
        failure = error.message;
        say(`${failure}\n`);
        continue;
      }
      const evaluations = evaluationsIn(out);
      const top = evaluations.reduce((a, b) => (b.score > a.score ? b : a));
      best.push(top.score);
      bestSteps.push(top.steps);
      last.push(evaluations.at(-1)!.score);
      baselines = top.baselines;
    }
    const score = best.length === 0 ? Number.NaN : mean(best);
    const outcome: TrialOutcome = {
      ...{ trial: i + 1, settings, seeds: seedList, best, last, bestSteps, score, baselines },
      ...(failure !== undefined && { failure }),
    };
    outcomes.push(outcome);
    if (options.json === true) printOut(`${JSON.stringify(outcome)}\n`);
    const order = ranked(outcomes);
    writeFilesWhole({
      [join(options.out, "sweep.json")]: `${JSON.stringify(
        { versions: versions(), learner: learner.name, vary, seeds: seedList, sweepSeed, trials: order },
        null,
        2,
      )}\n`,
    });
  }
  if (options.json === true) return;
  const order = ranked(outcomes);
  const names = Object.keys(order[0]?.baselines ?? {});
  const table = new Table({
    head: ["trial", "settings", "best score", "worst seed", "last score", "steps of best", "folder"],
    style: { head: [], border: [] },
  });
  for (const { trial, settings, best, last, bestSteps, score, failure } of order) {
    table.push([
      trial,
      settingsText(settings),
      failure ?? score.toFixed(3),
      best.length === 0 ? "" : Math.min(...best).toFixed(3),
      last.length === 0 ? "" : mean(last).toFixed(3),
      bestSteps.length === 0 ? "" : Math.round(mean(bestSteps)).toLocaleString("en"),
      `trial-${String(trial).padStart(3, "0")}-seed-*`,
    ]);
  }
  printOut(`${table.toString()}\n`);
  const beside = names.map((name) => `${name} ${order[0]!.baselines[name]!.toFixed(3)}`).join(", ");
  printOut(
    `best score: mean over ${seedsText(seedList.length)} of the best evaluation on the validation links; beside it ${beside}\n`,
  );

  /** @throws CcparkError where a folder of the sweep is of other settings */
  function expectSame(has: object, wanted: object, folder: string): void {
    for (const [name, value] of Object.entries(wanted)) {
      const stored = (has as Record<string, unknown>)[name];
      if (JSON.stringify(stored) === JSON.stringify(value)) continue;
      const message = `[sweep] \`${folder}\` holds another trial, ${name}: got ${JSON.stringify(value)}, expected ${JSON.stringify(stored)} to go on with it, or another --out`;
      throw new CcparkError("already-exists", message);
    }
  }
}

export function addSweep(program: Command): void {
  const command = program
    .command("sweep")
    .description(
      "train with each setting of hyperparameters and print which was best on the validation links; started again it goes on",
    )
    .requiredOption("--out <dir>", "a run folder per trial and seed, and sweep.json")
    .requiredOption(
      "--vary <name=values>",
      "a hyperparameter and its values, learningRate=1e-4,3e-4, or a range to draw from, learningRate=1e-5..1e-2 (log-uniform where it spans ten or more); may repeat",
      collect,
    );
  addTrainingOptions(command)
    .addOption(
      new Option(
        "--trials <n>",
        "trials to draw where there is a range (default: 8); of a grid of values, the first n",
      ).argParser(parseWhole(1, 10_000)),
    )
    .addOption(
      new Option("--seeds <n>", "trainings per trial, with seeds from --seed on")
        .argParser(parseWhole(1, MAX_SEEDS))
        .default(1),
    )
    .addOption(
      new Option("--sweep-seed <n>", "draws the trials").argParser(parseWhole(0, MAX_SEED)).default(1),
    )
    .option("--json", "one JSON line per trial on stdout instead of the table")
    .option("--quiet", "no messages")
    .addHelpText(
      "after",
      `
Trials run one after the other, each with --workers threads. For several machines, Ray Tune drives the same trainings through the
Python package (docs/training.md).

  ccpark sweep --out runs/sweep --vary learningRate=3e-4,1e-3,3e-3 --vary gamma=0.9,0.95 --seeds 3 --steps 200000`,
    )
    .action(sweep);
}
