import type { Recipe } from "./recipe.ts";

export const GENERAL: Recipe = {
  name: "general",
  summary:
    "ours, for links away from home: features without any scale of rate, a policy above a rate law, PPO on the curriculum `general`",
  source: "ccpark",
  differs: [
    "Nothing is published of it: the law below the policy does most of the work, and its constants were chosen by hand. Steps are small: a larger learning rate leads away from it, and scores fall.",
  ],
  scenarios: ["general"],
  episodeSec: null,
  observation: "general",
  action: "steered",
  reward: "general",
  stepMs: "rtt",
  learner: "ppo",
  options: { hidden: [32, 32], learningRate: 3e-5, gamma: 0.97, initialLogStd: -3.2 },
  numEnvs: 64,
  steps: 500_000,
};
