/**
 * Flow queue CoDel, RFC 8290: flows are hashed to buckets with a CoDel each; buckets take turns, those that were empty before
 * the others (the lists of new and old flows). When the limit is passed, the bucket with the most bytes loses half its
 * packets, 64 at most, from the head (section 4.1), which may include the packet that just arrived.
 */
import type { Rng } from "../../../../core/random.ts";
import type { Bytes, Nanos } from "../../../../core/units.ts";
import type { DisciplineOptions } from "../../../../scenarios/disciplines/registry.ts";
import type { QueueLimit } from "../../link.ts";
import type { PacketStore } from "../../packet-store.ts";
import { CodelControl } from "../codel.ts";
import type { OnDrop, Queue } from "../queue.ts";
import { exceeds, type QueueParts, quantumOf } from "../queue-parts.ts";
import { FairLine, Turns } from "./fair-lines.ts";
import { bucketOf } from "./flow-hash.ts";

/** RFC 8290 section 5.2.5. */
const BUCKETS = 1024;
/** RFC 8290 section 5.2.3: the limit where the link gives none; a queue so long is CoDel's to shorten, not the limit's. */
const LIMIT_PACKETS = 10_240;
/** RFC 8290 section 4.1: packets dropped at once, so that the search for the longest bucket pays. */
const DROP_BATCH_PACKETS = 64;

class CodelLine extends FairLine {
  readonly control: CodelControl;

  constructor(options: DisciplineOptions<"codel">, store: PacketStore, onDrop: OnDrop) {
    super(store);
    this.control = new CodelControl(options, store, onDrop);
  }
}

export class FqCodel implements Queue {
  readonly #limit: QueueLimit;
  readonly #store: PacketStore;
  readonly #onDrop: OnDrop;
  readonly #quantumBytes: Bytes;
  readonly #lines: readonly CodelLine[];
  readonly #key: number;
  readonly #newLines: Turns<CodelLine> = new Turns();
  readonly #oldLines: Turns<CodelLine> = new Turns();
  #marked = 0;
  #packets = 0;
  #bytes: Bytes = 0;

  constructor(parts: QueueParts, options: DisciplineOptions<"fq-codel">, rng: Rng) {
    const { packets, bytes } = parts.limit;
    this.#limit = { packets: packets === Number.POSITIVE_INFINITY ? LIMIT_PACKETS : packets, bytes };
    this.#store = parts.store;
    this.#onDrop = parts.onDrop;
    this.#quantumBytes = options.quantumBytes ?? quantumOf(parts);
    const drop = (packet: number): void => this.#drop(packet);
    this.#lines = Array.from(
      { length: options.buckets ?? BUCKETS },
      () => new CodelLine(options, parts.store, drop),
    );
    this.#key = rng.integer(2 ** 32);
  }

  get packets(): number {
    return this.#packets;
  }

  get bytes(): Bytes {
    return this.#bytes;
  }

  get marked(): number {
    return this.#marked;
  }

  enqueue(_nowNs: Nanos, packet: number): void {
    const bytes = this.#store.bytes[packet]!;
    if (exceeds(this.#limit, 1, bytes)) {
      this.#onDrop(packet);
      return;
    }
    const line = this.#lines[bucketOf(this.#store.flow[packet]!, this.#key, this.#lines.length)]!;
    line.push(packet);
    this.#packets++;
    this.#bytes += bytes;
    if (!line.active) {
      line.deficitBytes = this.#quantumBytes;
      this.#newLines.push(line);
    }
    while (exceeds(this.#limit, this.#packets, this.#bytes)) this.#shorten();
  }

  dequeue(nowNs: Nanos): number {
    for (;;) {
      const isNew = this.#newLines.first !== undefined;
      const turns = isNew ? this.#newLines : this.#oldLines;
      const line = turns.first;
      if (line === undefined) return -1;
      if (line.deficitBytes <= 0) {
        line.deficitBytes += this.#quantumBytes;
        this.#oldLines.push(turns.shift());
        continue;
      }
      const before = line.control.marked;
      const packet = line.control.dequeue(nowNs, line);
      this.#marked += line.control.marked - before;
      if (packet >= 0) {
        const bytes = this.#store.bytes[packet]!;
        line.deficitBytes -= bytes;
        this.#packets--;
        this.#bytes -= bytes;
        return packet;
      }
      turns.shift();
      // a new flow that ran empty waits a round before it can be new again (section 4.2: no starving of old flows)
      if (isNew) this.#oldLines.push(line);
    }
  }

  #shorten(): void {
    const line = this.#oldLines.longest("bytes", this.#newLines.longest("bytes", undefined))!;
    const batch = Math.min(DROP_BATCH_PACKETS, Math.ceil(line.packets / 2));
    for (let i = 0; i < batch; i++) this.#drop(line.shift());
  }

  #drop(packet: number): void {
    this.#packets--;
    this.#bytes -= this.#store.bytes[packet]!;
    this.#onDrop(packet);
  }
}
