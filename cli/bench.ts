/** `ccpark bench`: contenders x scenarios x seeds, as a table, JSON Lines, result files or a picture. */
import { type Command, Option } from "commander";
import { outTakesColour, printErr, printOut } from "./console.ts";
import { MAX_SEEDS, parseList, parsePositive, parseSvgPath, parseWhole, seedsUpTo } from "./options.ts";

interface BenchOptions {
  readonly scenario: readonly string[];
  readonly trace?: string;
  readonly algorithms: readonly string[];
  readonly seeds: number;
  readonly checkpoint?: string;
  readonly duration?: number;
  readonly reward?: string;
  readonly out?: string;
  readonly picture?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** The command line that gives these results, with files by their base names. */
function normalisedCommand(
  options: BenchOptions,
  rewardName: string,
  baseName: (path: string) => string,
): string {
  const words = ["ccpark bench", `--scenario ${options.scenario.join(",")}`];
  if (options.trace !== undefined) words.push(`--trace ${baseName(options.trace)}`);
  const algorithms = options.algorithms.map((name) =>
    name.replace(/^(agent|unix):(.*)$/, (_, kind: string, path: string) => `${kind}:${baseName(path)}`),
  );
  words.push(`--algorithms ${algorithms.join(",")}`, `--seeds ${options.seeds}`);
  if (options.checkpoint !== undefined) words.push(`--checkpoint ${baseName(options.checkpoint)}`);
  if (options.duration !== undefined) words.push(`--duration ${options.duration}`);
  words.push(`--reward ${rewardName}`);
  return words.join(" ");
}

async function bench(options: BenchOptions): Promise<void> {
  const { basename, join } = await import("node:path");
  const { resolveScenario } = await import("../envs/scenarios/scenario-files.ts");
  const { findPreset } = await import("../envs/scenarios/presets.ts");
  const { DEFAULT_REWARD, getReward } = await import("../envs/rewards.ts");
  const { loadCheckpointContender, namedContenders } = await import("./contenders.ts");
  const { runPlan, versions } = await import("./run-benchmark.ts");
  const { storedScenario } = await import("../eval/links.ts");
  const { claimFile, claimFolder, jsonLines, writeFilesWhole, writeResults } = await import(
    "../eval/result-files.ts"
  );
  const { learningBeside } = await import("./learning-curve.ts");
  const { makeReportData } = await import("../eval/report/report-data.ts");

  const rewardName = getReward(options.reward ?? DEFAULT_REWARD).name;
  // a trace goes to the scenarios that ask for one; if none does, the first says that it takes none
  const takers = options.scenario.filter((name) => findPreset(name).trace === "any");
  const scenarios = options.scenario.map((name) =>
    resolveScenario(name, {
      tracePath: takers.length === 0 || takers.includes(name) ? options.trace : undefined,
      durationSec: options.duration,
    }),
  );
  const { contenders, checkpoints } = namedContenders(options.algorithms, {
    quiet: options.quiet === true,
  });
  if (options.checkpoint !== undefined) {
    const loaded = loadCheckpointContender("agent", options.checkpoint);
    checkpoints.unshift(loaded);
    contenders.unshift(loaded.contender);
  }
  if (options.out !== undefined) claimFolder(options.out);
  if (options.picture !== undefined) claimFile(options.picture);

  const seeds = seedsUpTo(options.seeds);
  const json = options.json === true;
  const runs = await runPlan(
    { scenarios, contenders, seeds, rewardName },
    {
      quiet: options.quiet === true,
      ...(json ? { onRun: ({ record }) => printOut(jsonLines([record])) } : {}),
    },
  );
  const data = makeReportData({
    title: `ccpark benchmark: ${[...new Set(scenarios.map((scenario) => scenario.name))].join(", ")}`,
    provenance: {
      command: normalisedCommand(options, rewardName, basename),
      options: {
        scenario: options.scenario,
        algorithms: contenders.map((contender) => contender.name),
        seeds,
        reward: rewardName,
        durationSec: options.duration ?? null,
        checkpoints: checkpoints.map((loaded) => loaded.stored),
      },
      versions: versions(),
    },
    scenarios: scenarios.map(storedScenario),
    contenders: contenders.map(({ name, description }) => ({ name, description })),
    seeds,
    rewardName,
    runs,
    learning: options.checkpoint === undefined ? [] : learningBeside(options.checkpoint),
  });
  if (!json) {
    const { terminalTable } = await import("../eval/report/terminal-table.ts");
    printOut(terminalTable(data.summary, seeds, rewardName, { colour: outTakesColour() }));
  }
  if (options.out !== undefined) {
    writeResults(options.out, data);
    if (!options.quiet) printErr(`report: ${join(options.out, "report.html")}\n`);
  }
  if (options.picture !== undefined) {
    const { linkPicture } = await import("../eval/report/picture.ts");
    writeFilesWhole({ [options.picture]: await linkPicture(data, scenarios[0]!.name) });
  }
}

export function addBench(program: Command): void {
  program
    .command("bench")
    .description("run algorithms and agents on scenarios over several seeds and compare them")
    .addOption(
      new Option("--scenario <names>", "scenarios, separated by commas (see `ccpark explain scenarios`)")
        .argParser(parseList)
        .default(["park-paper"], "park-paper"),
    )
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one (ccp-cell)")
    .addOption(
      new Option(
        "--algorithms <names>",
        "contenders, separated by commas (see `ccpark explain algorithms`), agent:FILE or unix:SOCKET:NAME",
      )
        .argParser(parseList)
        .default(["cubic", "vegas", "bbr", "reno"], "cubic,vegas,bbr,reno"),
    )
    .addOption(new Option("--seeds <n>", "run seeds 1 to n").argParser(parseWhole(1, MAX_SEEDS)).default(3))
    .option("--checkpoint <file>", "adds the trained agent of this checkpoint as `agent`")
    .option("--duration <sec>", "seconds per run instead of the scenario's own", parsePositive)
    .option("--reward <name>", "reward to report (see `ccpark explain rewards`)")
    .option("--out <dir>", "write results.jsonl, summary.json, series.json and report.html there")
    .option("--picture <file.svg>", "draw the first scenario as an SVG picture", parseSvgPath)
    .option("--json", "JSON Lines on stdout: one per scenario, algorithm, link and seed")
    .option("--quiet", "no progress and no messages")
    .action(bench);
}
