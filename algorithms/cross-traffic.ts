/** Which algorithms a scenario may name for its other flows: those in the datapath where there is one, else over CCP. */

import type { FlowAlgorithm } from "../ccp-bridge/in-process-flow.ts";
import { CcparkError, clipped, nearestName, unknownName } from "../core/errors.ts";
import { UNDER_TEST } from "../scenarios/flows.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { ScenarioError } from "../scenarios/validate.ts";
import { algorithmNames, overCcp, parseReference, resolveAlgorithm } from "./reference.ts";
import { ALGORITHMS } from "./registry.ts";
import { paramRange } from "./spec.ts";

/** Flows of one environment, which an agent of its own drives through one datapath. */
const MAX_FLOWS_UNDER_TEST = 1_024;

/** An algorithm of cross traffic by its reference. */
export type AlgorithmResolver = (reference: string) => FlowAlgorithm;

/**
 * Native where there is a native one (as in every environment), else over CCP.
 * @throws CcparkError (not-found, invalid-argument)
 */
export const crossTrafficAlgorithm: AlgorithmResolver = (reference) => {
  const resolved = resolveAlgorithm(reference);
  return resolved.spec.native?.(resolved.params) ?? overCcp(resolved);
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
 * Every algorithm that a scenario names is known and its parameters are right, and its flows under test fit into a datapath.
 * @throws ScenarioError with the field's path: not-found for an unknown name
 */
export function checkCrossTraffic(scenario: Scenario): void {
  const known = new Set(algorithmNames());
  const checked = new Set<string>();
  const check = (path: string, reference: string): void => {
    if (checked.has(reference)) return;
    checked.add(reference);
    const [name = ""] = reference.split(":", 1);
    if (!known.has(name)) {
      const near = nearestName(name, known);
      const expected =
        near === undefined ? `one of ${[...known].join(", ")}` : `a known one; did you mean \`${near}\`?`;
      throw new ScenarioError(
        `[scenario] ${scenario.name}: ${path}: got \`${clipped(name)}\`, expected ${expected}`,
        path,
        { kind: "not-found" },
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
  const underTest = 1 + countUnderTest(scenario);
  if (underTest > MAX_FLOWS_UNDER_TEST) {
    throw new ScenarioError(
      `[scenario] ${scenario.name}: flows: got ${underTest} flows under test, expected at most ${MAX_FLOWS_UNDER_TEST}`,
      "flows",
      { kind: "resource-exhausted" },
    );
  }
  scenario.flows?.forEach((plan, i) => {
    if (plan.algorithm === UNDER_TEST) return;
    check(`flows.${i}.algorithm`, plan.algorithm);
    plan.changes?.forEach(({ params }, at) => {
      checkChange(scenario, plan.algorithm, params, `flows.${i}.changes.${at}.params`);
    });
  });
  scenario.bundles?.forEach(({ algorithm }, i) => {
    if (algorithm !== UNDER_TEST) check(`bundles.${i}.algorithm`, algorithm);
  });
  if (scenario.overlay?.algorithm !== undefined) check("overlay.algorithm", scenario.overlay.algorithm);
  scenario.traffic?.forEach((spec, i) => {
    if (spec.kind !== "datagrams") check(`traffic.${i}.algorithm`, spec.algorithm);
  });
}

/** A live flow of the algorithm takes these values. */
function checkChange(
  { name }: Scenario,
  reference: string,
  params: Readonly<Record<string, number>>,
  path: string,
): void {
  const { spec } = resolveAlgorithm(reference);
  for (const [key, value] of Object.entries(params)) {
    const param = spec.params.find((each) => each.name === key && each.live);
    const isRight =
      param !== undefined &&
      value >= param.low &&
      value <= param.high &&
      (!param.whole || Number.isInteger(value));
    if (isRight) continue;
    const live = spec.params.filter((each) => each.live).map((each) => each.name);
    const none = `no parameter of a live ${spec.name} flow may change`;
    const expected = param !== undefined ? paramRange(param) : live.length > 0 ? live.join(", ") : none;
    const message = `[scenario] ${name}: ${path}.${key}: got ${value}, expected ${expected}`;
    throw new ScenarioError(message, `${path}.${key}`);
  }
}

/** Paths of modules that a scenario names for its other flows, its traffic, its bundles and its overlay. */
export function crossTrafficModules({ flows = [], traffic = [], bundles = [], overlay }: Scenario): string[] {
  const references = [
    ...[...flows, ...bundles].map(({ algorithm }) => algorithm),
    ...traffic.flatMap((spec) => (spec.kind === "datagrams" ? [] : [spec.algorithm])),
    ...(overlay?.algorithm === undefined ? [] : [overlay.algorithm]),
  ];
  return references
    .map(parseReference)
    .filter(({ isModule }) => isModule)
    .map(({ name }) => name);
}

/** Beside the one that every scenario has. */
function countUnderTest({ flows = [] }: Scenario): number {
  return flows.reduce((sum, { algorithm, count = 1 }) => sum + (algorithm === UNDER_TEST ? count : 0), 0);
}
