/** Wiring: what `config.json` of a run says as options of `train`, so that the run can be had again, or one beside it. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EnvDescription } from "../../agents/checkpoint.ts";
import { CcparkError } from "../../core/errors.ts";
import type { EnvOptions } from "../../envs/options.ts";
import { envOptionsOfDescription } from "../../training/described-env.ts";
import type { Recipe } from "../../training/recipes/recipe.ts";
import { type RunConfig, readRunConfig } from "../../training/run-config.ts";
import { CONFIG_FILE } from "../../training/run-files.ts";

/** What of a training can be given back; absent: not said. */
export interface Repeatable {
  readonly steps?: number;
  readonly seed?: number;
  readonly scenario?: readonly string[];
  readonly trace?: string;
  readonly episode?: number;
  readonly envs?: number;
  readonly learner?: string;
  readonly checkpointEvery?: number;
  readonly evaluateEvery?: number;
  readonly earlyStop?: number;
  readonly validation?: readonly string[];
  readonly set: { readonly learner: Readonly<Record<string, unknown>>; readonly scenario: readonly string[] };
}

/** What of an environment's steps a recipe says. */
export interface RepeatableSteps {
  readonly observation?: string;
  readonly action?: string;
  readonly reward?: string;
  readonly stepMs?: number | "rtt";
}

/**
 * @param path a `config.json`, or the folder of a run
 * @throws CcparkError (not-found, invalid-argument)
 */
export function loadConfig(path: string): RunConfig {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = isFolder ? join(path, CONFIG_FILE) : path;
  const config = readRunConfig(file);
  if (config === undefined) throw new CcparkError("not-found", `[train] --config \`${file}\`: no such file`);
  return config;
}

/** The environment of its steps. @throws CcparkError (invalid-argument) for one that this version does not know */
export function envOfConfig(config: RunConfig, path: string): EnvOptions {
  const { observation, action, reward, description } = (config["env"] ?? {}) as Partial<EnvDescription>;
  if (typeof observation !== "string" || typeof action !== "string" || typeof reward !== "string") {
    const message = `[train] --config \`${path}\`: field \`env\`: got ${JSON.stringify(config["env"])}, expected names of observation, action and reward`;
    throw new CcparkError("invalid-argument", message);
  }
  return envOptionsOfDescription({ observation, action, reward, description: description ?? "" });
}

/** Evaluations of a run, as `config.json` has them. */
export interface StoredEvaluation {
  /** updates; 0: none */
  readonly every: number;
  readonly earlyStop: number;
  /** names of scenarios; null: drawn from what the episodes are drawn from */
  readonly validation: readonly string[] | null;
}

/** Options with those of a run where they say nothing themselves. Other scenarios or another learner do not inherit what belonged to the run's. */
export function withConfig<Options extends Repeatable>(options: Options, config: RunConfig): Options {
  const { scenarios, trace, set, episodeSec, evaluation } = config as unknown as {
    readonly scenarios?: readonly string[];
    readonly trace?: string | null;
    readonly set?: readonly string[];
    readonly episodeSec?: number | null;
    readonly evaluation?: StoredEvaluation;
  };
  const isOtherLink = options.scenario !== undefined;
  const isOtherLearner = options.learner !== undefined && options.learner !== config.algorithm;
  const { resetEvery, ...learner } = config.options;
  return {
    ...options,
    steps: options.steps ?? config.totalSteps,
    seed: options.seed ?? config.seed,
    envs: options.envs ?? config.numEnvs,
    learner: options.learner ?? config.algorithm,
    scenario: options.scenario ?? scenarios,
    trace: options.trace ?? (isOtherLink ? undefined : (trace ?? undefined)),
    episode: options.episode ?? episodeSec ?? undefined,
    checkpointEvery: options.checkpointEvery ?? (isOtherLearner ? undefined : Number(resetEvery)),
    evaluateEvery: options.evaluateEvery ?? evaluation?.every,
    earlyStop: options.earlyStop ?? evaluation?.earlyStop,
    validation: options.validation ?? evaluation?.validation ?? undefined,
    set: {
      learner: { ...(isOtherLearner ? {} : learner), ...options.set.learner },
      scenario: [...(isOtherLink ? [] : (set ?? [])), ...options.set.scenario],
    },
  };
}

/** Options with those of a recipe where they say nothing themselves. Another learner does not inherit hyperparameters. */
export function withRecipe<Options extends Repeatable & RepeatableSteps>(
  options: Options,
  { scenarios, episodeSec, observation, action, reward, stepMs, learner, numEnvs, steps, ...recipe }: Recipe,
): Options {
  const isOtherLearner = options.learner !== undefined && options.learner !== learner;
  return {
    ...options,
    steps: options.steps ?? steps,
    scenario: options.scenario ?? scenarios,
    episode: options.episode ?? episodeSec ?? undefined,
    envs: options.envs ?? numEnvs,
    observation: options.observation ?? observation,
    action: options.action ?? action,
    reward: options.reward ?? reward,
    stepMs: options.stepMs ?? stepMs,
    learner: options.learner ?? learner,
    set: {
      ...options.set,
      learner: { ...(isOtherLearner ? {} : recipe.options), ...options.set.learner },
    },
  };
}

/**
 * Names alone do not make a scenario the same.
 * @throws CcparkError (failed-precondition)
 */
export function expectConfiguredScenarios(config: RunConfig, digest: string | null): void {
  const stored = config["scenariosSha256"];
  if (stored === undefined || stored === digest) return;
  throw new CcparkError(
    "failed-precondition",
    "[train] scenario: it is not what it was when the configured run began (a file of it, or this version's preset, has changed); put it back, or give --scenario to train on it as it is now",
  );
}
