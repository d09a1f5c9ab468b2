/**
 * What a central critic sees in training: twelve numbers of the network as a whole, taken from the simulator's own books
 * and not from reports. None of it is known on a real path, so no policy may act on it. After Astraea's critic (EuroSys
 * 2024); its one-way delay, BDP and bandwidth are parameters of a link there and are measured here.
 */
import { assert } from "../../core/errors.ts";
import {
  type BytesPerSec,
  fromMbps,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  type Nanos,
} from "../../core/units.ts";
import { expectTruth, isLive, type LinkTruth, type Run, type RunFlow } from "../../testbeds/testbed.ts";
import { type Box, type Dimension, makeBox } from "../spaces.ts";

/** What 1 is in the state, so that every number lies around or below it. */
const UNIT_BYTES_PER_SEC = fromMbps(500);
const UNIT_NS = 500 * NANOS_PER_MILLI;
const UNIT_PACKETS = 1000;
const UNIT_FLOWS = 10;
const UNIT_BDP_BYTES = 10e6;
/** Beyond 50 Gbit/s, 50 s, 100,000 packets, 1000 flows: an unlimited link has to end somewhere. */
const HIGH = 100;

function dimension(name: string, unit: string, definition: string, high: number = HIGH): Dimension {
  return { name, unit, low: 0, high, definition };
}

const ARRIVED = "payload that arrived for the first time in the step / step";

export interface GlobalStateSpec {
  readonly name: string;
  readonly definition: string;
  readonly source: string;
  readonly space: Box;
}

export const GLOBAL_STATE: GlobalStateSpec = {
  name: "critic-12",
  definition:
    "Twelve numbers for a central critic, at the end of a step, over the flows under test that are live then (all 0 without one, but for flows and bandwidth). Ground truth of the simulator: not available on a real path",
  source: "Astraea (EuroSys 2024), state of the critic",
  space: makeBox([
    dimension("sumThroughput", "500 Mbit/s", `sum of the flows' throughput: ${ARRIVED}`),
    dimension("minThroughput", "500 Mbit/s", "the smallest of them"),
    dimension("maxThroughput", "500 Mbit/s", "the largest of them"),
    dimension(
      "meanLatency",
      "500 ms",
      "mean over the flows of propagation one way + mean time in queues of the packets served in the step (held if none was)",
    ),
    dimension("minWindow", "1000 packets", "the smallest congestion window"),
    dimension("maxWindow", "1000 packets", "the largest congestion window"),
    dimension("meanWindow", "1000 packets", "the mean congestion window"),
    dimension("lossRate", "1", "packets dropped in the step / packets sent in it, capped at 1", 1),
    dimension(
      "flows",
      "10 flows",
      "live flows of the scenario, cross traffic included, generated traffic not",
    ),
    dimension("oneWayDelay", "500 ms", "mean over the flows of the scenario's propagation delay one way"),
    dimension("bdp", "10 MB", "bandwidth x 2 x oneWayDelay"),
    dimension(
      "bandwidth",
      "500 Mbit/s",
      "wire bytes that the forward link could have served in the last stepMs / time; 0 at the beginning of the simulation",
    ),
  ]),
};

/** Counts of one flow at the end of a step. */
interface Counts {
  readonly arrivedPackets: number;
  readonly sentPackets: number;
  readonly droppedPackets: number;
  /** of the packets that were served */
  readonly delays: number;
  readonly delaySumUs: number;
}

function countsOf({ path, sentPackets }: RunFlow, nowNs: Nanos): Counts {
  assert(path !== undefined, "who knows the link knows the path");
  path.advance(nowNs);
  const { queueDelay } = path.statistics;
  return {
    arrivedPackets: path.firstArrivedPackets,
    sentPackets,
    droppedPackets: path.droppedPackets,
    delays: queueDelay.count,
    delaySumUs: queueDelay.sumUs,
  };
}

/** Live flows of the scenario, in both directions or in one. */
export function countLive({ nowNs, flows }: Run, isBackward?: boolean): number {
  let count = 0;
  for (const flow of flows) {
    if ((isBackward === undefined || flow.isBackward === isBackward) && isLive(flow, nowNs)) count++;
  }
  return count;
}

/** Payload per second that the measured link could carry in a span of time / flows on it now; 0 in a world that does not know. */
export function fairShareBytesPerSec(run: Run, fromNs: Nanos, toNs: Nanos): BytesPerSec {
  const { truth } = run;
  if (truth === undefined || toNs <= fromNs) return 0;
  const bytes = truth.forward.capacityBytes(fromNs, toNs) * truth.payloadRatio;
  return (bytes * NANOS_PER_SEC) / (toNs - fromNs) / Math.max(1, countLive(run, false));
}

export class GlobalStateMeter {
  readonly #run: Run;
  readonly #truth: LinkTruth;
  readonly #stepNs: Nanos;
  #counts: readonly Counts[];
  /** of each flow, over the packets served in the step, or in the last step that served one */
  readonly #meanQueueDelayUs: Float64Array;
  #beganNs: Nanos;

  /** Begins the first step now. @param stepNs span over which the bandwidth is taken */
  constructor(run: Run, stepNs: Nanos) {
    this.#run = run;
    this.#truth = expectTruth(run);
    this.#stepNs = stepNs;
    this.#beganNs = run.nowNs;
    this.#meanQueueDelayUs = new Float64Array(run.flows.length);
    this.#counts = this.#count();
  }

  /** Ends a step and begins the next. @param live flows under test, by their place in the simulation's flows */
  endStep(live: ReadonlySet<number>, into: Float32Array): void {
    const { nowNs, flows } = this.#run;
    const stepSec = (nowNs - this.#beganNs) / NANOS_PER_SEC;
    this.#beganNs = nowNs;
    let [sum, low, high, latencyNs, propagationNs] = [0, Number.POSITIVE_INFINITY, 0, 0, 0];
    let [windows, minWindow, maxWindow, sent, dropped] = [0, Number.POSITIVE_INFINITY, 0, 0, 0];
    const before = this.#counts;
    this.#counts = this.#count();
    flows.forEach((flow, i) => {
      const was = before[i]!;
      const is = this.#counts[i]!;
      const served = is.delays - was.delays;
      if (served > 0) this.#meanQueueDelayUs[i] = (is.delaySumUs - was.delaySumUs) / served;
      if (!live.has(i)) return;
      const arrivedBytes = (is.arrivedPackets - was.arrivedPackets) * flow.mssBytes;
      const throughput = stepSec > 0 ? arrivedBytes / stepSec : 0;
      sum += throughput;
      low = Math.min(low, throughput);
      high = Math.max(high, throughput);
      propagationNs += flow.propagationNs;
      latencyNs += flow.propagationNs + this.#meanQueueDelayUs[i]! * NANOS_PER_MICRO;
      const window = flow.cwndPackets;
      windows += window;
      minWindow = Math.min(minWindow, window);
      maxWindow = Math.max(maxWindow, window);
      sent += is.sentPackets - was.sentPackets;
      dropped += is.droppedPackets - was.droppedPackets;
    });
    const n = live.size;
    const oneWayNs = n > 0 ? propagationNs / n : 0;
    const bandwidth = this.#bandwidth(nowNs);
    const bdpBytes = oneWayNs > 0 ? (bandwidth * 2 * oneWayNs) / NANOS_PER_SEC : 0;
    const values = [
      sum / UNIT_BYTES_PER_SEC,
      n > 0 ? low / UNIT_BYTES_PER_SEC : 0,
      high / UNIT_BYTES_PER_SEC,
      n > 0 ? latencyNs / n / UNIT_NS : 0,
      n > 0 ? minWindow / UNIT_PACKETS : 0,
      maxWindow / UNIT_PACKETS,
      n > 0 ? windows / n / UNIT_PACKETS : 0,
      sent > 0 ? dropped / sent : dropped > 0 ? 1 : 0,
      countLive(this.#run) / UNIT_FLOWS,
      oneWayNs / UNIT_NS,
      bdpBytes / UNIT_BDP_BYTES,
      bandwidth / UNIT_BYTES_PER_SEC,
    ];
    const { high: bounds } = GLOBAL_STATE.space;
    for (let i = 0; i < values.length; i++) into[i] = Math.min(values[i]!, bounds[i]!);
  }

  #bandwidth(nowNs: Nanos): BytesPerSec {
    const spanNs = Math.min(this.#stepNs, nowNs);
    if (spanNs === 0) return 0;
    const bytes = this.#truth.forward.capacityBytes(nowNs - spanNs, nowNs);
    return (bytes * NANOS_PER_SEC) / spanNs;
  }

  #count(): Counts[] {
    const { nowNs, flows } = this.#run;
    // a link keeps its books up to now only when it is asked
    this.#truth.forward.servedBytes(nowNs);
    return flows.map((flow) => countsOf(flow, nowNs));
  }
}
