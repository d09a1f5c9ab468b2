/** The largest of the values of the last `windowUs`, in O(1) amortised (monotone queue). */
import type { Micros } from "../../core/units.ts";

export class WindowedMax {
  readonly #windowUs: Micros;
  #times: number[] = [];
  #values: number[] = [];
  #head = 0;

  constructor(windowUs: Micros) {
    this.#windowUs = windowUs;
  }

  push(nowUs: Micros, value: number): void {
    while (this.#values.length > this.#head && this.#values[this.#values.length - 1]! <= value) {
      this.#values.pop();
      this.#times.pop();
    }
    this.#values.push(value);
    this.#times.push(nowUs);
    while (this.#times[this.#head]! < nowUs - this.#windowUs) this.#head++;
    if (this.#head > 1024) {
      this.#values = this.#values.slice(this.#head);
      this.#times = this.#times.slice(this.#head);
      this.#head = 0;
    }
  }

  /** 0 when nothing was pushed. */
  get max(): number {
    return this.#values[this.#head] ?? 0;
  }
}
