/**
 * Strict priority: a band is served only while all bands before it are empty, first in, first out inside. When the limit is
 * passed, the last band that has packets gives up its newest, so that no packet is lost to one of lower priority.
 */
import type { Bytes, Nanos } from "../../../core/units.ts";
import type { DisciplineOptions } from "../../../scenarios/disciplines/registry.ts";
import { PacketRing } from "./packet-ring.ts";
import type { Queue } from "./queue.ts";
import { exceeds, type QueueParts } from "./queue-parts.ts";

/** IEEE 802.1Q: eight priorities. */
const BANDS = 8;

export class StrictPriority implements Queue {
  readonly marked = 0;
  readonly #parts: QueueParts;
  readonly #bands: readonly PacketRing[];
  #packets = 0;
  #bytes: Bytes = 0;

  constructor(parts: QueueParts, options: DisciplineOptions<"strict-priority">) {
    this.#parts = parts;
    this.#bands = Array.from({ length: options.bands ?? BANDS }, () => new PacketRing(parts.store));
  }

  get packets(): number {
    return this.#packets;
  }

  get bytes(): Bytes {
    return this.#bytes;
  }

  enqueue(_nowNs: Nanos, packet: number): void {
    const { limit, store, onDrop } = this.#parts;
    const bytes = store.bytes[packet]!;
    if (exceeds(limit, 1, bytes)) {
      onDrop(packet);
      return;
    }
    this.#bands[Math.min(store.priority[packet]!, this.#bands.length - 1)]!.push(packet);
    this.#packets++;
    this.#bytes += bytes;
    while (exceeds(limit, this.#packets, this.#bytes)) {
      const victim = this.#bands.findLast((band) => band.packets > 0)!.pop();
      this.#forget(victim);
      onDrop(victim);
    }
  }

  dequeue(_nowNs: Nanos): number {
    for (const band of this.#bands) {
      const packet = band.shift();
      if (packet < 0) continue;
      this.#forget(packet);
      return packet;
    }
    return -1;
  }

  #forget(packet: number): void {
    this.#packets--;
    this.#bytes -= this.#parts.store.bytes[packet]!;
  }
}
