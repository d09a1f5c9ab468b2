/** How a checkpoint remembers the environment that its policy learnt in, and what acts in it again. */
import {
  type Checkpoint,
  type EnvDescription,
  inCheckpoint,
  restoreSpaces,
  type Spaces,
} from "../agents/checkpoint.ts";
import type { Agent } from "../agents/learner.ts";
import { policyFromCheckpoint } from "../agents/registry.ts";
import { CcparkError } from "../core/errors.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions, parseEnvOptions } from "../envs/options.ts";
import { getAction } from "../envs/signals/actions.ts";
import { DEFAULT_ENVELOPE, type Envelope, envelopeOfSpaces } from "../envs/signals/envelope.ts";
import { getObservation } from "../envs/signals/observations.ts";

/** Name under which `--scenario` gives the range of links. */
export const TRAINING_RANGE_NAME = "training-range";

/** What a checkpoint keeps of the environment: the names, and the other options as JSON. */
export function describeEnv({
  env,
  episodeSec,
  scenarios,
}: {
  readonly env: EnvOptions;
  readonly episodeSec: number;
  /** absent: the training range */
  readonly scenarios?: readonly { readonly name: string }[];
}): EnvDescription {
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

/** Spaces of an environment. */
export function spacesOf(options: EnvOptions, envelope: Envelope = DEFAULT_ENVELOPE): Spaces {
  return {
    observationSpace: getObservation(options.observation, envelope).space,
    actionSpace: getAction(options.action, envelope.maxCwndPackets).space,
  };
}

export interface StoredPolicy {
  readonly policy: Agent;
  readonly env: EnvOptions;
  /** what its spaces were made for */
  readonly envelope: Envelope;
}

/**
 * The policy of a checkpoint, and the environment that it acts in. Modules of its signals must have been loaded.
 * @throws CcparkError (invalid-argument, not-found) with the checkpoint's file
 */
export function storedPolicy(checkpoint: Checkpoint): StoredPolicy {
  const env = envOptionsOf(checkpoint);
  const { observationSpace, actionSpace } = restoreSpaces(checkpoint.header);
  const envelope = envelopeOfSpaces(observationSpace, actionSpace.kind === "box" ? actionSpace : undefined);
  const spaces = inCheckpoint(checkpoint, () => spacesOf(env, envelope));
  return { policy: policyFromCheckpoint(checkpoint, spaces), env, envelope };
}
