import type { Recipe } from "./recipe.ts";

export const ORCA: Recipe = {
  name: "orca",
  summary: "Orca: a factor on Cubic's window every 20 ms, power with a delay margin as reward, TD3",
  source:
    "Orca (Abbasloo et al., SIGCOMM 2020); reward (throughput - 5 loss) x min(1, 1.25 min RTT / RTT) / highest throughput",
  differs: [
    "The Cubic below acts with the packets of a report, every 20 ms, where theirs is the kernel's, per ACK.",
    "The reward is divided by the link's 48 Mbit/s, where Orca divides by the highest throughput that it has seen.",
    "No recurrent network: ten steps are stacked, as in Orca's release.",
  ],
  scenarios: ["orca-sample"],
  episodeSec: 10,
  observation: "orca-7",
  action: "orca",
  reward: "(throughputMbps - 5 * lossRate * sendRateMbps) / 48 * min(1, 1.25 * minRttMs / rttMs)",
  stepMs: 20,
  learner: "td3",
  options: { hidden: [64, 64], gamma: 0.98, learningRate: 1e-3, gradientSteps: 4, preactivationCost: 0 },
  numEnvs: 16,
  steps: 100_000,
};
