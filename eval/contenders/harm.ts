/**
 * Harm (Ware, Mukerjee, Seshan and Sherry, "Beyond Jain's Fairness Index", HotNets 2019): which part of what others have without a
 * contender is gone beside it. They have it in the same run: link, seed, losses and all other traffic are those of the
 * contender's run, and its own flows send one packet and end.
 */
import { reno } from "../../algorithms/native/reno.ts";
import { type MeasuredRunOptions, runAlgorithm } from "../../envs/measured-run.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { ApplicationSpec } from "../../scenarios/traffic/applications.ts";
import { harmOfLess, harmOfMore } from "../../testbeds/fairness.ts";
import type { FlowSummary, RunResult } from "../../testbeds/results.ts";

export interface Harm {
  /** to the goodput of the forward flow that it harms most, 0 to 1 */
  readonly harm: number;
  /** to the 95th percentile of the one-way delay, of the flow whose delay it harms most, 0 to 1 */
  readonly delayHarm: number;
}

const UNDER_TEST = "test";
const NEXT_TO_NOTHING: ApplicationSpec = { kind: "finite", bytes: 1 };

const isHarmable = ({ algorithm, direction }: Pick<FlowSummary, "algorithm" | "direction">): boolean =>
  algorithm !== UNDER_TEST && direction === "forward";

/** Whether there are others on the way of the data that a contender could harm. */
function hasOthers({ flows = [] }: Scenario): boolean {
  return flows.some(({ algorithm, direction = "forward" }) => isHarmable({ algorithm, direction }));
}

/** The flows under test stay in their places, so that everybody else's chance is the same. */
function withoutContender(scenario: Scenario): Scenario {
  const none = { application: NEXT_TO_NOTHING, deadlineSec: undefined };
  return {
    ...scenario,
    ...none,
    flows: scenario.flows?.map((plan) => (plan.algorithm === UNDER_TEST ? { ...plan, ...none } : plan)),
  };
}

/** By scenario and seed: it is the same for all contenders. */
const WITHOUT: WeakMap<Scenario, Map<number, RunResult["flows"]>> = new WeakMap();

function flowsWithout(options: MeasuredRunOptions): NonNullable<RunResult["flows"]> {
  const { scenario, seed } = options;
  let bySeed = WITHOUT.get(scenario);
  if (bySeed === undefined) {
    bySeed = new Map();
    WITHOUT.set(scenario, bySeed);
  }
  let flows = bySeed.get(seed);
  if (flows === undefined) {
    flows = runAlgorithm({ ...options, scenario: withoutContender(scenario), algorithm: reno }).flows ?? [];
    bySeed.set(seed, flows);
  }
  return flows;
}

/**
 * In virtual time: what is compared has to be run too.
 * @param beside the contender's run
 * @returns undefined: nobody is there to be harmed, or nothing of them arrived without the contender either
 */
export function harmOf(options: MeasuredRunOptions, beside: RunResult): Harm | undefined {
  if (!hasOthers(options.scenario)) return undefined;
  const without = new Map(flowsWithout(options).map((flow) => [flow.id, flow]));
  const pairs = (beside.flows ?? []).flatMap((flow) => {
    const alone = without.get(flow.id);
    return alone !== undefined && isHarmable(flow) && alone.goodputMbps > 0 ? [{ alone, flow }] : [];
  });
  if (pairs.length === 0) return undefined;
  // a flow of which nothing arrived has no delay to speak of
  const delays = pairs.filter(({ flow }) => !Number.isNaN(flow.p95OneWayDelayMs));
  const worst = (of: readonly number[]): number => (of.length === 0 ? Number.NaN : Math.max(...of));
  return {
    harm: worst(pairs.map(({ alone, flow }) => harmOfMore(alone.goodputMbps, flow.goodputMbps))),
    delayHarm: worst(
      delays.map(({ alone, flow }) => harmOfLess(alone.p95OneWayDelayMs, flow.p95OneWayDelayMs)),
    ),
  };
}
