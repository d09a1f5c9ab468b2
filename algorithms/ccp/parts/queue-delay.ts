import type { Micros } from "../../../core/units.ts";
import { WindowedMin } from "./windowed-min.ts";

const MICROS_PER_MINUTE = 60_000_000;

/**
 * How long packets wait, as LEDBAT estimates it (RFC 6817 3.4): the least of the latest RTTs less the least of a long history.
 * RTTs stand for one-way delays, which CCP has none of.
 */
export class QueueDelay {
  readonly #base: WindowedMin;
  /** the latest, whose least counts */
  readonly #recent: Micros[] = [];
  readonly #filter: number;

  /** @param filter how many intervals the present delay is the least of (CURRENT_FILTER) */
  constructor(historyMinutes: number, filter: number) {
    this.#base = new WindowedMin(historyMinutes * MICROS_PER_MINUTE, historyMinutes);
    this.#filter = filter;
  }

  add(nowUs: Micros, rttUs: Micros): void {
    this.#base.add(nowUs, rttUs);
    this.#recent.push(rttUs);
    if (this.#recent.length > this.#filter) this.#recent.shift();
  }

  /** NaN before the first RTT. */
  get delayUs(): Micros {
    return Math.min(...this.#recent) - this.#base.value;
  }
}
