/**
 * The training loop around a learner: run folder, checkpoints, resume, stopping. Prints nothing; `onProgress` is for
 * the shell.
 */
import { type Checkpoint, checkSpaces, type EnvDescription, inCheckpoint } from "../agents/checkpoint.ts";
import { flatProgress, type Learner, type LearnerSpec, type Progress } from "../agents/learner.ts";
import type { RecordedData } from "../agents/nn/offline/recorded.ts";
import { DEFAULT_LEARNER, getLearner, learnerFromCheckpoint } from "../agents/registry.ts";
import { CcparkError } from "../core/errors.ts";
import type { AnyVectorEnv } from "../envs/env.ts";
import { TRAINING_DEFAULTS } from "./defaults.ts";
import { type EvaluationLine, type EvaluationOptions, Evaluations } from "./evaluation/evaluations.ts";
import { Focus, type FocusLink, type FocusOptions, type FocusStage } from "./focus/focus.ts";
import {
  Continuation,
  type JsonObject,
  type JsonValue,
  type RunConfig,
  type RunStart,
} from "./run-config.ts";
import {
  isCheckpointOf,
  loadRunCheckpoint,
  loadRunConfig,
  loadRunFocus,
  openRunFolder,
  type RunFolder,
  refuseOldRun,
} from "./run-files.ts";

/**
 * One line of `progress.jsonl`, where the losses, which each learner names itself, lie beside the rest. The names are a
 * contract; a number that does not exist (no episode ended, no variance) is null.
 *
 * | name | unit | meaning |
 * | --- | --- | --- |
 * | update | count | updates so far, from 1 |
 * | steps, totalSteps | count | environment steps over all environments: done, asked for |
 * | episodes | count | episodes ended so far |
 * | meanEpisodeReturn | reward | mean sum of rewards of the episodes that ended since the last line |
 * | meanScore, meanUtilisation, meanQueueDelayMs | score, 0-1, ms | means over the same episodes |
 */
export type ProgressLine = Progress & { readonly update: number };

export interface TrainOptions {
  /** called once, and for each choice of links; the learner resets what it gets, and it is closed in the end */
  readonly makeEnvs: (focus: readonly FocusLink[]) => AnyVectorEnv | Promise<AnyVectorEnv>;
  /** name in agents/registry.ts; default PPO, on resume the checkpoint's */
  readonly learner?: string;
  /** hyperparameters of the learner, except `resetEvery`; on resume the stored ones hold */
  readonly options?: Readonly<Record<string, unknown>>;
  /** environment steps over all environments, from the very first start; default 1,600,000, on resume the run's */
  readonly totalSteps?: number;
  /** whole number, 0 to 2^53 - 1; default 1, on resume the checkpoint's */
  readonly seed?: number;
  /** names that go into the checkpoint */
  readonly env?: EnvDescription;
  /** more for config.json: versions, scenarios; on resume these replace what was there under the same names */
  readonly config?: JsonObject;
  /** nothing is written without it */
  readonly runDir?: string;
  readonly onProgress?: (line: ProgressLine) => void;
  /**
   * Updates between two checkpoints, by default the learner's `resetEvery`, on resume the run's. The environments start afresh there, so that a resumed
   * run gives the same bytes as one that was never interrupted.
   */
  readonly checkpointEvery?: number;
  /**
   * A checkpoint file or the folder of a run. The run goes on as it was: what contradicts its configuration is refused, unless
   * `continuation` allows it. Its own `runDir` or one without a run.
   */
  readonly resumeFrom?: string;
  /** on resume: what may differ from the run */
  readonly continuation?: Continuation;
  /** for learners that learn from recorded runs */
  readonly dataset?: RecordedData;
  /** stops after the update in progress; what was learnt is saved */
  readonly signal?: AbortSignal;
  /**
   * Judges the policy on validation links in the course of the training, and keeps the best checkpoint. What is learnt does not depend on
   * it, but for where `earlyStop` ends it. Where it evaluates at checkpoints (`every` a multiple of `checkpointEvery`), a run that goes on
   * keeps the same best one as a run that was never interrupted.
   */
  readonly evaluation?: EvaluationOptions;
  readonly onEvaluation?: (line: EvaluationLine) => void;
  /** Chooses links for the policy in the course of the training, see `Focus`. What was chosen is in the run folder, which going on needs. */
  readonly focus?: FocusOptions;
  readonly onFocus?: (stage: FocusStage) => void;
}

/** Names that a `Continuation` may have of `train`'s own, beside those of the learner's options. */
export const CONTINUED_NAMES: readonly string[] = [
  "observation",
  "action",
  "reward",
  "seed",
  "envs",
  "checkpoint-every",
];

export interface TrainResult {
  readonly learner: Learner;
  readonly checkpoint: Checkpoint;
  /** in the run folder */
  readonly checkpointPath: string | undefined;
  /** whether `signal` ended it */
  readonly stopped: boolean;
  /** whether it ended because evaluations no longer got better */
  readonly stoppedEarly: boolean;
  /** of the best evaluation, in the run folder; undefined: none was evaluated */
  readonly bestPath: string | undefined;
  /** the last line; undefined where there was nothing left to do */
  readonly last: ProgressLine | undefined;
  /** who computed gradients */
  readonly backend: string;
}

/** NaN has no form in JSON. */
function toJsonLine(line: ProgressLine): { [key: string]: JsonValue } {
  return Object.fromEntries(
    Object.entries(flatProgress(line)).map(([name, x]) => [name, Number.isFinite(x) ? x : null]),
  );
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new CcparkError(
      "invalid-argument",
      `[train] ${name}: got ${value}, expected a whole number of at least 1`,
    );
  }
}

/** What a run is made of, whether it begins or goes on. */
interface Plan {
  readonly spec: LearnerSpec;
  readonly totalSteps: number;
  readonly seed: number;
  readonly checkpointEvery: number;
  /** the learner's options, of a run that goes on only those that are given anew */
  readonly given: Readonly<Record<string, unknown>>;
}

function planOfNew(options: TrainOptions): Plan {
  const { totalSteps = TRAINING_DEFAULTS.steps, seed = 1 } = options;
  const spec = getLearner(options.learner ?? DEFAULT_LEARNER);
  const { checkpointEvery = Number(spec.defaults["resetEvery"]) } = options;
  return {
    spec,
    totalSteps,
    seed,
    checkpointEvery,
    given: { ...options.options, resetEvery: checkpointEvery },
  };
}

/** @throws CcparkError (invalid-argument) where options contradict the run */
function planOfOld(
  options: TrainOptions,
  from: Checkpoint,
  config: RunConfig | undefined,
  continuation: Continuation,
): Plan {
  const { header } = from;
  const spec = inCheckpoint(from, () => getLearner(header.learner));
  if (options.learner !== undefined && options.learner !== spec.name) {
    throw new CcparkError(
      "invalid-argument",
      `[train] learner: got \`${options.learner}\`, expected \`${spec.name}\`, which the checkpoint is of`,
    );
  }
  const { env } = options;
  if (env !== undefined) {
    for (const name of ["observation", "action", "reward"] as const) {
      continuation.choose(name, env[name], header.env[name]);
    }
  }
  const stored: Readonly<Record<string, JsonValue>> = { ...spec.defaults, ...header.options };
  // who computes gradients is a matter of the machine; what is no option is for `checkOptions` to refuse
  for (const [name, value] of Object.entries(options.options ?? {})) {
    if (name === "backend" || !Object.hasOwn(spec.options, name)) continue;
    continuation.choose(name, value as JsonValue | undefined, stored[name]!);
  }
  const every = continuation.choose("checkpoint-every", options.checkpointEvery, stored["resetEvery"]!);
  return {
    spec,
    totalSteps: options.totalSteps ?? config?.totalSteps ?? header.steps,
    seed: continuation.choose("seed", options.seed, header.seed),
    checkpointEvery: Number(every),
    given: { ...options.options, resetEvery: every },
  };
}

/** A start that changes nothing and has nothing to do is not worth a line. */
function historyWith(history: readonly RunStart[], start: RunStart): readonly RunStart[] {
  const last = history.at(-1);
  const isIdle =
    last !== undefined &&
    start.steps >= start.totalSteps &&
    last.totalSteps === start.totalSteps &&
    Object.keys(start.changed).length === 0;
  return isIdle ? history : [...history, start];
}

/**
 * Trains and, with `runDir`, leaves `config.json`, `progress.jsonl` and `checkpoint.ccpark` there, with `evaluation` also
 * `evaluations.jsonl` and `best.ccpark`.
 * @throws CcparkError before any training where options, folder or checkpoint are wrong, where options contradict the run that
 *   goes on, or where another process trains in the folder; (failed-precondition) where training diverges, with the last good
 *   checkpoint still in the folder
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { runDir, resumeFrom, signal, onProgress } = options;
  let from = resumeFrom === undefined ? undefined : loadRunCheckpoint(resumeFrom);
  const config = resumeFrom === undefined ? undefined : loadRunConfig(resumeFrom);
  const continuation = options.continuation ?? new Continuation(`the run of \`${resumeFrom}\``);
  const plan = from === undefined ? planOfNew(options) : planOfOld(options, from, config, continuation);
  const { spec, totalSteps, seed, checkpointEvery, given } = plan;
  checkCount("totalSteps", totalSteps);
  checkCount("checkpointEvery", checkpointEvery);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new CcparkError(
      "invalid-argument",
      `[train] seed: got ${seed}, expected a whole number, 0 to 2^53 - 1`,
    );
  }
  spec.checkOptions(given);
  if (options.focus !== undefined && options.focus.every % checkpointEvery !== 0) {
    throw new CcparkError(
      "invalid-argument",
      `[train] updates between two choices of links: got ${options.focus.every}, expected a multiple of ${checkpointEvery}, those between two checkpoints`,
    );
  }
  const folder = runDir === undefined ? undefined : openRunFolder(runDir);
  let envs: AnyVectorEnv | undefined;
  const closeEnvs = async (): Promise<void> => {
    if (envs !== undefined && "close" in envs) await envs.close();
    envs = undefined;
  };
  try {
    if (runDir !== undefined) {
      // whoever wrote there before the lock was had may have come further
      if (resumeFrom !== undefined && isCheckpointOf(resumeFrom, runDir))
        from = loadRunCheckpoint(resumeFrom);
      else refuseOldRun(runDir);
    }
    // read before the lines of this folder, which may be the same, are cut
    const chosen =
      from === undefined || options.focus === undefined ? [] : loadRunFocus(resumeFrom!, from.header.updates);
    const kept = folder?.keepLines(from?.header.updates ?? 0);
    if (kept?.focus.length === 0) for (const line of chosen) folder?.appendFocus(line);
    const focus = options.focus && new Focus(options.focus, chosen);
    envs = await options.makeEnvs(focus?.links ?? []);
    const spaces = { observationSpace: envs.observationSpace, actionSpace: envs.actionSpace };
    const setup = { ...spaces, options: given, env: options.env, dataset: options.dataset };
    let learner: Learner;
    if (from === undefined) learner = spec.make({ ...setup, seed });
    else {
      const { header } = from;
      inCheckpoint(from, () => checkSpaces(header, spaces));
      if (config !== undefined) continuation.choose("envs", envs.numEnvs, config.numEnvs);
      learner = learnerFromCheckpoint({ ...from, header: { ...header, seed } }, setup);
    }
    const { evaluation, onEvaluation } = options;
    const evaluations = evaluation && new Evaluations(evaluation, folder, kept?.evaluations ?? []);
    folder?.saveConfig({
      ...config,
      ...options.config,
      algorithm: learner.name,
      seed: learner.seed,
      totalSteps,
      numEnvs: envs.numEnvs,
      env: { ...learner.env },
      options: { ...learner.options } as unknown as JsonObject,
      history: historyWith(config?.history ?? [], {
        update: learner.updates,
        steps: learner.steps,
        totalSteps,
        changed: continuation.changed,
      }),
    });
    return await run({
      learner,
      envs,
      focus,
      onFocus: options.onFocus,
      remakeEnvs: async (links) => {
        await closeEnvs();
        envs = await options.makeEnvs(links);
        return envs;
      },
      totalSteps,
      checkpointEvery,
      folder,
      signal,
      onProgress,
      evaluations,
      onEvaluation,
    });
  } finally {
    folder?.close();
    await closeEnvs();
  }
}

interface Run {
  readonly learner: Learner;
  readonly envs: AnyVectorEnv;
  readonly focus: Focus | undefined;
  readonly onFocus: ((stage: FocusStage) => void) | undefined;
  /** closes the environments, and makes others for these links */
  readonly remakeEnvs: (links: readonly FocusLink[]) => Promise<AnyVectorEnv>;
  readonly totalSteps: number;
  readonly checkpointEvery: number;
  readonly folder: RunFolder | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((line: ProgressLine) => void) | undefined;
  readonly evaluations: Evaluations | undefined;
  readonly onEvaluation: ((line: EvaluationLine) => void) | undefined;
}

async function run({
  learner,
  envs: firstEnvs,
  focus,
  onFocus,
  remakeEnvs,
  totalSteps,
  checkpointEvery,
  folder,
  signal,
  onProgress,
  evaluations,
  onEvaluation,
}: Run): Promise<TrainResult> {
  let last: ProgressLine | undefined;
  const evaluate = (checkpoint: Checkpoint): void => {
    const line = evaluations?.evaluate(checkpoint);
    if (line !== undefined) onEvaluation?.(line);
  };
  if (learner.updates === 0 && evaluations?.isDue(0) === true) evaluate(learner.checkpoint());
  const isOver = (): boolean => signal?.aborted === true || evaluations?.isExhausted === true;
  let envs = firstEnvs;
  let isDone = false;
  while (!isDone && !isOver()) {
    if (learner.steps < totalSteps && focus?.isDue(learner.updates) === true) {
      const stage = await focus.choose(learner.checkpoint());
      folder?.appendFocus(JSON.parse(JSON.stringify(stage)) as JsonObject);
      onFocus?.(stage);
      envs = await remakeEnvs(stage.links);
    }
    isDone = true;
    for await (const progress of learner.learn(envs, totalSteps)) {
      last = { update: learner.updates, ...progress };
      folder?.appendProgress(toJsonLine(last));
      const isBoundary = learner.updates % checkpointEvery === 0;
      const isDue = evaluations?.isDue(learner.updates) === true;
      const checkpoint = isBoundary || isDue ? learner.checkpoint() : undefined;
      onProgress?.(last);
      // before the checkpoint: who goes on from that one need not evaluate it
      if (isDue) evaluate(checkpoint!);
      if (isBoundary) folder?.saveCheckpoint(checkpoint!);
      // An update keeps the thread busy; here signals and other tasks get their turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (isOver()) break;
      if (focus?.isDue(learner.updates) === true) {
        isDone = false;
        break;
      }
    }
  }
  const checkpoint = learner.checkpoint();
  const stopped = signal?.aborted ?? false;
  if (!stopped && evaluations?.isDueAtEnd(learner.updates) === true) evaluate(checkpoint);
  folder?.saveCheckpoint(checkpoint);
  return {
    learner,
    checkpoint,
    checkpointPath: folder?.checkpointPath,
    stopped,
    stoppedEarly: evaluations?.isExhausted ?? false,
    bestPath: folder?.holdsBest ? folder.bestPath : undefined,
    last,
    backend: learner.backendDetail,
  };
}
