/** First in, first out; what does not fit is dropped. RED, PIE, CoDel and step marking are this with earlier decisions. */
import type { Bytes, Nanos } from "../../../core/units.ts";
import { PacketRing } from "./packet-ring.ts";
import type { Queue } from "./queue.ts";
import { exceeds, isMarkable, markCe, type QueueParts } from "./queue-parts.ts";

export class DropTail implements Queue {
  protected readonly parts: QueueParts;
  protected readonly ring: PacketRing;
  #marked = 0;

  constructor(parts: QueueParts) {
    this.parts = parts;
    this.ring = new PacketRing(parts.store);
  }

  get packets(): number {
    return this.ring.packets;
  }

  get bytes(): Bytes {
    return this.ring.bytes;
  }

  get marked(): number {
    return this.#marked;
  }

  enqueue(_nowNs: Nanos, packet: number): void {
    if (this.hasRoom(packet)) this.ring.push(packet);
    else this.parts.onDrop(packet);
  }

  dequeue(_nowNs: Nanos): number {
    return this.ring.shift();
  }

  protected hasRoom(packet: number): boolean {
    const { limit, store } = this.parts;
    return !exceeds(limit, this.ring.packets + 1, this.ring.bytes + store.bytes[packet]!);
  }

  /** Says "congestion" by a mark; false if the packet is not ECN-capable. */
  protected mark(packet: number): boolean {
    const { store } = this.parts;
    if (!isMarkable(store, packet)) return false;
    if (markCe(store, packet)) this.#marked++;
    return true;
  }
}
