import type { Micros } from "../../../core/units.ts";

/** The least value of the last `spanUs`, in steps: a step is forgotten as a whole when it is older than the span. */
export class WindowedMin {
  readonly #stepUs: Micros;
  readonly #steps: number;
  readonly #minima: { readonly step: number; value: number }[] = [];

  /** @param steps that the span is kept in, at least 1 */
  constructor(spanUs: Micros, steps: number) {
    this.#stepUs = spanUs / steps;
    this.#steps = steps;
  }

  /** Infinity adds nothing. */
  add(nowUs: Micros, value: number): void {
    const step = Math.floor(nowUs / this.#stepUs);
    const last = this.#minima.at(-1);
    if (last?.step === step) last.value = Math.min(last.value, value);
    else this.#minima.push({ step, value });
    while (this.#minima[0]!.step <= step - this.#steps) this.#minima.shift();
  }

  /** Infinity before the first value. */
  get value(): number {
    return this.#minima.reduce((least, { value }) => Math.min(least, value), Number.POSITIVE_INFINITY);
  }
}
