/** Ground truth of a simulation as `GetStateResponse`: read from the simulator's own books, which it does not change. */
import {
  MSS_BYTES,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  PACKET_BYTES,
} from "../../core/units.ts";
import { UNDER_TEST } from "../../scenarios/flows.ts";
import type { DirectionSpec, Scenario } from "../../scenarios/scenario.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import type { LinkMeter } from "../../sim/network.ts";
import type { SimulatedFlow, Simulation } from "../../testbeds/simulated/simulation.ts";
import type { FlowState, GetStateResponse, LinkState } from "../grpc/generated/ccpark/v1/environment.ts";

/** Rates are means over the last 100 ms: a trace or a Poisson link serves in single packets. */
const RATE_WINDOW_NS = 100 * NANOS_PER_MILLI;

/** What a link could serve now, B/s, as a mean over the last `RATE_WINDOW_NS`. */
export function rateNow(link: LinkMeter, nowNs: number): number {
  const spanNs = Math.min(RATE_WINDOW_NS, nowNs);
  return spanNs === 0 ? 0 : (link.capacityBytes(nowNs - spanNs, nowNs) * NANOS_PER_SEC) / spanNs;
}

function linkState(name: string, meter: LinkMeter, { queue }: DirectionSpec, nowNs: number): LinkState {
  // a link keeps its books up to now only when it is asked
  const servedBytes = meter.servedBytes(nowNs);
  const bufferBytes = Math.min(
    queue.bytes ?? Number.POSITIVE_INFINITY,
    (queue.packets ?? Number.POSITIVE_INFINITY) * PACKET_BYTES,
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

function flowState({ id, algorithm, spec, flow }: SimulatedFlow, nowNs: number): FlowState {
  const { sender } = flow;
  const isUnderTest = algorithm === UNDER_TEST;
  const minRttUs = sender?.rtt.minRttUs ?? 0;
  return {
    flowId: id,
    algorithm: isUnderTest ? "agent" : algorithm,
    underTest: isUnderTest,
    live: sender !== undefined && !sender.complete && spec.stopNs > nowNs,
    cwndBytes: (sender?.cwndPackets ?? 0) * MSS_BYTES,
    pacingRateBytesPerSec: sender?.control.pacingRateBytesPerSec ?? 0,
    inflightBytes: (sender?.inflightPackets ?? 0) * MSS_BYTES,
    srttUs: sender?.rtt.srttUs ?? 0,
    minRttUs: Number.isFinite(minRttUs) ? minRttUs : 0,
    deliveredBytes: (sender?.deliveredPackets ?? 0) * MSS_BYTES,
    lostPackets: sender?.lostPackets ?? 0,
    rtoCount: sender?.timeouts ?? 0,
  };
}

/** Links of the flow's route where they are all, and all others of the scenario. */
export function groundTruth(simulation: Simulation, scenario: Scenario): Omit<GetStateResponse, "seed"> {
  const { network, flows, flow } = simulation;
  const { nowNs } = network;
  const meters: readonly LinkMeter[] =
    network instanceof GeneralNetwork ? network.hops : [network.forward, network.reverse];
  const specs = Object.entries({ forward: scenario.forward, reverse: scenario.reverse, ...scenario.links });
  const links = specs.map(([name, spec], i) => linkState(name, meters[i]!, spec, nowNs));
  const { propagationNs, reversePropagationNs = propagationNs } = flow.spec;
  const rate = links[0]!.rateBytesPerSec;
  const serialisationUs = rate > 0 ? (PACKET_BYTES / rate) * 1e6 : 0;
  const baseRttUs = (propagationNs + reversePropagationNs) / NANOS_PER_MICRO + serialisationUs;
  return {
    timeUs: nowNs / NANOS_PER_MICRO,
    scenarioJson: JSON.stringify(scenario),
    links,
    flows: flows.map((each) => flowState(each, nowNs)),
    baseRttUs,
    bdpBytes: (rate * baseRttUs) / 1e6,
  };
}
