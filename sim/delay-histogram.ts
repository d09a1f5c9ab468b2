/**
 * Delays in log-linear buckets (the layout of HdrHistogram): 1 us wide below 2048 us, then 1024 buckets per octave, so a
 * quantile is exact to 0.1 % and recording costs a few integer operations. Counts are kept for the range of buckets that
 * has been seen, since the delays of a flow lie close together and there may be thousands of flows.
 */
import type { Micros } from "../core/units.ts";

const SUB_BUCKET_BITS = 10;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
/** 2^31 us is over half an hour of queueing; longer delays share the last bucket. */
const MAX_DELAY_US = 2 ** 31 - 1;
const BUCKETS = (31 - SUB_BUCKET_BITS) * SUB_BUCKETS + SUB_BUCKETS;

function bucketOf(delayUs: number): number {
  const shift = Math.max(0, 31 - SUB_BUCKET_BITS - Math.clz32(delayUs));
  return (shift << SUB_BUCKET_BITS) + (delayUs >>> shift);
}

/** Middle of a bucket. */
function middleOf(bucket: number): number {
  if (bucket < 2 * SUB_BUCKETS) return bucket;
  const shift = (bucket >>> SUB_BUCKET_BITS) - 1;
  const base = bucket - (shift << SUB_BUCKET_BITS);
  return (base + 0.5) * 2 ** shift;
}

/** Buckets that are kept at first, and the step in which the range grows: one KiB of counts. */
const RANGE_STEP = 256;

export class DelayHistogram {
  /** counts of the buckets from `#first` on */
  #counts = new Uint32Array(0);
  #first = 0;
  count = 0;
  sumUs = 0;

  record(delayUs: Micros): void {
    this.count++;
    this.sumUs += delayUs;
    const clipped = delayUs > MAX_DELAY_US ? MAX_DELAY_US : delayUs;
    const bucket = bucketOf((clipped + 0.5) | 0);
    let i = bucket - this.#first;
    if (i < 0 || i >= this.#counts.length) i = this.#cover(bucket);
    this.#counts[i]!++;
  }

  /** Widens the range to a bucket beyond it, by half of what it was at least; returns the bucket's place in it. */
  #cover(bucket: number): number {
    const { length } = this.#counts;
    const end = this.#first + length;
    const spare = length >>> 1;
    let first = this.#first;
    let newEnd = end;
    if (length === 0) [first, newEnd] = [bucket, bucket + 1];
    else if (bucket < first) first = Math.max(0, Math.min(bucket, first - spare));
    else newEnd = Math.min(BUCKETS, Math.max(bucket + 1, end + spare));
    first -= first % RANGE_STEP;
    newEnd += (RANGE_STEP - (newEnd % RANGE_STEP)) % RANGE_STEP;
    const counts = new Uint32Array(newEnd - first);
    counts.set(this.#counts, length === 0 ? 0 : this.#first - first);
    this.#counts = counts;
    this.#first = first;
    return bucket - first;
  }

  /** Becomes what was recorded elsewhere: these counts, of the buckets from `first` on, and their sums. */
  set(first: number, counts: Uint32Array<ArrayBuffer>, count: number, sumUs: Micros): void {
    this.#first = first;
    this.#counts = counts;
    this.count = count;
    this.sumUs = sumUs;
  }

  /** 0 when nothing was recorded. */
  meanUs(): Micros {
    return this.count === 0 ? 0 : this.sumUs / this.count;
  }

  /** Nearest-rank quantile, `q` in (0, 1]; 0 when nothing was recorded. */
  quantileUs(q: number): Micros {
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let i = 0; i < this.#counts.length; i++) {
      seen += this.#counts[i]!;
      if (seen >= rank) return middleOf(this.#first + i);
    }
    return 0;
  }
}
