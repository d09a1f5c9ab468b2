/** What acts by weights, whoever learnt them. */
import { makeDensity } from "./actor-critic.ts";
import type { NetworkPolicy, PolicyOptions, PolicySpec } from "./network-policy.ts";
import { EpsilonGreedyPolicy } from "./off-policy/epsilon-greedy-policy.ts";
import { NoisyPolicy } from "./off-policy/noisy-policy.ts";
import { SquashedGaussianPolicy } from "./off-policy/squashed-gaussian-policy.ts";

/** The head that the spec asks for. */
export function makePolicy(spec: PolicySpec, options: PolicyOptions): NetworkPolicy {
  switch (spec.head) {
    case "epsilon-greedy":
      return new EpsilonGreedyPolicy(spec, options);
    case "squashed-gaussian":
      return new SquashedGaussianPolicy(spec, options);
    case "noisy":
      return new NoisyPolicy(spec, options);
    case undefined:
      return makeDensity(spec, options);
  }
}
