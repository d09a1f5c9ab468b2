/** `ccpark evaluate ccwg`: an algorithm before RFC 9743, row by row. */
import { type Command, Option } from "commander";
import type { Pace } from "../../../envs/foreign-agent/pace.ts";
import { MAX_SEEDS, seedsUpTo } from "../../../eval/seeds.ts";
import { outWidth, printErr, printOut, writesAtTheEnd } from "../../console.ts";
import {
  collect,
  FORCE_HELP,
  modeOption,
  outsideWords,
  parseAlgorithms,
  parseList,
  parseWhole,
  quietMsOption,
  quoteForShell,
  refuseIdle,
  socketDirOption,
} from "../../options.ts";

interface EvaluateOptions {
  readonly algorithm: string;
  readonly against: readonly string[];
  readonly row?: readonly string[];
  readonly seeds: number;
  readonly testbed: string;
  readonly workers?: number;
  readonly mode: Pace;
  readonly socketDir?: string;
  readonly quietMs?: number;
  readonly out?: string;
  readonly force?: true;
  readonly json?: true;
  readonly quiet?: true;
}

const DEFAULT_AGAINST: readonly string[] = ["cubic", "bbr3"];
const DEFAULT_SEEDS = 3;
const DEFAULT_TESTBED = "simulated";
const MAX_WORKERS = 256;

/** The command line that gives these results. */
function commandLine(options: EvaluateOptions, rows: readonly string[] | undefined): string {
  const words = ["ccpark evaluate ccwg --algorithm", quoteForShell(options.algorithm)];
  words.push(`--against ${options.against.map(quoteForShell).join(",")}`, `--seeds ${options.seeds}`);
  if (options.testbed !== DEFAULT_TESTBED) words.push(`--testbed ${options.testbed}`);
  words.push(...outsideWords(options));
  for (const row of rows ?? []) words.push(`--row ${row}`);
  return words.join(" ");
}

async function evaluate(options: EvaluateOptions, given: Command): Promise<void> {
  const { join } = await import("node:path");
  const { availableParallelism } = await import("node:os");
  const { claimFolder, writeFilesWhole } = await import("../../../core/whole-files.ts");
  const { checkRan, judgeRow } = await import("../../../eval/ccwg/evaluate.ts");
  const { ccwgPage, ccwgTable } = await import("../../../eval/ccwg/report.ts");
  const { contenderNotes } = await import("../../../eval/contenders/contender.ts");
  const { canRun } = await import("../../../eval/ccwg/row.ts");
  const { jsonLines, prettyJson } = await import("../../../eval/result-files.ts");
  const { planOf } = await import("../../evaluate/evaluation.ts");
  const { runEvaluation } = await import("../../evaluate/run-evaluation.ts");
  const { versions } = await import("../../bench/run-benchmark.ts");
  const { refuseOther } = await import("../../bench/other-results.ts");

  const { algorithm, against, row: rows, out, testbed } = options;
  refuseIdle(given, [algorithm, ...against]);
  const input = {
    algorithm,
    against,
    ...(rows !== undefined && { rows: [...new Set(rows)] }),
    seeds: seedsUpTo(options.seeds),
    testbed,
    quiet: options.quiet === true,
    outside: { pace: options.mode, quietMs: options.quietMs, socketDir: options.socketDir },
  };
  const evaluation = await planOf(input);
  const command = commandLine(options, rows);
  if (out !== undefined) {
    claimFolder(out);
    const isSame = (stored: { readonly command?: unknown }): boolean => stored.command === command;
    if (options.force !== true) refuseOther({ folder: out, file: "summary.json", isSame });
    writesAtTheEnd();
  }
  const outcomes = await runEvaluation(input, evaluation, options.workers ?? availableParallelism());
  checkRan(evaluation.plan, evaluation.evaluated.name, outcomes);
  const judged = evaluation.plan.rows.map((planned) =>
    judgeRow(planned, outcomes, {
      algorithm: evaluation.evaluated.name,
      testbed,
      seeds: input.seeds,
      commandOf: (row) => commandLine(options, [row]),
    }),
  );
  const records = judged.map(({ record }) => record);
  printOut(
    options.json === true
      ? jsonLines(records)
      : `${ccwgTable(records, outWidth(false))}${contenderNotes([evaluation.evaluated])}`,
  );
  if (out === undefined) return;
  const { drawSvg } = await import("../../../eval/report/picture.ts");
  const plots = new Map<string, string>();
  for (const { row, results } of judged) {
    if (results === undefined || !canRun(row)) continue;
    const { spec, names } = row.figure(results);
    plots.set(row.name, await drawSvg(spec, names));
  }
  writeFilesWhole({
    ...Object.fromEntries([...plots].map(([name, svg]) => [join(out, `${name}.svg`), svg])),
    [join(out, "results.jsonl")]: jsonLines(records),
    [join(out, "summary.json")]: prettyJson({
      command,
      versions: versions(),
      ...input,
      outside: undefined,
      quiet: undefined,
    }),
    [join(out, "report.html")]: ccwgPage(records, plots, { algorithm: evaluation.evaluated.name, command }),
  });
  if (options.quiet !== true) printErr(`report: ${join(out, "report.html")}\n`);
}

export function addEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .description("evaluate an algorithm as a standard or a working group asks");
  command
    .command("ccwg")
    .description(
      "RFC 9743: every MUST and SHOULD as an experiment with a threshold, its source and a verdict",
    )
    .requiredOption(
      "--algorithm <name>",
      "what is evaluated: an algorithm (see `ccpark explain algorithms`), ./FILE.js, agent:FILE, onnx:FILE or unix:SOCKET:NAME",
    )
    .addOption(
      new Option(
        "--against <names>",
        "algorithms to compete with beside Reno, QUIC's NewReno and CUBIC, separated by commas",
      )
        .argParser(parseAlgorithms)
        .default(DEFAULT_AGAINST, DEFAULT_AGAINST.join(",")),
    )
    .option("--row <name>", "this row alone; may repeat", (text: string, before?: string[]) =>
      parseList(text).reduce((all: string[], name) => collect(name, all), before ?? []),
    )
    .addOption(
      new Option("--seeds <n>", "run seeds 1 to n; rows take the median")
        .argParser(parseWhole(1, MAX_SEEDS))
        .default(DEFAULT_SEEDS),
    )
    .option("--testbed <name>", "the world that runs it (see `ccpark explain testbeds`)", DEFAULT_TESTBED)
    .addOption(
      new Option(
        "--workers <n>",
        "run in so many threads; the results are the same (default: one per core)",
      ).argParser(parseWhole(1, MAX_WORKERS)),
    )
    .addOption(modeOption())
    .addOption(quietMsOption())
    .addOption(socketDirOption())
    .option("--out <dir>", "write report.html, results.jsonl, summary.json and a plot of each row there")
    .option("--force", FORCE_HELP)
    .option("--json", "one line of JSON per row instead of the table")
    .option("--quiet", "no progress and no messages")
    .action(evaluate);
}
