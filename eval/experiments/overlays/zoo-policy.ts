/** A policy of the zoo as an algorithm of flows, as the environment that it was trained in has it. */
import { policyFromCheckpoint } from "../../../agents/registry.ts";
import { loadZoo } from "../../../agents/zoo-files.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { parseEnvOptions } from "../../../envs/options.ts";
import { policyAlgorithm } from "../../../envs/policy-algorithm.ts";

/** @throws CcparkError (not-found) with the nearest name */
export function zooAlgorithm(name: string): CcpAlgorithm {
  const checkpoint = loadZoo(name);
  const { observation, action, reward, description } = checkpoint.header.env;
  const { options } = JSON.parse(description) as { readonly options?: object };
  const env = parseEnvOptions({ ...options, observation, action, reward });
  return policyAlgorithm(name, policyFromCheckpoint(checkpoint), env);
}
