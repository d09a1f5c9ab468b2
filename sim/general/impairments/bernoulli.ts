/** An event that befalls each packet independently: loss, damage, duplication. One draw per packet. */
import type { Rng } from "../../../core/random.ts";

export class Bernoulli {
  readonly #probability: number;
  readonly #rng: Rng;

  constructor(probability: number, rng: Rng) {
    this.#probability = probability;
    this.#rng = rng;
  }

  happens(): boolean {
    return this.#rng.next() < this.#probability;
  }

  /** Undefined where it never happens: no number is drawn then. */
  static of(probability: number | undefined, fork: () => Rng): Bernoulli | undefined {
    return probability === undefined || probability === 0 ? undefined : new Bernoulli(probability, fork());
  }
}
