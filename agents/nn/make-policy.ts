/** What acts by weights, whoever learnt them. */
import { makeDensity } from "./actor-critic.ts";
import type { NetworkPolicy, PolicyOptions, PolicySpec } from "./network-policy.ts";
import { EpsilonGreedyPolicy } from "./off-policy/epsilon-greedy-policy.ts";

/** The head that the spec asks for. */
export function makePolicy(spec: PolicySpec, options: PolicyOptions): NetworkPolicy {
  return spec.head === "epsilon-greedy" ? new EpsilonGreedyPolicy(spec, options) : makeDensity(spec, options);
}
