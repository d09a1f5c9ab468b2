/**
 * Packets of the only flow that leave one after the other while all is calm: what `FifoNetwork` and `Sender` do for each of them in
 * `transmit`, without what they ask each time, and with what each changes for the next in locals. What is not as it mostly is ends a
 * train, or keeps it from leaving: a full queue, a delayed ACK that is due, a ring without room; then `transmit` goes on.
 */
import { FIRST } from "../sender/arrivals";
import { SentWant } from "../sender/sender-words";
import { FifoFlow } from "./fifo-network";
import { Link } from "./link";

/**
 * Its first packet leaves at `sendAtNs` of the sender, the others before anything else happens. No packet may be lost on its way to
 * the link, whose rate is constant, and no time series be made.
 * @param isAckHeld ACKs enter the ACK direction when it is their time, else they are known to arrive
 * @param untilNs the last time at which a packet may leave
 * @param beforeNs something else happens then, but for a delayed ACK that comes of the train
 * @returns when the last packet left; -1: none did
 */
export function sendTrain(flow: FifoFlow, forward: Link, isAckHeld: bool, untilNs: f64, beforeNs: f64): f64 {
  const sender = flow.sender;
  if (!sender.isCalm) return -1;
  if (sender.probe.isDue) return -1;
  if (sender.wantsSent === SentWant.all) return -1;
  if (!sender.timersAreLate) {
    if (sender.hasRack) return -1;
  }
  // the next ACK at the sender is known, whatever ACKs come of the train
  if (flow.acks.headNs === Infinity) return -1;
  const board = sender.board;
  const receiver = flow.receiver;
  const next = board.next;
  if (receiver.expected !== next) return -1;
  const inflight = board.inflight;
  if (inflight <= 0) return -1;
  const arrived = sender.arrived;
  const transmissions = sender.transmissions;
  const first = transmissions.next;
  if (((first << 2) | FIRST) !== arrived.nextWhat) return -1;
  if (forward.queuedOthers !== 0) return -1;

  const acks = isAckHeld ? flow.ackDepartures : flow.acks;
  let most = sender.cwndPackets - inflight;
  most = min<i64>(most, sender.limit - next);
  most = min<i64>(most, sender.receiveWindowPackets - (next - board.cumulative));
  most = min<i64>(most, transmissions.oldestNeeded + transmissions.mask + 1 - first);
  most = min<i64>(most, arrived.needed + arrived.mask + 1 - arrived.count);
  most = min<i64>(most, acks.mask + 1 - (acks.tail - acks.head));
  if (most <= 0) return -1;

  const delivery = sender.delivery;
  const pacer = sender.pacer;
  const ackDelayNs: f64 = isAckHeld ? 0 : flow.reversePropagationNs;
  const sequenceOffset = next - first;
  const endTxn = first + most;
  let txn = first;
  let nowNs: f64 = -1;
  let sendAtNs = sender.sendAtNs;
  let head = forward.head;
  let tail = forward.tail;
  let headStartNs = forward.headStartNs;
  let startNs = forward.startNs;
  let departNs = forward.departNs;
  let count = arrived.count;
  let unacknowledged = receiver.unacknowledged;
  let delayedAckAtNs = receiver.delayedAckAtNs;
  let ackTail = acks.tail;
  let ackHeadNs = acks.headNs;

  do {
    // the link: `Link.hasRoom` and `Link.take`
    while (headStartNs <= sendAtNs) {
      head++;
      headStartNs = head === tail ? Infinity : forward.row(head).startNs;
    }
    const queued = tail - head;
    if (queued >= forward.limitPackets) break;
    if (queued >= forward.mask) break;
    let serviceNs = departNs;
    if (serviceNs < sendAtNs) serviceNs = sendAtNs;
    const overNs = serviceNs + forward.packetNs;
    const arrivalNs = overNs + flow.propagationNs;
    if (delayedAckAtNs < arrivalNs) break;
    nowNs = sendAtNs;
    startNs = serviceNs;
    departNs = overNs;
    const waiting = forward.row(tail);
    waiting.startNs = serviceNs;
    waiting.departNs = overNs;
    waiting.owner = 0;
    if (queued === 0) headStartNs = serviceNs;
    tail++;
    if (serviceNs > nowNs) {
      if (queued >= forward.maxQueued) forward.maxQueued = queued + 1;
    }

    // the sender
    const sent = transmissions.at(txn);
    sent.note = 0;
    sent.sequence = txn + sequenceOffset;
    sent.sentNs = nowNs;
    delivery.note(sent);
    if (sender.keepsPackets) {
      sent.inflight = <i32>(inflight + txn - first + 1);
      sent.lost = sender.totalLostPackets;
    }

    // the receiver
    arrived.write(count, (txn << 2) | FIRST, arrivalNs, serviceNs, nowNs);
    count++;
    txn++;
    flow.lastArrivalNs = arrivalNs;
    unacknowledged++;
    if (unacknowledged >= receiver.packetsPerAck) {
      unacknowledged = 0;
      delayedAckAtNs = Infinity;
      const ackNs = arrivalNs + ackDelayNs;
      acks.write(ackTail, ackNs, count);
      if (ackTail === acks.head) ackHeadNs = ackNs;
      ackTail++;
    } else {
      delayedAckAtNs = arrivalNs + receiver.delayNs;
      if (delayedAckAtNs < beforeNs) beforeNs = delayedAckAtNs;
    }

    // the next one
    pacer.onSent();
    sendAtNs = pacer.plan(nowNs);
    if (txn === endTxn) break;
    if (sendAtNs > untilNs) break;
  } while (sendAtNs < beforeNs);

  forward.head = head;
  forward.headStartNs = headStartNs;
  if (nowNs < 0) return -1;
  const packets = txn - first;
  forward.tail = tail;
  forward.startNs = startNs;
  forward.departNs = departNs;
  transmissions.next = txn;
  board.next = next + packets;
  board.inflight = inflight + packets;
  sender.progressNs = nowNs;
  receiver.expected = next + packets;
  receiver.unacknowledged = unacknowledged;
  receiver.delayedAckAtNs = delayedAckAtNs;
  arrived.count = count;
  arrived.nextWhat = (txn << 2) | FIRST;
  acks.tail = ackTail;
  acks.headNs = ackHeadNs;
  if (inflight + packets >= sender.cwndPackets) sender.close();
  else if (txn === endTxn) sender.plan(nowNs);
  else sender.sendAtNs = sendAtNs;
  return nowNs;
}
