/**
 * What a session steps: synchronous single environments, one per row, made from keyword arguments. A local environment
 * that offers this interface can be served.
 */
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import type { TimeStep } from "../env.ts";
import type { Scenario } from "../scenario.ts";
import type { Box } from "../spaces.ts";

/** A synchronous single environment. */
export interface SteppableEnv {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  /**
   * @param seed a whole number, 0 to 2^53 - 1
   * @param scenario for this episode only, from another process: check it before use; absent: the environment's own
   * @throws CcparkError; the environment is as before
   */
  reset(seed: number, scenario?: Scenario): TimeStep;
  /**
   * @param action [actionSpace.shape[0]], finite; a fresh array in each call
   * @throws CcparkError; the environment is as before
   */
  step(action: Float32Array): TimeStep;
  /** Measures of the episode that just ended, units in the names; asked once, right after its last step. */
  episodeMetrics?(): Readonly<Record<string, number>>;
}

/**
 * Makes one environment.
 * @param kwargs plain data from the client, not checked, plus `actionPolicy`: "clip" or "reject"
 * @throws CcparkError: invalid-argument for an unknown key or a bad value, not-found for an unknown name
 */
export type MakeEnv = (kwargs: Readonly<Record<string, unknown>>) => SteppableEnv;

/** @throws CcparkError (invalid-argument) unless the seed is a whole number, 0 to 2^53 - 1 */
export function checkSeed(seed: unknown, what: string): number {
  if (typeof seed !== "number" || !Number.isSafeInteger(seed) || seed < 0) {
    throw new CcparkError(
      "invalid-argument",
      `[grpc] ${what}: got ${String(seed)}, expected a whole number, 0 to 2^53 - 1`,
    );
  }
  return seed;
}

/** The seeds of one row's episodes, those of `VectorEnv`: the given one first, then draws from a generator it starts. */
export class EpisodeSeeds {
  #upcoming: number;
  readonly #rng: Rng;

  constructor(first: number) {
    this.#upcoming = first;
    this.#rng = Rng.fromSeed(first).fork("episodes");
  }

  /** Of the next episode: a whole number, 0 to 2^53 - 1. */
  get upcoming(): number {
    return this.#upcoming;
  }

  /** Call it once the episode has begun. */
  advance(): void {
    this.#upcoming = this.#rng.integer(2 ** 32);
  }
}
