import { TRAINING_DEFAULTS } from "../defaults.ts";
import type { Recipe } from "./recipe.ts";

export const QUICKSTART: Recipe = {
  name: "quickstart",
  summary:
    "ours: ten features relative to the path, a factor on the window per round trip, PPO on the training range",
  source: "ccpark: what `npm start` trains",
  differs: ["Nothing: it is what `train` does without options."],
  scenarios: ["training-range"],
  episodeSec: TRAINING_DEFAULTS.episodeSec,
  observation: TRAINING_DEFAULTS.env.observation,
  action: TRAINING_DEFAULTS.env.action,
  reward: TRAINING_DEFAULTS.env.reward,
  stepMs: TRAINING_DEFAULTS.env.stepMs,
  learner: "ppo",
  options: {},
  numEnvs: TRAINING_DEFAULTS.numEnvs,
  steps: TRAINING_DEFAULTS.steps,
};
