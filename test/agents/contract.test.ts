/** Every registered learner keeps the contract. */
import { expect, it } from "vitest";
import { getLearner, LEARNERS } from "../../agents/registry.ts";
import { type LearnerContract, learnerContract } from "../contract/learner-contract.ts";

const SMALL_OFFLINE = {
  hidden: [8],
  minibatchSize: 16,
  rolloutSteps: 32,
  gradientSteps: 2,
  resetEvery: 2,
  backend: "simd",
};

const CONTRACTS: Readonly<Record<string, LearnerContract>> = {
  ppo: {
    // The toy's force acts slowly, so it wants more exploration than a window that is multiplied every few milliseconds.
    toy: { hidden: [32, 32], initialLogStd: -0.7, backend: "simd" },
    toySteps: 30_720,
    small: { hidden: [8], rolloutSteps: 32, minibatchSize: 64, epochs: 2, resetEvery: 2, backend: "simd" },
  },
  mappo: {
    toy: { hidden: [32, 32], initialLogStd: -0.7, backend: "simd" },
    toySteps: 30_720,
    small: { hidden: [8], rolloutSteps: 32, minibatchSize: 64, epochs: 2, resetEvery: 2, backend: "simd" },
  },
  a2c: {
    toy: { hidden: [32, 32], initialLogStd: -0.7, learningRate: 3e-3, backend: "simd" },
    toySteps: 61_440,
    small: { hidden: [8], rolloutSteps: 32, resetEvery: 2, backend: "simd" },
  },
  dqn: {
    toy: { hidden: [32, 32], minibatchSize: 64, backend: "simd" },
    toySteps: 30_720,
    small: {
      hidden: [8],
      minibatchSize: 16,
      learningStarts: 300,
      replayCapacity: 700,
      rolloutSteps: 32,
      resetEvery: 2,
      backend: "simd",
    },
  },
  sac: {
    toy: {
      hidden: [32, 32],
      minibatchSize: 64,
      rolloutSteps: 8,
      learningRate: 3e-3,
      tau: 0.02,
      backend: "simd",
    },
    toySteps: 20_480,
    small: {
      hidden: [8],
      minibatchSize: 16,
      learningStarts: 300,
      replayCapacity: 700,
      rolloutSteps: 32,
      gradientSteps: 2,
      resetEvery: 2,
      backend: "simd",
    },
  },
  td3: {
    toy: {
      hidden: [32, 32],
      minibatchSize: 64,
      rolloutSteps: 8,
      learningRate: 3e-3,
      tau: 0.02,
      explorationNoise: 0.5,
      backend: "simd",
    },
    toySteps: 20_480,
    small: {
      hidden: [8],
      minibatchSize: 16,
      learningStarts: 300,
      replayCapacity: 700,
      rolloutSteps: 32,
      gradientSteps: 3,
      resetEvery: 2,
      backend: "simd",
    },
  },
  "recurrent-ppo": {
    toy: {
      hidden: [16],
      memory: 16,
      rolloutSteps: 64,
      sequenceSteps: 8,
      minibatchSize: 128,
      initialLogStd: -0.7,
      learningRate: 2e-3,
      gamma: 0.95,
      backend: "simd",
    },
    toySteps: 40_960,
    small: {
      hidden: [8],
      memory: 5,
      rolloutSteps: 32,
      sequenceSteps: 10,
      minibatchSize: 64,
      epochs: 2,
      resetEvery: 2,
      backend: "simd",
    },
  },
  bc: {
    toy: { hidden: [32, 32], backend: "simd" },
    toySteps: 7_680,
    small: SMALL_OFFLINE,
  },
  dagger: {
    toy: { hidden: [32, 32], backend: "simd" },
    toySteps: 7_680,
    small: { ...SMALL_OFFLINE, replayCapacity: 700 },
  },
  iql: {
    toy: { hidden: [32, 32], backend: "simd", gamma: 0.9 },
    toySteps: 10_240,
    small: SMALL_OFFLINE,
  },
};

for (const spec of LEARNERS.values()) learnerContract(spec, CONTRACTS[spec.name]!);

it("says of every hyperparameter what it means", () => {
  for (const { name, options } of LEARNERS.values()) {
    for (const [option, { definition }] of Object.entries(options)) {
      expect(definition, `${name}: ${option}`).not.toBe("");
    }
  }
});

it("refuses an unknown learner with the nearest name", () => {
  expect(() => getLearner("pop")).toThrow("did you mean `ppo`?");
  expect(() => getLearner("constructor")).toThrow(expect.objectContaining({ kind: "not-found" }));
});
