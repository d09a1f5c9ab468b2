/** An extra delay per packet, independent of the others. */
import { drawExponential, drawPoisson } from "../../../core/distributions.ts";
import type { Rng } from "../../../core/random.ts";
import { NANOS_PER_MILLI, type Nanos } from "../../../core/units.ts";
import type { JitterSpecNs, SteadyJitterSpecNs } from "./impairments.ts";
import { Steps } from "./steps.ts";

/** Of draft-huitema-ccwg-c4-test, section "Handling of High Jitter Environments". */
const WIFI = {
  deferrals: 1,
  deferralNs: NANOS_PER_MILLI,
  repeats: 12,
  repeatNs: 7.5 * NANOS_PER_MILLI,
} as const;
const WIFI_SPAN_NS = WIFI.repeats * WIFI.repeatNs;

function drawWifi(meanNs: Nanos, rng: Rng): Nanos {
  const deferrals = drawPoisson(WIFI.deferrals, rng);
  const collision = rng.next();
  const share = Math.min(1, Math.max(0, (meanNs - WIFI.deferralNs) / WIFI_SPAN_NS));
  const repeats = rng.next() < share ? drawPoisson(WIFI.repeats, rng) : 0;
  const waited = deferrals === 0 ? 0 : (deferrals - collision) * WIFI.deferralNs;
  return waited + repeats * WIFI.repeatNs;
}

function draw(spec: SteadyJitterSpecNs, rng: Rng): Nanos {
  switch (spec.kind) {
    case "uniform":
      return spec.maxNs * rng.next();
    case "exponential":
      return spec.meanNs * drawExponential(rng);
    case "wifi":
      return drawWifi(spec.meanNs, rng);
  }
}

export class Jitter {
  readonly #spec: JitterSpecNs;
  readonly #rng: Rng;
  readonly #steps: Steps<SteadyJitterSpecNs> | undefined;
  #lastNs: Nanos = 0;

  constructor(spec: JitterSpecNs, rng: Rng) {
    this.#spec = spec;
    this.#rng = rng;
    if (spec.kind === "steps") this.#steps = new Steps(spec.steps);
  }

  /** @returns when a packet goes on that is ready at `readyNs`; without `reorder` not before the packet before it */
  releaseNs(readyNs: Nanos): Nanos {
    const releaseNs = readyNs + this.#drawAt(readyNs);
    if (this.#spec.reorder) return releaseNs;
    if (releaseNs > this.#lastNs) this.#lastNs = releaseNs;
    return this.#lastNs;
  }

  #drawAt(readyNs: Nanos): Nanos {
    const spec = this.#spec;
    if (spec.kind !== "steps") return draw(spec, this.#rng);
    const now = this.#steps!.at(readyNs);
    return now === undefined ? 0 : draw(now, this.#rng);
  }
}
