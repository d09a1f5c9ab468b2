/** An extra delay per packet, independent of the others; one draw per packet. */
import { drawExponential } from "../../../core/distributions.ts";
import type { Rng } from "../../../core/random.ts";
import type { Nanos } from "../../../core/units.ts";
import type { JitterSpecNs } from "./impairments.ts";

export class Jitter {
  readonly #spec: JitterSpecNs;
  readonly #rng: Rng;
  #lastNs: Nanos = 0;

  constructor(spec: JitterSpecNs, rng: Rng) {
    this.#spec = spec;
    this.#rng = rng;
  }

  /** @returns when a packet goes on that is ready at `readyNs`; without `reorder` not before the packet before it */
  releaseNs(readyNs: Nanos): Nanos {
    const releaseNs = readyNs + this.#draw();
    if (this.#spec.reorder) return releaseNs;
    if (releaseNs > this.#lastNs) this.#lastNs = releaseNs;
    return this.#lastNs;
  }

  #draw(): Nanos {
    const spec = this.#spec;
    if (spec.kind === "uniform") return spec.maxNs * this.#rng.next();
    return spec.meanNs * drawExponential(this.#rng);
  }
}
