/** `ccpark experiment`: published experiments and laws, rerun by one command each. */
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { CcparkError } from "../../core/errors.ts";
import type { Experiment } from "../../eval/experiments/experiment.ts";
import type { ExperimentOption } from "../../eval/experiments/options.ts";
import { EXPERIMENT_NAMES, loadExperiment } from "../../eval/experiments/registry.ts";
import { breathe, interruptible, interruptibly, printErr, printOut } from "../console.ts";
import { quoteForShell } from "../options.ts";

interface OutputOptions {
  readonly out?: string;
  readonly picture?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** `minRtoMs` -> `--min-rto-ms` */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function commanderOption(name: string, option: ExperimentOption<unknown>): Option {
  const { placeholder, help, initial, format } = option;
  const parse = (text: string): unknown => {
    try {
      return option.parse(text);
    } catch (error) {
      if (error instanceof CcparkError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
  return new Option(`${flagOf(name)} <${placeholder}>`, help)
    .argParser(parse)
    .default(initial, format(initial));
}

function parsePicturePath(text: string): string {
  if (!/\.(svg|png)$/i.test(text)) {
    throw new InvalidArgumentError("expected a file name that ends in .svg or .png.");
  }
  return text;
}

/** The command line that gives these results. */
function commandLine({ name, options }: Experiment, settings: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(options).map(
    ([key, option]) => `${flagOf(key)} ${quoteForShell(option.format(settings[key]))}`,
  );
  return [`ccpark experiment ${name}`, ...given].join(" ");
}

async function run(
  experiment: Experiment,
  settings: Readonly<Record<string, unknown>>,
  { out, picture, json, quiet }: OutputOptions,
): Promise<void> {
  const { claimFile, claimFolder } = await import("../../core/whole-files.ts");
  const { claimsTable } = await import("../../eval/experiments/experiment.ts");
  const { startTask } = await import("../train/progress.ts");
  const { name } = experiment;
  const why = experiment.refuses?.();
  if (why !== undefined)
    throw new CcparkError("failed-precondition", `[experiment] ${name} cannot run here: ${why}`);
  if (out !== undefined) claimFolder(out);
  if (picture !== undefined) claimFile(picture);
  const task = await startTask({
    label: name,
    total: experiment.count(settings),
    unit: "rows",
    quiet: quiet === true,
  });
  const rows: object[] = [];
  for await (const row of interruptibly(experiment.run(settings))) {
    rows.push(row);
    if (json) printOut(`${JSON.stringify(row)}\n`);
    task.update(rows.length, experiment.describe?.(row));
    await breathe();
  }
  task.finish();
  const report = interruptible(() => experiment.report(rows, settings));
  if (json) for (const claim of report.claims) printOut(`${JSON.stringify(claim)}\n`);
  else printOut([report.text, claimsTable(report.claims)].filter((part) => part !== "").join("\n"));
  if (out === undefined && picture === undefined) return;
  const { writeExperiment, writePicture } = await import("../../eval/experiments/experiment-files.ts");
  const { versions } = await import("../bench/run-benchmark.ts");
  if (out !== undefined) {
    const provenance = { command: commandLine(experiment, settings), versions: versions() };
    await writeExperiment(out, experiment, settings, rows, report, provenance);
    if (quiet !== true) printErr(`results: ${out}\n`);
  }
  if (picture === undefined) return;
  await writePicture(picture, report.figure);
  if (quiet !== true) printErr(`picture: ${picture}\n`);
}

/** The command of one experiment, made when it is asked for: its options are its own. */
function commandOf(experiment: Experiment): Command {
  const { name, summary, source, options } = experiment;
  const command = new Command(`ccpark experiment ${name}`)
    .description(`${summary}\n${source}`)
    .helpOption("-h, --help", "show help")
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for all options)")
    .exitOverride();
  for (const [key, option] of Object.entries(options)) command.addOption(commanderOption(key, option));
  return command
    .option("--out <dir>", "write results.jsonl, summary.json, report.txt and the picture there")
    .option("--picture <file>", "draw the picture as FILE.svg or FILE.png", parsePicturePath)
    .option("--json", "JSON Lines on stdout: one per row, then one per claim")
    .option("--quiet", "no progress and no messages")
    .action((given: OutputOptions & Record<string, unknown>) => {
      const settings = Object.fromEntries(Object.keys(options).map((key) => [key, given[key]]));
      return run(experiment, settings, given);
    });
}

async function list(): Promise<void> {
  const experiments = await Promise.all(EXPERIMENT_NAMES.map(loadExperiment));
  const width = Math.max(...EXPERIMENT_NAMES.map((name) => name.length));
  const lines = experiments.map(({ name, summary, source }) => {
    return `  ${name.padEnd(width)}  ${summary}\n  ${" ".repeat(width)}  ${source}\n`;
  });
  printOut(
    `Published experiments and laws of congestion control, rerun by one command each:\n\n${lines.join("")}\n` +
      "ccpark experiment NAME runs one; ccpark experiment NAME --help shows its options.\n",
  );
}

/** The experiment's own command reads what stands behind its name. */
async function dispatch(name: string | undefined, rest: readonly string[]): Promise<void> {
  if (name === undefined || name === "-h" || name === "--help") return list();
  const experiment = await loadExperiment(name);
  await commandOf(experiment).parseAsync(rest, { from: "user" });
}

/** With the names for shells to complete, unchecked: it is `--help`, too. */
function nameArgument(): Argument {
  const argument = new Argument("[name]", "which one; absent: a list");
  argument.argChoices = [...EXPERIMENT_NAMES];
  return argument;
}

export function addExperiment(program: Command): void {
  program
    .command("experiment")
    .description("published experiments and laws of congestion control, rerun by one command each")
    .helpOption(false)
    .allowUnknownOption()
    .addArgument(nameArgument())
    .argument("[options...]", "its own; see `ccpark experiment NAME --help`")
    .allowExcessArguments()
    .action((_name, _options, _given, command: Command) => {
      const [name, ...rest] = command.args;
      return dispatch(name, rest);
    });
}
