/**
 * A scenario becomes what the simulator runs: links with servers and queues, flows with routes and delays. Units change
 * here, from those of scenarios to nanoseconds and bytes; times move from the start of the flow under test to the
 * simulation's beginning.
 */

import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { observedControl } from "../../ccp-bridge/observed-control.ts";
import type { Rng } from "../../core/random.ts";
import {
  ACK_BYTES,
  type Micros,
  mssOf,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  type Nanos,
} from "../../core/units.ts";
import type { DirectionSpec } from "../../scenarios/direction.ts";
import { flowId, UNDER_TEST } from "../../scenarios/flows.ts";
import { meanRateBytesPerSec, rateHeaderBytes } from "../../scenarios/rates/registry.ts";
import { FIRST_FLOW, mtuOf, roundTripMs, type Scenario } from "../../scenarios/scenario.ts";
import type { FlowDirection, FlowPlan } from "../../scenarios/traffic/flow-plan.ts";
import type { MoveTarget } from "../../scenarios/traffic/named-flows.ts";
import type { ParameterChange } from "../../scenarios/traffic/parameter-change.ts";
import type { RouteSpec } from "../../scenarios/traffic/route.ts";
import { type StackSpec, stackGroup } from "../../scenarios/traffic/stack.ts";
import type { DatagramsSpec, IncastSpec, TransfersSpec } from "../../scenarios/traffic/traffic.ts";
import { DIRECT } from "../../sim/general/general-network.ts";
import type { BurstSpec, FlowSpec, LinkSpec, Network, Route } from "../../sim/network.ts";
import { FlowLife } from "../lives.ts";
import { stackPayloadBytes } from "../stacks/sizes.ts";
import { type Attach, makeApplication } from "../traffic/applications.ts";
import { MediaCall } from "../traffic/media.ts";
import type { TransferTemplate } from "../traffic/traffic.ts";
import { flowDelay } from "./flow-delays.ts";
import { linkImpairments, spansNs } from "./link-impairments.ts";
import { linkRate } from "./link-rates.ts";

/** Send jitter of a packet is drawn from U(0, 20 us): the scheduling noise of a quiet host, far below a packet time. */
export const DEFAULT_SEND_JITTER_US = 20;

/** The scenario's own flow where a bundle is under test. */
const HOST = { id: "host", algorithm: "cubic" } as const;

export interface PlannedFlow {
  readonly id: string;
  /** `test`, or the name of the algorithm */
  readonly algorithm: string;
  readonly isBackward: boolean;
  readonly spec: FlowSpec;
  /** of a finite one */
  readonly life?: FlowLife;
  /** where its application is one */
  readonly call?: MediaCall;
  /** where it is one, and where the scenario says so */
  readonly stack?: {
    readonly chunnels: StackSpec;
    readonly where: string;
    /** its application goes on, or ends, when all has arrived */
    readonly isAwaited: boolean;
  };
}

/** Everything that does not depend on one flow. */
export interface PlanContext {
  readonly scenario: Scenario;
  readonly rng: Rng;
  /** start of the flow under test */
  readonly zeroNs: Nanos;
  /** Infinity: no time series */
  readonly seriesBinNs: Nanos;
  /** flows measure their one-way delays */
  readonly oneWayDelay: boolean;
  /** of a flow under test */
  readonly controlOf: (id: string) => CongestionControlFactory;
  /** of cross traffic, by reference */
  readonly algorithms: (reference: string) => CongestionControlFactory;
  /** a finite flow has ended */
  readonly onFlowEnd: (network: Network) => void;
}

export interface PlannedMove {
  readonly atNs: Nanos;
  readonly route: Route;
  /** numbers of the links that are measured from then on */
  readonly forward: number;
  readonly reverse: number;
}

/** @param name of the link; its trace begins at a place drawn from the fork `NAME.offset` unless the scenario fixes it */
export function planLink(context: PlanContext, name: string, spec: DirectionSpec): LinkSpec {
  const { scenario, rng, zeroNs } = context;
  const link = name === "reverse" ? withAckJitter(scenario, spec) : spec;
  const headerBytes = rateHeaderBytes(link.rate);
  return {
    rate: linkRate(link.rate, {
      zeroNs,
      offset: rng.fork(`${name}.offset`),
      offsetMs: scenario.fixed?.traceOffsetMs,
    }),
    queue: {
      packets: link.queue.packets ?? Number.POSITIVE_INFINITY,
      bytes: link.queue.bytes ?? Number.POSITIVE_INFINITY,
    },
    lossRate: link.lossRate,
    discipline: link.queue.discipline,
    impairments: linkImpairments(link, zeroNs),
    outages: link.outages === undefined ? undefined : spansNs(link.outages, zeroNs),
    propagationNs: (link.delayMs ?? 0) * NANOS_PER_MILLI,
    mtuBytes: mtuOf(scenario),
    dataBytes: mtuOf(scenario) + headerBytes,
    ackBytes: ACK_BYTES + headerBytes,
  };
}

/** The reverse link with the run's own variation, unless it has a jitter already. */
function withAckJitter(scenario: Scenario, link: DirectionSpec): DirectionSpec {
  const { ackJitterRtt = 0 } = scenario.variation ?? {};
  if (ackJitterRtt === 0 || link.jitter !== undefined) return link;
  return { ...link, jitter: { kind: "uniform", maxMs: ackJitterRtt * roundTripMs(scenario) } };
}

/** When a flow or a source beside the flow under test starts, later than planned. */
function phaseNs({ scenario, rng }: PlanContext, fork: string): Nanos {
  const { crossPhaseRtt = 0 } = scenario.variation ?? {};
  if (crossPhaseRtt === 0) return 0;
  return rng.fork(`${fork}.phase`).next() * crossPhaseRtt * roundTripMs(scenario) * NANOS_PER_MILLI;
}

/** Names of a scenario's links in the order of their numbers. */
export function linkNames(scenario: Scenario): string[] {
  return ["forward", "reverse", ...Object.keys(scenario.links ?? {})];
}

/** @returns undefined: forward alone and reverse alone, which is what a flow without a route takes */
function planRoute(scenario: Scenario, route: RouteSpec | undefined, isBackward: boolean): Route | undefined {
  if (route === undefined && !isBackward) return undefined;
  const names = linkNames(scenario);
  const numbers = (way: readonly string[]): number[] => way.map((name) => names.indexOf(name));
  const forward = numbers(route?.forward ?? ["forward"]);
  const reverse = numbers(route?.reverse ?? ["reverse"]);
  return isBackward ? { forward: reverse, reverse: forward } : { forward, reverse };
}

/** Where the flow under test goes after each of its moves. */
export function planMoves({ scenario, zeroNs }: PlanContext): PlannedMove[] {
  const { moves = [], route } = scenario;
  const own = planRoute(scenario, route, false);
  return moves.map(({ atSec, ...to }) => ({
    atNs: zeroNs + atSec * NANOS_PER_SEC,
    ...planMove(scenario, to, own),
  }));
}

/** @param own the route of the flow by its plan */
export function planMove(
  scenario: Scenario,
  to: MoveTarget,
  own: Route | undefined,
): Omit<PlannedMove, "atNs"> {
  const names = linkNames(scenario);
  const route = own ?? DIRECT;
  const [forward, reverse] = [names.indexOf(to.forward), names.indexOf(to.reverse)];
  const moved = (way: readonly number[]): number[] =>
    way.map((link) => (link === 0 ? forward : link === 1 ? reverse : link));
  return { route: { forward: moved(route.forward), reverse: moved(route.reverse) }, forward, reverse };
}

/** What flows, transfers and the flow under test have in common. */
function pathOf(
  context: PlanContext,
  fork: string,
  from: {
    readonly direction?: FlowDirection;
    readonly route?: RouteSpec;
    readonly propagationDelayMs?: number;
    readonly delay?: FlowPlan["delay"];
  },
  scale = 1,
): Pick<FlowSpec, "propagationNs" | "reversePropagationNs" | "route" | "delay"> & { isBackward: boolean } {
  const { scenario, rng, zeroNs } = context;
  const isBackward = from.direction === "backward";
  const ownMs = from.propagationDelayMs;
  const thereMs = (ownMs ?? scenario.propagationDelayMs) * scale;
  const backMs = (ownMs ?? scenario.reversePropagationDelayMs ?? scenario.propagationDelayMs) * scale;
  const delay = from.delay ?? (ownMs === undefined ? scenario.delay : undefined);
  const there = flowDelay(delay?.forward, rng.fork(`${fork}.delay.forward`), zeroNs);
  const back = flowDelay(delay?.reverse, rng.fork(`${fork}.delay.reverse`), zeroNs);
  const varies = there !== undefined || back !== undefined;
  return {
    isBackward,
    propagationNs: (isBackward ? backMs : thereMs) * NANOS_PER_MILLI,
    reversePropagationNs: (isBackward ? thereMs : backMs) * NANOS_PER_MILLI,
    route: planRoute(scenario, from.route ?? scenario.route, isBackward),
    ...(varies && {
      delay: isBackward ? { forward: back, reverse: there } : { forward: there, reverse: back },
    }),
  };
}

function jitterNs(scenario: Scenario): Nanos {
  const { fixed, variation } = scenario;
  return (fixed?.sendJitterUs ?? variation?.sendJitterUs ?? DEFAULT_SEND_JITTER_US) * NANOS_PER_MICRO;
}

/** A control whose algorithm's parameters the scenario changes. */
function changing(
  factory: CongestionControlFactory,
  changes: readonly ParameterChange[] | undefined,
  zeroNs: Nanos,
): CongestionControlFactory {
  if (changes === undefined) return factory;
  const atUs = (sec: number): Micros => (zeroNs + sec * NANOS_PER_SEC) / NANOS_PER_MICRO;
  const planned = changes.map(({ atSec, params }) => ({ atUs: atUs(atSec), params }));
  return (start) => factory({ ...start, hosting: { ...start.hosting, changes: planned } });
}

/** A control whose agent knows what of its flow of flows is the flow's. */
function weighted(
  factory: CongestionControlFactory,
  { weight, aggregates }: Pick<FlowPlan, "weight" | "aggregates">,
): CongestionControlFactory {
  if (weight === undefined && aggregates === undefined) return factory;
  const given = { ...(weight !== undefined && { weight }), ...(aggregates && { aggregates }) };
  return (start) => factory({ ...start, hosting: { ...start.hosting, ...given } });
}

/** The flow under test comes first, then the scenario's flows in their order. */
export function planFlows(context: PlanContext): PlannedFlow[] {
  const { scenario, zeroNs, seriesBinNs, oneWayDelay, controlOf } = context;
  const { isBackward, ...path } = pathOf(context, "flow.0", {});
  const { life, call, onStart } = planApplication(context, "flow.0", scenario, path);
  // where a bundle is under test, the scenario's own flow is that of a host, who knows nothing of it
  const isHost = scenario.bundles?.some(({ algorithm }) => algorithm === UNDER_TEST) ?? false;
  const control = isHost ? context.algorithms(HOST.algorithm) : controlOf(FIRST_FLOW);
  const first: PlannedFlow = {
    id: isHost ? HOST.id : FIRST_FLOW,
    algorithm: isHost ? HOST.algorithm : UNDER_TEST,
    isBackward,
    life,
    ...(call && { call }),
    ...stackOf(scenario, "stack"),
    spec: {
      ...path,
      ...sizeOf(scenario, scenario.stack),
      control: seenBy(call, changing(weighted(control, scenario), scenario.changes, zeroNs)),
      startNs: zeroNs,
      stopNs: Number.POSITIVE_INFINITY,
      ackPolicy: scenario.ackPolicy,
      sender: scenario.sender,
      sendJitterNs: jitterNs(scenario),
      seriesBinNs,
      oneWayDelay,
      onStart,
    },
  };
  const flows = [first];
  (scenario.flows ?? []).forEach((plan, at) => {
    const count = plan.count ?? 1;
    for (let i = 0; i < count; i++) flows.push(planFlow(context, plan, at, i, flows.length));
  });
  return flows.map((flow) => sharing(flow, flows));
}

/** What attaches a flow's application, and the life of a finite one. */
function planApplication(
  { rng, zeroNs, onFlowEnd }: PlanContext,
  fork: string,
  { application, deadlineSec }: Pick<FlowPlan, "application" | "deadlineSec">,
  {
    propagationNs,
    reversePropagationNs = propagationNs,
  }: Pick<FlowSpec, "propagationNs" | "reversePropagationNs">,
): {
  readonly life: FlowLife | undefined;
  readonly call?: MediaCall;
  readonly onStart: Attach | undefined;
} {
  if (application?.kind === "media") {
    const call = new MediaCall(application, reversePropagationNs);
    return { life: undefined, call, onStart: call.attach };
  }
  const life = application?.kind === "finite" ? new FlowLife(deadlineSec) : undefined;
  const onStart = makeApplication(application, rng.fork(`${fork}.application`), zeroNs, (end, network) => {
    life!.complete(end.acknowledgedNs, network);
    onFlowEnd(network);
  });
  return { life, onStart };
}

/** A call learns by the ACKs of its flow what has arrived. */
function seenBy(call: MediaCall | undefined, factory: CongestionControlFactory): CongestionControlFactory {
  return call === undefined ? factory : (start) => observedControl(factory(start), call);
}

/** Of a flow that is a stack. */
function stackOf(
  { stack: chunnels, application }: Pick<FlowPlan, "stack" | "application">,
  where: string,
): Pick<PlannedFlow, "stack"> {
  const isAwaited = application?.kind === "finite" || application?.kind === "short-transfers";
  return chunnels === undefined ? {} : { stack: { chunnels, where, isAwaited } };
}

/** One that shares another's window has no agent, and no algorithm, of its own. */
function sharing(flow: PlannedFlow, flows: readonly PlannedFlow[]): PlannedFlow {
  const group = stackGroup(flow.stack?.chunnels);
  const first = flows.find((each) => group !== undefined && stackGroup(each.stack?.chunnels) === group);
  if (first === undefined || first === flow) return flow;
  return { ...flow, algorithm: `with ${first.id}`, spec: { ...flow.spec, control: first.spec.control } };
}

/** Payload of a full packet, and who sends it. */
function sizeOf(scenario: Scenario, stack: StackSpec | undefined): Pick<FlowSpec, "mssBytes" | "isOutside"> {
  const mtuBytes = mtuOf(scenario);
  return stack === undefined
    ? { mssBytes: mssOf(mtuBytes) }
    : { mssBytes: stackPayloadBytes(mtuBytes), isOutside: true };
}

/** @param at its plan's place in the scenario @param number the flow's */
function planFlow(context: PlanContext, plan: FlowPlan, at: number, i: number, number: number): PlannedFlow {
  const { scenario, zeroNs, seriesBinNs, oneWayDelay, controlOf, algorithms } = context;
  const fork = `flow.${number}`;
  const draws = context.rng.fork(`${fork}.start`);
  const spread = plan.propagationSpread ?? 0;
  const startSec =
    (plan.startSec ?? 0) + i * (plan.startEverySec ?? 0) + (plan.startJitterSec ?? 0) * draws.next();
  const scale = 1 + spread * draws.uniform(-1, 1);
  const { isBackward, ...path } = pathOf(context, fork, plan, scale);
  const id = flowId(plan, i, number);
  const { life, call, onStart } = planApplication(context, fork, plan, path);
  return {
    id,
    algorithm: plan.algorithm,
    isBackward,
    life,
    ...(call && { call }),
    ...stackOf(plan, `flows.${at}.stack`),
    spec: {
      ...path,
      ...sizeOf(scenario, plan.stack),
      control: seenBy(
        call,
        changing(
          weighted(plan.algorithm === UNDER_TEST ? controlOf(id) : algorithms(plan.algorithm), plan),
          plan.changes,
          zeroNs,
        ),
      ),
      startNs: zeroNs + startSec * NANOS_PER_SEC + phaseNs(context, fork),
      stopNs: plan.stopSec === undefined ? Number.POSITIVE_INFINITY : zeroNs + plan.stopSec * NANOS_PER_SEC,
      ackPolicy: plan.ackPolicy ?? scenario.ackPolicy,
      sender: plan.sender ?? scenario.sender,
      sendJitterNs: jitterNs(scenario),
      seriesBinNs,
      oneWayDelay,
      ...(plan.priority !== undefined && { priority: plan.priority }),
      onStart,
    },
  };
}

/** What the flows of generated traffic have in common. */
export function planTransfer(
  context: PlanContext,
  traffic: TransfersSpec | IncastSpec,
  number: number,
): TransferTemplate {
  const { scenario, algorithms } = context;
  const { isBackward: _, ...path } = pathOf(context, `traffic.${number}`, traffic);
  return {
    ...path,
    control: algorithms(traffic.algorithm),
    ackPolicy: traffic.ackPolicy ?? scenario.ackPolicy,
    sender: traffic.sender ?? scenario.sender,
    mssBytes: mssOf(mtuOf(scenario)),
    sendJitterNs: jitterNs(scenario),
    seriesBinNs: Number.POSITIVE_INFINITY,
  };
}

/** Route and delay of datagrams, and how much later than planned they start. */
export function planDatagrams(
  context: PlanContext,
  traffic: DatagramsSpec,
  number: number,
): { readonly route: readonly number[]; readonly propagationNs: Nanos; readonly phaseNs: Nanos } {
  const fork = `traffic.${number}`;
  const { isBackward, propagationNs, route } = pathOf(context, fork, traffic);
  return {
    route: route?.forward ?? [isBackward ? 1 : 0],
    propagationNs,
    phaseNs: phaseNs(context, fork),
  };
}

/** Packets of others that wait before the flow under test starts: a burst just before it. Undefined: none. */
export function planStartQueue({ scenario, rng, zeroNs }: PlanContext): BurstSpec | undefined {
  const { forward, variation } = scenario;
  const { startQueue = 0 } = variation ?? {};
  const rateBytesPerSec = meanRateBytesPerSec(forward.rate);
  if (startQueue === 0 || rateBytesPerSec === undefined) return undefined;
  const bdpBytes = (rateBytesPerSec * roundTripMs(scenario)) / 1000;
  const { packets = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = forward.queue;
  const mtuBytes = mtuOf(scenario);
  const limit = Math.min(packets, Math.min(bytes, bdpBytes) / mtuBytes);
  const count = Math.floor(rng.fork("start.queue").next() * startQueue * (limit + 1));
  if (count === 0) return undefined;
  return {
    // the last one before the flow's first packet
    startNs: Math.max(0, zeroNs - count - 1),
    packets: count,
    bytes: mtuBytes,
    propagationNs: scenario.propagationDelayMs * NANOS_PER_MILLI,
  };
}
