/**
 * The seeded generator of the whole project: xoroshiro128+ (pure-rand), split by name. Each random effect owns a fork
 * (`run.fork("forward.loss")`), so one effect's draws never shift another's.
 */
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

const TWO_POW_MINUS_32 = 2 ** -32;

/** Name and version of the generator: part of the contract, since a change breaks every stored result. */
export const RNG_NAME = "xoroshiro128+/fork-v1";

/** Avalanche of murmur3's 32-bit finaliser: a bijection of 32-bit words, also good for hash tables. */
export function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** FNV-1a over UTF-16 code units, from a 32-bit basis. */
export function hashText(text: string, basis = 0x811c9dc5): number {
  let h = basis | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}

type State = readonly [number, number, number, number];

function derive(state: State, label: string): State {
  const h = hashText(label, 0x811c9dc5);
  const out = state.map((word, i) => mix(word ^ mix(h + Math.imul(i + 1, 0x9e3779b9))));
  return [out[0]!, out[1]!, out[2]!, out[3]! | 1]; // never the all-zero state
}

export class Rng {
  readonly #key: State;
  readonly #generator: ReturnType<typeof xoroshiro128plusFromState>;

  private constructor(key: State) {
    this.#key = key;
    this.#generator = xoroshiro128plusFromState([...key]);
    for (let i = 0; i < 4; i++) this.#generator.next();
  }

  /** @param seed a whole number, 0 to 2^53 - 1 */
  static fromSeed(seed: number): Rng {
    const low = seed >>> 0;
    const high = Math.floor(seed / 2 ** 32) >>> 0;
    return new Rng(derive([low, high, ~low, ~high], "seed"));
  }

  /** An independent generator for one named effect; it depends on this one's origin, not on what was drawn from it. */
  fork(label: string): Rng {
    return new Rng(derive(this.#key, label));
  }

  /** Where it is: with it, xoroshiro128+ in another language goes on from here (two words of 64 bits, high halves first). */
  state(): readonly [s01: number, s00: number, s11: number, s10: number] {
    const [s01, s00, s11, s10] = this.#generator.getState();
    return [s01!, s00!, s11!, s10!];
  }

  /** Uniform in [0, 1), a multiple of 2^-32. */
  next(): number {
    return (this.#generator.next() >>> 0) * TWO_POW_MINUS_32;
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Uniform whole number in [0, n), n at most 2^32. */
  integer(n: number): number {
    return Math.floor(this.next() * n);
  }
}
