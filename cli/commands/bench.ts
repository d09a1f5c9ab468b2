/** `ccpark bench`: contenders x scenarios x seeds, as a table, JSON Lines, result files or a picture. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { BenchmarkFailure, BenchmarkRun } from "../../eval/benchmark.ts";
import type { ExportFormat } from "../../eval/export-files.ts";
import type { Provenance } from "../../eval/report/report-data.ts";
import { MAX_SEEDS, seedsUpTo } from "../../eval/seeds.ts";
import type { CaseSuite } from "../../eval/suites/case-suite.ts";
import { DEFAULT_HEADLINE, HEADLINES } from "../../eval/verdicts/headline.ts";
import type { BenchOptions } from "../bench/provenance.ts";
import { outTakesColour, outWidth, printErr, printOut, writesAtTheEnd } from "../console.ts";
import { EXIT } from "../exit/exit-codes.ts";
import { isDebugging } from "../exit/report-error.ts";
import {
  ALL_ALGORITHMS,
  collect,
  FORCE_HELP,
  modeOption,
  parseAlgorithms,
  parseList,
  parsePositive,
  parseShare,
  parseSvgPath,
  parseWhole,
  quietMsOption,
  refuseIdle,
  SET_HELP,
  socketDirOption,
  WIDE_HELP,
} from "../options.ts";

const DEFAULT_TESTBED = "simulated";
const MAX_WORKERS = 256;
const DEFAULT_SCENARIO = "park-paper";
const DEFAULT_SEEDS = 3;

const EXPORTS: readonly ExportFormat[] = ["csv", "jsonl", "qlog", "mahimahi", "pcap"];

function parseExports(text: string): ExportFormat[] {
  return parseList(text).map((name) => {
    const format = EXPORTS.find((each) => each === name);
    if (format === undefined) throw new InvalidArgumentError(`expected names among ${EXPORTS.join(", ")}.`);
    return format;
  });
}

/** Options that would make another case of it. */
const NOT_FOR_CASES = [
  "set",
  "trace",
  "checkpoint",
  "duration",
  "vary",
  "reward",
  "headline",
  "metric",
  "observationNoise",
  "on",
  "picture",
  "until",
  "aggregate",
] as const;

/** A suite whose scenarios have thresholds: they run as they are. */
async function benchCases(
  suite: CaseSuite,
  options: BenchOptions,
  isGiven: (name: string) => boolean,
  seeds: readonly number[],
): Promise<void> {
  const { CcparkError } = await import("../../core/errors.ts");
  const { availableParallelism } = await import("node:os");
  const { runCases } = await import("../bench/run-cases.ts");
  const refused = NOT_FOR_CASES.find(isGiven);
  if (refused !== undefined) {
    const flag = refused.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new CcparkError(
      "invalid-argument",
      `[bench] suite ${suite.name}: its thresholds are for its cases as they are, got --${flag}, expected none`,
    );
  }
  const formats = options.export ?? [];
  const other = formats.find((format) => format !== "qlog" || suite.isWorst === true);
  if (other !== undefined) {
    throw new CcparkError(
      "invalid-argument",
      `[bench] suite ${suite.name}: --export: got ${other}, expected ${suite.isWorst === true ? "none: a case has many trials" : "qlog"}`,
    );
  }
  const input = {
    suite: suite.name,
    ...(isGiven("algorithms") && { algorithms: options.algorithms }),
    qlog: formats.includes("qlog") && options.out !== undefined,
  };
  const allPass = await runCases(input, {
    seeds,
    json: options.json === true,
    quiet: options.quiet === true,
    force: options.force === true,
    ...(options.out !== undefined && { out: options.out }),
    workers: options.workers ?? availableParallelism(),
  });
  if (!allPass) process.exitCode = EXIT.failure;
}

/** Runs of one contender that fail for one reason: so many are named. */
const MOST_NAMED = 5;

function tellFailures(failures: readonly BenchmarkFailure[]): void {
  const alike = new Map<string, BenchmarkFailure[]>();
  for (const failure of failures) {
    const reason = `${failure.algorithm}\n${failure.message}`;
    alike.set(reason, [...(alike.get(reason) ?? []), failure]);
  }
  for (const group of alike.values()) {
    for (const { algorithm, scenario, seed, message, stack } of group.slice(0, MOST_NAMED)) {
      const where = `${algorithm} on ${scenario}${seed === undefined ? "" : `, seed ${seed}`}`;
      printErr(`error: ${where}, left out: ${message}\n`);
      if (isDebugging() && stack !== undefined) printErr(`${stack}\n`);
    }
    const more = group.length - MOST_NAMED;
    if (more > 0) printErr(`error: ${group[0]!.algorithm}: ${more} more left out for the same reason\n`);
  }
}

async function bench(options: BenchOptions, command: Command): Promise<void> {
  const { join } = await import("node:path");
  const { noteSlowAcks } = await import("../ack-path-note.ts");
  const { findSuite, suiteScenarios } = await import("../../scenarios/presets/suites.ts");
  const { DEFAULT_REWARD, getReward } = await import("../../envs/signals/rewards.ts");
  const { loadSignals } = await import("../../envs/signals/signal-files.ts");
  const { CcparkError } = await import("../../core/errors.ts");
  const { planBench } = await import("../bench/bench-plan.ts");
  const { runPlanInThreads } = await import("../bench/run-benchmark.ts");
  const { recordedFormats, writeExports } = await import("../../eval/export-files.ts");
  const { storedScenarios } = await import("../../eval/links.ts");
  const { claimFile, claimFolder, writeFilesWhole } = await import("../../core/whole-files.ts");
  const { benchProvenance, refuseOtherResults, titleOf } = await import("../bench/provenance.ts");
  const { jsonLines, writeResults } = await import("../../eval/result-files.ts");
  const { contenderNotes } = await import("../../eval/contenders/contender.ts");
  const { realTimeNotes } = await import("../../eval/report/real-time-notes.ts");
  const { learningBeside } = await import("../train/learning-curve.ts");
  const { makeReportData } = await import("../../eval/report/report-data.ts");
  const { parseMetrics, withMetrics } = await import("../../eval/metrics.ts");

  refuseIdle(command, options.algorithms);
  const metrics = parseMetrics(options.metric ?? []);
  const rewardName = options.reward ?? DEFAULT_REWARD;
  await loadSignals({ rewards: [rewardName] });
  getReward(rewardName);
  const suite = options.suite === undefined ? undefined : findSuite(options.suite);
  const names =
    suite === undefined
      ? (options.scenario ?? [DEFAULT_SCENARIO])
      : suiteScenarios(suite, options.trace !== undefined);
  const firstSeeds = seedsUpTo(options.seeds ?? suite?.seeds ?? DEFAULT_SEEDS);
  const isGiven = (name: string): boolean =>
    ![undefined, "default"].includes(command.getOptionValueSource(name));
  const { findCaseSuite } = await import("../../eval/suites/case-suite.ts");
  const cases = suite && findCaseSuite(suite);
  if (cases !== undefined) {
    await benchCases(cases, options, isGiven, firstSeeds);
    return;
  }
  const formats = options.export ?? [];
  if (formats.length > 0 && options.out === undefined) {
    throw new CcparkError("invalid-argument", "[bench] --export needs --out DIR to write into");
  }
  const input = {
    names,
    tracePath: options.trace,
    durationSec: options.duration,
    vary: options.vary ?? suite !== undefined,
    overrides: options.set ?? [],
    algorithms: options.algorithms,
    checkpoint: options.checkpoint,
    seeds: firstSeeds,
    rewardName,
    observationNoise: options.observationNoise,
    on: options.on,
    recording: recordedFormats(formats),
    readsSeries: options.out !== undefined || options.picture !== undefined,
    quiet: options.quiet === true,
    outside: { pace: options.mode, quietMs: options.quietMs, socketDir: options.socketDir },
  };
  const planned = await planBench(input);
  const { plan, entries } = planned;
  const { scenarios, contenders } = plan;
  if (!input.quiet) {
    await noteSlowAcks(entries, { names, overrides: input.overrides, trace: options.trace }, firstSeeds[0]!);
  }
  const provenanceOf = (of: readonly number[]): Provenance =>
    benchProvenance(options, planned, { names, seeds: of, rewardName, metrics, vary: input.vary });
  if (options.out !== undefined) {
    claimFolder(options.out);
    if (options.force !== true) refuseOtherResults(options.out, provenanceOf(firstSeeds), options.until);
  }
  if (options.picture !== undefined) claimFile(options.picture);
  if (options.out !== undefined || options.picture !== undefined) writesAtTheEnd();

  const json = options.json === true;
  const failures: BenchmarkFailure[] = [];
  const runOptions = {
    quiet: input.quiet,
    onFailure: (failure: BenchmarkFailure) => failures.push(failure),
    ...(json
      ? { onRun: (run: BenchmarkRun) => printOut(jsonLines([withMetrics(run, metrics).record])) }
      : {}),
  };
  const runSeeds = (some: readonly number[]): Promise<BenchmarkRun[]> =>
    runPlanInThreads({ ...input, seeds: some }, { ...plan, seeds: some }, options.workers, runOptions);
  const { runUntil } = await import("../bench/run-until.ts");
  const { runs: plain, seeds } =
    options.until === undefined
      ? { runs: await runSeeds(firstSeeds), seeds: firstSeeds }
      : await runUntil(options.until, plan, runSeeds, { quiet: input.quiet });
  const runs = plain.map((run) => withMetrics(run, metrics));
  const [failed] = failures;
  if (failed !== undefined && runs.length === 0) {
    const named = failed.message.replace(/^(\[[^\]]+\] )?/, `$1${failed.algorithm}: `);
    throw new CcparkError(failed.kind, named, { cause: failed.stack });
  }
  const report = async (): Promise<void> => {
    const data = makeReportData({
      title: titleOf(
        options.suite,
        scenarios.map((scenario) => scenario.name),
      ),
      provenance: provenanceOf(seeds),
      scenarios: storedScenarios(entries, seeds),
      contenders: contenders.map(({ name, description }) => ({ name, description })),
      seeds,
      rewardName,
      headline: options.headline,
      runs,
      learning: options.checkpoint === undefined ? [] : learningBeside(options.checkpoint),
    });
    if (!json) {
      const { terminalTable } = await import("../../eval/report/terminal-table.ts");
      const { COLUMNS, ONE_WAY_COLUMNS } = await import("../../eval/report/columns.ts");
      const columns = suite?.oneWayDelay === true ? ONE_WAY_COLUMNS : COLUMNS;
      printOut(
        terminalTable(data.summary, seeds, rewardName, {
          colour: outTakesColour(),
          columns,
          headline: options.headline,
          width: outWidth(options.wide === true),
        }),
      );
      printOut(realTimeNotes(runs.map(({ record }) => record)) + contenderNotes(contenders));
      if (options.aggregate === true) {
        const { aggregate } = await import("../../eval/aggregate/aggregate.ts");
        const { aggregateText } = await import("../../eval/aggregate/aggregate-text.ts");
        printOut(aggregateText(aggregate(data.records)));
      }
    }
    if (options.out !== undefined) {
      writeResults(options.out, data);
      writeExports(options.out, runs, formats);
      if (options.aggregate === true) {
        const { aggregate } = await import("../../eval/aggregate/aggregate.ts");
        const { prettyJson } = await import("../../eval/result-files.ts");
        writeFilesWhole({ [join(options.out, "aggregate.json")]: prettyJson(aggregate(data.records)) });
      }
      if (!options.quiet) printErr(`report: ${join(options.out, "report.html")}\n`);
    }
    if (options.picture !== undefined) {
      const { linkPicture } = await import("../../eval/report/picture.ts");
      const { suitePicture } = await import("../../eval/report/suite-picture.ts");
      const picture =
        suite?.oneWayDelay === true ? suitePicture(data) : linkPicture(data, scenarios[0]!.name);
      writeFilesWhole({ [options.picture]: await picture });
      if (!options.quiet) printErr(`picture: ${options.picture}\n`);
    }
  };
  // lines of JSON need no summary
  if (!json || options.out !== undefined || options.picture !== undefined) await report();
  tellFailures(failures);
  if (failures.length > 0) process.exitCode = EXIT.failure;
}

export function addBench(program: Command): void {
  program
    .command("bench")
    .description("run algorithms and agents on scenarios over several seeds and compare them")
    .addOption(
      new Option(
        "--scenario <names>",
        `presets, grids or files (.yaml, .json), separated by commas (see \`ccpark explain scenarios\`; default: ${DEFAULT_SCENARIO})`,
      ).argParser(parseList),
    )
    .addOption(
      new Option("--suite <name>", "all scenarios of a suite (see `ccpark explain suites`)").conflicts(
        "scenario",
      ),
    )
    .option("--set <path=value>", SET_HELP, collect)
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one (ccp-cell)")
    .addOption(
      new Option(
        "--algorithms <names>",
        "contenders, separated by commas (see `ccpark explain algorithms`), agent:FILE, onnx:FILE, unix:SOCKET:NAME or all: " +
          `${ALL_ALGORITHMS.join(", ")} (dctcp apart: without ECN marks it is Reno)`,
      )
        .argParser(parseAlgorithms)
        .default(ALL_ALGORITHMS, "all"),
    )
    .addOption(
      new Option(
        "--seeds <n>",
        `run seeds 1 to n (default: ${DEFAULT_SEEDS}, or as many runs as the suite makes)`,
      ).argParser(parseWhole(1, MAX_SEEDS)),
    )
    .option(
      "--until <ci=width>",
      "more seeds until every row's 95 % interval of goodput, or QUANTITY:ci=..., is at most so wide: half width / mean",
    )
    .option("--aggregate", "also over all links: IQM, performance profile and effect sizes of the power")
    .option("--checkpoint <file>", "adds the trained agent of this checkpoint as `agent`")
    .option("--duration <sec>", "seconds per run instead of the scenario's own", parsePositive)
    .option(
      "--vary",
      "draw what differs from run to run of a real link: jitter, phases, packets of others (default: of suites)",
    )
    .option("--no-vary", "the opposite: a suite's links without it")
    .option(
      "--reward <name>",
      "reward to report (see `ccpark explain rewards`), a formula (`ccpark explain facts`), or a module of your own, ./FILE.js",
    )
    .addOption(
      new Option("--headline <quantity>", "what verdicts and reports rank by")
        .choices(HEADLINES)
        .default(DEFAULT_HEADLINE),
    )
    .option(
      "--metric <formula>",
      "one more column, such as 'mbpsPerMs = goodputMbps / meanQueueDelayMs' (see `ccpark explain facts`); may repeat",
      collect,
    )
    .option(
      "--observation-noise <share>",
      "let policies see each number of an observation off by up to this share of itself, such as 0.1",
      parseShare,
    )
    .option("--on <testbed>", "the world that runs it (see `ccpark explain testbeds`)", DEFAULT_TESTBED)
    .addOption(modeOption())
    .addOption(quietMsOption())
    .addOption(socketDirOption())
    .option(
      "--out <dir>",
      "write results.jsonl, results.csv, summary.json, series.json and report.html there",
    )
    .option("--force", FORCE_HELP)
    .addOption(
      new Option(
        "--export <formats>",
        "also write of each run, into exports/ of --out: csv, jsonl (series), qlog, mahimahi (mm-link's log), pcap (real packets of emulated links)",
      ).argParser(parseExports),
    )
    .addOption(
      new Option(
        "--workers <n>",
        "run in so many threads; the results are the same (default: one per core where there is enough to do)",
      ).argParser(parseWhole(1, MAX_WORKERS)),
    )
    .option(
      "--picture <file.svg>",
      "draw the first scenario as an SVG picture; of a suite about one-way delay, all scenarios as Pantheon does",
      parseSvgPath,
    )
    .option("--json", "JSON Lines on stdout: one per scenario, algorithm, link and seed")
    .option("--wide", WIDE_HELP)
    .option("--quiet", "no progress and no messages")
    .action(bench);
}
