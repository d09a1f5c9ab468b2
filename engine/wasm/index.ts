/**
 * The engine: sender, receiver, FIFO link and the FIFO network's loop over linear memory. Objects are addresses;
 * `engine/wasm-host.ts` and the classes beside it are its only users; their types are made of these signatures.
 */

import { allocate, clear, release } from "./memory/memory";
import { AckTotals } from "./meters/ack-totals";
import { DelayHistogram } from "./meters/delay-histogram";
import { FlowBins } from "./meters/flow-bins";
import { FifoFlow, FifoNetwork } from "./network/fifo-network";
import { Link } from "./network/link";
import { OpportunityServer } from "./network/opportunity-server";
import { Prr, PrrVersion } from "./sender/prr";
import { Sender } from "./sender/sender";
import { EcnMode } from "./sender/sender-words";
import { countOf } from "./units";

export function makeSender(
  number: i32,
  mssBytes: f64,
  minVarianceTermUs: f64,
  receiveWindowPackets: f64,
  hasRack: bool,
  prrVersion: PrrVersion,
  mayUndo: bool,
  ecn: EcnMode,
  jitterBoundNs: f64,
): Sender {
  const sender = Sender.make(number, mssBytes);
  sender.rtt.init(minVarianceTermUs);
  sender.receiveWindowPackets = countOf(receiveWindowPackets);
  sender.hasRack = hasRack;
  sender.prr.version = prrVersion;
  sender.undo.isOn = mayUndo;
  sender.ecn.mode = ecn;
  sender.pacer.jitterBoundNs = jitterBoundNs;
  return sender;
}

/** Its first draw is for the first packet. */
export function seedJitter(sender: Sender, s01: i32, s00: i32, s11: i32, s10: i32): void {
  sender.pacer.jitterRng.set(s01, s00, s11, s10);
  sender.pacer.drawJitter();
}

/** The registers of its CCP flow are a block of this memory. */
export function setRegisters(sender: Sender, block: usize): void {
  sender.registers = block;
}

/**
 * The state of each packet is kept from the flow's start on, and the congestion control is to hear of it.
 * @param acked also of each that is acknowledged: else of the latest of each ACK only
 */
export function tellPackets(sender: Sender, acked: bool): void {
  sender.keepsPackets = true;
  sender.tellsAcked = acked;
}

/** Its window is decided outside of the datapath. */
export function guardLosses(sender: Sender): void {
  sender.guard.weighsLosses = true;
}

/** Sums what its ACKs say from now on. */
export function totalAcks(sender: Sender): AckTotals {
  return sender.totalAcks();
}

/** A zeroed block of memory. */
/** Nothing is left of what was made in this memory. */
export function clearMemory(): void {
  clear();
}

export function allocateBlock(bytes: usize): usize {
  return allocate(bytes);
}

export function releaseBlock(block: usize, bytes: usize): void {
  release(block, bytes);
}

export function freeSender(sender: Sender): void {
  sender.free();
}

export function describe(sender: Sender): void {
  sender.describe();
}

export function applyDecision(sender: Sender, nowNs: f64): void {
  sender.applyDecision(nowNs);
}

export function stop(sender: Sender): void {
  sender.stop();
}

export function supply(sender: Sender, packets: f64, nowNs: f64): void {
  sender.supply(packets, nowNs);
}

export function withdraw(sender: Sender, nowNs: f64): void {
  sender.withdraw(nowNs);
}

export function finish(sender: Sender): void {
  sender.isFinished = true;
}

export function transmit(sender: Sender, nowNs: f64): f64 {
  const txn = sender.transmit(nowNs);
  sender.settleTimers();
  sender.sentSequence = <f64>sender.lastSequence;
  return <f64>txn;
}

export function sequenceOf(sender: Sender, txn: f64): f64 {
  return <f64>sender.sequenceOf(<i64>txn);
}

export function markArrival(sender: Sender, txn: f64, arrivalNs: f64, first: bool, ce: bool): void {
  sender.markArrival(<i64>txn, arrivalNs, first, ce);
  sender.arrivals = <f64>sender.arrived.count;
}

export function onAck(sender: Sender, nowNs: f64, arrivals: f64): void {
  sender.onAck(nowNs, <i64>arrivals);
  sender.settleTimers();
}

export function onTimer(sender: Sender, nowNs: f64): void {
  sender.onTimer(nowNs);
}

export function onRttSample(sender: Sender, rttUs: f64): void {
  sender.rtt.onSample(rttUs);
}

/** PRR alone, as tests of its equations want it. */
export function makePrr(version: PrrVersion, recoverFlight: f64): Prr {
  const prr = changetype<Prr>(allocate(offsetof<Prr>()));
  prr.version = version;
  prr.begin(recoverFlight);
  return prr;
}

export function prrSent(prr: Prr): void {
  prr.onSent();
}

/** @returns the window */
export function prrAck(prr: Prr, delivered: f64, inflight: f64, target: f64, safeAck: bool): f64 {
  prr.onAck(delivered, inflight, target, safeAck);
  return prr.windowPackets;
}

/** @param nanosPerByte negative: opportunities or the host serve */
export function makeLink(
  number: i32,
  packetBytes: f64,
  limitPackets: f64,
  limitBytes: f64,
  nanosPerByte: f64,
): Link {
  const link = changetype<Link>(allocate(offsetof<Link>()));
  link.init(number, packetBytes, limitPackets, limitBytes, nanosPerByte);
  return link;
}

/** It serves at opportunities of so many bytes, from number `index` on. */
export function serveAtOpportunities(link: Link, index: f64, bytes: f64): void {
  link.opportunities = OpportunityServer.make(link.number, <i64>index, bytes);
}

export function servedBytes(link: Link, nowNs: f64): f64 {
  return link.servedBytes(nowNs);
}

export function describeLink(link: Link): void {
  link.describe();
}

export function makeFifoNetwork(
  flowCount: i32,
  forward: Link,
  reverse: Link,
  forwardLossRate: f64,
  reverseLossRate: f64,
  reverseJitterNs: f64,
  reverseHolds: bool,
): FifoNetwork {
  const network = changetype<FifoNetwork>(allocate(offsetof<FifoNetwork>()));
  network.init(flowCount);
  network.forward = forward;
  network.reverse = reverse;
  network.forwardLossRate = forwardLossRate;
  network.reverseLossRate = reverseLossRate;
  network.reverseJitterNs = reverseJitterNs;
  network.reverseHolds = reverseHolds;
  return network;
}

/** A packet of nobody's comes to the forward link. */
export function offerOther(network: FifoNetwork, nowNs: f64, bytes: f64): void {
  network.offerOther(nowNs, bytes);
}

/** The generator's state is taken over. */
export function seedForwardLoss(network: FifoNetwork, s01: i32, s00: i32, s11: i32, s10: i32): void {
  network.forwardLoss.set(s01, s00, s11, s10);
}

export function seedReverseLoss(network: FifoNetwork, s01: i32, s00: i32, s11: i32, s10: i32): void {
  network.reverseLoss.set(s01, s00, s11, s10);
}

export function seedReverseJitter(network: FifoNetwork, s01: i32, s00: i32, s11: i32, s10: i32): void {
  network.reverseJitter.set(s01, s00, s11, s10);
}

export function makeFlow(
  network: FifoNetwork,
  index: i32,
  startNs: f64,
  stopNs: f64,
  propagationNs: f64,
  reversePropagationNs: f64,
  packetsPerAck: i32,
  ackDelayNs: f64,
  binNs: f64,
  oneWayDelay: bool,
): FifoFlow {
  const flow = FifoFlow.make();
  flow.init(index, startNs, stopNs, propagationNs, reversePropagationNs);
  flow.receiver.init(packetsPerAck, ackDelayNs);
  flow.measure(binNs, oneWayDelay);
  network.addFlow(flow);
  return flow;
}

export function startFlow(flow: FifoFlow, sender: Sender): void {
  flow.start(sender);
}

/** Of the queueing delays of a flow. */
export function delaysOf(flow: FifoFlow): DelayHistogram {
  return flow.delays.queue;
}

/** Of a flow that measures one-way delays. */
export function oneWayDelaysOf(flow: FifoFlow): DelayHistogram {
  return flow.delays.oneWay!;
}

/** Of a flow with a time series. */
export function binsOf(flow: FifoFlow): FlowBins {
  return flow.bins!;
}

/** Brings the delays up to now. */
export function settleFlow(network: FifoNetwork, flow: FifoFlow, nowNs: f64): void {
  flow.settle(network.forward, nowNs);
}

export function describeDelays(delays: DelayHistogram): void {
  delays.describe();
}

export function advanceFlow(flow: FifoFlow, nowNs: f64): void {
  flow.advance(nowNs);
}

export function run(network: FifoNetwork, untilNs: f64): void {
  network.run(untilNs);
}

export function sendHeld(network: FifoNetwork): void {
  network.sendHeld();
}

export function reschedule(network: FifoNetwork, flow: FifoFlow): void {
  network.reschedule(flow);
}
