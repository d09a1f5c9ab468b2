/** `ccpark quickstart`, which `npm start` runs: trains an agent over a range of links and benchmarks it. */
import { isDeepStrictEqual } from "node:util";
import { type Command, Option } from "commander";
import { CcparkError } from "../../core/errors.ts";
import { MAX_SEEDS, seedsUpTo } from "../../eval/seeds.ts";
import { outTakesColour, outWidth, printErr, printOut } from "../console.ts";
import { EXIT } from "../exit/exit-codes.ts";
import { ALL_ALGORITHMS, MAX_SEED, parseSvgPath, parseWhole, WIDE_HELP } from "../options.ts";

interface QuickstartOptions {
  readonly seed: number;
  readonly seeds: number;
  readonly steps?: number;
  readonly out: string;
  readonly picture?: string;
  readonly json?: true;
  readonly wide?: true;
  readonly quiet?: true;
}

/** Updates: a multiple of those between checkpoints; ten evaluations or so. */
const EVALUATE_EVERY = 80;
const PICTURED = "park-paper";
const CELLULAR = ["cell-lte-driving", "cell-lte-slow-walk"];

/** @throws CcparkError (already-exists) where the folder's training is another one */
function expectSame(folder: string, facts: readonly (readonly [string, unknown, unknown])[]): void {
  for (const [name, has, wanted] of facts) {
    if (isDeepStrictEqual(has, wanted)) continue;
    const [got, expected] = [JSON.stringify(wanted), JSON.stringify(has)];
    throw new CcparkError(
      "already-exists",
      `[quickstart] \`${folder}\` holds another training, ${name}: got ${got}, expected ${expected} to go on with it, or another --out`,
    );
  }
}

async function quickstart(options: QuickstartOptions): Promise<void> {
  const { join } = await import("node:path");
  const { newEpisodes } = await import("../train/episodes.ts");
  const setup = await import("../train/training-setup.ts");
  const { describeEnv } = await import("../../training/described-env.ts");
  const { trainWithProgress } = await import("../train/train-with-progress.ts");
  const { namedContenders } = await import("../contenders.ts");
  const { checkpointContender, untrainedContender } = await import("../policies.ts");
  const { runPlan, versions } = await import("../bench/run-benchmark.ts");
  const { DEFAULT_LEARNER, getLearner } = await import("../../agents/registry.ts");
  const { learningBeside } = await import("../train/learning-curve.ts");
  const { CHECKPOINT_FILE, holdsRun, loadRunCheckpoint, loadRunConfig } = await import(
    "../../training/run-files.ts"
  );
  const { TRAINING_DEFAULTS } = await import("../../training/defaults.ts");
  const { BENCHMARK_LINKS } = await import("../../scenarios/presets.ts");
  const { resolveScenario } = await import("../../scenarios/scenario-files.ts");
  const { storedScenario } = await import("../../eval/links.ts");
  const { claimFile, claimFolder, writeFilesWhole } = await import("../../core/whole-files.ts");
  const { jsonLines, writeResults } = await import("../../eval/result-files.ts");
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
  const described = describeEnv(training);
  const totalSteps = options.steps ?? TRAINING_DEFAULTS.steps;
  const learner = getLearner(DEFAULT_LEARNER);
  // started again: the same training goes on, and what is finished stays as it is
  const before = holdsRun(options.out) ? loadRunCheckpoint(options.out) : undefined;
  if (before !== undefined) {
    const { backend: _, ...own } = { ...learner.defaults, ...learner.tuned };
    expectSame(options.out, [
      ["seed", before.header.seed, options.seed],
      // 0.1.0 left the checkpoint alone
      ["steps", loadRunConfig(options.out)?.totalSteps ?? totalSteps, totalSteps],
      ["learner", before.header.learner, learner.name],
      ["options", before.header.options, own],
      ["environment", before.header.env, described],
    ]);
  }
  const already = before?.header.steps ?? 0;
  if (already >= totalSteps) say(`the training is done: ${already.toLocaleString("en")} steps\n`);
  else {
    const how = already === 0 ? "" : `, going on after ${already.toLocaleString("en")} steps`;
    say(
      `training ${learner.title} on links of ${setup.describeTrainingRange()}, seed ${options.seed}${how}\n`,
    );
  }
  const trained = await trainWithProgress(
    {
      makeEnvs: () => setup.makeTrainingEnvs(training),
      ...(before === undefined
        ? { learner: learner.name, options: learner.tuned }
        : { resumeFrom: options.out }),
      totalSteps,
      seed: options.seed,
      env: described,
      config: {
        versions: versions(),
        ...newEpisodes({ set: [] }),
        scenariosSha256: null,
        evaluation: { every: EVALUATE_EVERY, earlyStop: 0, validation: null },
      },
      evaluation: setup.makeEvaluation(training, { every: EVALUATE_EVERY, checkpointEvery: EVALUATE_EVERY }),
      runDir: options.out,
    },
    { quiet, already },
  );
  const checkpointPath = join(options.out, CHECKPOINT_FILE);
  if (trained.stopped) {
    say(`no benchmark; checkpoint of what was learnt, to go on with when started again: ${checkpointPath}\n`);
    process.exitCode = EXIT.interrupted;
    return;
  }
  say(`gradients by ${trained.backend}\n`);

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
    learning: learningBeside(checkpointPath),
  });
  if (!json)
    printOut(
      terminalTable(data.summary, seeds, rewardName, {
        colour: outTakesColour(),
        width: outWidth(options.wide === true),
      }),
    );
  writeResults(options.out, data);
  if (options.picture !== undefined) {
    const { linkPicture } = await import("../../eval/report/picture.ts");
    writeFilesWhole({ [options.picture]: await linkPicture(data, PICTURED) });
    say(`picture: ${options.picture}\n`);
  }
  say(`checkpoint: ${checkpointPath}\nreport: ${join(options.out, "report.html")}\n`);
}

export function addQuickstart(program: Command): void {
  program
    .command("quickstart")
    .description(
      "train an agent, benchmark it against Cubic, Vegas, BBR and Reno, and write a report; started again it goes on",
    )
    .addOption(new Option("--seed <n>", "seed of the training").argParser(parseWhole(0, MAX_SEED)).default(1))
    .addOption(
      new Option("--seeds <n>", "benchmark with seeds 1 to n").argParser(parseWhole(1, MAX_SEEDS)).default(5),
    )
    .addOption(new Option("--steps <n>", "environment steps of the training").argParser(parseWhole(1, 1e12)))
    .option("--out <dir>", "where checkpoint, results and report go", "runs/quickstart")
    .option("--picture <file.svg>", "draw park-paper as an SVG picture", parseSvgPath)
    .option("--json", "JSON Lines of the benchmark on stdout instead of the table")
    .option("--wide", WIDE_HELP)
    .option("--quiet", "no progress and no messages")
    .action(quickstart);
}
