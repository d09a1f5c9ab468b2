import type { Recipe } from "./recipe.ts";

export const ASTRAEA: Recipe = {
  name: "astraea",
  summary: "Astraea: a fortieth of the window per step at most, ten local states over five steps, TD3",
  source: "Astraea (Liao et al., EuroSys 2024); states and action of its release",
  differs: [
    "One flow and its own critic, where Astraea trains several with a global state for the critic; so nothing teaches it fairness.",
    "Our score as reward: that of the paper is not in the release.",
    "Steps of 30 ms on the training range.",
  ],
  scenarios: ["training-range"],
  episodeSec: 10,
  observation: "astraea-10",
  action: "astraea",
  reward: "score",
  stepMs: 30,
  learner: "td3",
  options: { hidden: [64, 64], gamma: 0.98, learningRate: 1e-3, gradientSteps: 4, preactivationCost: 0 },
  numEnvs: 16,
  steps: 200_000,
};
