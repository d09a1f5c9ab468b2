/** The simulated testbed: a scenario and a seed become a network in virtual time. */
import { type AlgorithmResolver, nativeAlgorithm } from "../../algorithms/resolver.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { Rng } from "../../core/random.ts";
import { type BytesPerSec, type Micros, MSS_BYTES, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import { leadSec } from "../../scenarios/flows.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import { makeNetwork } from "../../sim/make-network.ts";
import type { Network, NetworkFlow, NetworkSpec } from "../../sim/network.ts";
import type { RunRecorder } from "../exports/recorder.ts";
import type { LinkTruth, OpenOptions, RunFlow, VirtualRun, VirtualTestbed } from "../testbed.ts";
import { addIncast, addTransfers, datagramSpec, type TransferLog } from "../traffic/traffic.ts";
import {
  type PlanContext,
  type PlannedFlow,
  planDatagrams,
  planFlows,
  planLink,
  planTransfer,
} from "./network-plan.ts";

/** A flow of the scenario as it runs. */
export class SimulatedFlow implements RunFlow {
  readonly id: string;
  readonly algorithm: string;
  readonly isBackward: boolean;
  /** the network's own */
  readonly path: NetworkFlow;

  constructor({ id, algorithm, isBackward }: PlannedFlow, flow: NetworkFlow) {
    this.id = id;
    this.algorithm = algorithm;
    this.isBackward = isBackward;
    this.path = flow;
  }

  get startNs(): Nanos {
    return this.path.spec.startNs;
  }

  get stopNs(): Nanos {
    return this.path.spec.stopNs;
  }

  get propagationNs(): Nanos {
    return this.path.spec.propagationNs;
  }

  get reversePropagationNs(): Nanos {
    return this.path.spec.reversePropagationNs ?? this.path.spec.propagationNs;
  }

  get hasStarted(): boolean {
    return this.path.sender !== undefined;
  }

  get isComplete(): boolean {
    return this.path.sender?.complete === true;
  }

  get acks(): number {
    return this.path.sender?.acks ?? 0;
  }

  get sentPackets(): number {
    return this.path.sender?.sentPackets ?? 0;
  }

  get deliveredPackets(): number {
    return this.path.sender?.deliveredPackets ?? 0;
  }

  get lostPackets(): number {
    return this.path.sender?.lostPackets ?? 0;
  }

  get timeouts(): number {
    return this.path.sender?.timeouts ?? 0;
  }

  get inflightPackets(): number {
    return this.path.sender?.inflightPackets ?? 0;
  }

  get cwndPackets(): number {
    return this.path.sender?.cwndPackets ?? 0;
  }

  get pacingRateBytesPerSec(): BytesPerSec | undefined {
    return this.path.sender?.control.pacingRateBytesPerSec;
  }

  get srttUs(): Micros {
    return this.path.sender?.rtt.srttUs ?? 0;
  }

  get minRttUs(): Micros {
    const minRttUs = this.path.sender?.rtt.minRttUs ?? 0;
    return Number.isFinite(minRttUs) ? minRttUs : 0;
  }
}

export class SimulatedRun implements VirtualRun {
  readonly network: Network;
  readonly flows: readonly SimulatedFlow[];
  readonly transfers: TransferLog;
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly seriesBinNs: Nanos;
  readonly truth: LinkTruth;

  constructor(
    network: Network,
    planned: readonly PlannedFlow[],
    run: Pick<SimulatedRun, "transfers" | "startNs" | "endNs" | "seriesBinNs"> &
      Pick<LinkTruth, "payloadRatio">,
  ) {
    const { forward, reverse } = network;
    this.network = network;
    this.flows = planned.map((flow, i) => new SimulatedFlow(flow, network.flows[i]!));
    this.transfers = run.transfers;
    this.startNs = run.startNs;
    this.endNs = run.endNs;
    this.seriesBinNs = run.seriesBinNs;
    this.truth = {
      forward,
      reverse,
      links: network instanceof GeneralNetwork ? network.hops : [forward, reverse],
      payloadRatio: run.payloadRatio,
    };
  }

  get nowNs(): Nanos {
    return this.network.nowNs;
  }

  schedule(atNs: Nanos, call: () => void): void {
    this.network.schedule(atNs, call);
  }

  requestStop(): void {
    this.network.requestStop();
  }

  runUntil(untilNs: Nanos): boolean {
    return this.network.runUntil(untilNs);
  }

  /** Nothing: its memory goes with it. */
  close(): void {}
}

/** One factory per name: the flows of one CCP algorithm share a datapath and an agent. */
function resolveOnce(resolve: AlgorithmResolver): AlgorithmResolver {
  const resolved = new Map<string, CongestionControlFactory>();
  return (name) => {
    const known = resolved.get(name) ?? resolve(name);
    resolved.set(name, known);
    return known;
  };
}

/**
 * Builds the run; flows start when it is run.
 * @param seed draws the start of the flow under test in U(0, 1 s), the trace offsets in U(0, period), the send jitter,
 *   unless fixed, and everything else that the scenario leaves to chance
 * @throws CcparkError (not-found) for an algorithm of cross traffic that the resolver does not know
 */
function open(scenario: Scenario, seed: number, options: OpenOptions): SimulatedRun {
  const {
    control,
    algorithms = nativeAlgorithm,
    seriesBinSec = Number.POSITIVE_INFINITY,
    recorder,
  } = options;
  const rng = Rng.fromSeed(seed);
  const drawnStartSec = scenario.fixed?.startSec ?? rng.fork("flow.start").next();
  const startNs = (leadSec(scenario) + drawnStartSec) * NANOS_PER_SEC;
  const endNs = startNs + scenario.durationSec * NANOS_PER_SEC;
  const seriesBinNs = seriesBinSec * NANOS_PER_SEC;
  const context: PlanContext = {
    scenario,
    rng,
    zeroNs: startNs,
    seriesBinNs,
    controlOf: control,
    algorithms: resolveOnce(algorithms),
  };
  const planned = planFlows(context).map((flow, i) =>
    i === 0 && recorder !== undefined ? watched(flow, recorder) : flow,
  );
  const spec = networkSpec(context, planned);
  const transfers: TransferLog = { started: 0, completed: [] };
  const isOpen = hasTransfers(scenario) || recorder !== undefined;
  const network = isOpen ? new GeneralNetwork(spec, rng) : makeNetwork(spec, rng);
  if (network instanceof GeneralNetwork) {
    addTraffic(network, context, transfers, endNs);
    recorder?.watchNetwork(network);
  }
  const payloadRatio = MSS_BYTES / spec.forward.dataBytes;
  return new SimulatedRun(network, planned, { transfers, startNs, endNs, seriesBinNs, payloadRatio });
}

interface SimulatedTestbed extends VirtualTestbed {
  open(scenario: Scenario, seed: number, options: OpenOptions): SimulatedRun;
}

/** Virtual time: any link, any rate, the same bytes for the same seed. */
export const SIMULATED: SimulatedTestbed = {
  name: "simulated",
  clock: "virtual",
  summary:
    "packets in virtual time, as fast as the machine can; the same bytes for the same seed; needs nothing",
  records: true,
  refuses: () => undefined,
  open,
};

function networkSpec(context: PlanContext, planned: readonly PlannedFlow[]): NetworkSpec {
  const { scenario, rng, zeroNs } = context;
  const datagrams = (scenario.traffic ?? []).flatMap((traffic, i) =>
    traffic.kind === "datagrams"
      ? [
          datagramSpec(traffic, {
            ...planDatagrams(context, traffic, i),
            rng: rng.fork(`traffic.${i}`),
            zeroNs,
          }),
        ]
      : [],
  );
  return {
    forward: planLink(context, "forward", scenario.forward),
    reverse: planLink(context, "reverse", scenario.reverse),
    links: Object.entries(scenario.links ?? {}).map(([name, link]) => planLink(context, name, link)),
    flows: planned.map(({ spec }) => spec),
    datagrams,
  };
}

function hasTransfers({ traffic = [] }: Scenario): boolean {
  return traffic.some(({ kind }) => kind !== "datagrams");
}

function addTraffic(network: GeneralNetwork, context: PlanContext, log: TransferLog, endNs: Nanos): void {
  const { scenario, rng, zeroNs } = context;
  const sec = (endNs - zeroNs) / NANOS_PER_SEC;
  (scenario.traffic ?? []).forEach((traffic, i) => {
    const options = { rng: rng.fork(`traffic.${i}`), zeroNs, log };
    if (traffic.kind === "transfers") {
      const capacityBytesPerSec = network.forward.capacityBytes(zeroNs, endNs) / sec;
      const template = planTransfer(context, traffic, i);
      addTransfers(network, traffic, { ...options, template, capacityBytesPerSec });
    } else if (traffic.kind === "incast") {
      addIncast(network, traffic, { ...options, template: planTransfer(context, traffic, i) });
    }
  });
}

function watched(flow: PlannedFlow, recorder: RunRecorder): PlannedFlow {
  const { onStart } = flow.spec;
  return {
    ...flow,
    spec: {
      ...flow.spec,
      onStart: (started, network) => {
        recorder.watchFlow(started, network.nowNs);
        onStart?.(started, network);
      },
    },
  };
}
