/** Independent loss whose rate changes at points of time. One draw per packet, whatever the rate. */
import type { Rng } from "../../../core/random.ts";
import type { Nanos } from "../../../core/units.ts";
import { Steps, type StepsNs } from "./steps.ts";

export class LossOverTime {
  readonly #rates: Steps<number>;
  readonly #rng: Rng;

  constructor(rates: StepsNs<number>, rng: Rng) {
    this.#rates = new Steps(rates);
    this.#rng = rng;
  }

  loses(nowNs: Nanos): boolean {
    return this.#rng.next() < (this.#rates.at(nowNs) ?? 0);
  }
}
