/**
 * The general engine: any number of links in any order, every queue discipline, reordering, duplication, datagrams, and
 * flows that come and go. What happens next is the earliest of the heads of the links' servers, their wires and the flows
 * (a winner tree over these sources, not over packets); packets are rows of a store.
 *
 *   sender --jitter--> hop --wire--> hop ... --propagation--> receiver --ACK--> hop ... --propagation--> sender
 *
 * At one instant links come before datagram sources and these before flows, each in the order of their numbers; within a
 * flow: arrivals, the delayed ACK, one ACK or timer, then what may be sent. So it agrees with the fast engine.
 */
import type { CongestionControl } from "../../ccp-bridge/congestion-control.ts";
import { assert } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import type { Bytes, Nanos } from "../../core/units.ts";
import { ACK_BYTES, PACKET_BYTES } from "../../core/units.ts";
import { FlowStatistics } from "./flow-statistics.ts";
import { ACK, DATA, DATAGRAM, Hop } from "./hop.ts";
import type { DequeueListener } from "./link.ts";
import type { DatagramSpec, FlowSpec, Network, NetworkFlow, NetworkSpec } from "./network.ts";
import { CE, ECT, NOT_ECT, PacketStore } from "./packet-store.ts";
import { Receiver } from "./receiver.ts";
import { Schedule } from "./schedule.ts";
import type { Sender } from "./sender.ts";
import { startSender } from "./start-sender.ts";
import { TimedRing } from "./timed-ring.ts";
import { WinnerTree } from "./winner-tree.ts";

const FORWARD_ALONE: readonly number[] = [0];
const REVERSE_ALONE: readonly number[] = [1];

export class EventFlow implements NetworkFlow {
  /** its slot: given to another flow when this one has ended and left the network */
  readonly index: number;
  /** counts flows in the order of coming: names its random draws */
  readonly number: number;
  readonly spec: FlowSpec;
  readonly isTransient: boolean;
  readonly statistics: FlowStatistics;
  sender: Sender | undefined;
  readonly receiver: Receiver;
  readonly dataRoute: readonly number[];
  readonly ackRoute: readonly number[];
  /** packets that will be at the receiver and at the sender */
  readonly data: TimedRing = new TimedRing();
  readonly acks: TimedRing = new TimedRing();
  arrivedPackets = 0;
  firstArrivedPackets = 0;
  droppedPackets = 0;
  /** data packets that the network made a second one of */
  duplicatedPackets = 0;
  servedBytesAtStart: Bytes = 0;
  /** packets of either kind that are in the network */
  underWay = 0;
  closed = false;
  /** when it acts next, as the tree has it */
  nextNs: Nanos;
  lastDataArrivalNs: Nanos = 0;
  lastAckArrivalNs: Nanos = 0;

  /** @param isTransient it was added while the network runs, and its slot is free when it has ended */
  constructor(index: number, number: number, spec: FlowSpec, isTransient: boolean) {
    this.index = index;
    this.number = number;
    this.spec = spec;
    this.isTransient = isTransient;
    this.nextNs = spec.startNs;
    this.receiver = new Receiver(spec.ackPolicy);
    this.statistics = new FlowStatistics(spec.startNs, spec.seriesBinNs, spec.oneWayDelay);
    this.dataRoute = spec.route?.forward ?? FORWARD_ALONE;
    this.ackRoute = spec.route?.reverse ?? REVERSE_ALONE;
  }

  get control(): CongestionControl | undefined {
    return this.sender?.control;
  }

  /** Nothing: arrivals are events here, so the counts are always those of now. */
  advance(): void {}
}

/** A source of datagrams and what became of them. */
export class DatagramFlow {
  readonly spec: DatagramSpec;
  /** its slot among the flows, by which queues tell flows apart */
  readonly index: number;
  readonly statistics: FlowStatistics;
  nextNs: Nanos;
  sentPackets = 0;
  arrivedPackets = 0;
  arrivedBytes: Bytes = 0;
  droppedPackets = 0;
  duplicatedPackets = 0;

  constructor(index: number, spec: DatagramSpec) {
    this.index = index;
    this.spec = spec;
    this.nextNs = spec.startNs + spec.gapNs();
    this.statistics = new FlowStatistics(spec.startNs, Number.POSITIVE_INFINITY, true);
  }
}

export class EventNetwork implements Network {
  readonly forward: Hop;
  readonly reverse: Hop;
  readonly hops: readonly Hop[];
  readonly flows: readonly EventFlow[];
  readonly datagrams: readonly DatagramFlow[];
  nowNs: Nanos = 0;
  /** flows that were added, have ended and left the network */
  endedFlows = 0;
  readonly #rng: Rng;
  readonly #packets = new PacketStore();
  readonly #listeners: (DequeueListener | undefined)[] = [];
  readonly #schedule = new Schedule();
  /** sources: server and wire of each hop, datagram sources, flow slots */
  #tree: WinnerTree;
  #treeSize: number;
  readonly #firstDatagram: number;
  readonly #firstFlow: number;
  readonly #slots: (EventFlow | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #placed = 0;
  #stopRequested = false;
  /** the flow whose packets a stop held back: whoever asked may want to decide before they leave */
  #interrupted: EventFlow | undefined;
  readonly #isLastHop: (packet: number) => boolean;

  /** @param rng forks: forward.EFFECT, reverse.EFFECT, link.N.EFFECT, flow.N.jitter */
  constructor(spec: NetworkSpec, rng: Rng) {
    this.#rng = rng;
    const specs = [spec.forward, spec.reverse, ...(spec.links ?? [])];
    const names = ["forward", "reverse"];
    this.hops = specs.map(
      (link, i) =>
        new Hop({
          spec: link,
          packets: this.#packets,
          listeners: this.#listeners as DequeueListener[],
          onDrop: (packet) => this.#lose(packet),
          fork: (effect) => rng.fork(`${names[i] ?? `link.${i}`}.${effect}`),
        }),
    );
    this.forward = this.hops[0]!;
    this.reverse = this.hops[1]!;
    this.#firstDatagram = 2 * this.hops.length;
    this.datagrams = (spec.datagrams ?? []).map((datagrams, i) => new DatagramFlow(i, datagrams));
    this.#firstFlow = this.#firstDatagram + this.datagrams.length;
    this.#treeSize = this.#firstFlow + Math.max(1, spec.flows.length);
    this.#tree = new WinnerTree(this.#treeSize);
    this.#isLastHop = (packet) => this.#packets.hop[packet]! + 1 === this.#routeOf(packet).length;
    for (const source of this.datagrams) {
      this.#listeners.push(source.statistics);
      this.#tree.update(this.#firstDatagram + source.index, source.nextNs);
    }
    this.flows = spec.flows.map((flow) => this.#place(flow, false));
  }

  schedule(atNs: Nanos, run: () => void): void {
    this.#schedule.add(atNs, run);
  }

  requestStop(): void {
    this.#stopRequested = true;
  }

  refresh(flow: NetworkFlow): void {
    const own = flow as EventFlow;
    own.sender?.applyDecision(this.nowNs);
    this.#reschedule(own);
  }

  /**
   * A flow comes while the network runs; its slot is free again when its sender has finished and nothing of it is on its
   * way. `spec.startNs` must not lie before now.
   */
  addFlow(spec: FlowSpec): EventFlow {
    assert(spec.startNs >= this.nowNs, `flow starts at ${spec.startNs} ns, now is ${this.nowNs} ns`);
    return this.#place(spec, true);
  }

  /** Packets in the network, of any kind. */
  get packetsUnderWay(): number {
    return this.#packets.inUse;
  }

  #place(spec: FlowSpec, isTransient: boolean): EventFlow {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    const flow = new EventFlow(slot, this.#placed++, spec, isTransient);
    this.#slots[slot] = flow;
    this.#listeners[this.datagrams.length + slot] = flow.statistics;
    if (this.#firstFlow + slot >= this.#treeSize) this.#growTree();
    this.#tree.update(this.#firstFlow + slot, spec.startNs);
    return flow;
  }

  #growTree(): void {
    this.#treeSize *= 2;
    const tree = new WinnerTree(this.#treeSize);
    this.hops.forEach((hop, i) => {
      tree.update(2 * i, hop.readyNs);
      tree.update(2 * i + 1, hop.wire.headNs);
    });
    for (const source of this.datagrams) tree.update(this.#firstDatagram + source.index, source.nextNs);
    for (const flow of this.#slots) {
      if (flow !== undefined) tree.update(this.#firstFlow + flow.index, flow.nextNs);
    }
    this.#tree = tree;
  }

  runUntil(untilNs: Nanos): boolean {
    if (this.#interrupted !== undefined) {
      this.#resume(this.#interrupted);
      if (this.#takeStop()) return false;
    }
    const schedule = this.#schedule;
    for (;;) {
      const atNs = this.#tree.time;
      if (schedule.nextNs <= atNs && schedule.nextNs <= untilNs) {
        this.nowNs = schedule.nextNs;
        schedule.runNext();
      } else {
        if (atNs > untilNs) {
          this.nowNs = untilNs;
          return true;
        }
        this.nowNs = atNs;
        this.#happen(this.#tree.winner, atNs);
      }
      if (this.#takeStop()) return false;
    }
  }

  #takeStop(): boolean {
    const stop = this.#stopRequested;
    this.#stopRequested = false;
    return stop;
  }

  #happen(source: number, nowNs: Nanos): void {
    if (source >= this.#firstFlow) {
      const flow = this.#slots[source - this.#firstFlow]!;
      this.#process(flow, nowNs);
      this.#reschedule(flow);
    } else if (source >= this.#firstDatagram) {
      this.#sendDatagram(this.datagrams[source - this.#firstDatagram]!, nowNs);
    } else {
      const hop = this.hops[source >> 1]!;
      if ((source & 1) === 0) {
        const packet = hop.serve(nowNs, this.#isLastHop);
        this.#tree.update(source, hop.readyNs);
        if (packet !== -1) this.#leave(hop, packet);
      } else {
        const packet = hop.wire.shift();
        this.#tree.update(source, hop.wire.headNs);
        this.#enter(packet, nowNs);
      }
    }
  }

  #reschedule(flow: EventFlow): void {
    const { sender, receiver } = flow;
    if (sender === undefined) return;
    let next = flow.data.headNs;
    if (flow.acks.headNs < next) next = flow.acks.headNs;
    if (sender.sendAtNs < next) next = sender.sendAtNs;
    if (sender.timerAtNs < next) next = sender.timerAtNs;
    if (receiver.delayedAckAtNs < next) next = receiver.delayedAckAtNs;
    if (!flow.closed && flow.spec.stopNs < next) next = flow.spec.stopNs;
    flow.nextNs = next;
    this.#tree.update(this.#firstFlow + flow.index, next);
    if (flow.underWay === 0 && next === Number.POSITIVE_INFINITY) this.#retire(flow);
  }

  /** Something will reach the flow at `atNs`, maybe before what it waits for. */
  #wake(flow: EventFlow, atNs: Nanos): void {
    if (atNs >= flow.nextNs) return;
    flow.nextNs = atNs;
    this.#tree.update(this.#firstFlow + flow.index, atNs);
  }

  /** A flow that was added, has sent all it will ever send and has nothing under way makes room. */
  #retire(flow: EventFlow): void {
    if (!flow.isTransient || !(flow.closed || flow.sender!.complete)) return;
    this.#close(flow);
    this.#slots[flow.index] = undefined;
    this.#listeners[this.datagrams.length + flow.index] = undefined;
    this.#freeSlots.push(flow.index);
    this.endedFlows++;
  }

  #close(flow: EventFlow): void {
    if (flow.closed) return;
    flow.closed = true;
    flow.sender!.stop();
    flow.control?.onClose?.();
  }

  #process(flow: EventFlow, nowNs: Nanos): void {
    const { sender, receiver } = flow;
    if (sender === undefined) {
      this.#start(flow, nowNs);
      return;
    }
    if (flow.statistics.nextBinEndNs <= nowNs) flow.statistics.onTime(nowNs, sender.cwndPackets);
    if (flow.spec.stopNs <= nowNs) this.#close(flow);
    while (flow.data.headNs <= nowNs) this.#receive(flow, sender, nowNs);
    if (receiver.delayedAckAtNs <= nowNs) {
      receiver.flush();
      this.#sendAck(flow, sender, nowNs);
    }
    if (flow.acks.headNs <= nowNs) {
      const packet = flow.acks.shift();
      const arrivals = this.#packets.number[packet]!;
      this.#release(packet, flow);
      if (!flow.closed) sender.onAck(nowNs, arrivals);
    } else if (sender.timerAtNs <= nowNs) {
      sender.onTimer(nowNs);
    }
    if (this.#stopRequested) this.#interrupted = flow;
    else while (sender.sendAtNs <= nowNs) this.#transmit(flow, sender, nowNs);
  }

  /**
   * After a stop: what was scheduled for this instant meanwhile, then the packets that the stop held back, before any
   * other event. So a decision made during the stop has the effect of one made inside the event.
   */
  #resume(flow: EventFlow): void {
    const { nowNs } = this;
    while (this.#schedule.nextNs <= nowNs) this.#schedule.runNext();
    if (this.#stopRequested) return;
    this.#interrupted = undefined;
    const sender = flow.sender!;
    while (sender.sendAtNs <= nowNs) this.#transmit(flow, sender, nowNs);
    this.#reschedule(flow);
  }

  #start(flow: EventFlow, nowNs: Nanos): void {
    const { spec } = flow;
    flow.sender = startSender(spec, flow.number, nowNs, this.#rng);
    flow.servedBytesAtStart = this.forward.servedBytes(nowNs);
    spec.onStart?.(flow, this);
  }

  #transmit(flow: EventFlow, sender: Sender, nowNs: Nanos): void {
    const txn = sender.transmit(nowNs);
    const ecn = flow.spec.sender?.ecn ?? "off";
    this.#send(flow, nowNs, DATA, txn, ecn === "off" ? NOT_ECT : ECT, sender.sequenceOf(txn));
  }

  #sendAck(flow: EventFlow, sender: Sender, nowNs: Nanos): void {
    this.#send(flow, nowNs, ACK, sender.arrivals, NOT_ECT, 0);
  }

  #send(flow: EventFlow, nowNs: Nanos, kind: number, number: number, ecn: number, sequence: number): void {
    flow.underWay++;
    const packet = this.#make(this.datagrams.length + flow.index, kind, nowNs, flow.spec.priority);
    const packets = this.#packets;
    packets.bytes[packet] = kind === ACK ? ACK_BYTES : PACKET_BYTES;
    packets.number[packet] = number;
    packets.sequence[packet] = sequence;
    packets.ecn[packet] = ecn;
    this.#enter(packet, nowNs);
  }

  /** @param index of its flow, among the datagram sources and the slots behind them */
  #make(index: number, kind: number, nowNs: Nanos, priority = 0): number {
    const packets = this.#packets;
    const packet = packets.take();
    packets.flow[packet] = index;
    packets.kind[packet] = kind;
    packets.priority[packet] = priority;
    packets.enqueuedNs[packet] = nowNs;
    packets.sentNs[packet] = nowNs;
    packets.queuedNs[packet] = 0;
    packets.hop[packet] = 0;
    packets.corrupt[packet] = 0;
    return packet;
  }

  #sendDatagram(source: DatagramFlow, nowNs: Nanos): void {
    const { spec } = source;
    if (nowNs >= spec.stopNs) {
      source.nextNs = Number.POSITIVE_INFINITY;
    } else {
      source.sentPackets++;
      const packet = this.#make(source.index, DATAGRAM, nowNs, spec.priority);
      this.#packets.bytes[packet] = spec.bytes();
      this.#packets.ecn[packet] = NOT_ECT;
      source.nextNs = nowNs + spec.gapNs();
      this.#enter(packet, nowNs);
    }
    this.#tree.update(this.#firstDatagram + source.index, source.nextNs);
  }

  /** Undefined: it is a datagram. */
  #flowOf(packet: number): EventFlow | undefined {
    return this.#slots[this.#packets.flow[packet]! - this.datagrams.length];
  }

  #routeOf(packet: number): readonly number[] {
    const flow = this.#flowOf(packet);
    if (flow === undefined) return this.datagrams[this.#packets.flow[packet]!]!.spec.route;
    return this.#packets.kind[packet] === ACK ? flow.ackRoute : flow.dataRoute;
  }

  /** A packet arrives at the hop of its route where it stands. */
  #enter(packet: number, nowNs: Nanos): void {
    const route = this.#routeOf(packet);
    const at = this.#packets.hop[packet]!;
    const number = route[at]!;
    const hop = this.hops[number]!;
    const readyBefore = hop.readyNs;
    if (hop.enter(nowNs, packet, at + 1 === route.length)) this.#leave(hop, packet);
    else if (hop.readyNs !== readyBefore) this.#tree.update(2 * number, hop.readyNs);
  }

  /** A packet leaves a hop's server at `hop.departNs`. */
  #leave(hop: Hop, packet: number): void {
    const { shaper } = hop;
    let leaveNs = hop.departNs;
    if (shaper !== undefined) {
      leaveNs = shaper.releaseNs(leaveNs);
      if (shaper.corrupts()) this.#packets.corrupt[packet] = 1;
      if (shaper.duplicates()) {
        this.#travel(hop, this.#duplicate(packet), leaveNs + hop.propagationNs);
      }
    }
    this.#travel(hop, packet, leaveNs + hop.propagationNs);
  }

  #duplicate(packet: number): number {
    const flow = this.#flowOf(packet);
    if (flow === undefined) this.datagrams[this.#packets.flow[packet]!]!.duplicatedPackets++;
    else {
      flow.underWay++;
      if (this.#packets.kind[packet] === DATA) flow.duplicatedPackets++;
    }
    return this.#packets.copy(packet);
  }

  /** A packet will be at the end of the hop's wire at `atNs`: on to the next hop, or over the flow's own propagation. */
  #travel(hop: Hop, packet: number, atNs: Nanos): void {
    const packets = this.#packets;
    const route = this.#routeOf(packet);
    const at = packets.hop[packet]! + 1;
    if (at < route.length) {
      packets.hop[packet] = at;
      const before = hop.wire.headNs;
      hop.wire.insert(atNs, packet);
      if (hop.wire.headNs !== before) this.#tree.update(2 * route[at - 1]! + 1, hop.wire.headNs);
      return;
    }
    const flow = this.#flowOf(packet);
    if (flow === undefined) this.#deliverDatagram(packet, atNs);
    else if (packets.kind[packet] === ACK) this.#deliverAck(flow, packet, atNs, hop.reorders);
    else this.#deliverData(flow, packet, atNs, hop.reorders);
  }

  #deliverData(flow: EventFlow, packet: number, leaveNs: Nanos, reorders: boolean): void {
    const { spec } = flow;
    let arrivalNs = leaveNs + (spec.delay?.forward?.delayNs(leaveNs) ?? spec.propagationNs);
    // a path that became shorter does not reorder
    if (spec.delay !== undefined && !reorders && arrivalNs < flow.lastDataArrivalNs) {
      arrivalNs = flow.lastDataArrivalNs;
    }
    flow.lastDataArrivalNs = arrivalNs;
    flow.statistics.onTaken(arrivalNs - this.#packets.sentNs[packet]!);
    flow.data.insert(arrivalNs, packet);
    this.#wake(flow, arrivalNs);
  }

  #deliverAck(flow: EventFlow, packet: number, leaveNs: Nanos, reorders: boolean): void {
    const { spec } = flow;
    const propagationNs = spec.reversePropagationNs ?? spec.propagationNs;
    let arrivalNs = leaveNs + (spec.delay?.reverse?.delayNs(leaveNs) ?? propagationNs);
    if (spec.delay !== undefined && !reorders && arrivalNs < flow.lastAckArrivalNs) {
      arrivalNs = flow.lastAckArrivalNs;
    }
    flow.lastAckArrivalNs = arrivalNs;
    flow.acks.insert(arrivalNs, packet);
    this.#wake(flow, arrivalNs);
  }

  /** Nobody waits for a datagram, so its arrival is no event: it is counted when it leaves the last hop. */
  #deliverDatagram(packet: number, leaveNs: Nanos): void {
    const packets = this.#packets;
    const source = this.datagrams[packets.flow[packet]!]!;
    if (packets.corrupt[packet] === 0) {
      source.arrivedPackets++;
      source.arrivedBytes += packets.bytes[packet]!;
      const arrivalNs = leaveNs + source.spec.propagationNs;
      source.statistics.onTaken(arrivalNs - packets.sentNs[packet]!);
      source.statistics.onArrival(arrivalNs);
    } else source.droppedPackets++;
    packets.release(packet);
  }

  /** A data packet arrives at the receiver. */
  #receive(flow: EventFlow, sender: Sender, nowNs: Nanos): void {
    const packets = this.#packets;
    const packet = flow.data.shift();
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
    if (ackAtOnce) this.#sendAck(flow, sender, nowNs);
  }

  #release(packet: number, flow: EventFlow): void {
    flow.underWay--;
    this.#packets.release(packet);
  }

  /** A packet is lost on a hop. */
  #lose(packet: number): void {
    const flow = this.#flowOf(packet);
    const isAck = this.#packets.kind[packet] === ACK;
    if (flow === undefined) {
      this.datagrams[this.#packets.flow[packet]!]!.droppedPackets++;
      this.#packets.release(packet);
      return;
    }
    if (!isAck) flow.droppedPackets++;
    this.#release(packet, flow);
    if (flow.underWay === 0 && flow.nextNs === Number.POSITIVE_INFINITY) this.#reschedule(flow);
  }
}
