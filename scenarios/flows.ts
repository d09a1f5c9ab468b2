/** Names and times of the flows that a scenario asks for. */
import { FIRST_FLOW, type Scenario } from "./scenario.ts";
import type { FlowPlan } from "./traffic/flow-plan.ts";
import { stackGroup } from "./traffic/stack.ts";

/** Marks a flow of a scenario that is under test too. */
export const UNDER_TEST = "test";

/** Id of the `i`-th flow of a plan, which is the `number`-th of the scenario. */
export function flowId({ id, count = 1 }: FlowPlan, i: number, number: number): string {
  if (id === undefined) return `flow-${number}`;
  return count > 1 ? `${id}-${i}` : id;
}

/** Ids of a scenario's flows under test, in their order; of those that share a window (`stack`) only the first, whose it is. */
export function flowsUnderTest(scenario: Scenario): string[] {
  const ids = [FIRST_FLOW];
  const groups = new Set([stackGroup(scenario.stack)]);
  let number = 1;
  for (const plan of scenario.flows ?? []) {
    const group = stackGroup(plan.stack);
    for (let i = 0; i < (plan.count ?? 1); i++, number++) {
      const shares = group !== undefined && groups.has(group);
      if (plan.algorithm === UNDER_TEST && !shares) ids.push(flowId(plan, i, number));
      groups.add(group);
    }
  }
  return ids;
}

/** Some of its flows are stacks of chunnels. */
export function hasStacks({ stack, flows = [] }: Scenario): boolean {
  return stack !== undefined || flows.some((plan) => plan.stack !== undefined);
}

/** How long before the flow under test the first other flow starts. */
export function leadSec(scenario: Scenario): number {
  const others = [...(scenario.flows ?? []), ...(scenario.traffic ?? [])];
  return others.reduce((lead, { startSec = 0 }) => Math.max(lead, -startSec), 0);
}
