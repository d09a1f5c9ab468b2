/** What acts in an environment, and what also learns from it. */
import type { AnyVectorEnv } from "../envs/env.ts";

export interface Agent {
  readonly name: string;
  /**
   * @param obs one observation, float32 [observationSpace.shape[0]]
   * @param mode explore: sampled from the agent's own generator; greedy: the mode of the policy
   * @returns one action, float32 [actionSpace.shape[0]]; overwritten by the next call
   */
  act(obs: Float32Array, mode: "explore" | "greedy"): Float32Array;
  dispose(): void;
}

/** One line of a learning curve: after each update. */
export interface Progress {
  readonly steps: number;
  readonly totalSteps: number;
  readonly episodes: number;
  /** mean over the episodes that ended since the last line; NaN where none did */
  readonly meanEpisodeReturn: number;
  readonly meanScore: number;
  readonly meanUtilisation: number;
  readonly meanQueueDelayMs: number;
  readonly policyLoss: number;
  readonly valueLoss: number;
  readonly entropy: number;
  readonly approxKl: number;
  readonly clipFraction: number;
  readonly explainedVariance: number;
}

export interface Learner extends Agent {
  learn(envs: AnyVectorEnv, totalSteps: number): AsyncIterable<Progress>;
}
