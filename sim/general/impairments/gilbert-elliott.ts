/**
 * Loss in bursts: Gilbert 1960, "Capacity of a Burst-Noise Channel", with a loss in both states by Elliott 1963. The chain
 * starts in the good state and moves after each packet, as Linux's netem does (`loss gemodel`); the share of the bad state
 * tends to goodToBad / (goodToBad + badToGood). Two draws per packet.
 */
import type { Rng } from "../../../core/random.ts";
import type { GilbertElliottSpec } from "./impairments.ts";

export class GilbertElliott {
  readonly #spec: GilbertElliottSpec;
  readonly #rng: Rng;
  #bad = false;

  constructor(spec: GilbertElliottSpec, rng: Rng) {
    this.#spec = spec;
    this.#rng = rng;
  }

  loses(): boolean {
    const { goodToBad, badToGood, lossInGood = 0, lossInBad = 1 } = this.#spec;
    const lost = this.#rng.next() < (this.#bad ? lossInBad : lossInGood);
    if (this.#rng.next() < (this.#bad ? badToGood : goodToBad)) this.#bad = !this.#bad;
    return lost;
  }
}
