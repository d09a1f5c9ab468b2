/** Learners, policies and checkpoints. */
export type { Agent, Learner, Progress } from "./agent.ts";
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
export { loadCheckpoint, saveCheckpoint } from "./checkpoint-files.ts";
export { GaussianPolicy } from "./policy.ts";
export { Ppo, type PpoOptions, policyFromCheckpoint } from "./ppo.ts";
