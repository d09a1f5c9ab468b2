/** `ccpark train`: trains a policy into a run folder, or goes on with one. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { CcparkError } from "../../core/errors.ts";
import { interruptible, printErr, printOut } from "../console.ts";
import { EXIT } from "../exit/exit-codes.ts";
import { MAX_SEED, parseList, parsePositive, parseWhole } from "../options.ts";

interface TrainCommandOptions {
  readonly out: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly scenario?: readonly string[];
  readonly trace?: string;
  readonly episode?: number;
  readonly observation?: string;
  readonly action?: string;
  readonly reward?: string;
  readonly stepMs?: number | "rtt";
  readonly actionDelayMs?: number;
  readonly envs?: number;
  readonly workers?: number;
  readonly learner?: string;
  readonly set: Settings;
  readonly backend: string;
  readonly checkpointEvery?: number;
  readonly resume?: string;
  readonly override?: readonly string[];
  readonly json?: true;
  readonly quiet?: true;
}

/** Names with a point are fields of the scenario, others hyperparameters. */
interface Settings {
  readonly learner: Readonly<Record<string, unknown>>;
  readonly scenario: readonly string[];
}

/** `learningRate=3e-4` -> { learningRate: 3e-4 }; values are JSON, or else text. */
function parseSetting(text: string, { learner, scenario }: Settings): Settings {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected NAME=VALUE.");
  const name = text.slice(0, at);
  if (name.includes(".")) return { learner, scenario: [...scenario, text] };
  const value = text.slice(at + 1);
  try {
    return { learner: { ...learner, [name]: JSON.parse(value) }, scenario };
  } catch {
    return { learner: { ...learner, [name]: value }, scenario };
  }
}

function parseStep(text: string): number | "rtt" {
  return text === "rtt" ? "rtt" : parsePositive(text);
}

async function train(options: TrainCommandOptions): Promise<void> {
  const setup = await import("../train/training-setup.ts");
  const episodesOf = await import("../train/episodes.ts");
  const { TRAINING_DEFAULTS } = await import("../../training/defaults.ts");
  const { DEFAULT_LEARNER, getLearner } = await import("../../agents/registry.ts");
  const { flatProgress } = await import("../../agents/learner.ts");
  const { inCheckpoint } = await import("../../agents/checkpoint.ts");
  const { noteSlowAcks } = await import("../ack-path-note.ts");
  const { trainWithProgress } = await import("../train/train-with-progress.ts");
  const { loadRunCheckpoint, loadRunConfig } = await import("../../training/run-files.ts");
  const { Continuation } = await import("../../training/run-config.ts");
  const { CONTINUED_NAMES } = await import("../../training/train.ts");
  const { parseEnvOptions } = await import("../../envs/options.ts");
  const { getObservation } = await import("../../envs/signals/observations.ts");
  const { getAction } = await import("../../envs/signals/actions.ts");
  const { getReward } = await import("../../envs/signals/rewards.ts");
  const { claimFolder } = await import("../../core/whole-files.ts");
  const { versions } = await import("../bench/run-benchmark.ts");
  const { loadSignals, signalsOf } = await import("../../envs/signals/signal-files.ts");

  const { resume, override = [] } = options;
  if (resume === undefined && override.length > 0) {
    throw new CcparkError(
      "invalid-argument",
      "[train] --override: got no --resume, expected a run that goes on",
    );
  }
  const from = resume === undefined ? undefined : loadRunCheckpoint(resume);
  const config = resume === undefined ? undefined : loadRunConfig(resume);
  const learner =
    from === undefined || options.learner !== undefined
      ? getLearner(options.learner ?? DEFAULT_LEARNER)
      : inCheckpoint(from, () => getLearner(from.header.learner));
  const continuation = new Continuation(`the run of \`${resume}\``, override);
  const { EPISODE_NAMES } = episodesOf;
  continuation.checkNames([
    ...new Set([...CONTINUED_NAMES, ...STEP_NAMES, ...EPISODE_NAMES, ...Object.keys(learner.options)]),
  ]);

  const { observation, action, reward, stepMs, actionDelayMs } = options;
  const given = definedOnly({ observation, action, reward, stepMs });
  const delay = actionDelayMs === undefined ? {} : { actionDelayUs: actionDelayMs * 1000 };
  const stored = from === undefined ? undefined : setup.envOptionsOf(from);
  if (stored !== undefined) {
    for (const name of ["observation", "action", "reward"] as const) {
      continuation.choose(name, options[name], stored[name]);
    }
    continuation.choose("step-ms", stepMs, stored.stepMs);
    continuation.choose("action-delay-ms", actionDelayMs, stored.actionDelayUs / 1000);
  }
  const env = parseEnvOptions({ ...(stored ?? TRAINING_DEFAULTS.env), ...given, ...delay });
  await loadSignals(signalsOf(env), resume);
  getObservation(env.observation);
  getAction(env.action);
  getReward(env.reward);

  const wanted = { ...options, set: options.set.scenario };
  const episodes =
    from === undefined
      ? episodesOf.newEpisodes(wanted)
      : episodesOf.continuedEpisodes(wanted, from, config, continuation);
  const scenarios = interruptible(() => episodesOf.resolveEpisodes(episodes));
  await episodesOf.checkAlgorithms(scenarios ?? []);
  if (options.quiet !== true) {
    const given = { names: episodes.scenarios, overrides: episodes.set, trace: episodes.trace };
    await noteSlowAcks(scenarios ?? [], given, 0);
  }
  const scenariosSha256 = episodesOf.digestOf(scenarios);
  episodesOf.expectSameScenarios(scenariosSha256, config, continuation);

  const hyperparameters = {
    ...(from === undefined ? learner.tuned : {}),
    ...options.set.learner,
    backend: options.backend,
  };
  learner.checkOptions(hyperparameters);
  claimFolder(options.out);

  const training = {
    env,
    numEnvs: options.envs ?? config?.numEnvs ?? TRAINING_DEFAULTS.numEnvs,
    workers: options.workers,
    episodeSec: episodes.episodeSec ?? TRAINING_DEFAULTS.episodeSec,
    scenarios,
  };
  const result = await trainWithProgress(
    {
      makeEnvs: () => setup.makeTrainingEnvs(training),
      learner: learner.name,
      options: hyperparameters,
      totalSteps: options.steps ?? config?.totalSteps ?? TRAINING_DEFAULTS.steps,
      seed: options.seed,
      env: setup.describeEnv(training),
      config: { versions: versions(), ...episodes, scenariosSha256 },
      runDir: options.out,
      checkpointEvery: options.checkpointEvery,
      resumeFrom: resume,
      continuation,
    },
    {
      quiet: options.quiet === true,
      already: from?.header.steps ?? 0,
      ...(options.json ? { onLine: (line) => printOut(`${JSON.stringify(flatProgress(line))}\n`) } : {}),
    },
  );
  if (!options.quiet) {
    if (result.backend !== "") printErr(`TensorFlow.js ${result.backend}\n`);
    printErr(`checkpoint: ${result.checkpointPath}\n`);
  }
  if (result.stopped) process.exitCode = EXIT.interrupted;
}

/** Names for `--override` of what an environment's steps are. */
const STEP_NAMES = ["step-ms", "action-delay-ms"];

function definedOnly(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

export function addTrain(program: Command): void {
  program
    .command("train")
    .description("train a policy; Ctrl-C stops after the update in progress and keeps what was learnt")
    .requiredOption("--out <dir>", "run folder: config.json, progress.jsonl, checkpoint.ccpark")
    .addOption(
      new Option("--steps <n>", "environment steps in total, from the very first start").argParser(
        parseWhole(1, 1e12),
      ),
    )
    .addOption(
      new Option("--seed <n>", "seed of learner and environments (default: 1)").argParser(
        parseWhole(0, MAX_SEED),
      ),
    )
    .addOption(
      new Option(
        "--scenario <names>",
        "presets, grids or files to draw episodes from, or training-range: a new link per episode (default)",
      ).argParser(parseList),
    )
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one")
    .option("--episode <sec>", "seconds per episode", parsePositive)
    .option("--observation <name>", "see `ccpark explain observations`, or a module of your own, ./FILE.js")
    .option("--action <name>", "see `ccpark explain actions`, or a module of your own, ./FILE.js")
    .option(
      "--reward <name>",
      "see `ccpark explain rewards`; a formula (`ccpark explain facts`), or a module of your own, ./FILE.js",
    )
    .option("--step-ms <ms>", "length of a step in milliseconds, or rtt", parseStep)
    .option(
      "--action-delay-ms <ms>",
      "virtual time between a decision and its arrival at the datapath",
      parsePositive,
    )
    .addOption(new Option("--envs <n>", "environments stepped together").argParser(parseWhole(1, 4096)))
    .addOption(
      new Option(
        "--workers <n>",
        "threads that step the environments, the main one among them (default: 1); the result does not depend on it",
      ).argParser(parseWhole(1, 256)),
    )
    .option("--learner <name>", "see `ccpark explain learners` (default: ppo); on resume the checkpoint's")
    .option(
      "--set <name=value>",
      "a hyperparameter of the learner (`ccpark explain hyperparameters`), such as learningRate=3e-4, or a field of the scenarios, such as link.rateMbps=24; may repeat",
      parseSetting,
      { learner: {}, scenario: [] },
    )
    .addOption(
      new Option("--backend <name>", "TensorFlow.js backend")
        .choices(["auto", "wasm", "cpu", "node"])
        .default("auto"),
    )
    .addOption(
      new Option("--checkpoint-every <n>", "updates between two checkpoints").argParser(parseWhole(1, 1e9)),
    )
    .option(
      "--resume <path>",
      "go on with this checkpoint or run folder, as it was: other options than --steps, --workers and --backend must not contradict it",
    )
    .addOption(
      new Option(
        "--override <names>",
        "with --resume: options or hyperparameters that may differ from here on, such as reward,learningRate",
      ).argParser(parseList),
    )
    .option("--json", "one JSON line per update on stdout")
    .option("--quiet", "no progress and no messages")
    .action(train);
}
