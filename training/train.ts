/**
 * The training loop around a learner: run folder, checkpoints, resume, stopping. Prints nothing; `onProgress` is for
 * the shell.
 */
import { type Checkpoint, checkSpaces, type EnvDescription, inCheckpoint } from "../agents/checkpoint.ts";
import { flatProgress, type Learner, type Progress } from "../agents/learner.ts";
import { DEFAULT_LEARNER, getLearner, learnerFromCheckpoint } from "../agents/registry.ts";
import { CcparkError } from "../core/errors.ts";
import type { AnyVectorEnv } from "../envs/env.ts";
import { type JsonValue, loadRunCheckpoint, openRunFolder, type RunFolder } from "./run-files.ts";

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
  /** called once; the learner resets what it gets, and it is closed in the end */
  readonly makeEnvs: () => AnyVectorEnv | Promise<AnyVectorEnv>;
  /** name in agents/registry.ts; on resume the checkpoint's, else PPO unless given */
  readonly learner?: string;
  /** hyperparameters of the learner, except `resetEvery`; on resume these replace the stored ones */
  readonly options?: Readonly<Record<string, unknown>>;
  /** environment steps over all environments, from the very first start */
  readonly totalSteps: number;
  /** whole number, 0 to 2^53 - 1; a resumed run keeps the seed of its checkpoint */
  readonly seed: number;
  /** names that go into the checkpoint */
  readonly env?: EnvDescription;
  /** more for config.json: versions, command line */
  readonly config?: { readonly [key: string]: JsonValue };
  /** nothing is written without it */
  readonly runDir?: string;
  readonly onProgress?: (line: ProgressLine) => void;
  /**
   * Updates between two checkpoints, default 20. The environments start afresh there, so that a resumed run gives the
   * same bytes as one that was never interrupted.
   */
  readonly checkpointEvery?: number;
  /** a checkpoint file or the folder of a run */
  readonly resumeFrom?: string;
  /** stops after the update in progress; what was learnt is saved */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly learner: Learner;
  readonly checkpoint: Checkpoint;
  /** in the run folder */
  readonly checkpointPath: string | undefined;
  /** whether `signal` ended it */
  readonly stopped: boolean;
  /** the last line; undefined where there was nothing left to do */
  readonly last: ProgressLine | undefined;
  /** what TensorFlow.js ran on */
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

/**
 * Trains and, with `runDir`, leaves `config.json`, `progress.jsonl` and `checkpoint.ccpark` there.
 * @throws CcparkError before any training where options, folder or checkpoint are wrong; (failed-precondition) where
 *   training diverges, with the last good checkpoint still in the folder
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { totalSteps, seed, runDir, signal, onProgress, checkpointEvery = 20 } = options;
  checkCount("totalSteps", totalSteps);
  checkCount("checkpointEvery", checkpointEvery);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new CcparkError(
      "invalid-argument",
      `[train] seed: got ${seed}, expected a whole number, 0 to 2^53 - 1`,
    );
  }
  const from = options.resumeFrom === undefined ? undefined : loadRunCheckpoint(options.resumeFrom);
  const spec =
    from === undefined || options.learner !== undefined
      ? getLearner(options.learner ?? DEFAULT_LEARNER)
      : inCheckpoint(from, () => getLearner(from.header.learner));
  if (from !== undefined && from.header.learner !== spec.name) {
    throw new CcparkError(
      "invalid-argument",
      `[train] learner: got \`${spec.name}\`, expected \`${from.header.learner}\`, which the checkpoint is of`,
    );
  }
  const given = { ...options.options, resetEvery: checkpointEvery };
  spec.checkOptions(given);
  const folder = runDir === undefined ? undefined : openRunFolder(runDir, from?.header);

  const envs = await options.makeEnvs();
  try {
    const spaces = { observationSpace: envs.observationSpace, actionSpace: envs.actionSpace };
    if (from !== undefined) inCheckpoint(from, () => checkSpaces(from.header, spaces));
    const setup = { ...spaces, options: given, env: options.env };
    const learner = from === undefined ? spec.make({ ...setup, seed }) : learnerFromCheckpoint(from, setup);
    folder?.saveConfig({
      ...options.config,
      algorithm: learner.name,
      seed: learner.seed,
      totalSteps,
      numEnvs: envs.numEnvs,
      resumedAtUpdate: from?.header.updates ?? null,
      env: { ...learner.env },
      options: { ...learner.options },
    });
    return await run({ learner, envs, totalSteps, checkpointEvery, folder, signal, onProgress });
  } finally {
    if ("close" in envs) await envs.close();
  }
}

interface Run {
  readonly learner: Learner;
  readonly envs: AnyVectorEnv;
  readonly totalSteps: number;
  readonly checkpointEvery: number;
  readonly folder: RunFolder | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((line: ProgressLine) => void) | undefined;
}

async function run({
  learner,
  envs,
  totalSteps,
  checkpointEvery,
  folder,
  signal,
  onProgress,
}: Run): Promise<TrainResult> {
  let last: ProgressLine | undefined;
  for await (const progress of learner.learn(envs, totalSteps)) {
    last = { update: learner.updates, ...progress };
    folder?.appendProgress(toJsonLine(last));
    if (learner.updates % checkpointEvery === 0) folder?.saveCheckpoint(learner.checkpoint());
    onProgress?.(last);
    // An update keeps the thread busy; here signals and other tasks get their turn.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) break;
  }
  const checkpoint = learner.checkpoint();
  folder?.saveCheckpoint(checkpoint);
  return {
    learner,
    checkpoint,
    checkpointPath: folder?.checkpointPath,
    stopped: signal?.aborted ?? false,
    last,
    backend: learner.backendDetail,
  };
}
