/**
 * Opportunities to deliver, from a trace or random. A trace is replayed as mm-link does (Mahimahi, link_queue.cc): the
 * last timestamp is the period, and the next lap starts there.
 */
import { drawExponential } from "../../core/distributions.ts";
import type { Rng } from "../../core/random.ts";
import type { Bytes, BytesPerSec, Nanos } from "../../core/units.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC, PACKET_BYTES, TUN_HEADER_BYTES } from "../../core/units.ts";
import { type BlockStart, DrawnBlocks } from "./drawn-blocks.ts";
import { upperBound } from "./piecewise.ts";

/** mm-link: one line of a trace is one opportunity to deliver so many bytes (1500 + TUN header). */
export const OPPORTUNITY_BYTES: Bytes = PACKET_BYTES + TUN_HEADER_BYTES;

/** Numbered from 0, in time order. */
export interface Opportunities {
  /** Infinity: there is none with this number. */
  atNs(index: number): Nanos;
  /** How many lie at or before `ns`, which is the number of the first one after it. */
  countUntil(ns: Nanos): number;
}

export class TraceOpportunities implements Opportunities {
  readonly #timesNs: Float64Array;
  readonly #periodNs: Nanos;
  readonly #offsetNs: Nanos;
  readonly #stops: boolean;
  /** the lap of the last question: its first opportunity and its beginning */
  #lapFirst = 0;
  #lapNs: Nanos = 0;

  /**
   * @param timesMs non-decreasing, last > 0
   * @param offsetNs where in the trace the simulation begins, 0 <= offset < period
   */
  constructor(timesMs: readonly number[], offsetNs: Nanos, end: "loop" | "stop") {
    this.#timesNs = Float64Array.from(timesMs, (ms) => ms * NANOS_PER_MILLI);
    this.#periodNs = this.#timesNs[this.#timesNs.length - 1]!;
    this.#offsetNs = offsetNs;
    this.#stops = end === "stop";
  }

  atNs(index: number): Nanos {
    const { length } = this.#timesNs;
    let within = index - this.#lapFirst;
    if (within < 0 || within >= length) {
      if (this.#stops) return Number.POSITIVE_INFINITY;
      const lap = Math.floor(index / length);
      this.#lapFirst = lap * length;
      this.#lapNs = lap * this.#periodNs;
      within = index - this.#lapFirst;
    }
    return this.#lapNs + this.#timesNs[within]! - this.#offsetNs;
  }

  countUntil(ns: Nanos): number {
    const times = this.#timesNs;
    const traceNs = ns + this.#offsetNs;
    if (this.#stops && traceNs >= this.#periodNs) return times.length;
    const laps = Math.floor(traceNs / this.#periodNs);
    const withinNs = traceNs - laps * this.#periodNs;
    let count = laps * times.length + upperBound(times.length, (i) => times[i]!, withinNs);
    // An offset with fractions rounds: what counts is the times that `atNs` gives.
    while (this.atNs(count) <= ns) count++;
    while (count > 0 && this.atNs(count - 1) > ns) count--;
    return count;
  }
}

/** Random opportunities per block. */
const BLOCK = 1024;

/** A Poisson process. */
export class PoissonOpportunities implements Opportunities {
  readonly #blocks: DrawnBlocks<BlockStart, { readonly timesNs: Float64Array; readonly end: BlockStart }>;
  /** the block of the last question about a time, and the number of its first opportunity */
  #timesNs: Float64Array;
  #first = 0;

  /** @param rateBytesPerSec mean, > 0 */
  constructor(rateBytesPerSec: BytesPerSec, rng: Rng) {
    const meanNs = (OPPORTUNITY_BYTES * NANOS_PER_SEC) / rateBytesPerSec;
    this.#blocks = new DrawnBlocks(rng, { atNs: 0 }, (blockRng, { atNs }) => {
      const timesNs = new Float64Array(BLOCK);
      let timeNs = atNs;
      for (let i = 0; i < BLOCK; i++) timesNs[i] = timeNs += drawExponential(blockRng) * meanNs;
      return { timesNs, end: { atNs: timeNs } };
    });
    this.#timesNs = this.#blocks.block(0).timesNs;
  }

  atNs(index: number): Nanos {
    const within = index - this.#first;
    if (within >= 0 && within < BLOCK) return this.#timesNs[within]!;
    const block = Math.floor(index / BLOCK);
    this.#first = block * BLOCK;
    this.#timesNs = this.#blocks.block(block).timesNs;
    return this.#timesNs[index - this.#first]!;
  }

  countUntil(ns: Nanos): number {
    // A block starts at the time of the last opportunity before it.
    const block = this.#blocks.indexAt(ns);
    const { timesNs } = this.#blocks.block(block);
    return block * BLOCK + upperBound(BLOCK, (i) => timesNs[i]!, ns);
  }
}
