/** Parameters of live flows in scenario files: who may change, in what order, and where a mistake is. */
import { expect, it } from "vitest";
import { checkCrossTraffic } from "../../algorithms/cross-traffic.ts";
import { drawScenario } from "../../envs/steps/scenario-source.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { FlowPlan } from "../../scenarios/traffic/flow-plan.ts";
import { validateScenario } from "../../scenarios/validate.ts";

const withFlow = (flow: FlowPlan): Scenario => ({ ...getScenario("park-paper"), flows: [flow] });
const change = (params: Record<string, number>, atSec = 1) => ({ atSec, params });

it("accepts changes in the order of time, of parameters that the algorithm lets change", () => {
  const scenario = withFlow({
    algorithm: "dtl:priority=0",
    changes: [change({ priority: 1 }), change({ priority: 2 }, 2)],
  });
  expect(validateScenario(scenario)).toEqual(scenario);
  expect(() => checkCrossTraffic(scenario)).not.toThrow();
});

it.each([
  [
    [change({ priority: 1 }, 2), change({ priority: 2 }, 2)],
    "flows.0.changes.1.atSec: got 2, expected more than 2",
  ],
  [[change({})], "flows.0.changes.0.params"],
])("refuses %j with its path", (changes, words) => {
  expect(() => validateScenario(withFlow({ algorithm: "dtl", changes }))).toThrow(words);
});

it.each([
  [
    "dtl",
    { priority: 65 },
    "flows.0.changes.0.params.priority: got 65, expected a whole number from 0 to 64 TCPs",
  ],
  ["dtl", { targetMs: 50 }, "flows.0.changes.0.params.targetMs: got 50, expected priority"],
  ["reno", { beta: 0.7 }, "expected no parameter of a live reno flow may change"],
])("of %s refuses %j in one sentence", (algorithm, params, words) => {
  expect(() =>
    checkCrossTraffic(withFlow({ algorithm, changes: [change(params as Record<string, number>)] })),
  ).toThrow(words);
});

it("of a flow that an environment controls are refused before anything runs", () => {
  const changes = [change({ priority: 1 })];
  const paper = getScenario("park-paper");
  for (const [scenario, field] of [
    [{ ...paper, changes }, "changes"],
    [{ ...paper, flows: [{ algorithm: "test", changes }] }, "flows.0.changes"],
  ] as const) {
    expect(() => drawScenario(scenario, 1)).toThrow(
      `[env] scenario park-paper: ${field}: got changes of an algorithm's parameters, expected none: its flow is the environment's`,
    );
  }
});
