/**
 * Dual-queue coupled AQM with PI2, RFC 9332 and its appendix A with the overload code of A.2: an L queue with shallow marks for
 * senders that answer them in proportion (ECT(1), RFC 9331), a classic queue for the others, and one controller for both, so
 * that a flow of either kind has a like share of the link.
 *
 *   classic delay ──PI──▶ p' ──┬── p_C = p'^2 ─▶ classic: drop, or mark ECT(0)
 *                              └── p_CL = k p' ─▶ max with the L queue's own ramp p'_L: mark
 *
 * Updates are due at whole multiples of the period and are caught up with on arrival and departure. The scheduler, which the
 * appendix leaves open, is weighted round robin by bytes (section 4.2.2): the classic queue has its share, the L queue the rest.
 */
import type { Bytes, Nanos } from "../../../core/units.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import type { DisciplineOptions } from "../../../scenarios/disciplines/registry.ts";
import { CE, ECT_1, NOT_ECT } from "../packet-store.ts";
import { PacketRing } from "./packet-ring.ts";
import type { Queue } from "./queue.ts";
import { exceeds, markCe, type QueueParts } from "./queue-parts.ts";

/** A.1, figure 2: k = 2 lets a Prague flow and a Cubic flow in its Reno-friendly region have like rates. */
const COUPLING = 2;
/** A.1, figure 2: the classic queue's target, and the largest RTT, by which the gains go. */
const TARGET_MS = 15;
const MAX_RTT_MS = 100;
/** A.1, figure 2: the ramp of the L queue begins at 800 us and ends 400 us later; a queue of one packet is not marked. */
const MIN_THRESHOLD_MS = 0.8;
const RANGE_MS = 0.4;
const THRESHOLD_PACKETS = 1;
/** A.1, figure 2: at most every third of the largest RTT is the delay looked at. */
const UPDATES_PER_MAX_RTT = 3;
const ALPHA = 0.1;
const BETA = 0.3;
/** The share of the link that Linux's sch_dualpi2 protects: 10 %. */
const CLASSIC_SHARE = 0.1;
/** A.2: from here on coupled marks are no signal any more, and the L queue has drops too. */
const SATURATED = 1;

/** Figure 5, `recur`: signals as often as the likelihood says, as evenly as can be, without a draw. */
class Recurrence {
  #count = 0;

  /** @param likelihood 0-1 */
  isDue(likelihood: number): boolean {
    this.#count += likelihood;
    if (this.#count <= 1) return false;
    this.#count -= 1;
    return true;
  }
}

export class DualPi2 implements Queue {
  marked = 0;
  readonly #parts: QueueParts;
  readonly #low: PacketRing;
  readonly #classic: PacketRing;
  readonly #lowMarks = new Recurrence();
  /** figure 7 counts them with the marks, where a likelihood above 1 would add up */
  readonly #lowDrops = new Recurrence();
  readonly #classicSignals = new Recurrence();
  readonly #targetNs: Nanos;
  readonly #updateNs: Nanos;
  readonly #minThresholdNs: Nanos;
  readonly #rangeNs: Nanos;
  readonly #coupling: number;
  readonly #classicShare: number;
  /** per second of delay and update */
  readonly #alphaPerSec: number;
  readonly #betaPerSec: number;
  /** p' */
  #probability = 0;
  #delayAtUpdateNs: Nanos = 0;
  /** updates done; the next is due at (this + 1) periods */
  #updates = 0;
  /** what the classic queue has saved of its share while both waited; it has its turn when that pays for its next packet */
  #classicCredit: Bytes = 0;

  constructor(parts: QueueParts, options: DisciplineOptions<"dualpi2">) {
    const maxRttMs = options.maxRttMs ?? MAX_RTT_MS;
    const targetMs = options.targetMs ?? TARGET_MS;
    const updateMs = Math.min(targetMs, maxRttMs / UPDATES_PER_MAX_RTT);
    this.#parts = parts;
    this.#low = new PacketRing(parts.store);
    this.#classic = new PacketRing(parts.store);
    this.#targetNs = targetMs * NANOS_PER_MILLI;
    this.#updateNs = updateMs * NANOS_PER_MILLI;
    this.#minThresholdNs = (options.minThresholdMs ?? MIN_THRESHOLD_MS) * NANOS_PER_MILLI;
    this.#rangeNs = (options.rangeMs ?? RANGE_MS) * NANOS_PER_MILLI;
    this.#coupling = options.coupling ?? COUPLING;
    this.#classicShare = options.classicShare ?? CLASSIC_SHARE;
    this.#alphaPerSec = (1000 * ALPHA * updateMs) / (maxRttMs * maxRttMs);
    this.#betaPerSec = (1000 * BETA) / maxRttMs;
  }

  get packets(): number {
    return this.#low.packets + this.#classic.packets;
  }

  get bytes(): Bytes {
    return this.#low.bytes + this.#classic.bytes;
  }

  /** p', as of the last arrival or departure; its square is what classic packets are dropped with. */
  get baseProbability(): number {
    return this.#probability;
  }

  enqueue(nowNs: Nanos, packet: number): void {
    this.#catchUp(nowNs);
    const { limit, store, onDrop } = this.#parts;
    if (exceeds(limit, this.packets + 1, this.bytes + store.bytes[packet]!)) {
      onDrop(packet);
      return;
    }
    const field = store.ecn[packet]!;
    const ring = field === ECT_1 || field === CE ? this.#low : this.#classic;
    ring.push(packet);
  }

  /** Figure 7: the dequeue with overload code. */
  dequeue(nowNs: Nanos): number {
    this.#catchUp(nowNs);
    while (this.packets > 0) {
      const isLow = this.#turnsToLow();
      const packet = (isLow ? this.#low : this.#classic).shift();
      this.#account(packet, isLow);
      if (isLow ? this.#passLow(nowNs, packet) : this.#passClassic(packet)) return packet;
      this.#parts.onDrop(packet);
    }
    return -1;
  }

  #turnsToLow(): boolean {
    if (this.#low.packets === 0) return false;
    if (this.#classic.packets === 0) return true;
    const price = (1 - this.#classicShare) * this.#parts.store.bytes[this.#classic.head]!;
    return this.#classicCredit < price;
  }

  /** After the packet was taken: what it costs the one queue or earns it. Without a rival the classic queue pays nothing. */
  #account(packet: number, isLow: boolean): void {
    const bytes = this.#parts.store.bytes[packet]!;
    if (this.#classic.packets === 0) this.#classicCredit = 0;
    else if (isLow) this.#classicCredit += this.#classicShare * bytes;
    else if (this.#low.packets > 0) this.#classicCredit -= (1 - this.#classicShare) * bytes;
  }

  /** False: the packet is to be dropped, which the L queue does only in overload. */
  #passLow(nowNs: Nanos, packet: number): boolean {
    const { store } = this.#parts;
    const coupled = this.#coupling * this.#probability;
    if (coupled < SATURATED) {
      const { packets } = this.#low;
      const own = packets > THRESHOLD_PACKETS ? this.#ramp(nowNs - store.enqueuedNs[packet]!) : 0;
      if (this.#lowMarks.isDue(Math.max(own, coupled))) this.#mark(packet);
      return true;
    }
    if (this.#lowDrops.isDue(this.#probability * this.#probability)) return false;
    if (this.#lowMarks.isDue(SATURATED)) this.#mark(packet);
    return true;
  }

  /** Figure 5, `laqm`: the L queue's own likelihood at a delay. */
  #ramp(delayNs: Nanos): number {
    return Math.min(1, Math.max(0, (delayNs - this.#minThresholdNs) / this.#rangeNs));
  }

  #passClassic(packet: number): boolean {
    const likelihood = this.#probability * this.#probability;
    if (!this.#classicSignals.isDue(likelihood)) return true;
    // where the L queue is saturated, ECN is no way out for the classic one either: p_Cmax = 1 / k^2
    const isOverload = likelihood >= 1 / (this.#coupling * this.#coupling);
    if (isOverload || this.#parts.store.ecn[packet] === NOT_ECT) return false;
    this.#mark(packet);
    return true;
  }

  #mark(packet: number): void {
    if (markCe(this.#parts.store, packet)) this.marked++;
  }

  #catchUp(nowNs: Nanos): void {
    const due = Math.floor(nowNs / this.#updateNs);
    while (this.#updates < due) {
      // with nothing waiting, once an update changes nothing the others will not either
      const changed = this.#update((this.#updates + 1) * this.#updateNs);
      this.#updates = changed || this.packets > 0 ? this.#updates + 1 : due;
    }
  }

  /** Figure 6 and A.2: p' follows the delay of the queue that has waited longer; false: it left everything as it was. */
  #update(atNs: Nanos): boolean {
    const before = this.#probability;
    const delayNs = Math.max(this.#headDelayNs(this.#low, atNs), this.#headDelayNs(this.#classic, atNs));
    const step =
      this.#alphaPerSec * (delayNs - this.#targetNs) + this.#betaPerSec * (delayNs - this.#delayAtUpdateNs);
    this.#probability = Math.min(1, Math.max(0, before + step / NANOS_PER_SEC));
    const changes = this.#probability !== before || delayNs !== this.#delayAtUpdateNs;
    this.#delayAtUpdateNs = delayNs;
    return changes;
  }

  #headDelayNs(ring: PacketRing, atNs: Nanos): Nanos {
    return ring.packets === 0 ? 0 : Math.max(0, atNs - this.#parts.store.enqueuedNs[ring.head]!);
  }
}
