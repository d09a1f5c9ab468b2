/** The facts of a step by name, in the units of reports: what formulas may read. */
import type { Variable } from "../../core/formula.ts";
import { MICROS_PER_MILLI, MSS_BYTES, toMbps } from "../../core/units.ts";
import {
  deliveryRateAtMostBytesPerSec,
  type Interval,
  queueDelayAtLeastUs,
  rttAtLeastUs,
  throughputBytesPerSec,
} from "./interval.ts";

/** A packet per second, as the score has it: a rate can be divided by, and has a logarithm, in silence too. */
const LEAST_MBPS = toMbps(MSS_BYTES);
/** The same for round trips before the first sample. */
const LEAST_MS = 1 / MICROS_PER_MILLI;

const delivered = ({ ackedPackets, misorderedPackets }: Interval): number => ackedPackets + misorderedPackets;
const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

const RATE = { unit: "Mbit/s", low: LEAST_MBPS, high: Number.POSITIVE_INFINITY } as const;
const ROUND_TRIP = { unit: "ms", low: LEAST_MS, high: Number.POSITIVE_INFINITY } as const;
const PACKETS = { unit: "packets", low: 0, high: Number.POSITIVE_INFINITY } as const;
const FRACTION = { unit: "1", low: 0, high: 1 } as const;

export type Fact = Variable<Interval>;

export const FACTS: readonly Fact[] = [
  {
    name: "throughputMbps",
    ...RATE,
    definition: "payload delivered in the step / step, in order or not",
    of: (interval) => Math.max(LEAST_MBPS, toMbps(throughputBytesPerSec(interval))),
  },
  {
    name: "sendRateMbps",
    ...RATE,
    definition: "rate of sending as CCP measures it (Flow.rate_outgoing) at the end of the step",
    of: ({ sendRateBytesPerSec: rate }) => Math.max(LEAST_MBPS, toMbps(rate)),
  },
  {
    name: "deliveryRateMbps",
    ...RATE,
    definition:
      "rate of delivery as CCP measures it (Flow.rate_incoming) at the end of the step; at most a packet in the silence where nothing has come back for more than a round trip",
    of: (interval) => Math.max(LEAST_MBPS, toMbps(deliveryRateAtMostBytesPerSec(interval))),
  },
  {
    name: "queueDelayMs",
    unit: "ms",
    low: 0,
    high: Number.POSITIVE_INFINITY,
    definition:
      "queueing delay as the flow sees it: mean RTT of the step - smallest RTT so far; where nothing came back, held and at least the silence less the smallest RTT",
    of: (interval) => queueDelayAtLeastUs(interval) / MICROS_PER_MILLI,
  },
  {
    name: "rttMs",
    ...ROUND_TRIP,
    definition: "mean RTT of the step; where nothing was delivered, held and at least the silence",
    of: (interval) => Math.max(LEAST_MS, rttAtLeastUs(interval) / MICROS_PER_MILLI),
  },
  {
    name: "lastRttMs",
    ...ROUND_TRIP,
    definition: "last RTT sample of the step; where there was none, held and at least the silence",
    of: ({ rttUs, silentUs }) => Math.max(LEAST_MS, Math.max(rttUs, silentUs) / MICROS_PER_MILLI),
  },
  {
    name: "minRttMs",
    ...ROUND_TRIP,
    definition: "smallest RTT of the flow so far",
    of: ({ minRttUs }) => Math.max(LEAST_MS, minRttUs / MICROS_PER_MILLI),
  },
  {
    name: "lossRate",
    ...FRACTION,
    definition: "packets found lost in the step / (lost + delivered); 0 in silence",
    of: (interval) => share(interval.lostPackets, interval.lostPackets + delivered(interval)),
  },
  {
    name: "ecnRate",
    ...FRACTION,
    definition: "packets delivered with an ECN mark / delivered; 0 in silence",
    of: (interval) => share(interval.ecnPackets, delivered(interval)),
  },
  {
    name: "lostPackets",
    ...PACKETS,
    definition: "found lost in the step",
    of: (interval) => interval.lostPackets,
  },
  {
    name: "deliveredPackets",
    ...PACKETS,
    definition: "delivered in the step, in order or not",
    of: delivered,
  },
  {
    name: "inflightPackets",
    ...PACKETS,
    definition: "in flight at the last report",
    of: (interval) => interval.inflightPackets,
  },
  {
    name: "timeout",
    ...FRACTION,
    definition: "1 where a retransmission timeout came in the step, else 0",
    of: (interval) => (interval.timeout ? 1 : 0),
  },
  {
    name: "stepMs",
    unit: "ms",
    low: 0,
    high: Number.POSITIVE_INFINITY,
    definition: "length of the step",
    of: ({ stepUs }) => stepUs / MICROS_PER_MILLI,
  },
];

/** A step of a flow among others. */
export interface FlowStep {
  readonly interval: Interval;
  readonly fairShareBytesPerSec: number;
}

/** What is known besides in environments of several flows. */
export const FLOW_FACTS: readonly Variable<FlowStep>[] = [
  ...FACTS.map((fact) => ({ ...fact, of: ({ interval }: FlowStep) => fact.of(interval) })),
  {
    name: "fairShareMbps",
    ...RATE,
    definition:
      "only of several flows: payload that the link could carry in the step / flows on it; a fact of the simulator, not of a real path",
    of: ({ fairShareBytesPerSec: rate }) => Math.max(LEAST_MBPS, toMbps(rate)),
  },
];
