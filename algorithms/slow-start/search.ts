/**
 * SEARCH (draft-chung-ccwg-search): slow start ends when what a window of time has delivered falls short, by more than a quarter, of
 * what was sent in the same window one round trip before: the path delivers no faster than before, though more is sent.
 * Times are counted in bins of a tenth of a window of 3.5 initial round trips. The bins are more than a program can
 * keep: an agent keeps them. Left out: the optional reduction of the window to what the empty path would hold.
 */
import type { Bytes, Micros } from "../../core/units.ts";
import type { SlowStart, SlowStartRules, SlowStartSample } from "./slow-start.ts";

/** WINDOW_SIZE_FACTOR: of the initial round trip */
const WINDOW_RTTS = 3.5;
/** W: bins of a window */
const WINDOW_BINS = 10;
/** EXTRA_BINS: how far the round trip may grow before what was sent then is forgotten */
const EXTRA_BINS = 15;
/** THRESH: share by which delivery falls short of what was sent */
const THRESHOLD = 0.26;

interface Bin {
  readonly deliveredBytes: Bytes;
  readonly sentBytes: Bytes;
}

class Search implements SlowStartRules {
  #binUs: Micros = 0;
  #binEndUs: Micros = 0;
  /** totals at the end of each bin, the latest last */
  readonly #bins: Bin[] = [];
  #passed = 0;
  #rttUs: Micros = 0;

  onSample(sample: SlowStartSample): number {
    const { nowUs, lowRttUs, deliveredBytes, sentBytes } = sample;
    if (lowRttUs !== Infinity) this.#rttUs = lowRttUs;
    if (this.#rttUs === 0) return 1;
    if (this.#binUs === 0) {
      this.#binUs = (this.#rttUs * WINDOW_RTTS) / WINDOW_BINS;
      this.#binEndUs = nowUs + this.#binUs;
      this.#bins.push({ deliveredBytes, sentBytes });
      return 1;
    }
    if (nowUs < this.#binEndUs) return 1;
    const passed = Math.floor((nowUs - this.#binEndUs) / this.#binUs) + 1;
    const last = this.#bins.at(-1)!;
    // a bin that nothing came in has what the one before had; older ones than a lookback needs are dropped anyway
    for (let i = Math.min(passed, WINDOW_BINS + EXTRA_BINS); i > 1; i--) this.#bins.push(last);
    this.#bins.push({ deliveredBytes, sentBytes });
    this.#bins.splice(0, this.#bins.length - (WINDOW_BINS + EXTRA_BINS + 1));
    this.#passed += passed;
    this.#binEndUs += passed * this.#binUs;
    return this.#isShort() ? 0 : 1;
  }

  #isShort(): boolean {
    const binsOfRtt = this.#rttUs / this.#binUs;
    if (this.#passed - binsOfRtt <= WINDOW_BINS || binsOfRtt >= EXTRA_BINS) return false;
    const delivered = this.#at(0).deliveredBytes - this.#at(WINDOW_BINS).deliveredBytes;
    const sent = this.#sentAt(binsOfRtt) - this.#sentAt(binsOfRtt + WINDOW_BINS);
    return sent > 0 && (sent - delivered) / sent >= THRESHOLD;
  }

  /** So many bins ago. */
  #at(bins: number): Bin {
    return this.#bins.at(-1 - bins) ?? this.#bins[0]!;
  }

  /** What had been sent, also between two bins. */
  #sentAt(bins: number): Bytes {
    const whole = Math.floor(bins);
    const later = this.#at(whole).sentBytes;
    return later - (bins - whole) * (later - this.#at(whole + 1).sentBytes);
  }
}

export const SEARCH: SlowStart = {
  name: "search",
  source: "draft-chung-ccwg-search",
  rules: () => new Search(),
};
