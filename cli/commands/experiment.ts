/** `ccpark experiment`: published experiments and laws, rerun by one command each. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { IncastAlgorithmName, IncastPlan, IncastRecord } from "../../eval/experiments/incast.ts";
import { interruptible, printErr, printOut } from "../console.ts";
import { MAX_SEEDS, parsePositive, parseSvgPath, parseWhole, seedsUpTo } from "../options.ts";

/** `10,40` -> [10, 40]; each above 0. */
function parseNumbers(text: string): number[] {
  return text.split(",").map((part) => parsePositive(part));
}

/** `10,100` -> [10, 100]; whole numbers, each above 0. */
function parseWholes(text: string): number[] {
  const parse = parseWhole(1, 1_000_000);
  const numbers = text.split(",").map((part) => parse(part.trim()));
  if (new Set(numbers).size < numbers.length) throw new InvalidArgumentError("expected each number once.");
  return numbers;
}

interface IncastOptions {
  readonly seeds: number;
  readonly rates: readonly number[];
  readonly packets: readonly number[];
  readonly intervalsUs: readonly number[];
  readonly bufferPackets: number;
  readonly minRtoMs: number;
  readonly startJitterUs: number;
  readonly stalenessUs: number;
  readonly algorithm: IncastAlgorithmName;
  readonly out?: string;
  readonly picture?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** The command line that gives these results. */
function incastCommand(options: IncastOptions): string {
  return [
    "ccpark experiment incast",
    `--seeds ${options.seeds}`,
    `--rates ${options.rates.join(",")}`,
    `--packets ${options.packets.join(",")}`,
    `--intervals-us ${options.intervalsUs.join(",")}`,
    `--buffer-packets ${options.bufferPackets}`,
    `--min-rto-ms ${options.minRtoMs}`,
    `--start-jitter-us ${options.startJitterUs}`,
    `--staleness-us ${options.stalenessUs}`,
    `--algorithm ${options.algorithm}`,
  ].join(" ");
}

async function incast(options: IncastOptions): Promise<void> {
  const { countIncastRuns, INCAST_SETTING, incastRuns, summariseIncast } = await import(
    "../../eval/experiments/incast.ts"
  );
  const { incastPicture, incastTable, writeIncastResults } = await import(
    "../../eval/experiments/incast-report.ts"
  );
  const { claimFile, claimFolder, writeFilesWhole } = await import("../../core/whole-files.ts");
  const { jsonLines } = await import("../../eval/result-files.ts");
  const { breathe, interruptibly } = await import("../console.ts");
  const { startTask } = await import("../train/progress.ts");
  const { versions } = await import("../bench/run-benchmark.ts");

  if (options.out !== undefined) claimFolder(options.out);
  if (options.picture !== undefined) claimFile(options.picture);
  const { bufferPackets, minRtoMs, startJitterUs } = options;
  const plan: IncastPlan = {
    ratesGbps: options.rates,
    packets: options.packets,
    intervalsUs: options.intervalsUs,
    seeds: seedsUpTo(options.seeds),
    stalenessUs: options.stalenessUs,
    algorithm: options.algorithm,
    setting: { ...INCAST_SETTING, bufferPackets, minRtoMs, startJitterUs },
  };
  const total = countIncastRuns(plan);
  const task = await startTask({ label: "incast", total, unit: "runs", quiet: options.quiet === true });
  const records: IncastRecord[] = [];
  for await (const record of interruptibly(incastRuns(plan))) {
    records.push(record);
    if (options.json === true) printOut(jsonLines([record]));
    task.update(records.length, `${record.rateGbps} Gbit/s, ${record.packets} packets`);
    await breathe();
  }
  task.finish();
  const rows = summariseIncast(records);
  if (options.json !== true) printOut(incastTable(plan, rows));
  if (options.out !== undefined) {
    writeIncastResults(options.out, plan, records, { command: incastCommand(options), versions: versions() });
    if (!options.quiet) printErr(`results: ${options.out}\n`);
  }
  if (options.picture !== undefined) {
    writeFilesWhole({ [options.picture]: await incastPicture(plan, rows) });
  }
}

interface LawOptions {
  readonly json?: true;
}

async function response(options: LawOptions): Promise<void> {
  const { RESPONSE_PLANS, measureResponse, responseTable } = await import(
    "../../eval/experiments/response.ts"
  );
  const points = interruptible(() => RESPONSE_PLANS.map(measureResponse));
  if (options.json !== true) printOut(responseTable(points));
  else for (const point of points) printOut(`${JSON.stringify(point)}\n`);
}

async function fairness(options: LawOptions): Promise<void> {
  const { fairnessTable, runFairness } = await import("../../eval/experiments/fairness.ts");
  const outcome = interruptible(runFairness);
  printOut(options.json === true ? `${JSON.stringify(outcome)}\n` : fairnessTable(outcome));
}

export function addExperiment(program: Command): void {
  const experiment = program
    .command("experiment")
    .description("published experiments and laws of congestion control, rerun by one command each");
  const numbers = (flags: string, text: string, initial: number[]): Option =>
    new Option(flags, text).argParser(parseWholes).default(initial, initial.join(","));
  experiment
    .command("incast")
    .description("50 senders to one switch port: how late may an agent hear of its flows? (CCP thesis)")
    .addOption(new Option("--seeds <n>", "run seeds 1 to n").argParser(parseWhole(1, MAX_SEEDS)).default(50))
    .addOption(
      new Option("--rates <gbps>", "Gbit/s of the port").argParser(parseNumbers).default([10, 40], "10,40"),
    )
    .addOption(numbers("--packets <n>", "data packets of each flow", [10, 100, 1000]))
    .addOption(numbers("--intervals-us <us>", "report intervals", [10, 20, 50, 100, 200, 500]))
    .option("--buffer-packets <n>", "buffer of the port, drop-tail", parseWhole(1, 1_000_000), 466)
    .option("--min-rto-ms <ms>", "floor of the retransmission timer above the RTT", parsePositive, 1)
    .option("--start-jitter-us <us>", "each flow starts in U(0, this)", parsePositive, 100)
    .option("--staleness-us <us>", "from a report to its answer's effect", parsePositive, 20)
    .addOption(
      new Option(
        "--algorithm <name>",
        "the agent's: `reno` grows in the datapath, `portus-reno` in the agent",
      )
        .choices(["reno", "portus-reno"])
        .default("portus-reno"),
    )
    .option("--out <dir>", "write results.jsonl and summary.json there")
    .option("--picture <file.svg>", "draw the ratios as an SVG picture", parseSvgPath)
    .option("--json", "JSON Lines on stdout: one per run")
    .option("--quiet", "no progress and no messages")
    .action(incast);
  experiment
    .command("response")
    .description("packets per round trip by loss rate, beside Mathis et al., RFC 5348 and RFC 9438")
    .option("--json", "JSON Lines on stdout: one per point")
    .action(response);
  experiment
    .command("fairness")
    .description("Jain's index among Reno flows, and the exponent of Reno's RTT unfairness")
    .option("--json", "one JSON line")
    .action(fairness);
}
