/** Learners by name. A new one is a file beside this and a line here. */
import { namedEntry } from "../core/errors.ts";
import { A2C } from "./a2c.ts";
import { type Checkpoint, checkNames, inCheckpoint, restoreSpaces, type Spaces } from "./checkpoint.ts";
import { DQN } from "./dqn.ts";
import type { Agent, Learner, LearnerSetup, LearnerSpec } from "./learner.ts";
import { MAPPO } from "./mappo.ts";
import { BC } from "./offline/bc.ts";
import { DAGGER } from "./offline/dagger.ts";
import { IQL } from "./offline/iql.ts";
import { PPO } from "./ppo.ts";
import { RECURRENT_PPO } from "./recurrent-ppo.ts";
import { SAC } from "./sac.ts";
import { TD3 } from "./td3.ts";

export const LEARNERS: ReadonlyMap<string, LearnerSpec> = new Map(
  [PPO, A2C, DQN, SAC, TD3, RECURRENT_PPO, MAPPO, BC, DAGGER, IQL].map((spec) => [spec.name, spec]),
);
export const DEFAULT_LEARNER: string = PPO.name;

/** @throws CcparkError (not-found) with the nearest name */
export function getLearner(name: string): LearnerSpec {
  return namedEntry("train", "learner", LEARNERS, name);
}

/**
 * The learner of a checkpoint, to go on with.
 * @param setup spaces to check against, the stored ones unless given; options that replace stored ones
 * @throws CcparkError (not-found) for a learner that is not known here; the rest as `LearnerSpec.load`. All name the file
 */
export function learnerFromCheckpoint(checkpoint: Checkpoint, setup?: Omit<LearnerSetup, "seed">): Learner {
  return inCheckpoint(checkpoint, () => {
    const spec = getLearner(checkpoint.header.learner);
    const wanted = setup ?? restoreSpaces(checkpoint.header);
    const learner = spec.load(checkpoint, wanted);
    checkNames(checkpoint.header, wanted);
    return learner;
  });
}

/**
 * The policy of a checkpoint, ready to act; TensorFlow.js is not needed.
 * @param spaces what it must fit; the stored ones unless given
 * @param seed for `explore`
 * @throws CcparkError (not-found) for a learner that is not known here; the rest as `LearnerSpec.policy`. All name the file
 */
export function policyFromCheckpoint(checkpoint: Checkpoint, spaces?: Spaces, seed = 0): Agent {
  return inCheckpoint(checkpoint, () => {
    const spec = getLearner(checkpoint.header.learner);
    const wanted = spaces ?? restoreSpaces(checkpoint.header);
    const policy = spec.policy(checkpoint, wanted, seed);
    checkNames(checkpoint.header, wanted);
    return policy;
  });
}
