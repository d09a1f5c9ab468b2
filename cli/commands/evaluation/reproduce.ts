/** `ccpark reproduce`: figures of a published work, rerun beside what it says. */
import { Argument, type Command } from "commander";
import { breathe, printErr, printOut } from "../../console.ts";

interface ReproduceCommandOptions {
  readonly out?: string;
  readonly linux: boolean;
  readonly json?: true;
  readonly quiet?: true;
}

async function reproduceWork(
  _work: string,
  ids: readonly string[],
  options: ReproduceCommandOptions,
): Promise<void> {
  const { join } = await import("node:path");
  const { claimFolder, writeFilesWhole } = await import("../../../core/whole-files.ts");
  const { writeExperiment } = await import("../../../eval/experiments/experiment-files.ts");
  const { chooseFigures, commandOf, figureText, reproduce } = await import(
    "../../../eval/reproduce/reproduce.ts"
  );
  const { THESIS } = await import("../../../eval/reproduce/thesis.ts");
  const { startTask } = await import("../../train/progress.ts");
  const { versions } = await import("../../bench/run-benchmark.ts");
  const figures = chooseFigures(THESIS, ids);
  const { out } = options;
  if (out !== undefined) claimFolder(out);
  const task = await startTask({
    label: "figures",
    total: figures.length,
    unit: "figures",
    quiet: options.quiet === true,
  });
  const texts: string[] = [];
  const onProgress = async ({ id }: { readonly id: string }, text: string): Promise<void> => {
    task.update(texts.length, `${id}: ${text}`);
    await breathe();
  };
  for await (const done of reproduce(figures, { linux: options.linux, onProgress })) {
    const { figure, skipped, claims, ran } = done;
    const text = figureText(done);
    texts.push(text);
    if (options.json) {
      const { id, title, thesis, differs } = figure;
      printOut(
        `${JSON.stringify({ figure: id, title, thesis, ...(skipped === undefined ? {} : { skipped }), claims, differs, command: commandOf(figure) })}\n`,
      );
    } else printOut(`${text}\n`);
    if (out === undefined || ran === undefined) continue;
    const folder = join(out, figure.id);
    claimFolder(folder);
    const provenance = { command: commandOf(figure), versions: versions() };
    await writeExperiment(folder, ran.experiment, ran.settings, ran.rows, ran.report, provenance);
  }
  task.finish();
  if (out === undefined) return;
  writeFilesWhole({ [join(out, "report.txt")]: texts.join("\n") });
  if (options.quiet !== true) printErr(`results: ${out}\n`);
}

export function addReproduce(program: Command): void {
  program
    .command("reproduce")
    .description(
      "figures and tables of a published work, rerun beside its numbers, with where and why they differ",
    )
    .addArgument(new Argument("<work>", "thesis: A. Narayan's on CCP, chapter 4").choices(["thesis"]))
    .argument(
      "[figures...]",
      "4.2 to 4.6, 4.9 to 4.12, table-copa; of Linux, as root: 4.7, 4.8, table-4.1 (default: all)",
    )
    .option("--out <dir>", "write each figure's rows, tables and picture there, and report.txt")
    .option("--no-linux", "leave out what measures Linux itself")
    .option("--json", "JSON Lines on stdout: one per figure")
    .option("--quiet", "no progress and no messages")
    .action(reproduceWork);
}
