/** Draws of the fuzzer. Every case has its own generator, from the seed and the case's name, so that it can be replayed. */
import { Rng } from "../../core/random.ts";

export class Dice {
  readonly #rng: Rng;

  constructor(seed: number, name: string) {
    this.#rng = Rng.fromSeed(seed).fork(name);
  }

  /** Whole number in [0, n). */
  below(n: number): number {
    return this.#rng.integer(n);
  }

  chance(probability: number): boolean {
    return this.#rng.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.#rng.integer(values.length)]!;
  }

  /** 64-bit numbers around the places where arithmetic turns. */
  u64(): bigint {
    const offset = BigInt(this.below(7));
    switch (this.below(6)) {
      case 0:
        return BigInt(this.below(20));
      case 1:
        return 2n ** 32n - 3n + offset;
      case 2:
        return 2n ** 63n - 3n + offset;
      case 3:
        return 2n ** 64n - 7n + offset;
      case 4:
        return BigInt(this.below(2 ** 32));
      default:
        return (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32));
    }
  }

  /** What a datapath may measure, and what it should not. */
  primitive(): number {
    switch (this.below(8)) {
      case 0:
        return 0;
      case 1:
        return 1;
      case 2:
        return 1448 * this.below(100);
      case 3:
        return this.below(2 ** 32);
      case 4:
        return Number(this.u64());
      case 5:
        return this.pick([0.4, 1.6, -3, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53 + 2]);
      default:
        return this.below(200_000);
    }
  }
}
