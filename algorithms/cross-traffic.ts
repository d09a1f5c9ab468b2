/** Which algorithms a scenario may name for its other flows: the native ones, and the baselines through CCP. */

import { runCcpAlgorithm } from "../ccp-bridge/in-process-flow.ts";
import { nearestName, unknownName } from "../core/errors.ts";
import { UNDER_TEST } from "../scenarios/flows.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { ScenarioError } from "../scenarios/validate.ts";
import { BASELINES } from "./registry.ts";
import { type AlgorithmResolver, NATIVE_ALGORITHMS } from "./resolver.ts";

const KNOWN: readonly string[] = [...new Set([...NATIVE_ALGORITHMS.keys(), ...BASELINES.keys()])];

/**
 * Native where there is a native one (as in every environment), else the baseline.
 * @throws CcparkError (not-found)
 */
export const crossTrafficAlgorithm: AlgorithmResolver = (name) => {
  const native = NATIVE_ALGORITHMS.get(name);
  if (native !== undefined) return native;
  const baseline = BASELINES.get(name);
  if (baseline === undefined) {
    throw unknownName("scenario", "algorithm", name, KNOWN);
  }
  return runCcpAlgorithm(baseline());
};

/**
 * Every algorithm that a scenario names is known.
 * @throws ScenarioError with the field's path
 */
export function checkCrossTraffic(scenario: Scenario): void {
  const check = (path: string, name: string, known: readonly string[]): void => {
    if (known.includes(name)) return;
    const near = nearestName(name, known);
    const expected =
      near === undefined ? `one of ${known.join(", ")}` : `a known one; did you mean \`${near}\`?`;
    throw new ScenarioError(
      `[scenario] ${scenario.name}: ${path}: got \`${name}\`, expected ${expected}`,
      path,
    );
  };
  scenario.flows?.forEach((plan, i) => {
    check(`flows.${i}.algorithm`, plan.algorithm, [UNDER_TEST, ...KNOWN]);
  });
  scenario.traffic?.forEach((spec, i) => {
    if (spec.kind !== "datagrams") check(`traffic.${i}.algorithm`, spec.algorithm, KNOWN);
  });
}
