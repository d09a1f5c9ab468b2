import type { Recipe } from "./recipe.ts";

export const PARK: Recipe = {
  name: "park",
  summary: "Park's congestion control: raw counters in, window and rate out, A2C on one link",
  source:
    "Park (Mao et al., NeurIPS 2019), congestion control environment; the link is that of the CCP thesis, Fig. 4.12",
  differs: [
    "Observations are normalised by their running mean and deviation: Park's own numbers reach 1e9.",
    "Adam instead of RMSprop; 32 environments at once instead of one connection in real time.",
    "The reward is that of the step itself; Park hands it out one step later.",
  ],
  scenarios: ["park-paper"],
  episodeSec: 10,
  observation: "park-14",
  action: "absolute",
  reward: "park",
  stepMs: 10,
  learner: "a2c",
  options: { hidden: [64, 32], gamma: 0.99, normaliseObservations: true, initialLogStd: -1 },
  numEnvs: 32,
  steps: 1_000_000,
};
