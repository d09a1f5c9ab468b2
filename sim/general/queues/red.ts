/**
 * Random early detection: Floyd and Jacobson 1993, "Random Early Detection Gateways for Congestion Avoidance", figure 2,
 * in packets, with drops spread uniformly; gentle mode by Floyd 2000, "Recommendations on using the gentle variant of RED".
 * With `ecn` an early drop is a mark where it can be; above the last threshold everything is dropped, as RFC 3168 section 7
 * allows under heavy load. Left out: byte mode, adaptive RED.
 */
import { assert } from "../../../core/errors.ts";
import { pow } from "../../../core/math.ts";
import type { Rng } from "../../../core/random.ts";
import type { Nanos } from "../../../core/units.ts";
import { RED_MIN_PACKETS } from "../../../scenarios/disciplines/red.ts";
import type { DisciplineOptions } from "../../../scenarios/disciplines/registry.ts";
import { DropTail } from "./drop-tail.ts";
import type { QueueParts } from "./queue-parts.ts";

/** Floyd 1997, "RED: Discussions of Setting Parameters": max_th three times min_th. */
const MAX_OVER_MIN = 3;
/** Floyd 1997: max_p 0.1, since 1993's 1/50 is too low for today's loss rates. */
const MAX_PROBABILITY = 0.1;
/** Floyd and Jacobson 1993, section 6: w_q 0.002. */
const WEIGHT = 0.002;

export class Red extends DropTail {
  readonly #minPackets: number;
  readonly #maxPackets: number;
  readonly #maxProbability: number;
  readonly #weight: number;
  /** the average above which every packet is dropped */
  readonly #dropAllPackets: number;
  readonly #ecn: boolean;
  /** service time of a typical packet; undefined: an idle time counts as one arrival */
  readonly #meanPacketNs: Nanos | undefined;
  readonly #rng: Rng;
  #average = 0;
  /** packets that passed since the last drop or mark, the one at hand not counted; -1: none yet */
  #count = -1;
  #idleSinceNs: Nanos = 0;

  /** @param meanPacketNs service time of a typical packet: how fast the average falls while the queue is empty */
  constructor(
    parts: QueueParts,
    options: DisciplineOptions<"red">,
    rng: Rng,
    meanPacketNs: Nanos | undefined,
  ) {
    super(parts);
    this.#minPackets = options.minPackets ?? RED_MIN_PACKETS;
    this.#maxPackets = options.maxPackets ?? MAX_OVER_MIN * this.#minPackets;
    assert(
      this.#minPackets < this.#maxPackets,
      `RED: min ${this.#minPackets} must lie below max ${this.#maxPackets}`,
    );
    this.#maxProbability = options.maxProbability ?? MAX_PROBABILITY;
    this.#weight = options.weight ?? WEIGHT;
    this.#dropAllPackets = (options.gentle ?? true) ? 2 * this.#maxPackets : this.#maxPackets;
    this.#ecn = options.ecn ?? false;
    this.#meanPacketNs = meanPacketNs;
    this.#rng = rng;
  }

  /** The average queue as of the last arrival. */
  get averagePackets(): number {
    return this.#average;
  }

  override enqueue(nowNs: Nanos, packet: number): void {
    this.#updateAverage(nowNs);
    if (this.#average >= this.#dropAllPackets) {
      this.#count = -1;
      this.parts.onDrop(packet);
    } else if (!this.hasRoom(packet) || (this.#isEarlyVictim() && !(this.#ecn && this.mark(packet)))) {
      this.parts.onDrop(packet);
    } else {
      this.ring.push(packet);
    }
  }

  override dequeue(nowNs: Nanos): number {
    const packet = super.dequeue(nowNs);
    if (packet >= 0 && this.packets === 0) this.#idleSinceNs = nowNs;
    return packet;
  }

  /** avg = (1 - w) avg + w q; while the queue was empty, as if m small packets had arrived: avg = (1 - w)^m avg */
  #updateAverage(nowNs: Nanos): void {
    if (this.packets > 0) {
      this.#average += this.#weight * (this.packets - this.#average);
    } else if (this.#average > 0) {
      const m = this.#meanPacketNs === undefined ? 1 : (nowNs - this.#idleSinceNs) / this.#meanPacketNs;
      this.#average *= pow(1 - this.#weight, m);
    }
  }

  /** p_a = p_b / (1 - count p_b): the gaps between drops are uniform in 1 to 1/p_b packets. */
  #isEarlyVictim(): boolean {
    if (this.#average < this.#minPackets) {
      this.#count = -1;
      return false;
    }
    this.#count++;
    const p = this.#earlyProbability();
    const spread = this.#count * p;
    const victim = spread >= 1 || this.#rng.next() < p / (1 - spread);
    if (victim) this.#count = -1;
    return victim;
  }

  /** p_b: linear to max_p between the thresholds, then (gentle) linear to 1 at twice the upper one. */
  #earlyProbability(): number {
    const max = this.#maxPackets;
    const maxP = this.#maxProbability;
    if (this.#average < max) {
      return (maxP * (this.#average - this.#minPackets)) / (max - this.#minPackets);
    }
    return maxP + ((1 - maxP) * (this.#average - max)) / max;
  }
}
