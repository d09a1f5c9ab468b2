/** What worlds made of the simulator's links have in common: a scenario and a seed become a network and its flows. */
import { type AlgorithmResolver, nativeAlgorithm } from "../algorithms/cross-traffic.ts";
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../ccp-bridge/congestion-control.ts";
import {
  type CcpAlgorithmFactory,
  type FlowAlgorithm,
  runCcpAlgorithm,
} from "../ccp-bridge/in-process-flow.ts";
import { observedControl } from "../ccp-bridge/observed-control.ts";
import { CcparkError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import { mssOf, NANOS_PER_MILLI, NANOS_PER_SEC, type Nanos } from "../core/units.ts";
import { leadSec, UNDER_TEST } from "../scenarios/flows.ts";
import { FIRST_FLOW, mtuOf, type Scenario } from "../scenarios/scenario.ts";
import type { MoveTarget } from "../scenarios/traffic/named-flows.ts";
import { GeneralNetwork, type Outlet } from "../sim/general/general-network.ts";
import type { LinkSpec, Network, NetworkSpec, OutsideSpec, PathSpec } from "../sim/network.ts";
import { BundleFlow } from "./bundles/bundle-flow.ts";
import type { Sendbox } from "./bundles/sendbox.ts";
import { SimulatedBundles } from "./bundles/simulated-bundles.ts";
import type { RunRecorder } from "./exports/recorder.ts";
import { Competition } from "./lives.ts";
import { measuredLinks, moveNow, scheduleMoves } from "./moving/flow-moves.ts";
import { NetworkRunFlow } from "./network-flow.ts";
import { DEFAULT_OVERLAY_ALGORITHM, Overlay } from "./overlays/overlay.ts";
import {
  type PlanContext,
  type PlannedFlow,
  planDatagrams,
  planFlows,
  planLink,
  planStartQueue,
  planTransfer,
} from "./simulated/network-plan.ts";
import type { DatagramCarrier } from "./stacks/datagram-paths.ts";
import { StackFlows } from "./stacks/stack-flows.ts";
import { runStandby } from "./standby.ts";
import type { LinkTruth, OpenOptions, Run } from "./testbed.ts";
import type { Attach } from "./traffic/applications.ts";
import { addIncast, addTransfers, datagramSpec, type TransferLog } from "./traffic/traffic.ts";

/** As many as a plan may have: a scenario is no kernel, whose table would be full with 1024. */
const MAX_FLOWS = 100_000;

/** A way of packets, there and back. */
export interface PlannedPath {
  /** its data go against the scenario's */
  readonly isBackward: boolean;
  /** as its data see it */
  readonly spec: PathSpec;
}

/** What a run is made of, before there is a network. */
export class RunPlan {
  readonly spec: NetworkSpec;
  readonly rng: Rng;
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly seriesBinNs: Nanos;
  readonly transfers: TransferLog = { started: 0, completed: [] };
  /** flows of the scenario, the first flow under test before the others */
  readonly planned: readonly PlannedFlow[];
  readonly #context: PlanContext;
  readonly #recorder: RunRecorder | undefined;
  /** of the flows under test that have one */
  readonly #agents = new Set<CcpAlgorithmFactory>();
  /** absent: the scenario has none */
  readonly bundles: SimulatedBundles | undefined;
  /** absent: the scenario has none */
  readonly overlay: Overlay | undefined;
  /** flows that are stacks; absent: there are none */
  readonly stacks: StackFlows | undefined;
  /** of forward flows that are not all endless */
  readonly #competition: Competition | undefined;

  /**
   * @param seed draws the start of the flow under test in U(0, 1 s), the trace offsets in U(0, period), the send jitter,
   *   unless fixed, and everything else that the scenario leaves to chance
   * @throws CcparkError (not-found) for an algorithm of cross traffic that the resolver does not know
   */
  constructor(
    scenario: Scenario,
    seed: number,
    options: OpenOptions & { readonly stackCarrier?: DatagramCarrier },
  ) {
    const { control, algorithms = nativeAlgorithm, seriesBinSec, recorder, observer } = options;
    const inProcess = controlsInProcess();
    this.rng = Rng.fromSeed(seed);
    const drawnStartSec = scenario.fixed?.startSec ?? this.rng.fork("flow.start").next();
    this.startNs = (leadSec(scenario) + drawnStartSec) * NANOS_PER_SEC;
    this.endNs = this.startNs + scenario.durationSec * NANOS_PER_SEC;
    this.seriesBinNs = (seriesBinSec ?? Number.POSITIVE_INFINITY) * NANOS_PER_SEC;
    this.#recorder = recorder;
    this.#context = {
      scenario,
      rng: this.rng,
      zeroNs: this.startNs,
      seriesBinNs: this.seriesBinNs,
      oneWayDelay: seriesBinSec !== undefined,
      controlOf: (id) => {
        const made = inProcess(control(id));
        if ("loseAgent" in made) this.#agents.add(made as CcpAlgorithmFactory);
        const factory = named(made, id);
        const seeing = observer?.(id);
        return seeing === undefined ? factory : (start) => observedControl(factory(start), seeing);
      },
      algorithms: resolveOnce(algorithms, inProcess),
      onFlowEnd: (network) => this.#competition?.end(network),
    };
    const plans = planFlows(this.#context);
    this.overlay =
      scenario.overlay === undefined
        ? undefined
        : new Overlay({
            spec: scenario.overlay,
            scenario,
            zeroNs: this.startNs,
            rng: this.rng.fork("overlay"),
            flowIds: plans.map(({ id }) => id),
            control: this.#context.algorithms(scenario.overlay.algorithm ?? DEFAULT_OVERLAY_ALGORITHM),
          });
    const { overlay } = this;
    const planned = plans
      .map((flow, path) => ({
        ...flow,
        spec: { ...(overlay?.flowParts(path, flow.spec) ?? flow.spec), path },
      }))
      .map((flow) => (recorder === undefined ? flow : watched(flow, recorder)));
    // of a bundle under test the hosts' flows are parts
    const isBundleTested = scenario.bundles?.some(({ algorithm }) => algorithm === UNDER_TEST) === true;
    this.#competition = isBundleTested ? undefined : competitionOf(planned);
    this.planned = this.#competition === undefined ? planned : withCompetition(planned, this.#competition);
    this.bundles =
      scenario.bundles === undefined
        ? undefined
        : new SimulatedBundles(
            scenario,
            ({ algorithm }) =>
              algorithm === UNDER_TEST
                ? this.#context.controlOf(FIRST_FLOW)
                : this.#context.algorithms(algorithm),
            this.rng,
          );
    this.stacks = this.planned.some(({ stack }) => stack !== undefined)
      ? new StackFlows(this.planned, mtuOf(scenario), this.rng, options.stackCarrier)
      : undefined;
    if (this.stacks !== undefined && recorder !== undefined) {
      throw new CcparkError(
        "failed-precondition",
        `[testbed] ${scenario.name} cannot be recorded packet by packet: its flows are stacks`,
      );
    }
    const outside = this.bundles?.outside ?? this.overlay?.outside ?? this.stacks?.outside;
    this.spec = networkSpec(this.#context, this.planned, { ...this, outside });
  }

  /** Flows come and go, or somebody listens to every packet: only the general network can do that. */
  get needsGeneral(): boolean {
    const { scenario } = this.#context;
    return hasTransfers(scenario) || this.#recorder !== undefined || this.outlet !== undefined;
  }

  /** Where packets from outside come out; undefined: there are none. */
  get outlet(): Outlet | undefined {
    return this.bundles ?? this.overlay?.messages ?? this.stacks?.paths;
  }

  /** Adds what the spec cannot hold. */
  prepare(network: GeneralNetwork): void {
    const bundle = this.bundles?.underTest;
    if (bundle !== undefined) bundle.flow = this.#bundleFlow(bundle.sendbox, network);
    this.stacks?.attach(network);
    this.bundles?.attach(network);
    this.overlay?.attach(network);
    addTraffic(network, this.#context, {
      log: this.transfers,
      endNs: this.endNs,
      firstPath: this.planned.length,
    });
    this.#recorder?.watchNetwork(network);
  }

  /** Plans what happens to flows and agents while the network runs. */
  begin(network: Network): void {
    const { standby } = this.#context.scenario;
    if (standby !== undefined) runStandby(network, this.#agents, standby, this.startNs);
    if (network instanceof GeneralNetwork) scheduleMoves(network, this.#context);
  }

  /** Of the flows in their order, then of each kind of generated flows: `FlowSpec.path` is an index of these. */
  get paths(): readonly PlannedPath[] {
    const generated = (this.#context.scenario.traffic ?? []).flatMap((traffic, i) =>
      traffic.kind === "datagrams"
        ? []
        : [
            {
              isBackward: traffic.kind === "transfers" && traffic.direction === "backward",
              spec: planTransfer(this.#context, traffic, i),
            },
          ],
    );
    return [...this.planned, ...generated];
  }

  /** A bundle under test comes first, in place of the flows in it, whose packets are its own. */
  flowsOf(network: Network): (NetworkRunFlow | BundleFlow)[] {
    const flows = this.planned.map(
      (flow, i) => this.stacks?.flowAt(i, flow, network) ?? new NetworkRunFlow(flow, network.flows[i]!),
    );
    const { flow: bundle, link } = this.bundles?.underTest ?? {};
    if (bundle === undefined || link === undefined) return flows;
    return [bundle, ...flows.filter(({ path }) => path.spec.route?.forward.includes(link) !== true)];
  }

  #bundleFlow(sendbox: Sendbox, network: Network): BundleFlow {
    const { scenario } = this.#context;
    const { propagationDelayMs, reversePropagationDelayMs = propagationDelayMs } = scenario;
    return new BundleFlow(sendbox, {
      startNs: this.startNs,
      propagationNs: propagationDelayMs * NANOS_PER_MILLI,
      reversePropagationNs: reversePropagationDelayMs * NANOS_PER_MILLI,
      packetBytes: mtuOf(scenario),
      mssBytes: mssOf(mtuOf(scenario)),
      seriesBinNs: this.seriesBinNs,
      oneWayDelay: this.#context.oneWayDelay,
      servedBytes: (nowNs) => network.forward.servedBytes(nowNs),
    });
  }

  sharesIn(network: Network): Run["shares"] {
    const competition = this.#competition;
    return competition && (() => competition.sharesPackets(network.flows, network.nowNs));
  }

  /** As of `Run.move`. @param truth as `truthOf` has made it */
  move(network: Network, truth: LinkTruth, flowId: string, to: MoveTarget): void {
    const { scenario } = this.#context;
    moveNow(network, { scenario, planned: this.planned, truth }, flowId, to);
  }

  truthOf(network: Network): LinkTruth {
    return {
      ...measuredLinks(network, this.#context),
      links: network instanceof GeneralNetwork ? network.hops : [network.forward, network.reverse],
      payloadRatio: this.payloadRatio,
    };
  }

  /** Payload share of the wire bytes of a data packet. */
  get payloadRatio(): number {
    return mssOf(mtuOf(this.#context.scenario)) / this.spec.forward.dataBytes;
  }
}

/** The flows of one CCP algorithm share a datapath and an agent. */
export function controlsInProcess(): (algorithm: FlowAlgorithm) => CongestionControlFactory {
  const made = new Map<CcpAlgorithm, CongestionControlFactory>();
  return (algorithm) => {
    if (typeof algorithm === "function") return algorithm;
    const control = made.get(algorithm) ?? runCcpAlgorithm(algorithm, { maxFlows: MAX_FLOWS });
    made.set(algorithm, control);
    return control;
  };
}

/** Its agent knows the flow by its id. */
function named(factory: CongestionControlFactory, id: string): CongestionControlFactory {
  return (start) => factory({ ...start, hosting: { ...start.hosting, name: id } });
}

/** One algorithm per name. */
function resolveOnce(
  resolve: AlgorithmResolver,
  inProcess: (algorithm: FlowAlgorithm) => CongestionControlFactory,
): PlanContext["algorithms"] {
  const resolved = new Map<string, CongestionControlFactory>();
  return (name) => {
    const known = resolved.get(name) ?? inProcess(resolve(name));
    resolved.set(name, known);
    return known;
  };
}

function networkSpec(
  context: PlanContext,
  planned: readonly PlannedFlow[],
  {
    bundles,
    overlay,
    outside,
  }: Pick<RunPlan, "bundles" | "overlay"> & { readonly outside: OutsideSpec | undefined },
): NetworkSpec {
  const { scenario, rng, zeroNs } = context;
  const datagrams = (scenario.traffic ?? []).flatMap((traffic, i) =>
    traffic.kind === "datagrams"
      ? [
          datagramSpec(traffic, {
            mtuBytes: mtuOf(scenario),
            ...planDatagrams(context, traffic, i),
            rng: rng.fork(`traffic.${i}`),
            zeroNs,
          }),
        ]
      : [],
  );
  const links = Object.entries(scenario.links ?? {}).map(([name, link], i): LinkSpec => {
    const spec = planLink(context, name, link);
    const rateBytesPerSec = bundles?.rateOf(2 + i);
    return rateBytesPerSec === undefined ? spec : { ...spec, rate: { kind: "controlled", rateBytesPerSec } };
  });
  return {
    forward: planLink(context, "forward", scenario.forward),
    reverse: planLink(context, "reverse", scenario.reverse),
    links: [...links, ...(overlay?.links((name, link) => planLink(context, name, link)) ?? [])],
    flows: planned.map(({ spec }) => spec),
    datagrams,
    burst: planStartQueue(context),
    ...(outside !== undefined && { outside }),
  };
}

function hasTransfers({ traffic = [] }: Scenario): boolean {
  return traffic.some(({ kind }) => kind !== "datagrams");
}

/** @param firstPath of the generated flows, among the paths of the plan */
function addTraffic(
  network: GeneralNetwork,
  context: PlanContext,
  of: { readonly log: TransferLog; readonly endNs: Nanos; readonly firstPath: number },
): void {
  const { scenario, rng, zeroNs } = context;
  const { log, endNs } = of;
  const sec = (endNs - zeroNs) / NANOS_PER_SEC;
  let path = of.firstPath;
  (scenario.traffic ?? []).forEach((traffic, i) => {
    if (traffic.kind === "datagrams") return;
    const template = { ...planTransfer(context, traffic, i), path: path++ };
    const options = { rng: rng.fork(`traffic.${i}`), zeroNs, log, template };
    if (traffic.kind === "transfers") {
      const capacityBytesPerSec = network.forward.capacityBytes(zeroNs, endNs) / sec;
      addTransfers(network, traffic, { ...options, capacityBytesPerSec });
    } else addIncast(network, traffic, options);
  });
}

function watched(flow: PlannedFlow, recorder: RunRecorder): PlannedFlow {
  return atStart(flow, (started, network) => recorder.watchFlow(flow.id, started, network.nowNs));
}

/** The flow with something done before its application begins. */
function atStart(flow: PlannedFlow, before: Attach): PlannedFlow {
  const { onStart } = flow.spec;
  return {
    ...flow,
    spec: {
      ...flow.spec,
      onStart: (started, network, sender) => {
        before(started, network);
        onStart?.(started, network, sender);
      },
    },
  };
}

/** Undefined: fewer than two forward flows, or none of them is finite. */
function competitionOf(planned: readonly PlannedFlow[]): Competition | undefined {
  const forward = planned.flatMap(({ isBackward }, place) => (isBackward ? [] : [place]));
  const someEnd = forward.some((place) => planned[place]!.life !== undefined);
  return forward.length > 1 && someEnd ? new Competition(forward) : undefined;
}

/** It begins with the last forward flow's start; the first that stops by its plan ends it too. */
function withCompetition(planned: readonly PlannedFlow[], competition: Competition): PlannedFlow[] {
  const forward = planned.filter(({ isBackward }) => !isBackward);
  const lastStartNs = Math.max(...forward.map(({ spec }) => spec.startNs));
  const firstStopNs = Math.min(...forward.map(({ spec }) => spec.stopNs));
  const last = forward.find(({ spec }) => spec.startNs === lastStartNs)!;
  return planned.map((flow) => {
    if (flow !== last) return flow;
    return atStart(flow, (_, network) => {
      if (firstStopNs <= lastStartNs) competition.end(network);
      competition.begin(network);
      if (firstStopNs > lastStartNs && firstStopNs !== Number.POSITIVE_INFINITY)
        network.schedule(firstStopNs, () => competition.end(network));
    });
  });
}
