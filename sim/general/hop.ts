/**
 * One link of the event network. Where packets are served in the order of arrival and none is dropped later, the
 * departure is known on arrival (`link.ts`), so the queue costs no event; other disciplines take a packet when the server
 * can start it. Behind the server lies the wire: what shapes, damages, doubles and delays packets, up to the next hop.
 */
import type { Rng } from "../../core/random.ts";
import type { Bytes, Nanos } from "../../core/units.ts";
import { ACK_BYTES, NANOS_PER_MICRO, NANOS_PER_SEC, PACKET_BYTES } from "../../core/units.ts";
import type { LinkMeter, LinkSpec } from "../network.ts";
import { makeServer } from "../servers/make-server.ts";
import type { Server } from "../servers/server.ts";
import { EntryFilter } from "./impairments/entry-filter.ts";
import { ExitShaper } from "./impairments/exit-shaper.ts";
import { type DequeueListener, type Link, makeLink } from "./link.ts";
import type { LinkTracer, WayTap } from "./link-tracer.ts";
import type { PacketStore } from "./packet-store.ts";
import { makeQueue } from "./queues/make-queue.ts";
import type { OnDrop, Queue } from "./queues/queue.ts";
import { TimedRing } from "./timed-ring.ts";

/** Kinds of packets. */
export const DATA = 0;
export const ACK = 1;
export const DATAGRAM = 2;
/** from outside the network: any packet, and a pure ACK */
export const OUTSIDE = 3;
export const OUTSIDE_ACK = 4;

/** The listener of packets whose queueing delay is told to nobody: an index where the listeners have none. */
export const NOBODY = 0;

/** Service time of a full packet; undefined where it changes or is nothing. */
function packetTimeNs({ rate, dataBytes }: LinkSpec): Nanos | undefined {
  return rate.kind === "constant" ? (dataBytes * NANOS_PER_SEC) / rate.rateBytesPerSec : undefined;
}

function isAck(kind: number): boolean {
  return kind === ACK || kind === OUTSIDE_ACK;
}

export class Hop implements LinkMeter {
  /** among the links of the network */
  readonly number: number = 0;
  readonly propagationNs: Nanos = 0;
  /** packets on their way to the next hop, by arrival there */
  readonly wire: TimedRing = new TimedRing();
  declare readonly shaper: ExitShaper | undefined;
  /** packets on this link may overtake each other */
  readonly reorders: boolean = false;
  /** places in the network's tree of what happens next */
  serverSource: number = -1;
  wireSource: number = -1;
  /** when the server can start the next packet; Infinity: nothing waits, or the departure is known ahead */
  readyNs: Nanos = Number.POSITIVE_INFINITY;
  /** told of every packet; absent: nobody listens */
  tracer: LinkTracer | undefined;
  /** told of data packets of flows that leave; absent: nobody is */
  tap: WayTap | undefined;
  /** result of the last packet that was served */
  departNs: Nanos = 0;
  readonly #dataBytes: Bytes = 0;
  readonly #ackBytes: Bytes = 0;
  /** what this link counts beside a packet's own bytes */
  readonly #headerBytes: Bytes = 0;
  readonly #packets: PacketStore;
  readonly #filter: EntryFilter | undefined;
  readonly #fifo: Link | undefined;
  /** where the departure is not known ahead */
  readonly #queue: Queue | undefined;
  readonly #server: Server | undefined;
  readonly #listeners: readonly (DequeueListener | undefined)[];
  readonly #onDrop: OnDrop;
  /** of each flow the ACK that waits, where ACKs are thinned */
  readonly #waitingAcks: Map<number, number> | undefined;
  /** latest time in the wire */
  #lastWireNs: Nanos = 0;
  #lastEnqueuedNs: Nanos = 0;
  /** of the call of the queue under way */
  #nowNs: Nanos = 0;
  #offeredPackets = 0;
  #droppedPackets = 0;
  #maxQueuedPackets = 0;
  #maxQueuedBytes = 0;
  #startedBytes = 0;
  #lastStartedBytes = 0;

  /** @param listeners told of a packet's queueing delay when its service on the last hop of its route starts; of NOBODY: none */
  constructor(options: {
    readonly number: number;
    readonly spec: LinkSpec;
    readonly packets: PacketStore;
    readonly listeners: readonly (DequeueListener | undefined)[];
    readonly onDrop: OnDrop;
    /** the generator of an effect of this link */
    readonly fork: (effect: string) => Rng;
  }) {
    const { number, spec, packets, listeners, onDrop, fork } = options;
    const { impairments = {}, lossRate } = spec;
    this.number = number;
    this.#dataBytes = spec.dataBytes;
    this.#ackBytes = spec.ackBytes;
    this.#headerBytes = spec.ackBytes - ACK_BYTES;
    this.#packets = packets;
    this.#listeners = listeners;
    this.#onDrop = onDrop;
    this.propagationNs = spec.propagationNs ?? 0;
    this.#filter = EntryFilter.of({ ...impairments, lossRate }, fork);
    this.shaper = ExitShaper.of(impairments, fork);
    this.reorders = impairments.jitter?.reorder === true;
    this.#waitingAcks = impairments.ackThinning === true ? new Map() : undefined;
    const isFifo = spec.discipline === undefined || spec.discipline.kind === "drop-tail";
    // when a packet will leave is not known ahead where the rate is decided later
    const isKnownAhead = isFifo && this.#waitingAcks === undefined && spec.rate.kind !== "controlled";
    if (isKnownAhead) {
      this.#fifo = makeLink(spec, listeners as DequeueListener[], fork("rate"));
    } else {
      this.#server = makeServer(spec.rate, { rng: fork("rate"), outages: spec.outages });
      this.#queue = makeQueue({
        limit: spec.queue,
        discipline: spec.discipline,
        mtuBytes: spec.mtuBytes ?? PACKET_BYTES,
        store: packets,
        onDrop: (packet) => this.#drop(packet, this.#nowNs),
        rng: fork("queue"),
        meanPacketNs: packetTimeNs(spec),
      });
    }
  }

  /** Departures are not known ahead, and its server acts at times of its own. */
  get hasServer(): boolean {
    return this.#server !== undefined;
  }

  /** Bytes of a packet on this link. */
  wireBytes(packet: number): Bytes {
    const kind = this.#packets.kind[packet]!;
    if (kind === DATA) return this.#dataBytes;
    if (kind === ACK) return this.#ackBytes;
    if (kind === DATAGRAM) return this.#packets.bytes[packet]!;
    return this.#packets.sequence[packet]! + this.#headerBytes;
  }

  /**
   * A packet arrives. It may be lost (`onDrop` is called then), or wait.
   * @param listener whom its queueing delay is told; NOBODY unless this is the last hop of its route
   * @returns true: it has been served, and leaves at `departNs`
   */
  enter(nowNs: Nanos, packet: number, listener: number): boolean {
    const packets = this.#packets;
    const bytes = this.wireBytes(packet);
    this.tracer?.onArrival(nowNs, bytes);
    if (this.#filter !== undefined && !this.#filter.admits(nowNs, bytes)) {
      this.#giveUp(packet, nowNs, bytes);
      return false;
    }
    const fifo = this.#fifo;
    if (fifo !== undefined) {
      const queuedNs = packets.queuedNs[packet]!;
      if (!fifo.offer(nowNs, bytes, listener, nowNs - queuedNs)) {
        this.#giveUp(packet, nowNs, bytes);
        return false;
      }
      packets.queuedNs[packet] = queuedNs + (fifo.startNs - nowNs);
      const { departNs } = fifo;
      this.departNs = departNs;
      this.tracer?.onDeparture(departNs, bytes, departNs - nowNs);
      return true;
    }
    this.#enqueue(nowNs, packet, bytes);
    return false;
  }

  #enqueue(nowNs: Nanos, packet: number, bytes: Bytes): void {
    const packets = this.#packets;
    const queue = this.#queue!;
    this.#offeredPackets++;
    if (this.#waitingAcks !== undefined && isAck(packets.kind[packet]!)) {
      const waiting = this.#waitingAcks.get(packets.flow[packet]!);
      if (waiting !== undefined) {
        // what the newer one says takes the place of the older one in the queue
        const older = packets.number[waiting]!;
        packets.number[waiting] = packets.number[packet]!;
        packets.number[packet] = older;
        this.#drop(packet, nowNs);
        return;
      }
      this.#waitingAcks.set(packets.flow[packet]!, packet);
    }
    packets.bytes[packet] = bytes;
    packets.enqueuedNs[packet] = nowNs;
    this.#lastEnqueuedNs = this.#nowNs = nowNs;
    queue.enqueue(nowNs, packet);
    if (queue.packets === 0) return;
    if (this.readyNs === Number.POSITIVE_INFINITY) this.readyNs = this.#server!.readyNs(nowNs);
    if (this.readyNs > nowNs) {
      if (queue.packets > this.#maxQueuedPackets) this.#maxQueuedPackets = queue.packets;
      if (queue.bytes > this.#maxQueuedBytes) this.#maxQueuedBytes = queue.bytes;
    }
  }

  #drop(packet: number, nowNs: Nanos): void {
    this.#droppedPackets++;
    this.#forgetAck(packet);
    this.#giveUp(packet, nowNs, this.#packets.bytes[packet]!);
  }

  #giveUp(packet: number, nowNs: Nanos, bytes: Bytes): void {
    this.tracer?.onDrop(nowNs, bytes);
    this.#onDrop(packet);
  }

  #forgetAck(packet: number): void {
    const waiting = this.#waitingAcks;
    if (waiting === undefined) return;
    const flow = this.#packets.flow[packet]!;
    if (waiting.get(flow) === packet) waiting.delete(flow);
  }

  /**
   * The server can start a packet (`readyNs` has come).
   * @param listenerOf a packet: whom its queueing delay is told
   * @returns the packet, which leaves at `departNs`; -1: none was left
   */
  serve(nowNs: Nanos, listenerOf: (packet: number) => number): number {
    const packets = this.#packets;
    const queue = this.#queue!;
    const server = this.#server!;
    this.#nowNs = nowNs;
    const packet = queue.dequeue(nowNs);
    if (packet !== -1) {
      this.#forgetAck(packet);
      const enqueuedNs = packets.enqueuedNs[packet]!;
      const bytes = packets.bytes[packet]!;
      server.serve(enqueuedNs, bytes);
      this.departNs = server.departNs;
      this.tracer?.onDeparture(this.departNs, bytes, this.departNs - enqueuedNs);
      this.#startedBytes += bytes;
      this.#lastStartedBytes = bytes;
      packets.queuedNs[packet] = packets.queuedNs[packet]! + (server.startNs - enqueuedNs);
      const listener = this.#listeners[listenerOf(packet)];
      listener?.onDequeue(server.startNs, packets.queuedNs[packet]! / NANOS_PER_MICRO);
    }
    // what waits has waited since before this instant, so an opportunity that is partly unused still serves it
    this.readyNs = queue.packets === 0 ? Number.POSITIVE_INFINITY : server.readyNs(this.#lastEnqueuedNs);
    return packet;
  }

  /** A packet will be at the end of the wire at `atNs`, before or after packets that are on it. */
  carry(packet: number, atNs: Nanos): void {
    if (atNs >= this.#lastWireNs) {
      this.#lastWireNs = atNs;
      this.wire.push(atNs, packet);
    } else this.wire.insert(atNs, packet);
  }

  get offeredPackets(): number {
    return this.#fifo?.offeredPackets ?? this.#offeredPackets;
  }

  get droppedPackets(): number {
    return this.#fifo?.droppedPackets ?? this.#droppedPackets;
  }

  get queuedPackets(): number {
    return this.#fifo?.queuedPackets ?? this.#queue!.packets;
  }

  get queuedBytes(): Bytes {
    return this.#fifo?.queuedBytes ?? this.#queue!.bytes;
  }

  get maxQueuedPackets(): number {
    return this.#fifo?.maxQueuedPackets ?? this.#maxQueuedPackets;
  }

  get maxQueuedBytes(): Bytes {
    return this.#fifo?.maxQueuedBytes ?? this.#maxQueuedBytes;
  }

  servedBytes(nowNs: Nanos): Bytes {
    if (this.#fifo !== undefined) return this.#fifo.servedBytes(nowNs);
    return this.#startedBytes - (this.departNs > nowNs ? this.#lastStartedBytes : 0);
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return (this.#fifo ?? this.#server!).capacityBytes(fromNs, toNs);
  }
}
