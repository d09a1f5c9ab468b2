/** `ccpark plot`: figures for a paper from saved results, without a run. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Format } from "../../../eval/plots/plot-files.ts";
import { printErr, printOut } from "../../console.ts";
import { MAX_SEED, parseList, parseWhole } from "../../options.ts";

/** As `eval/plots` has them, which is loaded only when a plot is drawn. */
const FORMATS: readonly Format[] = ["svg", "pdf", "png", "csv"];

interface PlotCommandOptions {
  readonly metric: string;
  readonly kind?: "mean" | "time" | "cdf" | "tradeoff";
  readonly scenario?: readonly string[];
  readonly contenders?: readonly string[];
  readonly seed?: number;
  readonly format: readonly Format[];
  readonly size: "column" | "double";
  readonly out?: string;
  readonly quiet?: true;
}

function parseFormats(text: string): Format[] {
  return parseList(text).map((name) => {
    const format = FORMATS.find((each) => each === name);
    if (format === undefined) throw new InvalidArgumentError(`expected names among ${FORMATS.join(", ")}.`);
    return format;
  });
}

async function plot(
  folders: readonly string[],
  options: PlotCommandOptions,
  command: Command,
): Promise<void> {
  const { join } = await import("node:path");
  const { claimFolder, writeFilesWhole } = await import("../../../core/whole-files.ts");
  const { differentLinks, plotOf } = await import("../../../eval/plots/plot.ts");
  const { plotFile } = await import("../../../eval/plots/plot-files.ts");
  const { readResults } = await import("../../../eval/plots/saved-results.ts");
  const { resultsCsv } = await import("../../../eval/plots/results-csv.ts");
  if (options.kind === "tradeoff" && command.getOptionValueSource("metric") === "cli") {
    const { CcparkError } = await import("../../../core/errors.ts");
    const message = `[plot] --metric ${options.metric}: expected none with --kind tradeoff, which is goodput against p95 delay`;
    throw new CcparkError("invalid-argument", message);
  }
  const results = folders.map((folder) => readResults(folder));
  const isOfTime = options.kind === "time" && command.getOptionValueSource("metric") === "default";
  const drawn = plotOf(results, {
    metric: isOfTime ? "throughputMbps" : options.metric,
    size: options.size,
    ...(options.kind !== undefined && { kind: options.kind }),
    ...(options.scenario !== undefined && { scenarios: options.scenario }),
    ...(options.contenders !== undefined && { contenders: options.contenders }),
    ...(options.seed !== undefined && { seed: options.seed }),
  });
  const out = options.out ?? join(folders[0]!, "plots");
  claimFolder(out);
  const base = drawn.name.replaceAll(/[^\w.-]+/g, "_");
  const files: Record<string, string | Uint8Array> = {
    [join(out, "results.csv")]: resultsCsv(results.flatMap(({ records }) => records)),
  };
  for (const format of options.format) files[join(out, `${base}.${format}`)] = await plotFile(drawn, format);
  writeFilesWhole(files);
  for (const file of Object.keys(files)) printOut(`${file}\n`);
  if (options.quiet === true) return;
  for (const note of differentLinks(results, options.scenario)) printErr(`note: ${note}\n`);
  printErr(`${drawn.rows.length} marks of ${drawn.names.length} contenders\n`);
}

export function addPlot(program: Command): void {
  program
    .command("plot")
    .description("figures for a paper from folders that bench --out wrote; nothing is run again")
    .argument("<runs...>", "results folders; contenders of several are drawn together")
    .option(
      "--metric <name>",
      "a quantity of runs (score, power, goodputMbps, utilisation, meanQueueDelayMs, p95QueueDelayMs, lossRate, ..., metric.NAME) or over time (throughputMbps, queueDelayMs, cwndPackets)",
      "score",
    )
    .addOption(
      new Option(
        "--kind <kind>",
        "means with intervals, course over time, distribution, or goodput against p95 delay (default: as the metric wants it)",
      ).choices(["mean", "time", "cdf", "tradeoff"]),
    )
    .addOption(
      new Option("--scenario <names>", "links, separated by commas (default: all)").argParser(parseList),
    )
    .addOption(new Option("--contenders <names>", "separated by commas (default: all)").argParser(parseList))
    .addOption(
      new Option("--seed <n>", "of a course over time (default: the first)").argParser(
        parseWhole(0, MAX_SEED),
      ),
    )
    .addOption(
      new Option(
        "--format <formats>",
        "svg, pdf, png (300 dots per inch), csv (what is drawn), separated by commas",
      )
        .argParser(parseFormats)
        .default(["svg"], "svg"),
    )
    .addOption(
      new Option("--size <width>", "of one or two columns of text (3.3 or 7 inches), text of 7 and 8 points")
        .choices(["column", "double"])
        .default("column"),
    )
    .option("--out <dir>", "where to write (default: plots/ in the first folder)")
    .option("--quiet", "no messages")
    .action(plot);
}
