/** Observations that are a little wrong, to see how much a policy leans on their last digits. */
import { Rng } from "../../core/random.ts";

export class ObservationNoise {
  readonly #share: number;
  readonly #rng: Rng;
  #noisy = new Float32Array(0);

  /**
   * @param share each number becomes itself times 1 + u, u drawn evenly from -share to share
   * @param seed of the run
   */
  constructor(share: number, seed: number) {
    this.#share = share;
    this.#rng = Rng.fromSeed(seed).fork("observation.noise");
  }

  /** @returns as wide as the observation; overwritten by the next call */
  of(observation: Float32Array): Float32Array {
    if (this.#noisy.length !== observation.length) this.#noisy = new Float32Array(observation.length);
    for (let i = 0; i < observation.length; i++) {
      this.#noisy[i] = observation[i]! * (1 + this.#rng.uniform(-this.#share, this.#share));
    }
    return this.#noisy;
  }
}
