/** Builders of scenarios with one constant-rate bottleneck, and the range of links that learners train on. */
import type { Bytes, Mbps } from "../core/units.ts";
import { fromMbps, PACKET_BYTES } from "../core/units.ts";
import type { DirectionSpec, QueueSpec } from "./direction.ts";
import type { RateSpec } from "./rates/registry.ts";
import type { Scenario } from "./scenario.ts";
import { validateScenario } from "./validate.ts";

/** Seconds of a preset whose source names no duration. */
export const DEFAULT_DURATION_SEC = 30;

export function constantRate(mbps: Mbps): RateSpec {
  return { kind: "constant", mbps };
}

/** A direction that never delays by its rate, drops or loses. */
export const UNLIMITED: DirectionSpec = { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 };

export function makeDirection(rate: RateSpec, queue: QueueSpec, lossRate = 0): DirectionSpec {
  return { rate, queue, lossRate };
}

/** Bandwidth-delay product in packets of `mtuBytes`, a fraction. */
export function bdpPackets(mbps: Mbps, rttMs: number, mtuBytes: Bytes = PACKET_BYTES): number {
  return (fromMbps(mbps) * rttMs) / 1000 / mtuBytes;
}

export interface LinkOptions {
  /** rate of both directions, Mbit/s, > 0 */
  readonly mbps: Mbps;
  /** propagation only, both ways together, milliseconds, > 0 */
  readonly rttMs: number;
  /** drop-tail limit of the data direction in bandwidth-delay products, rounded to whole packets, at least 1 */
  readonly bufferBdp?: number;
  /** the same in packets; wins over `bufferBdp`; both absent: 1 BDP */
  readonly bufferPackets?: number;
  /** seconds; absent: 30 */
  readonly durationSec?: number;
  /** Bernoulli loss of the data direction, 0 to 1; absent: 0 */
  readonly lossRate?: number;
  /** absent: made of the numbers, such as `link-12mbps-40ms-60p` */
  readonly name?: string;
  readonly source?: string;
  readonly description?: string;
}

/**
 * One constant link: ACKs return over the same rate with an unlimited queue.
 * @throws ScenarioError for a number out of range
 */
export function makeLink(options: LinkOptions): Scenario {
  const { mbps, rttMs, lossRate = 0, durationSec = DEFAULT_DURATION_SEC } = options;
  const packets =
    options.bufferPackets ?? Math.max(1, Math.round((options.bufferBdp ?? 1) * bdpPackets(mbps, rttMs)));
  return validateScenario({
    name: options.name ?? `link-${mbps}mbps-${rttMs}ms-${packets}p`,
    source: options.source ?? "constant link",
    description:
      options.description ??
      `${mbps} Mbit/s, ${rttMs} ms round trip, drop-tail ${packets} packets${lossRate > 0 ? `, loss ${lossRate}` : ""}`,
    forward: makeDirection(constantRate(mbps), { packets }, lossRate),
    reverse: makeDirection(constantRate(mbps), {}),
    propagationDelayMs: rttMs / 2,
    durationSec,
    ackPolicy: "delayed",
  });
}
