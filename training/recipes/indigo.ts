import type { Recipe } from "./recipe.ts";

export const INDIGO: Recipe = {
  name: "indigo",
  summary: "Indigo: five steps of the window every 10 ms, four features and the last action",
  source: "Indigo (Yan et al., Pantheon, USENIX ATC 2018), section 5.2",
  differs: [
    "Reinforcement (DQN over the five choices, our score as reward) where Indigo imitates the best constant window by DAgger.",
    "A dense network over one step, where Indigo has an LSTM of 32 units.",
    "The training range instead of Indigo's grid of emulators without queue limit.",
  ],
  scenarios: ["training-range"],
  episodeSec: 10,
  observation: "indigo-9",
  action: "indigo",
  reward: "score",
  stepMs: 10,
  learner: "dqn",
  options: { hidden: [64, 64] },
  numEnvs: 32,
  steps: 300_000,
};
