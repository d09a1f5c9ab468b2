/** What `train` and `quickstart` do unless told otherwise; `npm run bench:train` measures just this. */
import { DEFAULT_ENV_OPTIONS, type EnvOptions } from "../envs/options.ts";

export interface TrainingDefaults {
  readonly env: EnvOptions;
  /** environments stepped together */
  readonly numEnvs: number;
  /** environment steps of a whole training */
  readonly steps: number;
  /** seconds of an episode on the training range: long enough for the queue to settle, short enough to see many links */
  readonly episodeSec: number;
}

export const TRAINING_DEFAULTS: TrainingDefaults = {
  env: DEFAULT_ENV_OPTIONS,
  numEnvs: 32,
  steps: 1_600_000,
  episodeSec: 10,
};
