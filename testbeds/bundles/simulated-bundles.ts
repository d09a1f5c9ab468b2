/** The bundles of a scenario in the simulator: boxes at the ends of their links, and their messages through the same network. */
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import type { Rng } from "../../core/random.ts";
import {
  type Bytes,
  type BytesPerSec,
  fromMbps,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  type Nanos,
} from "../../core/units.ts";
import { UNDER_TEST } from "../../scenarios/flows.ts";
import { mtuOf, type Scenario } from "../../scenarios/scenario.ts";
import { type BundleSpec, bundleId } from "../../scenarios/traffic/bundles.ts";
import type { GeneralNetwork, Outlet } from "../../sim/general/general-network.ts";
import type { WayTap } from "../../sim/general/link-tracer.ts";
import { NOT_ECT } from "../../sim/general/packet-store.ts";
import type { OutsideSpec } from "../../sim/network.ts";
import type { BundleFlow } from "./bundle-flow.ts";
import { headerHash } from "./epochs.ts";
import { type CongestionAck, Receivebox } from "./receivebox.ts";
import { type BundleEstimate, Sendbox } from "./sendbox.ts";

/** IPv4, UDP, and twelve bytes of what they say. */
const MESSAGE_BYTES = 40;

type Message = { readonly ack: CongestionAck } | { readonly epochPackets: number };

export class SimulatedBundle {
  readonly id: string;
  /** number of its link among the network's */
  readonly link: number;
  readonly isUnderTest: boolean;
  /** who is told of its packets too */
  flow: BundleFlow | undefined;
  readonly sendbox: Sendbox;
  readonly receivebox: Receivebox = new Receivebox();
  /** of each congestion ACK that said something, in the order of time */
  readonly estimates: BundleEstimate[] = [];
  readonly #network: () => GeneralNetwork;

  constructor(options: {
    readonly id: string;
    readonly link: number;
    readonly isUnderTest: boolean;
    readonly packetBytes: Bytes;
    readonly maxRateBytesPerSec: BytesPerSec;
    readonly control: CongestionControlFactory;
    readonly rng: Rng;
    readonly network: () => GeneralNetwork;
  }) {
    const { id, link, packetBytes, maxRateBytesPerSec, control, rng, network } = options;
    this.id = id;
    this.link = link;
    this.isUnderTest = options.isUnderTest;
    this.#network = network;
    this.sendbox = new Sendbox({
      control,
      packetBytes,
      maxRateBytesPerSec,
      queuedBytes: () => this.queuedBytes,
      hosting: {
        name: id,
        rng,
        schedule: (atUs, run) => {
          const atNs = Math.max(Math.round(atUs * NANOS_PER_MICRO), network().nowNs);
          network().schedule(atNs + 1, () => run(atNs / NANOS_PER_MICRO));
        },
      },
    });
  }

  /** What waits in the sendbox. */
  get queuedBytes(): Bytes {
    return this.#network().hops[this.link]!.queuedBytes;
  }
}

export class SimulatedBundles implements Outlet {
  readonly all: readonly SimulatedBundle[];
  /** the way of the boxes' messages: both ends of the scenario's own path */
  readonly outside: OutsideSpec;
  readonly #messages = new Map<number, Message>();
  #sent = 0;
  #network: GeneralNetwork | undefined;

  /** @param controlOf a bundle, by what the scenario says of it */
  constructor(scenario: Scenario, controlOf: (spec: BundleSpec) => CongestionControlFactory, rng: Rng) {
    const { bundles = [], links = {} } = scenario;
    const names = Object.keys(links);
    this.all = bundles.map((spec, i) => {
      const id = bundleId(spec, i);
      const { rate } = links[spec.link]!;
      return new SimulatedBundle({
        id,
        link: 2 + names.indexOf(spec.link),
        isUnderTest: spec.algorithm === UNDER_TEST,
        packetBytes: mtuOf(scenario),
        maxRateBytesPerSec: rate.kind === "constant" ? fromMbps(rate.mbps) : Number.POSITIVE_INFINITY,
        control: controlOf(spec),
        rng: rng.fork(`${id}.algorithm`),
        network: () => this.#network!,
      });
    });
    const { propagationDelayMs, reversePropagationDelayMs = propagationDelayMs } = scenario;
    this.outside = {
      paths: this.all.map(() => ({
        propagationNs: propagationDelayMs * NANOS_PER_MILLI,
        reversePropagationNs: reversePropagationDelayMs * NANOS_PER_MILLI,
      })),
      flows: this.all.length,
    };
  }

  /** One whose rate is decided from outside; undefined: there is none. */
  get underTest(): SimulatedBundle | undefined {
    return this.all.find(({ isUnderTest }) => isUnderTest);
  }

  /** Undefined: no bundle is held back there. @param link number among the network's */
  rateOf(link: number): (() => BytesPerSec) | undefined {
    const bundle = this.all.find((each) => each.link === link);
    return bundle && (() => bundle.sendbox.rateBytesPerSec);
  }

  attach(network: GeneralNetwork): void {
    this.#network = network;
    this.all.forEach(({ link, sendbox, receivebox, flow: seen }, i) => {
      const tap: WayTap = {
        onLeave: (flow, number, bytes, atNs) =>
          sendbox.onSent(headerHash(flow, number), bytes, atNs / NANOS_PER_MICRO),
        onArrival: (flow, number, bytes, atNs) => {
          const ack = receivebox.onPacket(headerHash(flow, number), bytes);
          if (ack !== undefined) network.schedule(atNs, () => this.#send(i, 2 * i + 1, { ack }, atNs));
        },
      };
      network.watchWay(link, seen?.watch(tap) ?? tap);
    });
  }

  #send(flow: number, way: number, message: Message, nowNs: Nanos): void {
    const number = this.#keep(message);
    this.#network!.enterOutside(
      way,
      { number, bytes: MESSAGE_BYTES, flow, ecn: NOT_ECT, isAck: false },
      nowNs,
    );
  }

  #keep(message: Message): number {
    const number = this.#sent++;
    this.#messages.set(number, message);
    return number;
  }

  leave(way: number, number: number): void {
    const message = this.#messages.get(number)!;
    this.#messages.delete(number);
    const { sendbox, receivebox, estimates } = this.all[way >> 1]!;
    if ("epochPackets" in message) {
      receivebox.onEpochSize(message.epochPackets);
      return;
    }
    const { nowNs } = this.#network!;
    const told = sendbox.onAck(message.ack, nowNs / NANOS_PER_MICRO);
    if (told === undefined) return;
    estimates.push(told.estimate);
    const { epochPackets } = told;
    if (epochPackets === undefined) return;
    // not from within an event of the network
    this.#network!.schedule(nowNs, () => this.#send(way >> 1, way - 1, { epochPackets }, nowNs));
  }

  drop(number: number): void {
    this.#messages.delete(number);
  }

  copy(number: number): number {
    return this.#keep(this.#messages.get(number)!);
  }
}
