/** Which algorithms a scenario may name for its other flows: those in the datapath where there is one, else over CCP. */

import type { CongestionControlFactory } from "../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../ccp-bridge/in-process-flow.ts";
import { CcparkError, nearestName, unknownName } from "../core/errors.ts";
import { UNDER_TEST } from "../scenarios/flows.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { ScenarioError } from "../scenarios/validate.ts";
import { algorithmNames, overCcp, parseReference, resolveAlgorithm } from "./reference.ts";
import { ALGORITHMS } from "./registry.ts";

/** An algorithm of cross traffic by its reference. */
export type AlgorithmResolver = (reference: string) => CongestionControlFactory;

/**
 * Native where there is a native one (as in every environment), else over CCP.
 * @throws CcparkError (not-found, invalid-argument)
 */
export const crossTrafficAlgorithm: AlgorithmResolver = (reference) => {
  const resolved = resolveAlgorithm(reference);
  return resolved.spec.native?.(resolved.params) ?? runCcpAlgorithm(overCcp(resolved));
};

/**
 * The same for who has no agent.
 * @throws CcparkError (not-found) for one that needs an agent
 */
export const nativeAlgorithm: AlgorithmResolver = (reference) => {
  const natives = [...ALGORITHMS.values()].filter(({ native }) => native !== undefined);
  const { name } = parseReference(reference);
  if (!natives.some((spec) => spec.name === name)) {
    throw unknownName(
      "scenario",
      "native algorithm",
      name,
      natives.map((spec) => spec.name),
    );
  }
  const { spec, params } = resolveAlgorithm(reference);
  return spec.native!(params);
};

/**
 * Every algorithm that a scenario names is known, and its parameters are right.
 * @throws ScenarioError with the field's path
 */
export function checkCrossTraffic(scenario: Scenario): void {
  const check = (path: string, reference: string): void => {
    const { name } = parseReference(reference);
    if (!algorithmNames().includes(reference.split(":")[0]!)) {
      const near = nearestName(name, algorithmNames());
      const expected =
        near === undefined
          ? `one of ${algorithmNames().join(", ")}`
          : `a known one; did you mean \`${near}\`?`;
      throw new ScenarioError(
        `[scenario] ${scenario.name}: ${path}: got \`${name}\`, expected ${expected}`,
        path,
      );
    }
    try {
      resolveAlgorithm(reference);
    } catch (error) {
      if (!(error instanceof CcparkError)) throw error;
      const why = error.message.replace(/^\[\w+\] /, "");
      throw new ScenarioError(`[scenario] ${scenario.name}: ${path}: ${why}`, path);
    }
  };
  scenario.flows?.forEach((plan, i) => {
    if (plan.algorithm !== UNDER_TEST) check(`flows.${i}.algorithm`, plan.algorithm);
  });
  scenario.traffic?.forEach((spec, i) => {
    if (spec.kind !== "datagrams") check(`traffic.${i}.algorithm`, spec.algorithm);
  });
}
