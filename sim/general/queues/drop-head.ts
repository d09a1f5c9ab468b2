/**
 * First in, first out; the oldest packets make room for the newest (Lakshman, Neidhardt and Ott 1996, "The drop from front
 * strategy in TCP and in TCP over ATM"), so that the news of a loss does not wait for the queue in front of it.
 */
import type { Bytes, Nanos } from "../../../core/units.ts";
import { PacketRing } from "./packet-ring.ts";
import type { Queue } from "./queue.ts";
import { exceeds, type QueueParts } from "./queue-parts.ts";

export class DropHead implements Queue {
  readonly marked = 0;
  readonly #parts: QueueParts;
  readonly #ring: PacketRing;

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#ring = new PacketRing(parts.store);
  }

  get packets(): number {
    return this.#ring.packets;
  }

  get bytes(): Bytes {
    return this.#ring.bytes;
  }

  enqueue(_nowNs: Nanos, packet: number): void {
    const { limit, store, onDrop } = this.#parts;
    const ring = this.#ring;
    const bytes = store.bytes[packet]!;
    if (exceeds(limit, 1, bytes)) {
      onDrop(packet);
      return;
    }
    while (exceeds(limit, ring.packets + 1, ring.bytes + bytes)) onDrop(ring.shift());
    ring.push(packet);
  }

  dequeue(_nowNs: Nanos): number {
    return this.#ring.shift();
  }
}
