/**
 * Controlled delay, RFC 8289 section 5 (the pseudo-code, with its re-entry rule): drops when the least sojourn of an interval
 * was above the target, at intervals that shrink with the square root of the drops. With `ecn` a packet that can be marked
 * is marked and delivered instead, and the control law goes on as after a drop.
 */
import type { Bytes, Nanos } from "../../../core/units.ts";
import { NANOS_PER_MILLI } from "../../../core/units.ts";
import type { DisciplineOptions } from "../../../scenarios/disciplines/registry.ts";
import type { PacketStore } from "../packet-store.ts";
import { DropTail } from "./drop-tail.ts";
import type { PacketRing } from "./packet-ring.ts";
import type { OnDrop } from "./queue.ts";
import { isMarkable, markCe, type QueueParts } from "./queue-parts.ts";

/** RFC 8289 section 5.3: 5 ms, 5 to 10 % of the interval. */
const TARGET_MS = 5;
/** RFC 8289 section 5.3: 100 ms, a worst-case round trip for most paths. */
const INTERVAL_MS = 100;
/** RFC 8289 section 5.5: a new episode within 16 intervals of the last drop goes on at the rate that worked. */
const REENTRY_INTERVALS = 16;

/** The control of one line of packets. */
export class CodelControl {
  readonly #targetNs: Nanos;
  readonly #intervalNs: Nanos;
  readonly #ecn: boolean;
  readonly #store: PacketStore;
  readonly #onDrop: OnDrop;
  /** when the sojourn will have been above the target for an interval; 0: it is not above */
  #firstAboveNs: Nanos = 0;
  #dropNextNs: Nanos = 0;
  #dropping = false;
  /** drops or marks of this episode (or what it began with), and with how many it began */
  #count = 0;
  #lastCount = 0;
  #okToDrop = false;
  /** a queue of one largest packet is no standing queue (RFC 8289's MAXPACKET is the interface's MTU; here the largest seen) */
  #maxPacketBytes: Bytes = 0;
  marked = 0;

  constructor(options: DisciplineOptions<"codel">, store: PacketStore, onDrop: OnDrop) {
    this.#targetNs = (options.targetMs ?? TARGET_MS) * NANOS_PER_MILLI;
    this.#intervalNs = (options.intervalMs ?? INTERVAL_MS) * NANOS_PER_MILLI;
    this.#ecn = options.ecn ?? false;
    this.#store = store;
    this.#onDrop = onDrop;
  }

  /** Takes the next packet that is to be sent, after drops; -1: none is left. */
  dequeue(nowNs: Nanos, line: PacketRing): number {
    let packet = this.#take(nowNs, line);
    if (this.#dropping) {
      if (!this.#okToDrop) this.#dropping = false;
      while (this.#dropping && nowNs >= this.#dropNextNs) {
        this.#count++;
        if (this.#mark(packet)) {
          this.#dropNextNs = this.#controlLaw(this.#dropNextNs);
          break;
        }
        this.#onDrop(packet);
        packet = this.#take(nowNs, line);
        if (this.#okToDrop) this.#dropNextNs = this.#controlLaw(this.#dropNextNs);
        else this.#dropping = false;
      }
    } else if (this.#okToDrop) {
      if (!this.#mark(packet)) {
        this.#onDrop(packet);
        packet = this.#take(nowNs, line);
      }
      this.#dropping = true;
      const delta = this.#count - this.#lastCount;
      const recent = nowNs - this.#dropNextNs < REENTRY_INTERVALS * this.#intervalNs;
      this.#count = delta > 1 && recent ? delta : 1;
      this.#dropNextNs = this.#controlLaw(nowNs);
      this.#lastCount = this.#count;
    }
    return packet;
  }

  #take(nowNs: Nanos, line: PacketRing): number {
    const packet = line.shift();
    this.#okToDrop = false;
    if (packet < 0) {
      this.#firstAboveNs = 0;
      return packet;
    }
    const bytes = this.#store.bytes[packet]!;
    if (bytes > this.#maxPacketBytes) this.#maxPacketBytes = bytes;
    const sojournNs = nowNs - this.#store.enqueuedNs[packet]!;
    if (sojournNs < this.#targetNs || line.bytes <= this.#maxPacketBytes) {
      this.#firstAboveNs = 0;
    } else if (this.#firstAboveNs === 0) {
      this.#firstAboveNs = nowNs + this.#intervalNs;
    } else {
      this.#okToDrop = nowNs >= this.#firstAboveNs;
    }
    return packet;
  }

  #controlLaw(fromNs: Nanos): Nanos {
    return fromNs + this.#intervalNs / Math.sqrt(this.#count);
  }

  #mark(packet: number): boolean {
    if (!this.#ecn || !isMarkable(this.#store, packet)) return false;
    if (markCe(this.#store, packet)) this.marked++;
    return true;
  }
}

export class Codel extends DropTail {
  readonly #control: CodelControl;

  constructor(parts: QueueParts, options: DisciplineOptions<"codel">) {
    super(parts);
    this.#control = new CodelControl(options, parts.store, parts.onDrop);
  }

  override get marked(): number {
    return this.#control.marked;
  }

  override dequeue(nowNs: Nanos): number {
    return this.#control.dequeue(nowNs, this.ring);
  }
}
