/**
 * A second, plain implementation of the packet network, to check `envs/sim/fifo-network.ts` against: every packet movement is
 * an event in one binary heap, links serve when their time comes, and nothing is computed ahead. It reuses the sender
 * class only; links, receivers and ACKs are written anew, for clarity and not for speed.
 *
 * Order at one instant: services of links, then flows by index, within a flow: start, stop, arrivals at the receiver, the
 * delayed-ACK timer, arrivals of ACKs, retransmission timer, pacing timer; then in the order of scheduling.
 */
import type { Rng } from "../../core/random.ts";
import type { Bytes, Nanos } from "../../core/units.ts";
import { MSS_BYTES, NANOS_PER_MICRO, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../core/units.ts";
import { Sender } from "../../engine/sender.ts";
import { initialCwndBytes } from "../../scenarios/sender-options.ts";
import type { FlowSpec, LinkSpec, NetworkSpec } from "../../sim/network.ts";

const OPPORTUNITY_BYTES = 1504;
const DELAYED_ACK_NS = 40 * NANOS_PER_MILLI;
/** Flow index of events that belong to a link: before all flows. */
const LINK = -1;
/** Kinds of events of a flow, in their order at one instant. */
const START = 0;
const STOP = 1;
const ARRIVAL = 2;
const DELAYED_ACK = 3;
const ACK = 4;
const TIMER = 5;
const SEND = 6;

interface Event {
  readonly atNs: Nanos;
  readonly flow: number;
  readonly kind: number;
  readonly order: number;
  readonly run: () => void;
}

function isBefore(a: Event, b: Event): boolean {
  if (a.atNs !== b.atNs) return a.atNs < b.atNs;
  if (a.flow !== b.flow) return a.flow < b.flow;
  if (a.kind !== b.kind) return a.kind < b.kind;
  return a.order < b.order;
}

class EventHeap {
  readonly #events: Event[] = [];
  #scheduled = 0;
  nowNs: Nanos = 0;

  schedule(atNs: Nanos, flow: number, kind: number, run: () => void): void {
    const event: Event = { atNs, flow, kind, order: this.#scheduled++, run };
    const events = this.#events;
    let i = events.length;
    events.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(event, events[parent]!)) break;
      events[i] = events[parent]!;
      i = parent;
    }
    events[i] = event;
  }

  /** Runs all events up to and including `untilNs`. */
  runUntil(untilNs: Nanos): void {
    while (this.#events.length > 0 && this.#events[0]!.atNs <= untilNs) {
      const event = this.#pop();
      this.nowNs = event.atNs;
      event.run();
    }
    this.nowNs = untilNs;
  }

  #pop(): Event {
    const events = this.#events;
    const first = events[0]!;
    const last = events.pop()!;
    if (events.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child++;
      if (!isBefore(events[child]!, last)) break;
      events[i] = events[child]!;
      i = child;
    }
    events[i] = last;
    return first;
  }
}

interface Packet {
  readonly flow: HeapFlow;
  readonly bytes: Bytes;
  readonly arrivedNs: Nanos;
  readonly depart: () => void;
}

/** Drop-tail queue and server of one direction. */
export class HeapLink {
  readonly #heap: EventHeap;
  readonly #spec: LinkSpec;
  readonly #loss: Rng;
  readonly #onServiceStart: ((packet: Packet, queueDelayUs: number) => void) | undefined;
  readonly queue: Packet[] = [];
  queuedBytes: Bytes = 0;
  inService: Packet | undefined;
  #leftOfInService: Bytes = 0;
  offeredPackets = 0;
  /** by loss and by the queue */
  lostPackets = 0;
  droppedPackets = 0;
  servedBytes: Bytes = 0;
  wastedBytes: Bytes = 0;
  opportunities = 0;
  maxQueuedPackets = 0;
  maxQueuedBytes = 0;

  constructor(
    heap: EventHeap,
    spec: LinkSpec,
    loss: Rng,
    onServiceStart?: (packet: Packet, delayUs: number) => void,
  ) {
    this.#heap = heap;
    this.#spec = spec;
    this.#loss = loss;
    this.#onServiceStart = onServiceStart;
    if (spec.rate.kind === "trace") {
      const { opportunitiesMs, offsetNs } = spec.rate;
      let first = 0;
      while (first < opportunitiesMs.length && opportunitiesMs[first]! * NANOS_PER_MILLI <= offsetNs) first++;
      this.#scheduleOpportunity(first);
    }
  }

  /** Bytes of the packet in service that have already gone out (traces only). */
  get startedBytes(): Bytes {
    return this.inService === undefined ? 0 : this.inService.bytes - this.#leftOfInService;
  }

  /** @returns false if the packet was lost or dropped */
  offer(packet: Packet): boolean {
    const { lossRate, queue: limit } = this.#spec;
    if (lossRate > 0 && this.#loss.next() < lossRate) {
      this.lostPackets++;
      return false;
    }
    this.offeredPackets++;
    if (this.queue.length + 1 > limit.packets || this.queuedBytes + packet.bytes > limit.bytes) {
      this.droppedPackets++;
      return false;
    }
    this.queue.push(packet);
    this.queuedBytes += packet.bytes;
    if (this.#spec.rate.kind === "unlimited") {
      this.#finish(this.#takeHead()); // its service begins and ends now
      return true;
    }
    if (this.#spec.rate.kind === "constant" && this.inService === undefined) this.#startService();
    if (this.queue.length > 0) {
      this.maxQueuedPackets = Math.max(this.maxQueuedPackets, this.queue.length);
      this.maxQueuedBytes = Math.max(this.maxQueuedBytes, this.queuedBytes);
    }
    return true;
  }

  #takeHead(): Packet {
    const packet = this.queue.shift()!;
    this.queuedBytes -= packet.bytes;
    this.inService = packet;
    this.#leftOfInService = packet.bytes;
    this.#onServiceStart?.(packet, (this.#heap.nowNs - packet.arrivedNs) / NANOS_PER_MICRO);
    return packet;
  }

  #finish(packet: Packet): void {
    this.inService = undefined;
    this.servedBytes += packet.bytes;
    packet.depart();
  }

  #startService(): void {
    const { rate } = this.#spec;
    if (rate.kind !== "constant") return;
    const nanosPerByte = NANOS_PER_SEC / rate.rateBytesPerSec;
    const packet = this.#takeHead();
    this.#heap.schedule(this.#heap.nowNs + packet.bytes * nanosPerByte, LINK, 0, () => {
      this.#finish(packet);
      if (this.queue.length > 0) this.#startService();
    });
  }

  /** @param number counted from the trace's beginning, over laps */
  #scheduleOpportunity(number: number): void {
    if (this.#spec.rate.kind !== "trace") return;
    const { opportunitiesMs, offsetNs } = this.#spec.rate;
    const lap = Math.floor(number / opportunitiesMs.length);
    const periodMs = opportunitiesMs.at(-1)!;
    const atMs = lap * periodMs + opportunitiesMs[number % opportunitiesMs.length]!;
    this.#heap.schedule(atMs * NANOS_PER_MILLI - offsetNs, LINK, 0, () => {
      this.#useOpportunity();
      this.#scheduleOpportunity(number + 1);
    });
  }

  #useOpportunity(): void {
    this.opportunities++;
    let budget = OPPORTUNITY_BYTES;
    while (budget > 0) {
      if (this.inService === undefined && this.queue.length === 0) break;
      const packet = this.inService ?? this.#takeHead();
      const bytes = Math.min(budget, this.#leftOfInService);
      budget -= bytes;
      this.#leftOfInService -= bytes;
      if (this.#leftOfInService === 0) this.#finish(packet);
    }
    this.wastedBytes += budget;
  }
}

/** Sender, receiver and counters of one flow. */
export class HeapFlow {
  readonly index: number;
  readonly spec: FlowSpec;
  sender: Sender | undefined;
  stopped = false;
  arrivedPackets = 0;
  droppedPackets = 0;
  queueDelays = 0;
  queueDelaySumUs = 0;
  /** data packets that have departed and not arrived */
  onWire = 0;
  /** sequences that have arrived */
  readonly received: Set<number> = new Set();
  /** receiver: first sequence that is missing, highest that came, packets since the last ACK */
  expected = 0;
  highestSequence = -1;
  unacknowledged = 0;
  delayedAckAtNs: Nanos = Number.POSITIVE_INFINITY;

  constructor(index: number, spec: FlowSpec) {
    this.index = index;
    this.spec = spec;
  }

  get firstArrivedPackets(): number {
    return this.received.size;
  }
}

export class HeapNetwork {
  readonly forward: HeapLink;
  readonly reverse: HeapLink;
  readonly flows: readonly HeapFlow[];
  readonly #heap = new EventHeap();
  readonly #spec: NetworkSpec;
  readonly #rng: Rng;
  readonly #ackJitter: Rng;
  #lastAckNs: Nanos = 0;

  constructor(spec: NetworkSpec, rng: Rng) {
    this.#spec = spec;
    this.#rng = rng;
    this.#ackJitter = rng.fork("reverse.jitter");
    this.forward = new HeapLink(this.#heap, spec.forward, rng.fork("forward.loss"), (packet, delayUs) => {
      packet.flow.queueDelays++;
      packet.flow.queueDelaySumUs += delayUs;
    });
    this.reverse = new HeapLink(this.#heap, spec.reverse, rng.fork("reverse.loss"));
    this.flows = spec.flows.map((flow, index) => new HeapFlow(index, flow));
    // whose packets nobody counts
    const nobody = new HeapFlow(-1, spec.flows[0]!);
    const { burst } = spec;
    for (let k = 1; k <= (burst?.packets ?? 0); k++) {
      const atNs = burst!.startNs + k;
      this.#heap.schedule(atNs, LINK, 0, () => {
        this.forward.offer({ flow: nobody, bytes: burst!.bytes, arrivedNs: atNs, depart() {} });
      });
    }
    for (const flow of this.flows) {
      this.#heap.schedule(flow.spec.startNs, flow.index, START, () => this.#start(flow));
      this.#heap.schedule(flow.spec.stopNs, flow.index, STOP, () => this.#stop(flow));
    }
  }

  runUntil(untilNs: Nanos): void {
    this.#heap.runUntil(untilNs);
  }

  #start(flow: HeapFlow): void {
    const { nowNs } = this.#heap;
    const jitter = this.#rng.fork(`flow.${flow.index}.jitter`);
    const { sendJitterNs } = flow.spec;
    const control = flow.spec.control({
      nowUs: nowNs / NANOS_PER_MICRO,
      mssBytes: MSS_BYTES,
      initialCwndBytes: initialCwndBytes(flow.spec.sender),
    });
    flow.sender = new Sender(control, nowNs, flow.spec.sender, {
      jitter: sendJitterNs === 0 ? undefined : { boundNs: sendJitterNs, rng: jitter },
    });
    this.#setTimers(flow, flow.sender);
  }

  #stop(flow: HeapFlow): void {
    flow.stopped = true;
    flow.sender?.stop();
    flow.sender?.control.onClose?.();
  }

  /** Timers are never removed from the heap: one that no longer matches the sender's does nothing. */
  #setTimers(flow: HeapFlow, sender: Sender): void {
    const { sendAtNs, timerAtNs } = sender;
    if (sendAtNs !== Number.POSITIVE_INFINITY) {
      this.#heap.schedule(sendAtNs, flow.index, SEND, () => {
        if (sender.sendAtNs === sendAtNs) this.#send(flow, sender);
      });
    }
    if (timerAtNs !== Number.POSITIVE_INFINITY) {
      this.#heap.schedule(timerAtNs, flow.index, TIMER, () => {
        if (sender.timerAtNs !== timerAtNs) return;
        sender.onTimer(this.#heap.nowNs);
        this.#send(flow, sender);
      });
    }
  }

  #send(flow: HeapFlow, sender: Sender): void {
    const { nowNs } = this.#heap;
    while (sender.sendAtNs <= nowNs) {
      const txn = sender.transmit(nowNs);
      const sequence = sender.sequenceOf(txn);
      const depart = (): void => {
        flow.onWire++;
        this.#heap.schedule(this.#heap.nowNs + flow.spec.propagationNs, flow.index, ARRIVAL, () =>
          this.#receive(flow, sender, txn, sequence),
        );
      };
      if (!this.forward.offer({ flow, bytes: this.#spec.forward.dataBytes, arrivedNs: nowNs, depart })) {
        flow.droppedPackets++;
      }
    }
    this.#setTimers(flow, sender);
  }

  #receive(flow: HeapFlow, sender: Sender, txn: number, sequence: number): void {
    const { nowNs } = this.#heap;
    flow.onWire--;
    flow.arrivedPackets++;
    sender.markArrival(txn, nowNs, !flow.received.has(sequence), false);
    const hadGap = flow.highestSequence >= flow.expected;
    const inOrder = sequence === flow.expected && !hadGap;
    flow.received.add(sequence);
    flow.highestSequence = Math.max(flow.highestSequence, sequence);
    while (flow.received.has(flow.expected)) flow.expected++;
    flow.unacknowledged++;
    if (!inOrder || flow.spec.ackPolicy === "per-packet" || flow.unacknowledged === 2) {
      this.#acknowledge(flow, sender);
    } else {
      const dueNs = nowNs + DELAYED_ACK_NS;
      flow.delayedAckAtNs = dueNs;
      this.#heap.schedule(dueNs, flow.index, DELAYED_ACK, () => {
        if (flow.delayedAckAtNs === dueNs) this.#acknowledge(flow, sender);
      });
    }
  }

  /** When an ACK goes on that departs now: later, but never before the one before it. */
  #jittered(nowNs: Nanos): Nanos {
    const jitter = this.#spec.reverse.impairments?.jitter;
    if (jitter?.kind === "uniform") {
      this.#lastAckNs = Math.max(this.#lastAckNs, nowNs + jitter.maxNs * this.#ackJitter.next());
      return this.#lastAckNs;
    }
    return nowNs;
  }

  #acknowledge(flow: HeapFlow, sender: Sender): void {
    flow.unacknowledged = 0;
    flow.delayedAckAtNs = Number.POSITIVE_INFINITY;
    const { arrivals } = sender;
    const depart = (): void => {
      const goesOnNs = this.#jittered(this.#heap.nowNs);
      this.#heap.schedule(goesOnNs + flow.spec.propagationNs, flow.index, ACK, () => {
        if (flow.stopped) return;
        sender.onAck(this.#heap.nowNs, arrivals);
        this.#send(flow, sender);
      });
    };
    this.reverse.offer({ flow, bytes: this.#spec.reverse.ackBytes, arrivedNs: this.#heap.nowNs, depart });
  }
}
