/** Policies, acting greedily. */
import { type AsyncPolicy, type Policy, runAgent, runAgentLater } from "../../envs/measured-run.ts";
import type { EnvOptions } from "../../envs/options.ts";
import type { Spans } from "../../envs/signals/envelope.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import type { Contender } from "./contender.ts";

/** A policy, acting greedily (trained or not). @param spans of the observations that it was made for */
export function agentContender(
  name: string,
  description: string,
  agent: Policy,
  env: EnvOptions,
  spans?: Spans,
): Contender {
  return {
    name,
    description,
    run({ testbed = SIMULATED, ...options }) {
      const run = { ...options, agent, env, spans };
      return testbed.clock === "virtual" ? runAgent({ ...run, testbed }) : runAgentLater({ ...run, testbed });
    },
  };
}

/** The same for a policy that answers later. */
export function asyncAgentContender(
  name: string,
  description: string,
  agent: AsyncPolicy,
  env: EnvOptions,
  spans?: Spans,
): Contender {
  return { name, description, run: (options) => runAgentLater({ ...options, agent, env, spans }) };
}
