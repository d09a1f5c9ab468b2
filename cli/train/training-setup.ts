/** Wiring: the environments that `train` and `quickstart` learn in, and how a checkpoint remembers them. */
import { type Checkpoint, type EnvDescription, inCheckpoint } from "../../agents/checkpoint.ts";
import { CcparkError } from "../../core/errors.ts";
import type { AsyncVectorEnv } from "../../envs/env.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions, parseEnvOptions } from "../../envs/options.ts";
import type { ScenarioEntry } from "../../scenarios/scenario-files.ts";
import { TRAINING_RANGE } from "../../scenarios/training.ts";
import type { EvaluationOptions } from "../../training/evaluation/evaluations.ts";
import { makeEvaluator, validationLinks } from "../../training/evaluation/validation.ts";
import type { FocusLink } from "../../training/focus/focus.ts";
import { openTrainingEnvs } from "../../training/training-env.ts";

/** Name under which `--scenario` gives the range of links. */
export const TRAINING_RANGE_NAME = "training-range";

export interface TrainingSetup {
  readonly env: EnvOptions;
  readonly numEnvs: number;
  readonly episodeSec: number;
  /** threads that step the environments, the main one among them; default 1 */
  readonly workers?: number;
  /** the learner asks the oracle what it would do; default false */
  readonly teacher?: boolean;
  /** absent: the training range, a link per episode */
  readonly scenarios?: readonly Pick<ScenarioEntry, "name" | "template">[];
}

export function describeTrainingRange(): string {
  const { mbps, rttMs, bufferBdp } = TRAINING_RANGE;
  return `${mbps[0]} to ${mbps[1]} Mbit/s, ${rttMs[0]} to ${rttMs[1]} ms, ${bufferBdp[0]} to ${bufferBdp[1]} BDP, some on LTE-like traces`;
}

export function makeTrainingEnvs(
  setup: TrainingSetup,
  focus: readonly FocusLink[] = [],
): Promise<AsyncVectorEnv> {
  const { env, numEnvs, episodeSec, workers, scenarios, teacher } = setup;
  const plain = scenarios?.map(({ name, template }) => ({ name, template }));
  return openTrainingEnvs({ env, episodeSec, scenarios: plain, teacher, focus }, { numEnvs, workers });
}

/** Checkpoints between two evaluations unless told otherwise. */
const CHECKPOINTS_PER_EVALUATION = 2;

/**
 * How a training is judged in its course.
 * @param setup with the scenarios that its links are drawn from
 * @param every updates; absent: at every second checkpoint; 0: not at all
 */
export function makeEvaluation(
  { env, episodeSec, scenarios }: TrainingSetup,
  {
    every,
    checkpointEvery,
    earlyStop = 0,
  }: {
    readonly every?: number;
    readonly checkpointEvery: number;
    readonly earlyStop?: number;
  },
): EvaluationOptions | undefined {
  if (every === 0) return undefined;
  const links = validationLinks({ episodeSec, scenarios });
  return {
    evaluator: makeEvaluator(env, links),
    every: every ?? CHECKPOINTS_PER_EVALUATION * checkpointEvery,
    earlyStop,
  };
}

/** What a checkpoint keeps of the environment: the names, and the other options as JSON. */
export function describeEnv({ env, episodeSec, scenarios }: TrainingSetup): EnvDescription {
  const { observation, action, reward, ...options } = env;
  const names = scenarios?.map((scenario) => scenario.name) ?? [TRAINING_RANGE_NAME];
  return {
    observation,
    action,
    reward,
    description: JSON.stringify({ options, scenarios: names, episodeSec }),
  };
}

/**
 * The environment that a checkpoint was trained in.
 * @throws CcparkError (invalid-argument) for an option that this version does not know, with the checkpoint's file
 */
export function envOptionsOf(checkpoint: Checkpoint): EnvOptions {
  return inCheckpoint(checkpoint, () => envOptionsOfDescription(checkpoint.header.env));
}

/** The environment that `describeEnv` described. @throws CcparkError (invalid-argument) for an option that this version does not know */
export function envOptionsOfDescription({
  observation,
  action,
  reward,
  description,
}: EnvDescription): EnvOptions {
  const { options } = describedTraining(description);
  return parseEnvOptions({ ...DEFAULT_ENV_OPTIONS, ...options, observation, action, reward });
}

/** Names of the scenarios that a checkpoint was trained on; undefined: it does not say. */
export function scenarioNamesOf(checkpoint: Checkpoint): readonly string[] | undefined {
  return inCheckpoint(checkpoint, () => describedTraining(checkpoint.header.env.description).scenarios);
}

/** What `describeEnv` wrote; nothing of what was written by hand. */
function describedTraining(description: string): {
  readonly options?: object;
  readonly scenarios?: readonly string[];
} {
  if (!description.startsWith("{")) return {};
  try {
    const { options, scenarios } = JSON.parse(description) as { options?: unknown; scenarios?: unknown };
    return {
      ...(typeof options === "object" && options !== null && { options }),
      ...(Array.isArray(scenarios) && { scenarios: scenarios.map(String) }),
    };
  } catch (cause) {
    throw new CcparkError(
      "invalid-argument",
      "[checkpoint] header field `env.description`: got broken JSON, expected options of an environment",
      { cause },
    );
  }
}
