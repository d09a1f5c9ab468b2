/**
 * The fast engine: one drop-tail bottleneck per direction and any number of flows, in virtual time. Specialised to FIFO
 * queues: departures and arrivals at the receiver are computed when a packet is enqueued, each flow's ACKs lie in a ring,
 * and the run loop takes the flow with the earliest next event (a winner tree over flows, not packets).
 *
 *   sender --jitter--> loss, drop-tail queue, server --propagation--> receiver
 *      ^------propagation------ server, queue, loss (ACK direction) <----'
 *
 * At one instant departures come before arrivals, and flows act in the order of their index.
 */
import type { CongestionControl } from "../../ccp-bridge/congestion-control.ts";
import type { Rng } from "../../core/random.ts";
import type { Bytes, Nanos } from "../../core/units.ts";
import { Engine } from "./engine.ts";
import { FlowStatistics } from "./flow-statistics.ts";
import { type Link, makeLink } from "./link.ts";
import type { FlowSpec, Network, NetworkFlow, NetworkSpec } from "./network.ts";
import { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";
import { startSender } from "./start-sender.ts";
import { TimedRing } from "./timed-ring.ts";
import { WinnerTree } from "./winner-tree.ts";

/** One flow in the network: sender, receiver and what is on its way between them. */
export class FifoFlow implements NetworkFlow {
  readonly index: number = 0;
  declare readonly spec: FlowSpec;
  declare readonly statistics: FlowStatistics;
  /** undefined until the flow starts */
  sender: Sender | undefined;
  declare readonly receiver: Receiver;
  /** ACKs on their way: arrival at the sender, packets that the receiver had got */
  readonly acks: TimedRing = new TimedRing();
  /** ACKs that have yet to enter the ACK direction (used only where that has a rate or loss) */
  readonly ackDepartures: TimedRing = new TimedRing();
  /** packets at the receiver, and those of them with a payload for the first time, as of the last `advance` */
  arrivedPackets = 0;
  firstArrivedPackets = 0;
  readonly propagationNs: Nanos = 0;
  readonly reversePropagationNs: Nanos = 0;
  /** when it is to end; Infinity once it has, and its congestion control was told */
  stopAtNs: Nanos = Number.POSITIVE_INFINITY;
  isOver = false;
  /** packets dropped by loss or by the queue of the data direction */
  droppedPackets = 0;
  /** wire bytes that the bottleneck had served when the flow started */
  servedBytesAtStart: Bytes = 0;

  constructor(index: number, spec: FlowSpec) {
    this.index = index;
    this.spec = spec;
    this.propagationNs = spec.propagationNs;
    this.reversePropagationNs = spec.reversePropagationNs ?? spec.propagationNs;
    this.stopAtNs = spec.stopNs;
    this.receiver = new Receiver(spec.ackPolicy);
    this.statistics = new FlowStatistics(spec.startNs, spec.seriesBinNs, spec.oneWayDelay);
  }

  get control(): CongestionControl | undefined {
    return this.sender?.control;
  }

  /** The path takes a packet, which will be at the receiver at `arrivalNs`; true if an ACK goes out then at once. */
  receive(sender: Sender, txn: number, sentNs: Nanos, arrivalNs: Nanos): boolean {
    const { receiver } = this;
    const before = receiver.firstDelivered;
    const ackAtOnce = receiver.onPacket(sender.sentSequence, arrivalNs);
    const first = receiver.firstDelivered > before;
    if (first) this.statistics.onArrival(arrivalNs);
    this.statistics.onTaken(arrivalNs - sentNs);
    sender.markArrival(txn, arrivalNs, first, false);
    return ackAtOnce;
  }

  /** Brings the counts of arrived packets up to now. */
  advance(nowNs: Nanos): void {
    if (this.sender === undefined) return;
    const { packets, firstPackets } = this.sender.underWay(nowNs);
    this.arrivedPackets = this.sender.arrivals - packets;
    this.firstArrivedPackets = this.receiver.firstDelivered - firstPackets;
  }
}

export class FifoNetwork extends Engine<FifoFlow> implements Network {
  declare readonly forward: Link;
  declare readonly reverse: Link;
  declare readonly flows: readonly FifoFlow[];
  readonly #forwardLossRate: number = 0;
  readonly #reverseLossRate: number = 0;
  readonly #dataBytes: Bytes = 0;
  readonly #ackBytes: Bytes = 0;
  readonly #tree: WinnerTree = new WinnerTree(1);
  readonly #forwardLoss: Rng;
  readonly #reverseLoss: Rng;
  readonly #rng: Rng;
  /** ACKs may meet a queue or loss, else their arrival is known when they are sent */
  readonly #reverseHolds: boolean = false;

  /** @param rng forks: forward.loss, reverse.loss, forward.rate, reverse.rate, flow.N.jitter */
  constructor(spec: NetworkSpec, rng: Rng) {
    super();
    this.#forwardLossRate = spec.forward.lossRate;
    this.#reverseLossRate = spec.reverse.lossRate;
    this.#dataBytes = spec.forward.dataBytes;
    this.#ackBytes = spec.reverse.ackBytes;
    this.#rng = rng;
    this.#forwardLoss = rng.fork("forward.loss");
    this.#reverseLoss = rng.fork("reverse.loss");
    this.flows = spec.flows.map((flow, index) => new FifoFlow(index, flow));
    this.forward = makeLink(
      spec.forward,
      this.flows.map((flow) => flow.statistics),
      rng.fork("forward.rate"),
    );
    this.reverse = makeLink(spec.reverse, [], rng.fork("reverse.rate"));
    this.#reverseHolds =
      spec.reverse.rate.kind !== "unlimited" ||
      spec.reverse.lossRate !== 0 ||
      spec.reverse.outages !== undefined;
    this.#tree = new WinnerTree(this.flows.length);
    for (const flow of this.flows) this.#tree.update(flow.index, flow.spec.startNs);
  }

  protected override earliestNs(): Nanos {
    return this.#tree.time;
  }

  protected override happen(nowNs: Nanos): void {
    const flow = this.flows[this.#tree.winner]!;
    this.#process(flow, nowNs);
    this.reschedule(flow);
  }

  protected override sendDue(flow: FifoFlow, nowNs: Nanos): void {
    const sender = flow.sender!;
    while (sender.sendAtNs <= nowNs) this.#transmit(flow, sender, nowNs);
  }

  protected override reschedule(flow: FifoFlow): void {
    const { sender } = flow;
    if (sender === undefined) return;
    let next = flow.acks.headNs;
    if (sender.sendAtNs < next) next = sender.sendAtNs;
    if (sender.timerAtNs < next) next = sender.timerAtNs;
    if (flow.receiver.delayedAckAtNs < next) next = flow.receiver.delayedAckAtNs;
    if (flow.stopAtNs < next) next = flow.stopAtNs;
    if (this.#reverseHolds && flow.ackDepartures.headNs < next) next = flow.ackDepartures.headNs;
    this.#tree.update(flow.index, next);
  }

  #process(flow: FifoFlow, nowNs: Nanos): void {
    const { sender } = flow;
    if (sender === undefined) {
      this.#start(flow, nowNs);
      return;
    }
    if (flow.statistics.nextBinEndNs <= nowNs) flow.statistics.onTime(nowNs, sender.cwndPackets);
    if (flow.stopAtNs <= nowNs) {
      flow.stopAtNs = Number.POSITIVE_INFINITY;
      flow.isOver = true;
      sender.stop();
      sender.control.onClose?.();
    }
    if (flow.receiver.delayedAckAtNs <= nowNs) this.#sendDelayedAck(flow, sender);
    if (this.#reverseHolds) {
      while (flow.ackDepartures.headNs <= nowNs) this.#enterReverse(flow);
    }
    if (flow.acks.headNs <= nowNs) {
      const arrivals = flow.acks.shift();
      if (!flow.isOver) sender.onAck(nowNs, arrivals);
    } else if (sender.timerAtNs <= nowNs) {
      sender.onTimer(nowNs);
    }
    if (this.stopRequested) this.hold(flow);
    else this.sendDue(flow, nowNs);
  }

  #start(flow: FifoFlow, nowNs: Nanos): void {
    const { spec } = flow;
    flow.sender = startSender(spec, flow.index, nowNs, this.#rng);
    flow.servedBytesAtStart = this.forward.servedBytes(nowNs);
    if (flow.stopAtNs < nowNs) flow.stopAtNs = nowNs;
    spec.onStart?.(flow, this);
  }

  /** A packet leaves the sender: loss, queue, and at once (its departure is known) the receiver. */
  #transmit(flow: FifoFlow, sender: Sender, nowNs: Nanos): void {
    const txn = sender.transmit(nowNs);
    const lost = this.#forwardLossRate > 0 && this.#forwardLoss.next() < this.#forwardLossRate;
    const { forward } = this;
    if (lost || !forward.offer(nowNs, this.#dataBytes, flow.index)) {
      flow.droppedPackets++;
      return;
    }
    const arrivalNs = forward.departNs + flow.propagationNs;
    if (flow.receiver.delayedAckAtNs < arrivalNs) this.#sendDelayedAck(flow, sender);
    if (flow.receive(sender, txn, nowNs, arrivalNs)) this.#emitAck(flow, sender, arrivalNs);
  }

  #sendDelayedAck(flow: FifoFlow, sender: Sender): void {
    const atNs = flow.receiver.delayedAckAtNs;
    flow.receiver.flush();
    this.#emitAck(flow, sender, atNs);
  }

  #emitAck(flow: FifoFlow, sender: Sender, atNs: Nanos): void {
    if (this.#reverseHolds) flow.ackDepartures.push(atNs, sender.arrivals);
    else flow.acks.push(atNs + flow.reversePropagationNs, sender.arrivals);
  }

  #enterReverse(flow: FifoFlow): void {
    const atNs = flow.ackDepartures.headNs;
    const arrivals = flow.ackDepartures.shift();
    if (this.#reverseLossRate > 0 && this.#reverseLoss.next() < this.#reverseLossRate) return;
    if (!this.reverse.offer(atNs, this.#ackBytes, flow.index)) return;
    flow.acks.push(this.reverse.departNs + flow.reversePropagationNs, arrivals);
  }
}
