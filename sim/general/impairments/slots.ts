/**
 * Packets go on together at whole multiples of a period, as frames aggregated for a Wi-Fi or cable transmission opportunity
 * (netem's `slot` with a fixed distance). They keep their order; those beyond a slot's maximum take the next.
 */
import type { Nanos } from "../../../core/units.ts";

export class Slots {
  readonly #everyNs: Nanos;
  readonly #maxPackets: number;
  /** number of the slot that the last packet took, and how many have taken it */
  #slot = -1;
  #taken = 0;

  constructor(everyNs: Nanos, maxPackets: number) {
    this.#everyNs = everyNs;
    this.#maxPackets = maxPackets;
  }

  /** @returns when a packet goes on that is ready at `readyNs`, which must not go back between calls: then or later */
  releaseNs(readyNs: Nanos): Nanos {
    let slot = Math.ceil(readyNs / this.#everyNs);
    if (slot * this.#everyNs < readyNs) slot++; // the quotient was rounded down to a whole number
    if (slot > this.#slot) {
      this.#slot = slot;
      this.#taken = 0;
    } else if (this.#taken >= this.#maxPackets) {
      this.#slot++;
      this.#taken = 0;
    }
    this.#taken++;
    return this.#slot * this.#everyNs;
  }
}
