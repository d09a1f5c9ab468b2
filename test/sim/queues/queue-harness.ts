/** A queue alone: packets offered and taken by hand, or served at a constant rate. */
import { Rng } from "../../../core/random.ts";
import {
  type Bytes,
  type BytesPerSec,
  NANOS_PER_SEC,
  type Nanos,
  PACKET_BYTES,
} from "../../../core/units.ts";
import type { DisciplineSpec } from "../../../scenarios/disciplines/registry.ts";
import { NOT_ECT, PacketStore } from "../../../sim/general/packet-store.ts";
import { makeQueue } from "../../../sim/general/queues/make-queue.ts";
import type { Queue } from "../../../sim/general/queues/queue.ts";
import type { QueueParts } from "../../../sim/general/queues/queue-parts.ts";

export const NO_LIMIT: { readonly packets: number; readonly bytes: Bytes } = {
  packets: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
};

export interface Arrival {
  readonly flow?: number;
  readonly bytes?: Bytes;
  readonly ecn?: number;
  readonly priority?: number;
}

export interface QueueHarnessOptions {
  readonly limit?: { readonly packets: number; readonly bytes: Bytes };
  readonly seed?: number;
  readonly meanPacketNs?: Nanos;
}

export class QueueHarness<Q extends Queue = Queue> {
  readonly store: PacketStore = new PacketStore(4);
  readonly queue: Q;
  readonly dropped: number[] = [];
  /** of each dropped packet */
  readonly droppedAtNs: Nanos[] = [];
  /** served bytes and packets by flow */
  readonly servedBytes: Bytes[] = [];
  nowNs: Nanos = 0;

  constructor(make: (parts: QueueParts) => Q, options: QueueHarnessOptions = {}) {
    this.queue = make({
      limit: options.limit ?? NO_LIMIT,
      mtuBytes: PACKET_BYTES,
      store: this.store,
      onDrop: (packet) => {
        this.dropped.push(packet);
        this.droppedAtNs.push(this.nowNs);
      },
    });
  }

  arrive(atNs: Nanos, { flow = 0, bytes = 1500, ecn = NOT_ECT, priority = 0 }: Arrival = {}): number {
    const { store } = this;
    const packet = store.take();
    store.flow[packet] = flow;
    store.bytes[packet] = bytes;
    store.ecn[packet] = ecn;
    store.priority[packet] = priority;
    store.enqueuedNs[packet] = atNs;
    this.nowNs = atNs;
    this.queue.enqueue(atNs, packet);
    return packet;
  }

  take(atNs: Nanos): number {
    this.nowNs = atNs;
    return this.queue.dequeue(atNs);
  }

  /** Takes a packet and counts its bytes for its flow; returns its bytes, 0: there was none. */
  serve(atNs: Nanos): Bytes {
    const packet = this.take(atNs);
    if (packet < 0) return 0;
    const bytes = this.store.bytes[packet]!;
    const flow = this.store.flow[packet]!;
    this.servedBytes[flow] = (this.servedBytes[flow] ?? 0) + bytes;
    return bytes;
  }
}

export function harness(discipline: DisciplineSpec, options: QueueHarnessOptions = {}): QueueHarness {
  const rng = Rng.fromSeed(options.seed ?? 1);
  return new QueueHarness(
    (parts) => makeQueue({ ...parts, discipline, rng, meanPacketNs: options.meanPacketNs }),
    options,
  );
}

/** Packets of one flow at a constant rate. */
export interface Source extends Arrival {
  readonly rateBytesPerSec: BytesPerSec;
}

/** Runs sources against a server of constant rate; each flow's first packet comes at a random part of its period. */
export function serveSources(
  link: QueueHarness,
  sources: readonly Source[],
  rateBytesPerSec: BytesPerSec,
  untilNs: Nanos,
  rng: Rng,
): void {
  const periods = sources.map((source) => ((source.bytes ?? 1500) / source.rateBytesPerSec) * NANOS_PER_SEC);
  const next = periods.map((period) => rng.uniform(0, period));
  let readyNs = 0;
  for (;;) {
    const arrivalNs = Math.min(...next);
    if (Math.min(arrivalNs, untilNs) < readyNs || link.queue.packets === 0) {
      if (arrivalNs >= untilNs) return;
      const i = next.indexOf(arrivalNs);
      link.arrive(arrivalNs, sources[i]);
      next[i] = arrivalNs + periods[i]!;
      if (readyNs < arrivalNs) readyNs = arrivalNs;
    } else {
      readyNs += (link.serve(readyNs) / rateBytesPerSec) * NANOS_PER_SEC;
    }
  }
}
