/**
 * Stochastic fairness queueing: McKenney 1990, "Stochastic Fairness Queueing", with the quantum of Linux's sch_sfq. Flows are
 * hashed to buckets; a turn ends when its bytes are used up, and what was sent beyond them counts against the next turn, also
 * if the bucket was empty meanwhile (sch_sfq forgets it then, so a flow whose bucket empties often gets more than its share).
 * When the limit is passed, the bucket with the most packets gives up its newest (sch_sfq without `headdrop`).
 * Left out: sch_sfq's limit per bucket and its RED.
 */
import type { Rng } from "../../../../core/random.ts";
import type { Nanos } from "../../../../core/units.ts";
import { NANOS_PER_SEC } from "../../../../core/units.ts";
import type { DisciplineOptions } from "../../../../scenarios/disciplines/registry.ts";
import { type QueueParts, quantumOf } from "../queue-parts.ts";
import { FairLine } from "./fair-lines.ts";
import { bucketOf } from "./flow-hash.ts";
import { RoundRobin } from "./round-robin.ts";

/** sch_sfq's default divisor. */
const BUCKETS = 1024;

export class Sfq extends RoundRobin {
  readonly #lines: readonly FairLine[];
  readonly #rng: Rng;
  readonly #perturbNs: Nanos;
  #nextPerturbNs: Nanos;
  #key: number;

  constructor(parts: QueueParts, options: DisciplineOptions<"sfq">, rng: Rng) {
    super(parts, options.quantumBytes ?? quantumOf(parts), "packets");
    this.#lines = Array.from({ length: options.buckets ?? BUCKETS }, () => new FairLine(parts.store));
    this.#rng = rng;
    this.#key = rng.integer(2 ** 32);
    this.#perturbNs = (options.perturbSec || Number.POSITIVE_INFINITY) * NANOS_PER_SEC;
    this.#nextPerturbNs = this.#perturbNs;
  }

  override enqueue(nowNs: Nanos, packet: number): void {
    if (nowNs >= this.#nextPerturbNs) this.#perturb(nowNs);
    super.enqueue(nowNs, packet);
  }

  override dequeue(nowNs: Nanos): number {
    if (nowNs >= this.#nextPerturbNs) this.#perturb(nowNs);
    return super.dequeue(nowNs);
  }

  protected override lineOf(flow: number): FairLine {
    return this.#lines[bucketOf(flow, this.#key, this.#lines.length)]!;
  }

  protected override maySend(line: FairLine): boolean {
    return line.deficitBytes > 0;
  }

  #perturb(nowNs: Nanos): void {
    this.#key = this.#rng.integer(2 ** 32);
    this.#nextPerturbNs = (Math.floor(nowNs / this.#perturbNs) + 1) * this.#perturbNs;
    this.resort();
  }
}
