/**
 * A drop-tail hop of the general network (the FIFO network's link is `engine/wasm/network/link.ts`; `test/sim/network-oracle.test.ts` holds the
 * two together): a drop-tail FIFO in front of a server. A packet's departure is computed when it is
 * enqueued (`max(now, last departure) + size / rate`), so a packet costs no event of its own. A packet leaves the queue
 * count when its service starts; departures at an instant come before arrivals at it.
 * Left out on purpose: queues that drop at dequeue time (CoDel), which need departures as events.
 */
import type { Rng } from "../../core/random.ts";
import type { Bytes, BytesPerSec, Nanos } from "../../core/units.ts";
import { NANOS_PER_MICRO, NANOS_PER_SEC } from "../../core/units.ts";
import type { LinkRate } from "../servers/make-server.ts";
import { makeServer } from "../servers/make-server.ts";
import type { Outage } from "../servers/outages.ts";
import type { Server } from "../servers/server.ts";

/** Copies in this module: V8 folds a module's own constants into the code of a hot path, imported ones it reads. */
const MICRO = NANOS_PER_MICRO;

/** A packet's row in the ring: the columns lie side by side, so that a packet costs one cache line. */
const START = 0;
const DEPART = 1;
const ARRIVE = 2;
const BYTES = 3;
const FLOW = 4;
const ROW_SHIFT = 3;

export interface QueueLimit {
  /** Infinity: no limit */
  readonly packets: number;
  readonly bytes: number;
}

/** Told of each of its flow's packets when its service starts, in order. */
export interface DequeueListener {
  onDequeue(startNs: Nanos, queueDelayUs: number): void;
}

export abstract class Link {
  readonly #limitPackets: number = 0;
  readonly #limitBytes: Bytes = 0;
  /** by flow; flows without one are not told */
  readonly #listeners: readonly DequeueListener[];
  /** ring of packets whose service has not started, one row each */
  #mask = 255;
  #rows = new Float64Array(256 << ROW_SHIFT);
  #head = 0;
  #tail = 0;
  /** start of the first one's service; Infinity: none waits */
  #headStartNs = Number.POSITIVE_INFINITY;
  #queuedBytes = 0;
  /** of the packets whose service has started; the last one, whose row is still there, may not have departed */
  #startedBytes = 0;

  offeredPackets = 0;
  droppedPackets = 0;
  /** highest number of packets and bytes that waited at once */
  maxQueuedPackets = 0;
  maxQueuedBytes = 0;

  /** result of the last accepted `offer` */
  startNs = 0;
  departNs = 0;

  constructor(limit: QueueLimit, listeners: readonly DequeueListener[] = []) {
    this.#limitPackets = limit.packets;
    this.#limitBytes = limit.bytes;
    this.#listeners = listeners;
  }

  /** Sets `startNs` and `departNs` for a packet of `bytes` that arrives now behind all packets served before. */
  protected abstract serve(nowNs: Nanos, bytes: Bytes): void;

  /** Bytes that could have been served in (fromNs, toNs]. */
  abstract capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes;

  /** Lets the packets go whose service starts by now. */
  advance(nowNs: Nanos): void {
    while (this.#headStartNs <= nowNs) {
      const rows = this.#rows;
      const mask = this.#mask;
      const i = (this.#head & mask) << ROW_SHIFT;
      const start = this.#headStartNs;
      const bytes = rows[i | BYTES]!;
      this.#queuedBytes -= bytes;
      this.#startedBytes += bytes;
      const listener = this.#listeners[rows[i | FLOW]! | 0];
      const head = (this.#head + 1) | 0;
      this.#head = head;
      this.#headStartNs =
        head === this.#tail ? Number.POSITIVE_INFINITY : rows[((head & mask) << ROW_SHIFT) | START]!;
      if (listener !== undefined) listener.onDequeue(start, (start - rows[i | ARRIVE]!) / MICRO);
    }
  }

  /**
   * A packet arrives; true and `startNs`, `departNs` if the queue took it, false if it was dropped.
   * @param sinceNs since when it counts as waiting, for its queueing delay; absent: now
   */
  offer(nowNs: Nanos, bytes: Bytes, flow: number, sinceNs: Nanos = nowNs): boolean {
    if (this.#headStartNs <= nowNs) this.advance(nowNs);
    this.offeredPackets++;
    const queued = ((this.#tail - this.#head) | 0) + 1;
    if (queued > this.#limitPackets || this.#queuedBytes + bytes > this.#limitBytes) {
      this.droppedPackets++;
      return false;
    }
    this.serve(nowNs, bytes);
    const start = this.startNs;
    if (queued === 1) this.#headStartNs = start;
    if (queued >= this.#mask) this.#grow();
    const rows = this.#rows;
    const i = (this.#tail & this.#mask) << ROW_SHIFT;
    rows[i | START] = start;
    rows[i | DEPART] = this.departNs;
    rows[i | ARRIVE] = sinceNs;
    rows[i | BYTES] = bytes;
    rows[i | FLOW] = flow;
    this.#tail = (this.#tail + 1) | 0;
    this.#queuedBytes += bytes;
    if (start > nowNs) {
      if (queued > this.maxQueuedPackets) this.maxQueuedPackets = queued;
      if (this.#queuedBytes > this.maxQueuedBytes) this.maxQueuedBytes = this.#queuedBytes;
    }
    return true;
  }

  /** Packets that wait, as of the last `advance`. */
  get queuedPackets(): number {
    return (this.#tail - this.#head) | 0;
  }

  get queuedBytes(): Bytes {
    return this.#queuedBytes;
  }

  /** Wire bytes of the packets that have departed by now (now must not lie before the last call). */
  servedBytes(nowNs: Nanos): Bytes {
    this.advance(nowNs);
    const last = ((this.#head - 1) & this.#mask) << ROW_SHIFT;
    const isOnItsWay = this.#rows[last | DEPART]! > nowNs;
    return this.#startedBytes - (isOnItsWay ? this.#rows[last | BYTES]! : 0);
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    const rows = new Float64Array(size << ROW_SHIFT);
    for (let k = (this.#head - 1) | 0; k !== this.#tail; k = (k + 1) | 0) {
      const from = (k & this.#mask) << ROW_SHIFT;
      rows.set(this.#rows.subarray(from, from + (1 << ROW_SHIFT)), (k & (size - 1)) << ROW_SHIFT);
    }
    this.#rows = rows;
    this.#mask = size - 1;
  }
}

/** A server of constant rate; infinitely fast where the rate is Infinity. */
export class ConstantLink extends Link {
  readonly #nanosPerByte: number = 0;
  #lastDepartNs = 0;

  constructor(rateBytesPerSec: BytesPerSec, limit: QueueLimit, listeners?: readonly DequeueListener[]) {
    super(limit, listeners);
    this.#nanosPerByte = NANOS_PER_SEC / rateBytesPerSec;
  }

  protected override serve(nowNs: Nanos, bytes: Bytes): void {
    const start = nowNs > this.#lastDepartNs ? nowNs : this.#lastDepartNs;
    this.startNs = start;
    this.departNs = this.#lastDepartNs = start + bytes * this.#nanosPerByte;
  }

  override capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return this.#nanosPerByte === 0 ? Number.POSITIVE_INFINITY : (toNs - fromNs) / this.#nanosPerByte;
  }
}

/** Any other server behind the same queue. */
export class ServedLink extends Link {
  readonly #server: Server;

  constructor(server: Server, limit: QueueLimit, listeners?: readonly DequeueListener[]) {
    super(limit, listeners);
    this.#server = server;
  }

  protected override serve(nowNs: Nanos, bytes: Bytes): void {
    this.#server.serve(nowNs, bytes);
    this.startNs = this.#server.startNs;
    this.departNs = this.#server.departNs;
  }

  override capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return this.#server.capacityBytes(fromNs, toNs);
  }
}

/** The link of a rate; constant rates, by far the most used, are served without a call. */
export function makeLink(
  spec: { readonly rate: LinkRate; readonly queue: QueueLimit; readonly outages?: readonly Outage[] },
  listeners: readonly DequeueListener[],
  rng: Rng,
): Link {
  const { rate, queue, outages = [] } = spec;
  if (outages.length === 0 && rate.kind === "constant") {
    return new ConstantLink(rate.rateBytesPerSec, queue, listeners);
  }
  if (outages.length === 0 && rate.kind === "unlimited") {
    return new ConstantLink(Number.POSITIVE_INFINITY, queue, listeners);
  }
  return new ServedLink(makeServer(rate, { rng, outages }), queue, listeners);
}
