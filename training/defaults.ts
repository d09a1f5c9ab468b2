/** What `train` and `quickstart` do unless told otherwise; `npm run bench:train` measures just this. */
import type { PpoOptions } from "../agents/ppo.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions } from "../envs/options.ts";

export interface TrainingDefaults {
  readonly env: EnvOptions;
  /** environments stepped together */
  readonly numEnvs: number;
  /** environment steps of a whole training */
  readonly steps: number;
  /** seconds of an episode on the training range: long enough for the queue to settle, short enough to see many links */
  readonly episodeSec: number;
  readonly ppo: Partial<PpoOptions>;
}

export const TRAINING_DEFAULTS: TrainingDefaults = {
  env: DEFAULT_ENV_OPTIONS,
  numEnvs: 32,
  steps: 1_600_000,
  episodeSec: 10,
  // A step is a round trip, and what an action does shows within a few: a short horizon has less noise. The entropy
  // bonus is negative: exploring by a few percent of the window costs more than a millisecond of queue, so a policy that
  // goes on exploring learns to stay below the full link.
  ppo: { rolloutSteps: 64, gamma: 0.95, entropyCoef: -0.005 },
};
