/**
 * Lines that take turns, one turn a quantum of bytes; when the limit is passed, the longest line gives up its newest packet
 * (buffer stealing, McKenney 1990), which may be the one that just arrived. DRR and SFQ differ in what a line is, when its
 * turn ends and what "longest" counts.
 */
import type { Bytes, Nanos } from "../../../../core/units.ts";
import type { Queue } from "../queue.ts";
import { exceeds, type QueueParts } from "../queue-parts.ts";
import { type FairLine, Turns } from "./fair-lines.ts";

export abstract class RoundRobin implements Queue {
  readonly marked = 0;
  protected readonly parts: QueueParts;
  readonly #quantumBytes: Bytes;
  readonly #longestBy: "packets" | "bytes";
  readonly #turns: Turns<FairLine> = new Turns();
  #packets = 0;
  #bytes: Bytes = 0;

  constructor(parts: QueueParts, quantumBytes: Bytes, longestBy: "packets" | "bytes") {
    this.parts = parts;
    this.#quantumBytes = quantumBytes;
    this.#longestBy = longestBy;
  }

  get packets(): number {
    return this.#packets;
  }

  get bytes(): Bytes {
    return this.#bytes;
  }

  /** The line that takes a flow's packets. */
  protected abstract lineOf(flow: number): FairLine;

  /** The turn of a line with packets is not over. */
  protected abstract maySend(line: FairLine): boolean;

  enqueue(_nowNs: Nanos, packet: number): void {
    const { limit, store, onDrop } = this.parts;
    const bytes = store.bytes[packet]!;
    if (exceeds(limit, 1, bytes)) {
      onDrop(packet);
      return;
    }
    this.#append(packet);
    this.#packets++;
    this.#bytes += bytes;
    while (exceeds(limit, this.#packets, this.#bytes)) this.#steal();
  }

  dequeue(_nowNs: Nanos): number {
    const turns = this.#turns;
    for (let line = turns.first; line !== undefined; line = turns.first) {
      if (line.packets === 0) {
        turns.shift();
      } else if (this.maySend(line)) {
        const packet = line.shift();
        const bytes = this.parts.store.bytes[packet]!;
        line.deficitBytes -= bytes;
        if (line.packets === 0) turns.shift();
        this.#packets--;
        this.#bytes -= bytes;
        return packet;
      } else {
        line.deficitBytes += this.#quantumBytes;
        turns.push(turns.shift());
      }
    }
    return -1;
  }

  /** Sorts all waiting packets into lines anew, after `lineOf` has changed; those of one line stay in order. */
  protected resort(): void {
    const waiting: number[] = [];
    while (this.#turns.first !== undefined) {
      const line = this.#turns.shift();
      for (let packet = line.shift(); packet >= 0; packet = line.shift()) waiting.push(packet);
    }
    for (const packet of waiting) this.#append(packet);
  }

  #append(packet: number): void {
    const line = this.lineOf(this.parts.store.flow[packet]!);
    line.push(packet);
    if (line.active) return;
    // a debt is kept, or a line that empties often would be forgiven one in each turn and get more than its share
    line.deficitBytes = this.#quantumBytes + Math.min(0, line.deficitBytes);
    this.#turns.push(line);
  }

  #steal(): void {
    const packet = this.#turns.longest(this.#longestBy, undefined)!.pop();
    this.#packets--;
    this.#bytes -= this.parts.store.bytes[packet]!;
    this.parts.onDrop(packet);
  }
}
