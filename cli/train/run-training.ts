/** Wiring: a training as options of the command line say it, for `train` and for each trial of `sweep`. */
import { CcparkError } from "../../core/errors.ts";
import type { TrainResult } from "../../training/train.ts";
import { interruptible, printErr, printOut } from "../console.ts";
import type { StoredEvaluation } from "./run-again.ts";

/** As the command line has them. */
export interface TrainingOptions {
  readonly out: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly scenario?: readonly string[];
  readonly curriculum?: string;
  /** true: against the default */
  readonly adversary?: string | true;
  readonly adversaryEnvironments?: number;
  readonly focusEvery?: number;
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
  readonly dataset?: string;
  readonly set: Settings;
  readonly backend: string;
  readonly checkpointEvery?: number;
  readonly evaluateEvery?: number;
  readonly earlyStop?: number;
  readonly validation?: readonly string[];
  readonly tensorboard: boolean;
  readonly config?: string;
  readonly recipe?: string;
  readonly resume?: string;
  readonly override?: readonly string[];
  readonly json?: true;
  readonly quiet?: true;
}

/** Names with a point are fields of the scenario, others hyperparameters. */
export interface Settings {
  readonly learner: Readonly<Record<string, unknown>>;
  readonly scenario: readonly string[];
}

/**
 * Everything that `ccpark train` does. What it needs is loaded only now.
 * @throws CcparkError
 */
export async function runTraining(asked: TrainingOptions): Promise<TrainResult> {
  const setup = await import("./training-setup.ts");
  const { describeEnv, envOptionsOf } = await import("../../training/described-env.ts");
  const episodesOf = await import("./episodes.ts");
  const { TRAINING_DEFAULTS } = await import("../../training/defaults.ts");
  const { expectActions } = await import("../../agents/nn/learner-checks.ts");
  const { DEFAULT_LEARNER, getLearner } = await import("../../agents/registry.ts");
  const { flatProgress } = await import("../../agents/learner.ts");
  const { inCheckpoint } = await import("../../agents/checkpoint.ts");
  const { ZOO_PREFIX } = await import("../../agents/zoo-files.ts");
  const { noteSlowAcks } = await import("../ack-path-note.ts");
  const { trainWithProgress } = await import("./train-with-progress.ts");
  const { holdsRun, loadRunCheckpoint, loadRunConfig } = await import("../../training/run-files.ts");
  const { Continuation } = await import("../../training/run-config.ts");
  const { FOCUS_NAMES, focusOf, noteOfNoChoice } = await import("./focus.ts");
  const { CONTINUED_NAMES } = await import("../../training/train.ts");
  const { parseEnvOptions } = await import("../../envs/options.ts");
  const { getObservation } = await import("../../envs/signals/observations.ts");
  const { getAction } = await import("../../envs/signals/actions.ts");
  const { getReward } = await import("../../envs/signals/rewards.ts");
  const { claimFolder } = await import("../../core/whole-files.ts");
  const { refuseOther } = await import("../bench/other-results.ts");
  const { versions } = await import("../bench/run-benchmark.ts");
  const { loadSignals, signalsOf } = await import("../../envs/signals/signal-files.ts");

  const { expectSameSignals, openDataset } = await import("./dataset-option.ts");
  const { expectNotSealed } = await import("../../eval/league/splits.ts");
  const { sealedLinks } = await import("../../eval/league/split-files.ts");
  const { findCurriculum } = await import("../../training/curricula/registry.ts");
  const again = await import("./run-again.ts");
  // a curriculum is a name that scenarios are drawn from, like any other
  const given =
    asked.curriculum === undefined ? asked : { ...asked, scenario: [findCurriculum(asked.curriculum).name] };
  if (given.config !== undefined && given.resume !== undefined) {
    const message =
      "[train] --config: got --resume too, expected one of them: a run that goes on has its own";
    throw new CcparkError("invalid-argument", message);
  }
  if (given.recipe !== undefined && (given.resume ?? given.config) !== undefined) {
    const message = "[train] --recipe: got --resume or --config too, expected one of them: a run has its own";
    throw new CcparkError("invalid-argument", message);
  }
  const { getRecipe } = await import("../../training/recipes/registry.ts");
  const configured = given.config === undefined ? undefined : again.loadConfig(given.config);
  const recipe = given.recipe === undefined ? undefined : getRecipe(given.recipe);
  const started = recipe === undefined ? given : again.withRecipe(given, recipe);
  const options = configured === undefined ? started : again.withConfig(started, configured);
  const { resume, override = [] } = options;
  if (resume?.startsWith(ZOO_PREFIX) === true) {
    const message = `[train] --resume: got \`${resume}\`, a policy that comes with ccpark, which holds what acts and nothing of what learns; expected a checkpoint or the folder of a run (\`--recipe ${resume.slice(ZOO_PREFIX.length)}\` trains one like it)`;
    throw new CcparkError("invalid-argument", message);
  }
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
    ...new Set([
      ...CONTINUED_NAMES,
      ...STEP_NAMES,
      ...EPISODE_NAMES,
      ...FOCUS_NAMES,
      ...Object.keys(learner.options),
    ]),
  ]);

  const { observation, action, reward, stepMs, actionDelayMs } = options;
  const named = definedOnly({ observation, action, reward, stepMs });
  const delay = actionDelayMs === undefined ? {} : { actionDelayUs: actionDelayMs * 1000 };
  const stored = from === undefined ? undefined : envOptionsOf(from);
  if (stored !== undefined) {
    for (const name of ["observation", "action", "reward"] as const) {
      continuation.choose(name, options[name], stored[name]);
    }
    continuation.choose("step-ms", stepMs, stored.stepMs);
    continuation.choose("action-delay-ms", actionDelayMs, stored.actionDelayUs / 1000);
  }
  const base =
    configured === undefined ? TRAINING_DEFAULTS.env : again.envOfConfig(configured, given.config!);
  const dataset = openDataset(options.dataset ?? (config ?? configured)?.["dataset"], learner);
  const recorded = configured === undefined ? dataset?.data.header.env : undefined;
  const env = parseEnvOptions({ ...(stored ?? recorded ?? base), ...named, ...delay });
  if (dataset !== undefined) expectSameSignals(dataset, env);
  await loadSignals(signalsOf(env), resume);
  getObservation(env.observation);
  const { space: acts } = getAction(env.action);
  getReward(env.reward);
  if (!learner.actions.includes(acts.kind)) expectActions(learner.name, learner.actions[0]!, acts);

  const wanted = { ...options, set: options.set.scenario };
  const episodes =
    from === undefined
      ? episodesOf.newEpisodes(wanted)
      : episodesOf.continuedEpisodes(wanted, from, config, continuation);
  const scenarios = interruptible(() => episodesOf.resolveEpisodes(episodes));
  await episodesOf.checkAlgorithms(scenarios ?? []);
  interruptible(() => episodesOf.expectFlows(scenarios, learner));
  expectNotSealed(scenarios ?? [], sealedLinks());
  if (options.quiet !== true) {
    const told = { names: episodes.scenarios, overrides: episodes.set, trace: episodes.trace };
    await noteSlowAcks(scenarios ?? [], told, 0);
  }
  const scenariosSha256 = episodesOf.digestOf(scenarios);
  episodesOf.expectSameScenarios(scenariosSha256, config, continuation);
  if (configured !== undefined && given.scenario === undefined && given.set.scenario.length === 0)
    again.expectConfiguredScenarios(configured, scenariosSha256);

  const hyperparameters = {
    ...(from === undefined ? learner.tuned : {}),
    ...options.set.learner,
    backend: options.backend,
  };
  learner.checkOptions(hyperparameters);
  if (!holdsRun(options.out)) {
    const expected = "another --out";
    refuseOther({ folder: options.out, file: "summary.json", isSame: () => false, expected });
  }
  claimFolder(options.out);

  const training = {
    env,
    numEnvs: options.envs ?? config?.numEnvs ?? TRAINING_DEFAULTS.numEnvs,
    workers: options.workers,
    episodeSec: episodes.episodeSec ?? TRAINING_DEFAULTS.episodeSec,
    scenarios,
    teacher: learner.needs?.teacher === true,
    flows: learner.needs?.flows === true,
  };
  const before = config?.["evaluation"] as Partial<StoredEvaluation> | undefined;
  const validation = options.validation ?? before?.validation ?? null;
  const checked =
    validation === null
      ? undefined
      : interruptible(() =>
          episodesOf.resolveEpisodes(episodesOf.newEpisodes({ scenario: validation, set: [] })),
        );
  await episodesOf.checkAlgorithms(checked ?? []);
  const checkpointEvery =
    options.checkpointEvery ?? Number(from?.header.options["resetEvery"] ?? learner.defaults.resetEvery);
  const evaluation = setup.makeEvaluation(
    validation === null ? training : { ...training, scenarios: checked },
    {
      every: options.evaluateEvery ?? before?.every,
      checkpointEvery,
      earlyStop: options.earlyStop ?? before?.earlyStop,
    },
  );
  const { focus, stored: storedFocus } = await focusOf({
    options,
    run: config ?? configured,
    isResumed: from !== undefined,
    continuation,
    training,
    scenarios: episodes.scenarios,
    checkpointEvery,
    seed: from === undefined ? (options.seed ?? 1) : from.header.seed,
  });
  const totalSteps = options.steps ?? config?.totalSteps ?? TRAINING_DEFAULTS.steps;
  if (focus !== undefined && options.quiet !== true && (from?.header.updates ?? 0) < focus.every) {
    const set: Readonly<Record<string, unknown>> = { ...from?.header.options, ...hyperparameters };
    const rolloutSteps = set["rolloutSteps"] ?? learner.defaults["rolloutSteps"];
    const note = noteOfNoChoice(focus, { perUpdate: training.numEnvs * Number(rolloutSteps), totalSteps });
    if (note !== undefined) printErr(note);
  }
  const tensorBoard = options.tensorboard && (config ?? configured)?.["tensorBoard"] !== false;
  const storedEvaluation = {
    every: evaluation?.every ?? 0,
    earlyStop: evaluation?.earlyStop ?? 0,
    validation,
  };
  const result = await trainWithProgress(
    {
      makeEnvs: (links) => setup.makeTrainingEnvs(training, links),
      learner: learner.name,
      options: hyperparameters,
      totalSteps,
      seed: options.seed,
      env: describeEnv(training),
      config: {
        versions: versions(),
        ...episodes,
        scenariosSha256,
        evaluation: storedEvaluation,
        tensorBoard,
        ...storedFocus,
        ...(recipe !== undefined && { recipe: recipe.name }),
        ...(dataset !== undefined && { dataset: dataset.path }),
      },
      dataset: dataset?.data,
      evaluation,
      focus,
      runDir: options.out,
      checkpointEvery: options.checkpointEvery,
      resumeFrom: resume,
      continuation,
    },
    {
      quiet: options.quiet === true,
      already: from?.header.steps ?? 0,
      tensorBoard,
      ...(options.json ? { onLine: (line) => printOut(`${JSON.stringify(flatProgress(line))}\n`) } : {}),
    },
  );
  if (!options.quiet) {
    if (result.backend !== "") printErr(`gradients by ${result.backend}\n`);
    printErr(`checkpoint: ${result.checkpointPath}\n`);
    if (result.bestPath !== undefined) printErr(`best of the evaluations: ${result.bestPath}\n`);
  }
  return result;
}

/** Names for `--override` of what an environment's steps are. */
const STEP_NAMES = ["step-ms", "action-delay-ms"];

function definedOnly(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
