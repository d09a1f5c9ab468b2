/** Learners by name. A new one is a file beside this and a line here. */
import { namedEntry } from "../core/errors.ts";
import { type Checkpoint, restoreSpaces, type Spaces } from "./checkpoint.ts";
import type { Agent, Learner, LearnerSetup, LearnerSpec } from "./learner.ts";
import { PPO } from "./ppo.ts";

export const LEARNERS: ReadonlyMap<string, LearnerSpec> = new Map([PPO].map((spec) => [spec.name, spec]));
export const DEFAULT_LEARNER: string = PPO.name;

/** @throws CcparkError (not-found) with the nearest name */
export function getLearner(name: string): LearnerSpec {
  return namedEntry("train", "learner", LEARNERS, name);
}

/** @throws CcparkError (not-found) for a learner that is not known here; the rest as `LearnerSpec.load` */
export function learnerFromCheckpoint(
  checkpoint: Checkpoint,
  setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
): Learner {
  return getLearner(checkpoint.header.learner).load(checkpoint, setup);
}

/**
 * The policy of a checkpoint, ready to act; TensorFlow.js is not needed.
 * @param spaces what it must fit; the stored ones unless given
 * @param seed for `explore`
 * @throws CcparkError (not-found) for a learner that is not known here; the rest as `LearnerSpec.policy`
 */
export function policyFromCheckpoint(
  checkpoint: Checkpoint,
  spaces: Spaces = restoreSpaces(checkpoint.header),
  seed = 0,
): Agent {
  return getLearner(checkpoint.header.learner).policy(checkpoint, spaces, seed);
}
