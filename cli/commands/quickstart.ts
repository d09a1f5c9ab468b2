/** `ccpark quickstart`, which `npm start` runs: trains an agent over a range of links and benchmarks it. */
import { type Command, Option } from "commander";
import { outTakesColour, printErr, printOut } from "../console.ts";
import { EXIT } from "../exit-codes.ts";
import { ALL_ALGORITHMS, MAX_SEED, MAX_SEEDS, parseSvgPath, parseWhole, seedsUpTo } from "../options.ts";

interface QuickstartOptions {
  readonly seed: number;
  readonly seeds: number;
  readonly steps?: number;
  readonly out: string;
  readonly picture?: string;
  readonly json?: true;
  readonly quiet?: true;
}

const PICTURED = "park-paper";
const CELLULAR = ["cell-lte-driving", "cell-lte-slow-walk"];

async function quickstart(options: QuickstartOptions): Promise<void> {
  const { join } = await import("node:path");
  const setup = await import("../train/training-setup.ts");
  const { trainWithProgress } = await import("../train/train-with-progress.ts");
  const { checkpointContender, namedContenders, untrainedContender } = await import("../contenders.ts");
  const { runPlan, versions } = await import("../bench/run-benchmark.ts");
  const { saveCheckpoint } = await import("../../agents/checkpoint-files.ts");
  const { DEFAULT_LEARNER, getLearner } = await import("../../agents/registry.ts");
  const { flatProgress } = await import("../../agents/learner.ts");
  const { TRAINING_DEFAULTS } = await import("../../training/defaults.ts");
  const { BENCHMARK_LINKS } = await import("../../scenarios/presets.ts");
  const { resolveScenario } = await import("../../scenarios/scenario-files.ts");
  const { storedScenario } = await import("../../eval/links.ts");
  const { claimFile, claimFolder, jsonLines, writeFilesWhole, writeResults } = await import(
    "../../eval/result-files.ts"
  );
  const { makeReportData } = await import("../../eval/report/report-data.ts");
  const { terminalTable } = await import("../../eval/report/terminal-table.ts");

  const quiet = options.quiet === true;
  const json = options.json === true;
  const say = (text: string): void => {
    if (!quiet) printErr(text);
  };
  claimFolder(options.out);
  if (options.picture !== undefined) claimFile(options.picture);

  const { env, numEnvs, episodeSec } = TRAINING_DEFAULTS;
  const training = { env, numEnvs, episodeSec };
  const totalSteps = options.steps ?? TRAINING_DEFAULTS.steps;
  const learner = getLearner(DEFAULT_LEARNER);
  say(`training ${learner.title} on links of ${setup.describeTrainingRange()}, seed ${options.seed}\n`);
  const trained = await trainWithProgress(
    {
      makeEnvs: () => setup.makeTrainingEnvs(training),
      learner: learner.name,
      options: learner.tuned,
      totalSteps,
      seed: options.seed,
      env: setup.describeEnv(training),
    },
    { quiet },
  );
  const checkpointPath = join(options.out, "checkpoint.ccpark");
  saveCheckpoint(checkpointPath, trained.checkpoint);
  if (trained.stopped) {
    say(`no benchmark; checkpoint of what was learnt: ${checkpointPath}\n`);
    process.exitCode = EXIT.interrupted;
    return;
  }
  say(`TensorFlow.js ${trained.backend}\n`);

  const agent = checkpointContender("agent", checkpointPath, trained.checkpoint);
  const contenders = [
    agent.contender,
    untrainedContender(env, options.seed),
    ...(await namedContenders(["constant", ...ALL_ALGORITHMS])).contenders,
  ];
  const scenarios = [
    resolveScenario(PICTURED),
    ...BENCHMARK_LINKS,
    ...CELLULAR.map((name) => resolveScenario(name)),
  ];
  const seeds = seedsUpTo(options.seeds);
  const rewardName = env.reward;
  const runs = await runPlan(
    { scenarios, contenders, seeds, rewardName },
    { quiet, ...(json ? { onRun: ({ record }) => printOut(jsonLines([record])) } : {}) },
  );
  const data = makeReportData({
    title: "ccpark quickstart: a trained agent against Cubic, Vegas, BBR and Reno",
    provenance: {
      command: `ccpark quickstart --seed ${options.seed} --seeds ${options.seeds} --steps ${totalSteps}`,
      options: {
        seed: options.seed,
        seeds,
        steps: totalSteps,
        scenario: scenarios.map((scenario) => scenario.name),
        algorithms: contenders.map((contender) => contender.name),
        reward: rewardName,
        checkpoints: [agent.stored],
      },
      versions: versions(),
    },
    scenarios: scenarios.map(storedScenario),
    contenders: contenders.map(({ name, description }) => ({ name, description })),
    seeds,
    rewardName,
    runs,
    learning: trained.lines.map(flatProgress),
  });
  if (!json) printOut(terminalTable(data.summary, seeds, rewardName, { colour: outTakesColour() }));
  writeResults(options.out, data);
  if (options.picture !== undefined) {
    const { linkPicture } = await import("../../eval/report/picture.ts");
    writeFilesWhole({ [options.picture]: await linkPicture(data, PICTURED) });
  }
  say(`checkpoint: ${checkpointPath}\nreport: ${join(options.out, "report.html")}\n`);
}

export function addQuickstart(program: Command): void {
  program
    .command("quickstart")
    .description("train an agent, benchmark it against Cubic, Vegas, BBR and Reno, and write a report")
    .addOption(new Option("--seed <n>", "seed of the training").argParser(parseWhole(0, MAX_SEED)).default(1))
    .addOption(
      new Option("--seeds <n>", "benchmark with seeds 1 to n").argParser(parseWhole(1, MAX_SEEDS)).default(5),
    )
    .addOption(new Option("--steps <n>", "environment steps of the training").argParser(parseWhole(1, 1e12)))
    .option("--out <dir>", "where checkpoint, results and report go", "runs/quickstart")
    .option("--picture <file.svg>", "draw park-paper as an SVG picture", parseSvgPath)
    .option("--json", "JSON Lines of the benchmark on stdout instead of the table")
    .option("--quiet", "no progress and no messages")
    .action(quickstart);
}
