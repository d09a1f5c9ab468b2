/** Ground truth of a run: read from the world's own books, which it does not change. */
import { type Bytes, NANOS_PER_MICRO, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import type { DirectionSpec } from "../../../scenarios/direction.ts";
import { UNDER_TEST } from "../../../scenarios/flows.ts";
import { mtuOf, type Scenario } from "../../../scenarios/scenario.ts";
import { expectTruth, isLive, type LinkMeter, type Run, type RunFlow } from "../../../testbeds/testbed.ts";

/** A link now, and since its beginning. */
export interface LinkState {
  /** forward, reverse, or its name in the scenario */
  readonly name: string;
  readonly rateBytesPerSec: number;
  /** Infinity: no limit */
  readonly bufferBytes: number;
  readonly queueBytes: number;
  readonly queuePackets: number;
  /** on the wire */
  readonly servedBytes: number;
  /** by the queue */
  readonly droppedPackets: number;
}

/** A flow now, and since its beginning; 0 where it has not begun. */
export interface FlowState {
  readonly flowId: string;
  /** "agent" for flows under test */
  readonly algorithm: string;
  readonly underTest: boolean;
  /** has begun and is not over */
  readonly live: boolean;
  readonly cwndBytes: number;
  /** 0: ACK-clocked */
  readonly pacingRateBytesPerSec: number;
  readonly inflightBytes: number;
  readonly srttUs: number;
  readonly minRttUs: number;
  readonly deliveredBytes: number;
  readonly lostPackets: number;
  readonly rtoCount: number;
}

export interface GroundTruth {
  /** since the beginning of the simulation */
  readonly timeUs: number;
  readonly scenario: Scenario;
  readonly links: LinkState[];
  /** the link that is measured for the first flow under test, which moves with it */
  readonly measured: LinkState;
  /** in the scenario's order */
  readonly flows: FlowState[];
  /** of the first flow under test, with an empty queue */
  readonly baseRttUs: number;
  readonly bdpBytes: number;
}

/** Rates are means over the last 100 ms: a trace or a Poisson link serves in single packets. */
const RATE_WINDOW_NS = 100 * NANOS_PER_MILLI;

/** What a link could serve now, B/s, as a mean over the last `RATE_WINDOW_NS`. */
export function rateNow(link: LinkMeter, nowNs: number): number {
  const spanNs = Math.min(RATE_WINDOW_NS, nowNs);
  return spanNs === 0 ? 0 : (link.capacityBytes(nowNs - spanNs, nowNs) * NANOS_PER_SEC) / spanNs;
}

function linkState(
  name: string,
  meter: LinkMeter,
  { queue }: DirectionSpec,
  mtuBytes: Bytes,
  nowNs: number,
): LinkState {
  // a link keeps its books up to now only when it is asked
  const servedBytes = meter.servedBytes(nowNs);
  const bufferBytes = Math.min(
    queue.bytes ?? Number.POSITIVE_INFINITY,
    (queue.packets ?? Number.POSITIVE_INFINITY) * mtuBytes,
  );
  return {
    name,
    rateBytesPerSec: rateNow(meter, nowNs),
    bufferBytes,
    queueBytes: meter.queuedBytes,
    queuePackets: meter.queuedPackets,
    servedBytes,
    droppedPackets: meter.droppedPackets,
  };
}

function flowState(flow: RunFlow, nowNs: number): FlowState {
  const isUnderTest = flow.algorithm === UNDER_TEST;
  return {
    flowId: flow.id,
    algorithm: isUnderTest ? "agent" : flow.algorithm,
    underTest: isUnderTest,
    live: isLive(flow, nowNs),
    cwndBytes: flow.cwndPackets * flow.mssBytes,
    pacingRateBytesPerSec: flow.pacingRateBytesPerSec ?? 0,
    inflightBytes: flow.inflightPackets * flow.mssBytes,
    srttUs: flow.srttUs,
    minRttUs: flow.minRttUs,
    deliveredBytes: flow.deliveredPackets * flow.mssBytes,
    lostPackets: flow.lostPackets,
    rtoCount: flow.timeouts,
  };
}

/** Links of the flow's route where they are all, and all others of the scenario. */
export function groundTruth(run: Run, scenario: Scenario): GroundTruth {
  const { nowNs, flows } = run;
  const mtuBytes = mtuOf(scenario);
  const { links: meters, forward } = expectTruth(run);
  const specs = Object.entries({ forward: scenario.forward, reverse: scenario.reverse, ...scenario.links });
  const links = specs.map(([name, spec], i) => linkState(name, meters[i]!, spec, mtuBytes, nowNs));
  const { propagationNs, reversePropagationNs } = flows[0]!;
  const rate = links[0]!.rateBytesPerSec;
  const serialisationUs = rate > 0 ? (mtuBytes / rate) * 1e6 : 0;
  const baseRttUs = (propagationNs + reversePropagationNs) / NANOS_PER_MICRO + serialisationUs;
  return {
    timeUs: nowNs / NANOS_PER_MICRO,
    scenario,
    links,
    measured: linkState("forward", forward, scenario.forward, mtuBytes, nowNs),
    flows: flows.map((each) => flowState(each, nowNs)),
    baseRttUs,
    bdpBytes: (rate * baseRttUs) / 1e6,
  };
}
