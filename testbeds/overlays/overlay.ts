/**
 * The overlay of a scenario in the simulator: its links beside the scenario's own, the flows' ways over them, what nodes say to each
 * other, and what they do with data (`works/`). Where a flow has something to choose (a path, a parent, a share), a policy
 * does it, or whoever calls `choose`: an environment's agent.
 */
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { assert } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import { type Bytes, mssOf, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import type { OverlaySpec, OverlayWork } from "../../scenarios/overlay/overlay.ts";
import { mtuOf, type Scenario } from "../../scenarios/scenario.ts";
import type { GeneralFlow, GeneralNetwork } from "../../sim/general/general-network.ts";
import type { FlowSpec, LinkSpec, OutsideSpec } from "../../sim/network.ts";
import { sendOnce } from "../traffic/applications.ts";
import { OverlayGraph } from "./graph.ts";
import { OverlayMessages } from "./messages.ts";
import { makeWork } from "./works/make-work.ts";
import type { ChoiceFacts, Work } from "./works/work.ts";

/** Of transfers that come and go, unless the scenario says so. */
export const DEFAULT_OVERLAY_ALGORITHM = "native-cubic";

export class Overlay {
  readonly spec: OverlaySpec;
  readonly graph: OverlayGraph;
  readonly messages: OverlayMessages;
  readonly rng: Rng;
  /** start of the flow under test */
  readonly zeroNs: Nanos;
  readonly mssBytes: Bytes;
  /** ids of the scenario's flows, in their order */
  readonly flowIds: readonly string[];
  readonly work: Work | undefined;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #transferSpec: Omit<FlowSpec, "startNs" | "stopNs" | "onStart">;
  #network: GeneralNetwork | undefined;

  constructor(options: {
    readonly spec: OverlaySpec;
    readonly scenario: Scenario;
    readonly zeroNs: Nanos;
    readonly rng: Rng;
    readonly flowIds: readonly string[];
    /** of what comes and goes */
    readonly control: CongestionControlFactory;
  }) {
    const { spec, scenario, zeroNs, rng, flowIds, control } = options;
    this.spec = spec;
    this.graph = new OverlayGraph(spec, scenario);
    this.messages = new OverlayMessages(this.graph.firstLink, spec.links.length, spec.nodes.length);
    this.rng = rng;
    this.zeroNs = zeroNs;
    this.flowIds = flowIds;
    this.mssBytes = mssOf(mtuOf(scenario));
    this.#numbers = new Map(spec.nodes.map((name, i) => [name, i]));
    this.#transferSpec = {
      control,
      propagationNs: 0,
      ackPolicy: scenario.ackPolicy,
      sender: scenario.sender,
      mssBytes: this.mssBytes,
      sendJitterNs: 0,
      seriesBinNs: Number.POSITIVE_INFINITY,
    };
    this.work = makeWork(this);
  }

  /** The ways of messages: paths of the network. */
  get outside(): OutsideSpec {
    return this.messages.outside;
  }

  /** Links of the overlay, in the order of their numbers. @param plan makes one, by its name */
  links(plan: (name: string, spec: OverlaySpec["links"][number]["there"]) => LinkSpec): LinkSpec[] {
    return this.spec.links.flatMap(({ from, to, there, back = there }) => [
      plan(`overlay.${from}.${to}`, there),
      plan(`overlay.${to}.${from}`, back),
    ]);
  }

  /** What a flow's plan does not know: where it goes, and what it carries. @param place of the flow in the scenario */
  flowParts(place: number, planned: FlowSpec): FlowSpec {
    const { from, to, via = [] } = this.spec.flows[place]!;
    const begin = this.work?.beginFlow?.bind(this.work, place);
    const { delay: _, reversePropagationNs: __, ...rest } = planned;
    return {
      ...rest,
      propagationNs: 0,
      route: this.graph.route([from, ...via, to]),
      ...(begin !== undefined && { onStart: begin }),
    };
  }

  attach(network: GeneralNetwork): void {
    this.#network = network;
    this.messages.attach(network);
    network.schedule(this.zeroNs, () => this.work?.begin());
  }

  get network(): GeneralNetwork {
    assert(this.#network !== undefined, "the overlay has a network");
    return this.#network;
  }

  get nowNs(): Nanos {
    return this.network.nowNs;
  }

  /** of the flow under test's start */
  get nowSec(): number {
    return (this.nowNs - this.zeroNs) / NANOS_PER_SEC;
  }

  numberOf(node: string): number {
    return this.#numbers.get(node)!;
  }

  /** a flow of the scenario */
  flow(place: number): GeneralFlow {
    return this.network.flows[place]!;
  }

  after(spanNs: Nanos, run: () => void): void {
    this.network.schedule(this.nowNs + spanNs, run);
  }

  /** A flow of the scenario goes over others from now on. */
  reroute(place: number, hosts: readonly string[]): void {
    this.network.reroute(this.flow(place), this.graph.route(hosts));
  }

  /**
   * A flow of its own carries so much and is gone.
   * @param onComplete when the receiver has all of it
   * @returns the flow, which may be stopped before
   */
  transfer(from: string, to: string, bytes: Bytes, onComplete: (arrivedNs: Nanos) => void): GeneralFlow {
    return this.network.addFlow({
      ...this.#transferSpec,
      route: this.graph.route([from, to]),
      startNs: this.nowNs,
      stopNs: Number.POSITIVE_INFINITY,
      // between events: whoever waits may let other flows come
      onStart: sendOnce(bytes, ({ arrivedNs }) => this.after(0, () => onComplete(arrivedNs))),
    });
  }

  /** What a flow can choose from, and what is known of it; undefined: nothing. */
  choicesOf(flowId: string): readonly ChoiceFacts[] | undefined {
    return this.work?.choices?.(this.flowIds.indexOf(flowId));
  }

  /**
   * From now on the flow's choices are made by who calls this, no more by the policy.
   * @param value in [0, 1]: the place in the list of choices, or the weight in a split
   */
  choose(flowId: string, value: number): void {
    this.work?.choose?.(this.flowIds.indexOf(flowId), value);
  }
}

/** The work of a run, which must be of this kind. */
export function workOf<W extends Work, K extends OverlayWork["kind"]>(
  overlay: Overlay | undefined,
  kind: K,
): W & { readonly kind: K } {
  assert(overlay?.work?.kind === kind, `the overlay's work is ${overlay?.work?.kind}, not ${kind}`);
  return overlay.work as W & { readonly kind: K };
}
