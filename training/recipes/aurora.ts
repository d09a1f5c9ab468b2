import type { Recipe } from "./recipe.ts";

export const AURORA: Recipe = {
  name: "aurora",
  summary: "Aurora: a rate that grows or falls by a fraction per step, three features over ten steps, PPO",
  source:
    "Aurora (Jay et al., ICML 2019), PCC-RL; reward 0.001 (10 throughput - 1000 latency - 2000 loss), packets/s and seconds",
  differs: [
    "Steps of a round trip, where monitor intervals are half of one.",
    "PPO with the ratio clipped and advantages of GAE, where they used PPO1 of OpenAI Baselines; 32 links at once.",
    "The rate is not held at 1000 packets/s; actions are held within 10, a quarter.",
  ],
  scenarios: ["aurora-train"],
  episodeSec: 20,
  observation: "aurora-30",
  action: "aurora",
  reward: "0.001 * (10 * throughputMbps * 1000000 / 12000 - rttMs - 2000 * lossRate)",
  stepMs: "rtt",
  learner: "ppo",
  options: {
    hidden: [32, 16],
    gamma: 0.99,
    rolloutSteps: 256,
    minibatchSize: 2048,
    entropyCoef: 0,
    initialLogStd: 0,
    normaliseObservations: true,
  },
  numEnvs: 32,
  steps: 2_000_000,
};
