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
  /** it reads `fairShareBytesPerSec`; absent: it does not */
  readonly readsFairShare?: true;
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

/** What a loss costs beside what it does to throughput: 2 % of all packets a tenth of an octave. */
const LOSS_WEIGHT = 5;
/** More than in the score: with the noise of exploring, queues are longer than without it, and a policy would learn to leave room. */
const THROUGHPUT_WEIGHT = 1.5;
/** 1448 B/s of a share, whatever its size: an idle step is the worst. */
const LEAST_SHARE = 2 ** -8;

function shareTaken(interval: Interval): number {
  const { fairShareBytesPerSec: share } = interval;
  // before anything of the link is known, or in a world that does not tell
  if (share <= 0) return 0;
  return (
    THROUGHPUT_WEIGHT * log2(Math.min(Math.max(throughputBytesPerSec(interval) / share, LEAST_SHARE), 1))
  );
}

const floorDelay = (interval: Interval): number =>
  Math.max(-MOST_DELAY_OCTAVES, delayTerm(queueDelayAtLeastUs(interval)) - delayTerm(0));

function lossCost({ lostPackets, ackedPackets, misorderedPackets }: Interval): number {
  return lostPackets === 0
    ? 0
    : (-LOSS_WEIGHT * lostPackets) / (lostPackets + ackedPackets + misorderedPackets);
}

const MOST_DELAY_OCTAVES = 8;
/** What a queue of one round trip costs beside its logarithm, and how many are told apart: a run is judged by its mean, which spikes make. */
const SPIKE_WEIGHT = 0.25;
const MOST_SPIKE_RTTS = 8;

function spikeCost(interval: Interval): number {
  const { minRttUs } = interval;
  if (minRttUs === 0) return 0;
  return -SPIKE_WEIGHT * Math.min(MOST_SPIKE_RTTS, queueDelayAtLeastUs(interval) / minRttUs);
}

const general: RewardSpec = {
  name: "general",
  low: -27,
  high: 0,
  definition: `${THROUGHPUT_WEIGHT} log2(min(1, throughput / fair share)) - 0.5 log2(max(queueing delay, 1 ms) / 1 ms) - ${SPIKE_WEIGHT} min(${MOST_SPIKE_RTTS}, queueing delay / min RTT) - ${LOSS_WEIGHT} x loss rate: the benchmark's score less the best that the link allows, so that links of all rates are worth the same, and less what is lost; fair share: payload that the link could carry in the step / flows on it, a fact of the simulator. At least -12 and -8 of the first two; more than the fair share earns nothing`,
  source: "ccpark: the benchmark's score, relative to the link as Sage's and Astraea's rewards are",
  readsFairShare: true,
  components: [
    {
      name: "throughput",
      definition: `${THROUGHPUT_WEIGHT} log2(min(1, throughput / fair share)), at least -12`,
      of: shareTaken,
    },
    { name: "delay", definition: "-0.5 log2(max(queueing delay, 1 ms) / 1 ms), at least -8", of: floorDelay },
    {
      name: "spikes",
      definition: `-${SPIKE_WEIGHT} x queueing delay / min RTT, at least -${SPIKE_WEIGHT * MOST_SPIKE_RTTS}`,
      of: spikeCost,
    },
    { name: "loss", definition: `-${LOSS_WEIGHT} x lost / (lost + delivered)`, of: lossCost },
  ],
  of: (interval) => shareTaken(interval) + floorDelay(interval) + spikeCost(interval) + lossCost(interval),
};

const TABLE: Map<string, RewardSpec> = new Map([score, park, general].map((spec) => [spec.name, spec]));
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
