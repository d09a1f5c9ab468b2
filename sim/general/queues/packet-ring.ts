/** Waiting packets in order, with their bytes: a ring of packet numbers that grows and never shrinks. */
import type { Bytes } from "../../../core/units.ts";
import type { PacketStore } from "../packet-store.ts";

/** A power of two; small, because a fair queue has one ring per flow or bucket. */
const FIRST_CAPACITY = 8;

export class PacketRing {
  readonly #store: PacketStore;
  #ring: Int32Array = new Int32Array(0);
  #mask = -1;
  #head = 0;
  packets = 0;
  bytes: Bytes = 0;

  constructor(store: PacketStore) {
    this.#store = store;
  }

  /** The oldest; only where there is one. */
  get head(): number {
    return this.#ring[this.#head]!;
  }

  push(packet: number): void {
    if (this.packets > this.#mask) this.#grow();
    this.#ring[(this.#head + this.packets) & this.#mask] = packet;
    this.packets++;
    this.bytes += this.#store.bytes[packet]!;
  }

  /** Takes the oldest; -1: there is none. */
  shift(): number {
    if (this.packets === 0) return -1;
    const packet = this.#ring[this.#head]!;
    this.#head = (this.#head + 1) & this.#mask;
    this.packets--;
    this.bytes -= this.#store.bytes[packet]!;
    return packet;
  }

  /** Takes the newest; -1: there is none. */
  pop(): number {
    if (this.packets === 0) return -1;
    this.packets--;
    const packet = this.#ring[(this.#head + this.packets) & this.#mask]!;
    this.bytes -= this.#store.bytes[packet]!;
    return packet;
  }

  #grow(): void {
    const old = this.#ring;
    const ring = new Int32Array(Math.max(FIRST_CAPACITY, 2 * old.length));
    ring.set(old.subarray(this.#head));
    ring.set(old.subarray(0, this.#head), old.length - this.#head);
    this.#ring = ring;
    this.#mask = ring.length - 1;
    this.#head = 0;
  }
}
