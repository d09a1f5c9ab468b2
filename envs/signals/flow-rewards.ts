/** Rewards of a flow among others by name: those of a flow alone, and those that know its fair share. */
import { exp } from "../../core/math.ts";
import type { BytesPerSec } from "../../core/units.ts";
import { FLOW_FACTS, type FlowStep } from "./facts.ts";
import { formulaReward, PROBES } from "./formula-rewards.ts";
import { type Interval, throughputBytesPerSec } from "./interval.ts";
import { REWARDS, type RewardComponent, type RewardSpec } from "./rewards.ts";

export interface FlowRewardComponent extends Omit<RewardComponent, "of"> {
  of(interval: Interval, fairShareBytesPerSec: BytesPerSec): number;
}

export interface FlowRewardSpec extends Omit<RewardSpec, "of" | "components"> {
  /** as those of `RewardSpec`; where flows share the mean reward, the means of each component, up to rounding */
  readonly components: readonly FlowRewardComponent[];
  /** @param fairShareBytesPerSec payload that the link can carry / flows on it; a fact of the simulator, not of a real path */
  of(interval: Interval, fairShareBytesPerSec: BytesPerSec): number;
}

/** Of the capacity 5 % are left out, so that a fair share can be had without a standing queue. */
const USABLE_CAPACITY = 0.95;
/** A flow that takes more than twice its share is no worse than one that takes twice. */
const MAX_SHARES = 2;

function fairness(interval: Interval, fairShareBytesPerSec: BytesPerSec): number {
  const usable = USABLE_CAPACITY * fairShareBytesPerSec;
  const shares = usable > 0 ? Math.min(throughputBytesPerSec(interval) / usable, MAX_SHARES) : 0;
  return 25 * exp(-8 * (shares - 1) ** 2);
}

const sageFair: FlowRewardSpec = {
  name: "sage-fair",
  low: 0,
  high: 25,
  definition:
    "25 exp(-8 (x - 1)^2), x = min(2, throughput / (0.95 C / n)); throughput: payload delivered in the step / step, C: payload that the measured link of the flow's direction could carry in the step, n: flows of the scenario in that direction, cross traffic included",
  source: "Sage (SIGCOMM 2023), reward of a flow among others",
  components: [{ name: "fairness", definition: "the whole of it", of: fairness }],
  of: fairness,
};

/** By name; those of a flow alone first. */
export function flowRewards(): ReadonlyMap<string, FlowRewardSpec> {
  return new Map<string, FlowRewardSpec>([...REWARDS, [sageFair.name, sageFair]]);
}

const FLOW_PROBES: readonly FlowStep[] = PROBES.map((interval) => ({
  interval,
  fairShareBytesPerSec: interval.sendRateBytesPerSec,
}));

/**
 * @param name of a reward, or a formula over `FLOW_FACTS`
 * @throws CcparkError (not-found) with the nearest name, (invalid-argument) for what is no formula
 */
export function getFlowReward(name: string): FlowRewardSpec {
  const known = flowRewards();
  const spec = known.get(name);
  if (spec !== undefined) return spec;
  const { components, of, ...rest } = formulaReward(name, FLOW_FACTS, [...known.keys()], FLOW_PROBES);
  const bound = (compute: (step: FlowStep) => number): FlowRewardSpec["of"] => {
    return (interval, fairShareBytesPerSec) => compute({ interval, fairShareBytesPerSec });
  };
  return { ...rest, components: components.map((each) => ({ ...each, of: bound(each.of) })), of: bound(of) };
}
