/**
 * The FIFO network's inner loop: departures and arrivals at the receiver are computed when a packet is enqueued, each flow's
 * ACKs lie in a ring, and the loop takes the flow with the earliest next event. `sim/fifo/fifo-network.ts` is its face and tells
 * the rest. Conditions on the way of every packet stand one in the other, here and in the parts, as V8 makes a number of `a && b`
 * before it branches.
 */

import * as host from "../host";
import { allocate } from "../memory/memory";
import { TimedRing } from "../memory/timed-ring";
import { WinnerTree } from "../memory/winner-tree";
import { FlowBins } from "../meters/flow-bins";
import { FlowDelays } from "../meters/flow-delays";
import { Rng } from "../rng";
import { Sender } from "../sender/sender";
import { Link } from "./link";
import { Receiver } from "./receiver";
import { sendTrain } from "./train";

@unmanaged
export class FifoFlowWords {
  /** packets at the receiver, and those of them with a payload for the first time, as of the last `advance` */
  arrivedPackets: f64;
  firstArrivedPackets: f64;
  /** packets dropped by loss or by the queue of the data direction */
  droppedPackets: f64;
  /** when a payload reached the receiver for the first time, the latest so far */
  lastArrivalNs: f64;
}

// The parts lie behind the flow's own fields in one block, those that every packet needs first.
const RECEIVER: usize = (offsetof<FifoFlow>() + 7) & ~7;
const ACKS: usize = (RECEIVER + offsetof<Receiver>() + 7) & ~7;
const ACK_DEPARTURES: usize = (ACKS + offsetof<TimedRing>() + 7) & ~7;
const FLOW_BYTES: usize = ACK_DEPARTURES + offsetof<TimedRing>();

@unmanaged
export class FifoFlow extends FifoFlowWords {
  startNs: f64;
  /** when the next bin of its time series is over; Infinity: it has none */
  nextBinEndNs: f64;
  /** when it is to end; Infinity once it has, and its congestion control was told */
  stopAtNs: f64;
  propagationNs: f64;
  reversePropagationNs: f64;
  /** time series; null: none */
  bins: FlowBins | null;
  /** as of `settle` */
  delays: FlowDelays;
  /** 0 until it starts */
  sender: Sender;
  index: i32;
  isStarted: bool;
  isOver: bool;

  static make(): FifoFlow {
    return changetype<FifoFlow>(allocate(FLOW_BYTES));
  }

  init(index: i32, startNs: f64, stopNs: f64, propagationNs: f64, reversePropagationNs: f64): void {
    this.index = index;
    this.startNs = startNs;
    this.stopAtNs = stopNs;
    this.propagationNs = propagationNs;
    this.reversePropagationNs = reversePropagationNs;
    this.nextBinEndNs = Infinity;
    this.acks.init();
    this.ackDepartures.init();
  }

  @inline
  get receiver(): Receiver {
    return changetype<Receiver>(changetype<usize>(this) + RECEIVER);
  }

  /** ACKs on their way: arrival at the sender, packets that the receiver had got */
  @inline
  get acks(): TimedRing {
    return changetype<TimedRing>(changetype<usize>(this) + ACKS);
  }

  /** ACKs that have yet to enter the ACK direction (used only where that has a rate, loss or jitter) */
  @inline
  get ackDepartures(): TimedRing {
    return changetype<TimedRing>(changetype<usize>(this) + ACK_DEPARTURES);
  }

  /** @param binNs Infinity: no bins */
  measure(binNs: f64, oneWayDelay: bool): void {
    if (binNs !== Infinity) {
      const bins = changetype<FlowBins>(allocate(offsetof<FlowBins>()));
      bins.init(this.startNs, binNs);
      this.bins = bins;
      this.nextBinEndNs = this.startNs + binNs;
    }
    this.delays = FlowDelays.make(this.bins, oneWayDelay);
  }

  start(sender: Sender): void {
    this.sender = sender;
    this.isStarted = true;
    sender.arrived.delays = this.delays;
  }

  /** A new payload will be at the receiver. */
  @inline
  countFirst(arrivalNs: f64): void {
    this.lastArrivalNs = arrivalNs;
    const bins = this.bins;
    if (bins !== null) bins.countArrival(arrivalNs);
  }

  /** Counts the queueing delays of packets whose service has begun, and the one-way delays of those that have arrived by now. */
  settle(forward: Link, nowNs: f64): void {
    if (!this.isStarted) return;
    const arrived = this.sender.arrived;
    const arrivedNow = arrived.count - arrived.underWay(nowNs, false);
    this.delays.count(arrived, arrived.count - forward.waitingOf(this.index), arrivedNow);
  }

  /** Brings the counts of arrived packets up to now. */
  advance(nowNs: f64): void {
    if (!this.isStarted) return;
    const sender = this.sender;
    this.arrivedPackets = <f64>(sender.arrived.count - sender.arrived.underWay(nowNs, false));
    this.firstArrivedPackets = <f64>(this.receiver.firstDelivered - sender.arrived.underWay(nowNs, true));
  }
}

@unmanaged
export class FifoNetworkWords {
  nowNs: f64;
  /** of the host's next call-back: no event at or after it happens */
  nextCallNs: f64;
  /** not 0: an event has asked for a stop, its flow's packets are to be held back */
  stopRequested: f64;
  /** the flow whose packets a stop held back; -1: none */
  heldFlow: f64;
}

@unmanaged
export class FifoNetwork extends FifoNetworkWords {
  forwardLossRate: f64;
  reverseLossRate: f64;
  forward: Link;
  reverse: Link;
  forwardLoss: Rng;
  reverseLoss: Rng;
  /** the most that an ACK is delayed when it leaves the ACK direction, uniform, without overtaking; negative: not at all */
  reverseJitterNs: f64;
  reverseJitter: Rng;
  /** when the last one went on */
  reverseReleaseNs: f64;
  tree: WinnerTree;
  /** of each flow where it lies */
  flows: usize;
  flowCount: i32;
  /** ACKs may meet a queue, loss or jitter, else their arrival is known when they are sent */
  reverseHolds: bool;

  init(flowCount: i32): void {
    this.flowCount = flowCount;
    this.nextCallNs = Infinity;
    this.heldFlow = -1;
    this.forwardLoss = changetype<Rng>(allocate(offsetof<Rng>()));
    this.reverseLoss = changetype<Rng>(allocate(offsetof<Rng>()));
    this.reverseJitter = changetype<Rng>(allocate(offsetof<Rng>()));
    this.tree = changetype<WinnerTree>(allocate(offsetof<WinnerTree>()));
    this.tree.init(flowCount);
    this.flows = allocate(<usize>max<i32>(flowCount, 1) * sizeof<usize>());
  }

  @inline
  flow(index: i32): FifoFlow {
    return changetype<FifoFlow>(load<usize>(this.flows + <usize>index * sizeof<usize>()));
  }

  addFlow(flow: FifoFlow): void {
    store<usize>(this.flows + <usize>flow.index * sizeof<usize>(), changetype<usize>(flow));
    this.tree.update(flow.index, flow.startNs);
  }

  /** Runs the events up to and including `untilNs` that come before the host's next call-back, or up to a stop. */
  run(untilNs: f64): void {
    if (this.flowCount === 1) {
      this.runOnly(untilNs);
      return;
    }
    for (;;) {
      const nowNs = this.tree.time();
      if (nowNs > untilNs || nowNs >= this.nextCallNs) return;
      this.nowNs = nowNs;
      const flow = this.flow(this.tree.winner());
      this.process(flow, nowNs);
      this.reschedule(flow);
      if (this.stopRequested !== 0) return;
    }
  }

  /** The same where there is but one flow: what is next is known without the tree. Mostly it is an ACK, and packets leave after it. */
  private runOnly(untilNs: f64): void {
    const flow = this.flow(0);
    const mayTrain = this.forwardLossRate === 0 && flow.bins === null && this.forward.packetNs >= 0;
    let nowNs = this.tree.time();
    let isAck = false;
    for (;;) {
      if (nowNs > untilNs) break;
      if (nowNs >= this.nextCallNs) break;
      this.nowNs = nowNs;
      if (isAck) this.acknowledgeOnly(flow, nowNs);
      else this.processAny(flow, nowNs);
      const quietNs = this.sendBefore(flow, mayTrain, nowNs, untilNs);
      isAck = false;
      if (this.stopRequested === 0) {
        nowNs = flow.acks.headNs;
        if (nowNs < quietNs) {
          if (nowNs < flow.receiver.delayedAckAtNs) isAck = nowNs <= flow.sender.sendAtNs;
        }
        if (isAck) continue;
      }
      nowNs = this.nextOf(flow);
      if (this.stopRequested !== 0) break;
    }
    this.tree.update(0, nowNs);
    if (!this.reverseHolds) return;
    // what has waited for the sender to run out of ACKs
    if (this.stopRequested !== 0) this.enterReverse(flow, this.nowNs, Infinity);
    else this.enterReverse(flow, untilNs, this.nextCallNs);
  }

  /**
   * Packets leave one after the other while nothing else is due, and those that are due at `eventNs`.
   * @returns when, at the earliest, anything but that, an ACK at the sender and a delayed ACK happens
   */
  @inline
  private sendBefore(flow: FifoFlow, mayTrain: bool, eventNs: f64, untilNs: f64): f64 {
    const sender = flow.sender;
    let quietNs = this.quietUntil(flow);
    while (this.stopRequested === 0) {
      const nowNs = sender.sendAtNs;
      if (nowNs > untilNs) break;
      if (nowNs >= this.nextCallNs) break;
      let beforeNs = quietNs;
      if (flow.acks.headNs < beforeNs) beforeNs = flow.acks.headNs;
      if (flow.receiver.delayedAckAtNs < beforeNs) beforeNs = flow.receiver.delayedAckAtNs;
      if (nowNs >= beforeNs) {
        if (nowNs > eventNs) break;
      }
      if (mayTrain) {
        if (this.nextCallNs < beforeNs) beforeNs = this.nextCallNs;
        const lastNs = sendTrain(flow, this.forward, this.reverseHolds, untilNs, beforeNs);
        if (lastNs >= 0) {
          this.nowNs = lastNs;
          continue;
        }
      }
      this.nowNs = nowNs;
      this.sendAny(flow, nowNs);
      quietNs = this.quietUntil(flow);
    }
    return quietNs;
  }

  /** When, at the earliest, anything but a packet's leaving, an ACK at the sender and a delayed ACK happens. */
  @inline
  private quietUntil(flow: FifoFlow): f64 {
    let next = flow.stopAtNs;
    if (flow.nextBinEndNs < next) next = flow.nextBinEndNs;
    if (flow.sender.timerAtNs < next) next = flow.sender.timerAtNs;
    return this.reverseHolds ? this.orEntersReverse(flow, next) : next;
  }

  /** Lets the packets go that a stop held back. */
  sendHeld(): void {
    const flow = this.flow(<i32>this.heldFlow);
    this.heldFlow = -1;
    this.sendAny(flow, this.nowNs);
    this.reschedule(flow);
  }

  /** The flow sends what may leave by now. */
  @inline
  private sendDue(flow: FifoFlow, nowNs: f64): void {
    const sender = flow.sender;
    while (sender.sendAtNs <= nowNs) this.transmit(flow, sender, nowNs);
  }

  /** The flow's next event may have changed. */
  @inline
  reschedule(flow: FifoFlow): void {
    if (flow.isStarted) this.tree.update(flow.index, this.nextOf(flow));
  }

  /** When the flow, which has started, acts next. */
  @inline
  private nextOf(flow: FifoFlow): f64 {
    const sender = flow.sender;
    let next = flow.acks.headNs;
    if (sender.sendAtNs < next) next = sender.sendAtNs;
    if (flow.receiver.delayedAckAtNs < next) next = flow.receiver.delayedAckAtNs;
    if (flow.stopAtNs < next) next = flow.stopAtNs;
    if (this.reverseHolds) next = this.orEntersReverse(flow, next);
    if (sender.timerAtNs > next) return next;
    // it may be only known that it is not due before
    sender.settleTimers();
    return min<f64>(sender.timerAtNs, next);
  }

  @inline
  private process(flow: FifoFlow, nowNs: f64): void {
    if (!this.takeTurn(flow, nowNs)) return;
    if (flow.acks.headNs <= nowNs) this.acknowledge(flow, nowNs);
    else if (flow.sender.timerAtNs <= nowNs) flow.sender.onTimer(nowNs);
    if (this.stopRequested !== 0) this.heldFlow = <f64>flow.index;
    else this.sendDue(flow, nowNs);
  }

  /** What is due of a flow but for an ACK, a timer and packets. @returns false: it has just started, and that is all */
  @inline
  private takeTurn(flow: FifoFlow, nowNs: f64): bool {
    if (!flow.isStarted) {
      this.start(flow, nowNs);
      return false;
    }
    const sender = flow.sender;
    if (flow.nextBinEndNs <= nowNs) {
      flow.nextBinEndNs = host.endBins(flow.index, nowNs, <f64>sender.cwndPackets);
    }
    if (flow.stopAtNs <= nowNs) {
      flow.stopAtNs = Infinity;
      flow.isOver = true;
      sender.stop();
      host.closeFlow(flow.index);
    }
    if (flow.receiver.delayedAckAtNs <= nowNs) this.sendDelayedAck(flow, sender);
    if (this.reverseHolds) {
      if (this.orEntersReverse(flow, Infinity) <= nowNs) this.enterReverse(flow, nowNs, Infinity);
    }
    return true;
  }

  /** An ACK reaches the sender. */
  @inline
  private acknowledge(flow: FifoFlow, nowNs: f64): void {
    const arrivals = flow.acks.shift();
    if (!flow.isOver) flow.sender.onAck(nowNs, arrivals);
  }

  /** The same where there is but one flow, and nothing else is due. */
  @inline
  private acknowledgeOnly(flow: FifoFlow, nowNs: f64): void {
    this.acknowledge(flow, nowNs);
    if (this.stopRequested !== 0) {
      this.heldFlow = <f64>flow.index;
      return;
    }
    if (!this.reverseHolds) return;
    // it was the last one on its way: all that have left the receiver since then enter at once
    if (flow.acks.headNs === Infinity) this.enterReverse(flow, nowNs, Infinity);
  }

  // Out of the way of what mostly happens where there is but one flow: smaller functions keep more in registers, and what rarely
  // runs need not be compiled well.

  private processAny(flow: FifoFlow, nowNs: f64): void {
    if (!this.takeTurn(flow, nowNs)) return;
    if (flow.acks.headNs <= nowNs) this.acknowledgeAny(flow, nowNs);
    else if (flow.sender.timerAtNs <= nowNs) flow.sender.onTimer(nowNs);
    if (this.stopRequested !== 0) this.heldFlow = <f64>flow.index;
    else this.sendAny(flow, nowNs);
  }

  private acknowledgeAny(flow: FifoFlow, nowNs: f64): void {
    this.acknowledge(flow, nowNs);
  }

  private sendAny(flow: FifoFlow, nowNs: f64): void {
    this.sendDue(flow, nowNs);
  }

  private start(flow: FifoFlow, nowNs: f64): void {
    host.startFlow(flow.index, nowNs);
    if (flow.stopAtNs < nowNs) flow.stopAtNs = nowNs;
  }

  /** A packet of nobody's comes to the forward link. */
  offerOther(nowNs: f64, bytes: f64): void {
    if (this.forwardLossRate > 0 && this.forwardLoss.next() < this.forwardLossRate) return;
    this.forward.offerOther(nowNs, bytes);
  }

  /** A packet leaves the sender: loss, queue, and at once (its departure is known) the receiver. */
  @inline
  private transmit(flow: FifoFlow, sender: Sender, nowNs: f64): void {
    const txn = sender.transmit(nowNs);
    const forward = this.forward;
    if (this.forwardLossRate > 0) {
      if (this.forwardLoss.next() < this.forwardLossRate) {
        flow.droppedPackets += 1;
        return;
      }
    }
    if (!forward.hasRoom(nowNs)) {
      forward.droppedPackets += 1;
      flow.droppedPackets += 1;
      return;
    }
    const arrivalNs = forward.take(nowNs, flow.index) + flow.propagationNs;
    const receiver = flow.receiver;
    if (receiver.delayedAckAtNs < arrivalNs) this.sendDelayedAck(flow, sender);
    const sequence = sender.lastSequence;
    if (sequence === receiver.expected) {
      if (receiver.outOfOrder === 0) {
        flow.countFirst(arrivalNs);
        sender.arrived.addMeasured(txn, true, arrivalNs, forward.startNs, nowNs);
        if (receiver.onNext(sequence)) {
          receiver.flush();
          this.emitAck(flow, sender, arrivalNs);
        } else receiver.delayAck(arrivalNs);
        return;
      }
    }
    const first = receiver.onDisorder(sequence);
    if (first) flow.countFirst(arrivalNs);
    sender.arrived.addMeasured(txn, first, arrivalNs, forward.startNs, nowNs);
    this.emitAck(flow, sender, arrivalNs);
  }

  private sendDelayedAck(flow: FifoFlow, sender: Sender): void {
    const atNs = flow.receiver.delayedAckAtNs;
    flow.receiver.flush();
    this.emitAck(flow, sender, atNs);
  }

  @inline
  private emitAck(flow: FifoFlow, sender: Sender, atNs: f64): void {
    if (this.reverseHolds) flow.ackDepartures.push(atNs, sender.arrived.count);
    else flow.acks.push(atNs + flow.reversePropagationNs, sender.arrived.count);
  }

  /**
   * ACKs enter the ACK direction when it is their time. Those of the only flow, which nobody else's pass, keep their order: as long as
   * one is on its way to the sender, there is no hurry, and many enter at once.
   * @returns when the next one must, if that is before `next`, else that
   */
  @inline
  private orEntersReverse(flow: FifoFlow, next: f64): f64 {
    if (this.flowCount === 1) {
      if (flow.acks.headNs !== Infinity) return next;
    }
    const enterNs = flow.ackDepartures.headNs;
    return enterNs < next ? enterNs : next;
  }

  /** The flow's ACKs up to and including `untilNs` and before `beforeNs` enter the ACK direction. */
  private enterReverse(flow: FifoFlow, untilNs: f64, beforeNs: f64): void {
    const departures = flow.ackDepartures;
    for (;;) {
      const atNs = departures.headNs;
      if (atNs > untilNs) return;
      if (atNs >= beforeNs) return;
      this.offerReverse(flow, atNs, departures.shift());
    }
  }

  @inline
  private offerReverse(flow: FifoFlow, atNs: f64, arrivals: i64): void {
    if (this.reverseLossRate > 0) {
      if (this.reverseLoss.next() < this.reverseLossRate) return;
    }
    const reverse = this.reverse;
    let releaseNs: f64;
    if (reverse.isIdle(atNs)) releaseNs = reverse.takeAtOnce(atNs, flow.index);
    else {
      if (!reverse.hasRoom(atNs)) {
        reverse.droppedPackets += 1;
        return;
      }
      releaseNs = reverse.take(atNs, flow.index);
    }
    if (this.reverseJitterNs >= 0) {
      releaseNs += this.reverseJitterNs * this.reverseJitter.next();
      if (releaseNs < this.reverseReleaseNs) releaseNs = this.reverseReleaseNs;
      else this.reverseReleaseNs = releaseNs;
    }
    flow.acks.push(releaseNs + flow.reversePropagationNs, arrivals);
  }
}
