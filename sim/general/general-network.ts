/**
 * The general network: any number of links in any order, every queue discipline, reordering, duplication, datagrams, and
 * flows that come and go. What happens next is the earliest of the heads of the links' servers, their wires and the flows
 * (a winner tree over these sources, not over packets); packets are rows of a store.
 *
 *   sender --jitter--> hop --wire--> hop ... --propagation--> receiver --ACK--> hop ... --propagation--> sender
 *
 * At one instant links come before datagram sources and these before flows, each in the order of their numbers; within a
 * flow: arrivals, the delayed ACK, one ACK or timer, then what may be sent. So it agrees with the FIFO network.
 */
import type { CongestionControl } from "../../ccp-bridge/congestion-control.ts";
import { assert } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import { type Bytes, NANOS_PER_MICRO, type Nanos } from "../../core/units.ts";
import type { EcnUse, Sender } from "../../engine/sender.ts";
import { takeEngine } from "../../engine/wasm-host.ts";
import { EventLoop } from "../event-loop.ts";
import { FlowStatistics } from "../flow-statistics.ts";
import type {
  BurstSpec,
  DatagramSpec,
  FlowSpec,
  LinkMeter,
  Network,
  NetworkFlow,
  NetworkSpec,
  PathSpec,
  Route,
} from "../network.ts";
import { startSender } from "../start-sender.ts";
import { ACK, DATA, DATAGRAM, Hop, NOBODY, OUTSIDE, OUTSIDE_ACK } from "./hop.ts";
import type { ExitShaper } from "./impairments/exit-shaper.ts";
import { type LastWay, lastWays } from "./last-way.ts";
import type { DequeueListener } from "./link.ts";
import type { WayTap } from "./link-tracer.ts";
import { CE, ECT_0, ECT_1, NOT_ECT, PacketStore } from "./packet-store.ts";
import { Receiver } from "./receiver.ts";
import { FIRST_END, Routes } from "./routes.ts";
import type { TimedRing } from "./timed-ring.ts";
import { WinnerTree } from "./winner-tree.ts";

export const DIRECT: Route = { forward: [0], reverse: [1] };

/**
 * Carries packets between hosts and the links, from sender or receiver into the first link (`into`) and out of the last one
 * (`out`). In virtual time there is none, and they are there at once; a world with real packets sends each through a
 * socket and calls `GeneralNetwork.arrive` when it has come.
 */
export interface PacketCarrier {
  /** @param wireBytes as the link counts the packet */
  carry(packet: number, way: "into" | "out", wireBytes: Bytes): void;
}

/** Where packets from outside go when their way through the network has ended. */
export interface Outlet {
  /**
   * A packet is at the end of its way, at the time of the network.
   * @param way as of `enterOutside`; @param number what its owner knows it by
   */
  leave(way: number, number: number, facts: OutsideFacts): void;
  /** One is lost on its way. */
  drop(number: number): void;
  /** The network has made a second one of it. @returns what the owner knows that one by */
  copy(number: number): number;
}

/** What became of a packet on its way. One object, overwritten by the next. */
export interface OutsideFacts {
  readonly isMarked: boolean;
  readonly isCorrupt: boolean;
  /** on all links */
  readonly queuedNs: Nanos;
}

/** What a packet from outside is. */
export interface OutsidePacket {
  readonly number: number;
  /** without what links add */
  readonly bytes: Bytes;
  /** below `OutsideSpec.flows` */
  readonly flow: number;
  /** NOT_ECT, ECT_1, ECT_0 or CE */
  readonly ecn: number;
  readonly isAck: boolean;
}

/** One direction of a path for packets from outside. */
interface OutsideWay {
  readonly place: number;
  readonly last: LastWay;
  readonly priority: number;
}

/** The ECN field of a flow's data packets. */
const ECN_FIELDS: Readonly<Record<EcnUse, number>> = { off: NOT_ECT, classic: ECT_0, scalable: ECT_1 };

export class GeneralFlow implements NetworkFlow {
  /** its slot: given to another flow when this one has ended and left the network */
  readonly index: number = 0;
  /** counts flows in the order of coming: names its random draws */
  readonly number: number = 0;
  declare readonly spec: FlowSpec;
  readonly isTransient: boolean = false;
  declare readonly statistics: FlowStatistics;
  sender: Sender | undefined;
  /** ECN field of its data packets, once it has a sender */
  ecn: number = NOT_ECT;
  declare readonly receiver: Receiver;
  /** where its packets begin, as places of the routes */
  dataPlace: number = 0;
  ackPlace: number = 0;
  declare readonly toReceiver: LastWay;
  declare readonly toSender: LastWay;
  /** packets that will be at the receiver and at the sender */
  declare readonly data: TimedRing;
  declare readonly acks: TimedRing;
  /** as in the spec: read for every packet */
  readonly stopNs: Nanos = 0;
  readonly priority: number = 0;
  arrivedPackets = 0;
  firstArrivedPackets = 0;
  droppedPackets = 0;
  /** data packets that the network made a second one of */
  duplicatedPackets = 0;
  servedBytesAtStart: Bytes = 0;
  /** packets of either kind that are in the network */
  underWay = 0;
  closed = false;
  /** a link on the way of its data whose tap is told of its arrivals; absent: nobody is */
  tapped: Hop | undefined;
  /** told after the receiver has taken a payload for the first time; absent: nobody is */
  onArrival: (() => void) | undefined;
  /** when it acts next, as the tree has it */
  nextNs: Nanos = 0;

  /** @param isTransient it was added while the network runs, and its slot is free when it has ended */
  constructor(
    index: number,
    number: number,
    spec: FlowSpec,
    isTransient: boolean,
    routes: Routes,
    hops: readonly Hop[],
  ) {
    this.index = index;
    this.number = number;
    this.spec = spec;
    this.isTransient = isTransient;
    this.nextNs = spec.isOutside === true ? Number.POSITIVE_INFINITY : spec.startNs;
    this.receiver = new Receiver(spec.ackPolicy);
    this.statistics = new FlowStatistics(spec.startNs, spec.seriesBinNs, spec.oneWayDelay);
    const route = spec.route ?? DIRECT;
    this.dataPlace = routes.placeOf(route.forward, DATA);
    this.ackPlace = routes.placeOf(route.reverse, ACK);
    const { there, back } = lastWays(spec, route, hops);
    this.toReceiver = there;
    this.toSender = back;
    this.data = this.toReceiver.arrivals;
    this.acks = this.toSender.arrivals;
    this.stopNs = spec.stopNs;
    this.priority = spec.priority ?? 0;
  }

  get control(): CongestionControl | undefined {
    return this.sender?.control;
  }

  /** Arrivals are events here, so the counts are always those of now; delays are known from the last hop on. */
  advance(nowNs: Nanos): void {
    this.statistics.settle(nowNs);
  }
}

function burstDatagrams({ startNs, packets, bytes, propagationNs }: BurstSpec): DatagramSpec {
  const stopNs = startNs + packets + 0.5;
  return { startNs, stopNs, gapNs: () => 1, bytes: () => bytes, route: [0], propagationNs };
}

/** A source of datagrams and what became of them. */
export class DatagramFlow {
  readonly spec: DatagramSpec;
  /** its slot among the flows, by which queues tell flows apart */
  readonly index: number;
  readonly statistics: FlowStatistics;
  /** where its packets begin, as a place of the routes */
  readonly place: number;
  nextNs: Nanos;
  sentPackets = 0;
  arrivedPackets = 0;
  droppedPackets = 0;
  duplicatedPackets = 0;

  constructor(index: number, spec: DatagramSpec, routes: Routes) {
    this.index = index;
    this.place = routes.placeOf(spec.route, DATAGRAM);
    this.spec = spec;
    this.nextNs = spec.startNs + spec.gapNs();
    this.statistics = new FlowStatistics(spec.startNs, Number.POSITIVE_INFINITY, true);
  }
}

export class GeneralNetwork extends EventLoop<GeneralFlow> implements Network {
  declare readonly forward: LinkMeter;
  declare readonly reverse: LinkMeter;
  declare readonly hops: readonly Hop[];
  declare readonly flows: readonly GeneralFlow[];
  declare readonly datagrams: readonly DatagramFlow[];
  override nowNs: Nanos = 0;
  protected override stopRequested = false;
  /** the flow whose packets a stop held back */
  #held: GeneralFlow | undefined;
  /** of all senders */
  readonly #engine = takeEngine();
  readonly #rng: Rng;
  readonly #packets = new PacketStore();
  readonly #routes = new Routes();
  /** NOBODY's place, then those of the datagram sources, of flows from outside (nobody) and of the flow slots, in the order of `PacketStore.flow` */
  readonly #listeners: (DequeueListener | undefined)[] = [undefined];
  /** sources: of each hop its server, where departures are not known ahead, and its wire; ways of packets from outside, datagram sources, flow slots */
  #tree: WinnerTree = new WinnerTree(1);
  #treeSize = 1;
  /** by source */
  readonly #hopOf: Hop[] = [];
  readonly #firstWay: number = 0;
  readonly #firstDatagram: number = 0;
  readonly #firstFlow: number = 0;
  readonly #slots: (GeneralFlow | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #placed = 0;
  readonly #listenerOf: (packet: number) => number;
  readonly #carrier: PacketCarrier | undefined;
  readonly #outlet: Outlet | undefined;
  readonly #ways: readonly OutsideWay[] = [];
  /** of flow slots, in `PacketStore.flow`: behind the datagram sources and the flows from outside */
  readonly #firstSlot: number = 0;
  readonly #facts = { isMarked: false, isCorrupt: false, queuedNs: 0 };

  /**
   * @param rng forks: forward.EFFECT, reverse.EFFECT, link.N.EFFECT, flow.N.jitter
   * @param shell of a world with real packets. Without a carrier packets need no time between a host and its link; an
   *   outlet is needed where the spec has paths for packets from outside; meters are those of the links where the carrier
   *   takes packets over links elsewhere
   */
  constructor(
    spec: NetworkSpec,
    rng: Rng,
    shell: {
      readonly carrier?: PacketCarrier;
      readonly outlet?: Outlet;
      readonly meters?: { readonly forward: LinkMeter; readonly reverse: LinkMeter };
    } = {},
  ) {
    super();
    this.#rng = rng;
    this.#carrier = shell.carrier;
    this.#outlet = shell.outlet;
    const specs = [spec.forward, spec.reverse, ...(spec.links ?? [])];
    const names = ["forward", "reverse"];
    this.hops = specs.map(
      (link, i) =>
        new Hop({
          number: i,
          spec: link,
          packets: this.#packets,
          listeners: this.#listeners,
          onDrop: (packet) => this.#lose(packet),
          fork: (effect) => rng.fork(`${names[i] ?? `link.${i}`}.${effect}`),
        }),
    );
    this.forward = shell.meters?.forward ?? this.hops[0]!;
    this.reverse = shell.meters?.reverse ?? this.hops[1]!;
    this.#ways = (spec.outside?.paths ?? []).flatMap((path, i) => this.#waysOf(path, i));
    for (const hop of this.hops) {
      if (hop.hasServer) hop.serverSource = this.#hopOf.push(hop) - 1;
      hop.wireSource = this.#hopOf.push(hop) - 1;
    }
    this.#firstWay = this.#hopOf.length;
    this.#firstDatagram = this.#firstWay + this.#ways.length;
    const burst = spec.burst === undefined ? [] : [burstDatagrams(spec.burst)];
    this.datagrams = [...(spec.datagrams ?? []), ...burst].map(
      (datagrams, i) => new DatagramFlow(i, datagrams, this.#routes),
    );
    this.#firstFlow = this.#firstDatagram + this.datagrams.length;
    this.#firstSlot = this.datagrams.length + (spec.outside?.flows ?? 0);
    this.#treeSize = this.#firstFlow + Math.max(1, spec.flows.length);
    this.#tree = new WinnerTree(this.#treeSize);
    this.#listenerOf = (packet) => this.#findListener(packet, this.#packets.place[packet]!);
    for (const source of this.datagrams) {
      this.#listeners.push(source.statistics);
      this.#tree.update(this.#firstDatagram + source.index, source.nextNs);
    }
    this.flows = spec.flows.map((flow) => this.#place(flow, false));
  }

  /**
   * A flow comes while the network runs; its slot is free again when its sender has finished and nothing of it is on its
   * way. `spec.startNs` must not lie before now.
   */
  addFlow(spec: FlowSpec): GeneralFlow {
    assert(spec.startNs >= this.nowNs, `flow starts at ${spec.startNs} ns, now is ${this.nowNs} ns`);
    return this.#place(spec, true);
  }

  /** When it must be run next; Infinity: nothing will happen unless a packet arrives from its carrier. */
  get nextNs(): Nanos {
    return Math.min(this.#tree.time, this.nextCallNs);
  }

  /** What a packet says: transmission number and sequence of a data packet, arrivals that an ACK acknowledges. */
  contentsOf(packet: number): { readonly kind: number; readonly number: number; readonly sequence: number } {
    const { kind, number, sequence } = this.#packets;
    return { kind: kind[packet]!, number: number[packet]!, sequence: sequence[packet]! };
  }

  /** The flow of a data packet or an ACK, and the packet's ECN field. */
  senderOf(packet: number): { readonly flow: GeneralFlow; readonly ecn: number } {
    return { flow: this.#flowOf(packet)!, ecn: this.#packets.ecn[packet]! };
  }

  /**
   * A packet has come out of a carrier that took it all its way, over links that are not this network's. All that was due
   * before must have been run.
   */
  deliver(packet: number, nowNs: Nanos, { isMarked, queuedNs }: Omit<OutsideFacts, "isCorrupt">): void {
    const packets = this.#packets;
    if (packets.kind[packet] === DATA) {
      if (isMarked) packets.ecn[packet] = CE;
      const { statistics } = this.#flowOf(packet)!;
      statistics.onDequeue(nowNs, queuedNs / NANOS_PER_MICRO);
      statistics.onTaken(nowNs, nowNs - packets.sentNs[packet]!, nowNs);
    }
    this.arrive(packet, "out", nowNs);
  }

  /** A packet has come out of the carrier. All that was due before must have been run. */
  arrive(packet: number, way: "into" | "out", nowNs: Nanos): void {
    this.nowNs = nowNs;
    if (way === "into") {
      this.#enter(packet, this.#packets.place[packet]!);
      return;
    }
    const flow = this.#flowOf(packet)!;
    const sender = flow.sender!;
    if (this.#packets.kind[packet] === DATA) this.#receive(flow, sender, packet);
    else this.#acknowledge(flow, sender, packet);
    this.#sendDue(flow);
    this.reschedule(flow);
  }

  /** A packet did not come out of the carrier. */
  lose(packet: number): void {
    this.#lose(packet);
  }

  #waysOf(path: PathSpec, i: number): [OutsideWay, OutsideWay] {
    const route = path.route ?? DIRECT;
    const { there, back } = lastWays(path, route, this.hops);
    const priority = path.priority ?? 0;
    return [
      { place: this.#routes.placeOf(route.forward, FIRST_END + 2 * i), last: there, priority },
      { place: this.#routes.placeOf(route.reverse, FIRST_END + 2 * i + 1), last: back, priority },
    ];
  }

  /**
   * A packet comes from outside. All that was due before must have been run.
   * @param way 2 * i there, 2 * i + 1 back, of the i-th path of `OutsideSpec`
   */
  enterOutside(way: number, { number, bytes, flow, ecn, isAck }: OutsidePacket, nowNs: Nanos): void {
    this.nowNs = nowNs;
    const { place, priority } = this.#ways[way]!;
    const packets = this.#packets;
    const kind = isAck ? OUTSIDE_ACK : OUTSIDE;
    const packet = this.#make(this.datagrams.length + flow, kind, place, priority);
    packets.number[packet] = number;
    packets.sequence[packet] = bytes;
    packets.ecn[packet] = ecn;
    this.#enter(packet, place);
  }

  /** The next packet is at the end of its way. */
  #leaveNetwork(way: number): void {
    const { arrivals } = this.#ways[way]!.last;
    const packets = this.#packets;
    const packet = arrivals.shift();
    this.#tree.update(this.#firstWay + way, arrivals.headNs);
    const facts = this.#facts;
    facts.isMarked = packets.ecn[packet] === CE;
    facts.isCorrupt = packets.corrupt[packet] === 1;
    facts.queuedNs = packets.queuedNs[packet]!;
    this.#outlet!.leave(way, packets.number[packet]!, facts);
    packets.release(packet);
  }

  /** From now on the flow's packets leave by another way; those that are under way stay on theirs, and may be overtaken. */
  reroute(flow: GeneralFlow, { forward, reverse }: Route): void {
    flow.dataPlace = this.#routes.placeOf(forward, DATA);
    flow.ackPlace = this.#routes.placeOf(reverse, ACK);
  }

  /** The flow stops now, as at the end of its plan. */
  stopFlow(flow: GeneralFlow): void {
    // one that has gone has given its slot to another
    if (flow.sender === undefined || flow.closed) return;
    this.#close(flow);
    this.reschedule(flow);
  }

  /** Packets in the network, of any kind. */
  get packetsUnderWay(): number {
    return this.#packets.inUse;
  }

  #place(spec: FlowSpec, isTransient: boolean): GeneralFlow {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    const flow = new GeneralFlow(slot, this.#placed++, spec, isTransient, this.#routes, this.hops);
    flow.tapped = this.#tappedOf(spec);
    this.#slots[slot] = flow;
    this.#listeners[1 + this.#firstSlot + slot] = flow.statistics;
    if (this.#firstFlow + slot >= this.#treeSize) this.#growTree();
    this.#tree.update(this.#firstFlow + slot, flow.nextNs);
    return flow;
  }

  /** What the flow sends from now on takes this route; what is under way goes on where it is. */
  move(flow: NetworkFlow, route: Route): void {
    const moving = flow as GeneralFlow;
    moving.dataPlace = this.#routes.placeOf(route.forward, DATA);
    moving.ackPlace = this.#routes.placeOf(route.reverse, ACK);
  }

  /** Told of packets that leave a link, and of the arrivals of flows whose data go over it; one for each link. */
  watchWay(link: number, tap: WayTap): void {
    this.hops[link]!.tap = tap;
    for (const flow of this.flows) flow.tapped = this.#tappedOf(flow.spec);
  }

  #tappedOf({ route = DIRECT }: FlowSpec): Hop | undefined {
    const link = route.forward.find((number) => this.hops[number]!.tap !== undefined);
    return link === undefined ? undefined : this.hops[link];
  }

  #growTree(): void {
    this.#treeSize *= 2;
    const tree = new WinnerTree(this.#treeSize);
    for (const hop of this.hops) {
      if (hop.hasServer) tree.update(hop.serverSource, hop.readyNs);
      tree.update(hop.wireSource, hop.wire.headNs);
    }
    this.#ways.forEach(({ last }, i) => {
      tree.update(this.#firstWay + i, last.arrivals.headNs);
    });
    for (const source of this.datagrams) tree.update(this.#firstDatagram + source.index, source.nextNs);
    for (const flow of this.#slots) {
      if (flow !== undefined) tree.update(this.#firstFlow + flow.index, flow.nextNs);
    }
    this.#tree = tree;
  }

  release(): void {
    this.#engine.release();
  }

  protected override runEvents(untilNs: Nanos): void {
    while (!this.stopRequested) {
      const atNs = this.#tree.time;
      if (atNs > untilNs || atNs >= this.nextCallNs) return;
      this.nowNs = atNs;
      this.#happen();
    }
  }

  protected override get holds(): boolean {
    return this.#held !== undefined;
  }

  protected override sendHeld(): void {
    const flow = this.#held!;
    this.#held = undefined;
    this.#sendDue(flow);
    this.reschedule(flow);
  }

  /** The flow sends what may leave by now. */
  #sendDue(flow: GeneralFlow): void {
    const sender = flow.sender!;
    while (sender.sendAtNs <= this.nowNs) this.#transmit(flow, sender);
  }

  /**
   * The earliest event happens. Whoever has a part in it reads the time where it is: as an argument V8 would make an object of it wherever it
   * calls a method instead of making one function of both.
   */
  #happen(): void {
    const source = this.#tree.winner;
    if (source >= this.#firstFlow) {
      const flow = this.#slots[source - this.#firstFlow]!;
      this.#process(flow);
      this.reschedule(flow);
    } else if (source >= this.#firstWay) {
      this.#happenOutside(source);
    } else {
      const hop = this.#hopOf[source]!;
      if (source === hop.wireSource) {
        const packet = hop.wire.shift();
        this.#tree.update(source, hop.wire.headNs);
        this.#enter(packet, this.#packets.place[packet]!);
      } else {
        const packet = hop.serve(this.nowNs, this.#listenerOf);
        this.#tree.update(source, hop.readyNs);
        if (packet !== -1) this.#leave(hop, packet);
      }
    }
  }

  /** Apart, as what V8 makes one function of holds only so much: a packet over many links rarely comes by here. */
  #happenOutside(source: number): void {
    const i = source - this.#firstDatagram;
    if (i >= 0) this.#sendDatagram(this.datagrams[i]!);
    else this.#leaveNetwork(source - this.#firstWay);
  }

  protected override reschedule(flow: GeneralFlow): void {
    const { sender, receiver } = flow;
    if (sender === undefined) return;
    let next = flow.data.headNs;
    if (flow.acks.headNs < next) next = flow.acks.headNs;
    if (sender.sendAtNs < next) next = sender.sendAtNs;
    if (sender.timerAtNs < next) next = sender.timerAtNs;
    if (receiver.delayedAckAtNs < next) next = receiver.delayedAckAtNs;
    if (!flow.closed && flow.stopNs < next) next = flow.stopNs;
    flow.nextNs = next;
    this.#tree.update(this.#firstFlow + flow.index, next);
    if (flow.underWay === 0 && next === Number.POSITIVE_INFINITY) this.#retire(flow);
  }

  /** Something will reach the flow at `atNs`, maybe before what it waits for. */
  #wake(flow: GeneralFlow, atNs: Nanos): void {
    if (atNs >= flow.nextNs) return;
    flow.nextNs = atNs;
    this.#tree.update(this.#firstFlow + flow.index, atNs);
  }

  /** A flow that was added, has sent all it will ever send and has nothing under way makes room. */
  #retire(flow: GeneralFlow): void {
    if (!flow.isTransient || !(flow.closed || flow.sender!.complete)) return;
    this.#close(flow);
    flow.sender!.release();
    this.#slots[flow.index] = undefined;
    this.#listeners[1 + this.#firstSlot + flow.index] = undefined;
    this.#freeSlots.push(flow.index);
  }

  #close(flow: GeneralFlow): void {
    if (flow.closed) return;
    flow.closed = true;
    flow.sender!.stop();
    flow.control?.onClose?.();
  }

  #process(flow: GeneralFlow): void {
    const { sender, receiver } = flow;
    if (sender === undefined) {
      this.#start(flow);
      return;
    }
    const { nowNs } = this;
    if (flow.statistics.nextBinEndNs <= nowNs) flow.statistics.onTime(nowNs, sender.cwndPackets);
    if (flow.stopNs <= nowNs) this.#close(flow);
    while (flow.data.headNs <= nowNs) {
      const packet = flow.data.shift();
      if (this.#carrier === undefined) this.#receive(flow, sender, packet);
      else this.#carryOut(packet, this.hops[0]!);
    }
    if (receiver.delayedAckAtNs <= nowNs) {
      receiver.flush();
      this.#sendAck(flow, sender);
    }
    if (flow.acks.headNs <= nowNs) {
      const packet = flow.acks.shift();
      if (this.#carrier === undefined) this.#acknowledge(flow, sender, packet);
      else this.#carryOut(packet, this.hops[1]!);
    } else if (sender.timerAtNs <= nowNs) {
      sender.onTimer(nowNs);
    }
    if (this.stopRequested) this.#held = flow;
    else this.#sendDue(flow);
  }

  #start(flow: GeneralFlow): void {
    const { nowNs } = this;
    const { spec } = flow;
    flow.sender = startSender(this, this.#engine, spec, flow.number, nowNs, this.#rng);
    flow.ecn = ECN_FIELDS[flow.sender.ecnUse];
    flow.servedBytesAtStart = this.forward.servedBytes(nowNs);
    spec.onStart?.(flow, this);
  }

  #transmit(flow: GeneralFlow, sender: Sender): void {
    const txn = sender.transmit(this.nowNs);
    const packet = this.#send(flow, DATA, flow.dataPlace, flow.ecn);
    this.#packets.number[packet] = txn;
    this.#packets.sequence[packet] = sender.sentSequence;
    this.#leaveHost(packet, flow.dataPlace);
  }

  #sendAck(flow: GeneralFlow, sender: Sender): void {
    const packet = this.#send(flow, ACK, flow.ackPlace, NOT_ECT);
    this.#packets.number[packet] = sender.arrivals;
    this.#leaveHost(packet, flow.ackPlace);
  }

  /** A packet leaves its host for the first hop of its route. */
  #leaveHost(packet: number, place: number): void {
    if (this.#carrier === undefined) this.#enter(packet, place);
    else this.#carryInto(packet, this.hops[this.#routes.table[place]!]!);
  }

  #carryInto(packet: number, hop: Hop): void {
    this.#carrier!.carry(packet, "into", hop.wireBytes(packet));
  }

  #carryOut(packet: number, hop: Hop): void {
    this.#carrier!.carry(packet, "out", hop.wireBytes(packet));
  }

  #send(flow: GeneralFlow, kind: number, place: number, ecn: number): number {
    flow.underWay++;
    const packet = this.#make(this.#firstSlot + flow.index, kind, place, flow.priority);
    this.#packets.ecn[packet] = ecn;
    return packet;
  }

  /** @param index of its flow, among the datagram sources and the slots behind them */
  #make(index: number, kind: number, place: number, priority: number): number {
    const packets = this.#packets;
    const packet = packets.take();
    packets.flow[packet] = index;
    packets.kind[packet] = kind;
    packets.priority[packet] = priority;
    packets.sentNs[packet] = this.nowNs;
    packets.queuedNs[packet] = 0;
    packets.place[packet] = place;
    packets.corrupt[packet] = 0;
    return packet;
  }

  #sendDatagram(source: DatagramFlow): void {
    const { nowNs } = this;
    const { spec } = source;
    if (nowNs >= spec.stopNs) {
      source.nextNs = Number.POSITIVE_INFINITY;
    } else {
      source.sentPackets++;
      const packet = this.#make(source.index, DATAGRAM, source.place, spec.priority ?? 0);
      this.#packets.bytes[packet] = spec.bytes();
      this.#packets.ecn[packet] = NOT_ECT;
      source.nextNs = nowNs + spec.gapNs();
      this.#leaveHost(packet, source.place);
    }
    this.#tree.update(this.#firstDatagram + source.index, source.nextNs);
  }

  /** Undefined: it is a datagram. */
  #flowOf(packet: number): GeneralFlow | undefined {
    return this.#slots[this.#packets.flow[packet]! - this.#firstSlot];
  }

  /** Of a packet that is at `place`: its flow's where its route ends behind it, NOBODY before that and for an ACK. */
  #findListener(packet: number, place: number): number {
    const next = this.#routes.table[place + 1]!;
    return next >= 0 || next === ~ACK || next <= ~FIRST_END ? NOBODY : 1 + this.#packets.flow[packet]!;
  }

  /** A packet arrives at the hop of its place. */
  #enter(packet: number, place: number): void {
    const hop = this.hops[this.#routes.table[place]!]!;
    const readyBefore = hop.readyNs;
    if (hop.enter(this.nowNs, packet, this.#findListener(packet, place))) this.#leave(hop, packet);
    else if (hop.readyNs !== readyBefore) this.#tree.update(hop.serverSource, hop.readyNs);
  }

  /** A packet leaves a hop's server at `hop.departNs`. */
  #leave(hop: Hop, packet: number): void {
    if (hop.tap !== undefined) this.#tellTap(hop.tap, hop, packet);
    const { departNs } = hop;
    const leaveNs = hop.shaper === undefined ? departNs : this.#shape(hop.shaper, hop, packet);
    this.#travel(hop, packet, leaveNs + hop.propagationNs);
  }

  #tellTap(tap: WayTap, hop: Hop, packet: number): void {
    if (this.#packets.kind[packet] !== DATA) return;
    const flow = this.#flowOf(packet)!;
    tap.onLeave(flow.number, this.#packets.number[packet]!, hop.wireBytes(packet), hop.departNs);
  }

  /** @returns when the packet leaves the hop's shaper; a second one that it makes of it is on its way */
  #shape(shaper: ExitShaper, hop: Hop, packet: number): Nanos {
    const leaveNs = shaper.releaseNs(hop.departNs);
    if (shaper.corrupts()) this.#packets.corrupt[packet] = 1;
    if (shaper.duplicates()) {
      this.#travel(hop, this.#duplicate(packet), leaveNs + hop.propagationNs);
    }
    return leaveNs;
  }

  #duplicate(packet: number): number {
    const twin = this.#packets.copy(packet);
    const kind = this.#packets.kind[packet]!;
    if (kind >= OUTSIDE) {
      this.#packets.number[twin] = this.#outlet!.copy(this.#packets.number[packet]!);
    } else if (kind === DATAGRAM) {
      this.datagrams[this.#packets.flow[packet]!]!.duplicatedPackets++;
    } else {
      const flow = this.#flowOf(packet)!;
      flow.underWay++;
      if (kind === DATA) flow.duplicatedPackets++;
    }
    return twin;
  }

  /** A packet will be at the end of the hop's wire at `atNs`: on to the next hop, or over the flow's own propagation. */
  #travel(hop: Hop, packet: number, atNs: Nanos): void {
    const place = this.#packets.place[packet]! + 1;
    const next = this.#routes.table[place]!;
    if (next >= 0) {
      this.#packets.place[packet] = place;
      const { wire } = hop;
      const before = wire.headNs;
      hop.carry(packet, atNs);
      if (wire.headNs !== before) this.#tree.update(hop.wireSource, wire.headNs);
    } else if (next === ~DATA) {
      this.#deliverData(this.#flowOf(packet)!, packet, atNs);
    } else if (next === ~ACK) {
      const flow = this.#flowOf(packet)!;
      this.#wake(flow, flow.toSender.add(packet, atNs));
    } else if (next === ~DATAGRAM) {
      this.#deliverDatagram(packet, atNs);
    } else {
      this.#deliverOutside(~next - FIRST_END, packet, atNs);
    }
  }

  #deliverOutside(way: number, packet: number, leaveNs: Nanos): void {
    const { last } = this.#ways[way]!;
    last.add(packet, leaveNs);
    this.#tree.update(this.#firstWay + way, last.arrivals.headNs);
  }

  #deliverData(flow: GeneralFlow, packet: number, leaveNs: Nanos): void {
    const arrivalNs = flow.toReceiver.add(packet, leaveNs);
    if (flow.tapped !== undefined) this.#tellArrival(flow.tapped, flow, packet, arrivalNs);
    flow.statistics.onTaken(arrivalNs, arrivalNs - this.#packets.sentNs[packet]!, this.nowNs);
    this.#wake(flow, arrivalNs);
  }

  /** As that link counts the packet, so that what left and what came compare. */
  #tellArrival(tapped: Hop, flow: GeneralFlow, packet: number, arrivalNs: Nanos): void {
    tapped.tap!.onArrival(flow.number, this.#packets.number[packet]!, tapped.wireBytes(packet), arrivalNs);
  }

  /** Nobody waits for a datagram, so its arrival is no event: it is counted when it leaves the last hop. */
  #deliverDatagram(packet: number, leaveNs: Nanos): void {
    const packets = this.#packets;
    const source = this.datagrams[packets.flow[packet]!]!;
    if (packets.corrupt[packet] === 0) {
      source.arrivedPackets++;
      const arrivalNs = leaveNs + source.spec.propagationNs;
      source.statistics.onTaken(arrivalNs, arrivalNs - packets.sentNs[packet]!, this.nowNs);
      source.statistics.onArrival(arrivalNs);
    } else source.droppedPackets++;
    packets.release(packet);
  }

  /** A data packet arrives at the receiver. */
  #receive(flow: GeneralFlow, sender: Sender, packet: number): void {
    const { nowNs } = this;
    const packets = this.#packets;
    const txn = packets.number[packet]!;
    const sequence = packets.sequence[packet]!;
    const isMarked = packets.ecn[packet] === CE;
    const isCorrupt = packets.corrupt[packet] === 1;
    this.#release(packet, flow);
    if (isCorrupt) {
      flow.droppedPackets++;
      return;
    }
    const { receiver, statistics } = flow;
    const before = receiver.firstDelivered;
    const ackAtOnce = receiver.onPacket(sequence, nowNs);
    const isFirst = receiver.firstDelivered > before;
    flow.arrivedPackets++;
    if (isFirst) {
      flow.firstArrivedPackets++;
      statistics.onArrival(nowNs);
    }
    sender.markArrival(txn, nowNs, isFirst, isMarked);
    if (ackAtOnce) this.#sendAck(flow, sender);
    if (isFirst) flow.onArrival?.();
  }

  /** An ACK arrives at the sender. */
  #acknowledge(flow: GeneralFlow, sender: Sender, packet: number): void {
    const arrivals = this.#packets.number[packet]!;
    this.#release(packet, flow);
    if (!flow.closed) sender.onAck(this.nowNs, arrivals);
  }

  #release(packet: number, flow: GeneralFlow): void {
    flow.underWay--;
    this.#packets.release(packet);
  }

  /** A packet is lost on a hop. */
  #lose(packet: number): void {
    const kind = this.#packets.kind[packet]!;
    if (kind >= DATAGRAM) {
      if (kind === DATAGRAM) this.datagrams[this.#packets.flow[packet]!]!.droppedPackets++;
      else this.#outlet!.drop(this.#packets.number[packet]!);
      this.#packets.release(packet);
      return;
    }
    const flow = this.#flowOf(packet)!;
    if (kind === DATA) flow.droppedPackets++;
    this.#release(packet, flow);
    if (flow.underWay === 0 && flow.nextNs === Number.POSITIVE_INFINITY) this.reschedule(flow);
  }
}
