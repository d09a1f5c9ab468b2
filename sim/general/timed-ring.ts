/** A growing ring of (time, number) pairs in time order, side by side in one array; the general network's. */
import type { Nanos } from "../../core/units.ts";

/** Rings start small, as there may be thousands of flows with few packets each. */
const INITIAL_PAIRS = 16;

export class TimedRing {
  #mask = INITIAL_PAIRS - 1;
  #pairs = new Float64Array(2 * INITIAL_PAIRS);
  #head = 0;
  #tail = 0;
  /** time of the first pair; Infinity: empty */
  headNs: Nanos = Number.POSITIVE_INFINITY;

  push(timeNs: Nanos, value: number): void {
    if (this.#head === this.#tail) this.headNs = timeNs;
    if (((this.#tail - this.#head) | 0) > this.#mask) this.#grow();
    const i = (this.#tail & this.#mask) << 1;
    this.#pairs[i] = timeNs;
    this.#pairs[i + 1] = value;
    this.#tail = (this.#tail + 1) | 0;
  }

  /** As `push`, for a time that may lie before pairs that are there; equal times keep their order. */
  insert(timeNs: Nanos, value: number): void {
    this.push(timeNs, value);
    let at = (this.#tail - 1) | 0;
    while (at !== this.#head) {
      const i = (at & this.#mask) << 1;
      const before = ((at - 1) & this.#mask) << 1;
      if (this.#pairs[before]! <= timeNs) break;
      this.#pairs[i] = this.#pairs[before]!;
      this.#pairs[i + 1] = this.#pairs[before + 1]!;
      this.#pairs[before] = timeNs;
      this.#pairs[before + 1] = value;
      at = (at - 1) | 0;
    }
    this.headNs = this.#pairs[(this.#head & this.#mask) << 1]!;
  }

  /** Takes the first pair; returns its value. */
  shift(): number {
    const value = this.#pairs[((this.#head & this.#mask) << 1) + 1]!;
    this.#head = (this.#head + 1) | 0;
    this.headNs =
      this.#head === this.#tail ? Number.POSITIVE_INFINITY : this.#pairs[(this.#head & this.#mask) << 1]!;
    return value;
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    const pairs = new Float64Array(2 * size);
    for (let k = this.#head; k !== this.#tail; k = (k + 1) | 0) {
      const from = (k & this.#mask) << 1;
      pairs.set(this.#pairs.subarray(from, from + 2), (k & (size - 1)) << 1);
    }
    this.#pairs = pairs;
    this.#mask = size - 1;
  }
}
