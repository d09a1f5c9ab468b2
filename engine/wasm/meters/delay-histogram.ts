/**
 * Delays of one flow: buckets of a relative width of 2^-10, as `sim/delay-histogram.ts` has them, which reads
 * these. Only the range of buckets that is in use has counts.
 */
import { allocate, release } from "../memory/memory";
import { Arrivals } from "../sender/arrivals";

const SUB_BUCKET_BITS: i32 = 10;
/** 2^31 us is over half an hour of queueing; longer delays share the last bucket. */
const MAX_DELAY_US: f64 = 2147483647;
const SUB_BUCKETS: i32 = 1 << SUB_BUCKET_BITS;
/** From a double's exponent to that of a bucket's octave, in buckets: from 1024 us on its first bits are the bucket. */
const MANTISSA_BITS: i32 = 52;
const EXPONENT_OFFSET: i32 = (1023 + SUB_BUCKET_BITS - 1) << SUB_BUCKET_BITS;
const BUCKETS: i32 = (32 - SUB_BUCKET_BITS) << SUB_BUCKET_BITS;
/** Buckets that are kept at first, and the step in which the range grows: one KiB of counts. */
const RANGE_STEP: i32 = 256;

@unmanaged
export class DelayHistogramWords {
  count: f64;
  sumUs: f64;
  /** written by `describe` only: the first bucket that is kept, how many, and where their counts are (u32) */
  describedFirst: f64;
  describedLength: f64;
  describedAddress: f64;
}

@unmanaged
export class DelayHistogram extends DelayHistogramWords {
  counts: usize;
  first: i32;
  length: i32;

  describe(): void {
    this.describedFirst = <f64>this.first;
    this.describedLength = <f64>this.length;
    this.describedAddress = <f64>this.counts;
  }

  /** The queueing delays of arrivals. */
  recordQueueing(arrived: Arrivals, from: i64, end: i64): void {
    this.record(arrived, from, end, false);
  }

  /** Their one-way delays. */
  recordOneWay(arrived: Arrivals, from: i64, end: i64): void {
    this.record(arrived, from, end, true);
  }

  @inline
  private record(arrived: Arrivals, from: i64, end: i64, isOneWay: bool): void {
    let counts = this.counts;
    let first = this.first;
    let length = this.length;
    let sumUs = this.sumUs;
    for (let n = from; n < end; n++) {
      const delayUs = isOneWay ? arrived.oneWayUs(n) : arrived.queueingUs(n);
      sumUs += delayUs;
      const micros = delayUs + 0.5;
      const bucket =
        micros < <f64>SUB_BUCKETS
          ? <i32>micros
          : <i32>(reinterpret<u64>(micros) >>> (MANTISSA_BITS - SUB_BUCKET_BITS)) - EXPONENT_OFFSET;
      let i = bucket - first;
      if (<u32>i >= <u32>length) {
        i = this.cover(delayUs < MAX_DELAY_US ? bucket : BUCKETS - 1);
        counts = this.counts;
        first = this.first;
        length = this.length;
      }
      const place = counts + ((<usize>i) << 2);
      store<u32>(place, load<u32>(place) + 1);
    }
    this.sumUs = sumUs;
    this.count += <f64>(end - from);
  }

  /** Widens the range to a bucket, by half of what it was at least; returns the bucket's place in it. */
  private cover(bucket: i32): i32 {
    const length = this.length;
    if (<u32>(bucket - this.first) < <u32>length) return bucket - this.first;
    const oldFirst = this.first;
    const spare = length >>> 1;
    let first = oldFirst;
    let end = oldFirst + length;
    if (length === 0) {
      first = bucket;
      end = bucket + 1;
    } else if (bucket < first) first = max<i32>(0, min<i32>(bucket, first - spare));
    else end = min<i32>(BUCKETS, max<i32>(bucket + 1, end + spare));
    first -= first % RANGE_STEP;
    end += (RANGE_STEP - (end % RANGE_STEP)) % RANGE_STEP;
    const counts = allocate((<usize>(end - first)) << 2);
    if (length > 0) {
      memory.copy(counts + ((<usize>(oldFirst - first)) << 2), this.counts, (<usize>length) << 2);
      release(this.counts, (<usize>length) << 2);
    }
    this.counts = counts;
    this.first = first;
    this.length = end - first;
    return bucket - first;
  }
}
