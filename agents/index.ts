/** Learners, policies and checkpoints. */
export { A2c, type A2cOptions } from "./a2c.ts";
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Spaces } from "./checkpoint.ts";
export { loadCheckpoint, saveCheckpoint } from "./checkpoint-files.ts";
export { Dqn, type DqnOptions } from "./dqn.ts";
export type { Agent, Learner, LearnerSetup, LearnerSpec, Progress } from "./learner.ts";
export { GaussianPolicy } from "./nn/gaussian-policy.ts";
export { Bc, type BcOptions } from "./offline/bc.ts";
export { Dagger, type DaggerOptions } from "./offline/dagger.ts";
export { Iql, type IqlOptions } from "./offline/iql.ts";
export { Ppo, type PpoOptions } from "./ppo.ts";
export { RecurrentPpo, type RecurrentPpoOptions } from "./recurrent-ppo.ts";
export { getLearner, LEARNERS, learnerFromCheckpoint, policyFromCheckpoint } from "./registry.ts";
export { Sac, type SacOptions } from "./sac.ts";
export { Td3, type Td3Options } from "./td3.ts";
