/** The seeds of episodes: the one definition for all vector forms, local, in worker threads and served. */
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";

/** @throws CcparkError (invalid-argument) unless the seed is a whole number, 0 to 2^53 - 1 */
export function checkSeed(seed: unknown, what: string, field: string = what): number {
  if (typeof seed !== "number" || !Number.isSafeInteger(seed) || seed < 0) {
    throw new CcparkError(
      "invalid-argument",
      `[env] ${what}: got ${String(seed)}, expected a whole number, 0 to 2^53 - 1`,
      { field },
    );
  }
  return seed;
}

/**
 * Writes the seeds of a reset with one seed: environment i begins with seed + i.
 * @throws CcparkError (invalid-argument) where one of them is not a whole number, 0 to 2^53 - 1
 */
export function writeFirstSeeds(seed: number, into: Float64Array): void {
  checkSeed(seed, "seed");
  checkSeed(seed + (into.length - 1), "seed + num_envs - 1", "seed");
  for (let i = 0; i < into.length; i++) into[i] = seed + i;
}

/** The seeds of one environment's episodes: the given one first, then 32-bit draws from a generator that it starts. */
export class EpisodeSeeds {
  #upcoming: number;
  #rng: Rng | undefined;
  readonly first: number;
  /** how often it went on */
  advances = 0;

  /** @param advances that lie behind it already */
  constructor(first: number, advances = 0) {
    this.#upcoming = this.first = first;
    for (let i = 0; i < advances; i++) this.advance();
  }

  /** Those of an environment that went on elsewhere: these, if it is theirs that it went on with. */
  goneTo(first: number, advances: number): EpisodeSeeds {
    if (first !== this.first || advances < this.advances) return new EpisodeSeeds(first, advances);
    while (this.advances < advances) this.advance();
    return this;
  }

  /** Of the next episode: a whole number, 0 to 2^53 - 1. */
  get upcoming(): number {
    return this.#upcoming;
  }

  /** Call it once the episode has begun. */
  advance(): void {
    this.#rng ??= Rng.fromSeed(this.first).fork("episodes");
    this.advances += 1;
    this.#upcoming = this.#rng.integer(2 ** 32);
  }
}
