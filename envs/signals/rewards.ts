/** Rewards by name: pure functions of one step's interval. */

import { CcparkError } from "../../core/errors.ts";
import { log2 } from "../../core/math.ts";
import { delayTerm, powerScore, throughputTerm } from "../../testbeds/score.ts";
import { FACTS } from "./facts.ts";
import { formulaReward, PROBES } from "./formula-rewards.ts";
import type { Interval } from "./interval.ts";
import { deliveryRateAtMostBytesPerSec, queueDelayAtLeastUs, throughputBytesPerSec } from "./interval.ts";

/** A summand of a reward. */
export interface RewardComponent {
  readonly name: string;
  readonly definition: string;
  of(interval: Interval): number;
}

export interface RewardSpec {
  readonly name: string;
  /** range of one step */
  readonly low: number;
  readonly high: number;
  readonly definition: string;
  readonly source: string;
  /** they add up to the reward, in this order, bit by bit */
  readonly components: readonly RewardComponent[];
  of(interval: Interval): number;
}

const score: RewardSpec = {
  name: "score",
  low: -5,
  high: 35,
  definition:
    "log2(max(throughput, 1448 B/s)) - 0.5 log2(max(queueing delay, 1000 us)); throughput: payload delivered in the step / step, queueing delay: mean RTT of the step - smallest RTT so far, and while nothing comes back at least the time since something did, less the smallest RTT. A full link with at most 1 ms of queue is the best there is, an idle link the worst",
  source: "the benchmark's score per step; Park's power with a delay floor",
  components: [
    {
      name: "throughput",
      definition: "log2(max(throughput, 1448 B/s))",
      of: (interval) => throughputTerm(throughputBytesPerSec(interval)),
    },
    {
      name: "delay",
      definition: "-0.5 log2(max(queueing delay, 1000 us))",
      of: (interval) => delayTerm(queueDelayAtLeastUs(interval)),
    },
  ],
  of: (interval) => powerScore(throughputBytesPerSec(interval), queueDelayAtLeastUs(interval)),
};

function parkThroughput(interval: Interval): number {
  const rate = deliveryRateAtMostBytesPerSec(interval);
  return rate > 0 ? log2(rate) : 0;
}

function parkDelay(interval: Interval): number {
  const { minRttUs } = interval;
  const delayUs = minRttUs === 0 ? 0 : Math.max(interval.rttUs, interval.silentUs) - minRttUs;
  return delayUs > 0 ? -0.5 * log2(delayUs) : 0;
}

const park: RewardSpec = {
  name: "park",
  low: -16,
  high: 30,
  definition:
    "log2(rout) - 0.5 log2(rtt - min_rtt); rout: delivery rate in B/s, RTTs in us; while nothing comes back for more than a round trip, rout is at most a packet in that time and rtt at least that time; a logarithm whose argument is <= 0 counts as 0. Beware: without a delay floor it pays an idle link more than a full one with 0.3 ms of queue",
  source:
    "Park (NeurIPS 2019), congestion control environment; Park hands it out one step later than the interval that earned it",
  components: [
    { name: "throughput", definition: "log2(rout), 0 where rout is 0", of: parkThroughput },
    {
      name: "delay",
      definition: "-0.5 log2(rtt - min_rtt), 0 where the difference is not above 0",
      of: parkDelay,
    },
  ],
  of: (interval) => parkThroughput(interval) + parkDelay(interval),
};

const TABLE: Map<string, RewardSpec> = new Map([score, park].map((spec) => [spec.name, spec]));
export const REWARDS: ReadonlyMap<string, RewardSpec> = TABLE;
export const DEFAULT_REWARD = "score";

/**
 * @param name of a reward, or a formula over `FACTS`
 * @throws CcparkError (not-found) with the nearest name, (invalid-argument) for what is no formula
 */
export function getReward(name: string): RewardSpec {
  return REWARDS.get(name) ?? formulaReward(name, FACTS, [...REWARDS.keys()], PROBES);
}

/**
 * Makes a reward known to this process, and no other.
 * @throws CcparkError (already-exists)
 */
export function registerReward(spec: RewardSpec): void {
  if (TABLE.has(spec.name)) {
    throw new CcparkError("already-exists", `[env] reward \`${spec.name}\` is known already`);
  }
  TABLE.set(spec.name, spec);
}
