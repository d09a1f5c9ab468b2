/** A growing ring of (time, number) pairs in time order. */
import { allocate } from "./memory";
import { grown } from "./rows";

/** Rings start small, as there may be thousands of flows with few packets each. */
const INITIAL_PAIRS: i64 = 16;
const PAIR_SHIFT: usize = 4;
const VALUE: usize = 8;

@unmanaged
export class TimedRing {
  /** time of the first pair; Infinity: empty */
  headNs: f64;
  mask: i64;
  pairs: usize;
  head: i64;
  tail: i64;

  init(): void {
    this.headNs = Infinity;
    this.mask = INITIAL_PAIRS - 1;
    this.pairs = allocate((<usize>INITIAL_PAIRS) << PAIR_SHIFT);
  }

  /** The next pair makes it grow. */
  @inline
  get isFull(): bool {
    return this.tail - this.head > this.mask;
  }

  @inline
  push(timeNs: f64, value: i64): void {
    if (this.head === this.tail) this.headNs = timeNs;
    if (this.isFull) this.grow();
    const pair = this.pair(this.tail);
    store<f64>(pair, timeNs);
    store<i64>(pair, value, VALUE);
    this.tail++;
  }

  /** Takes the first pair; returns its value. */
  @inline
  shift(): i64 {
    const value = load<i64>(this.pair(this.head), VALUE);
    this.head++;
    this.headNs = this.head === this.tail ? Infinity : load<f64>(this.pair(this.head));
    return value;
  }

  @inline
  private pair(n: i64): usize {
    return this.pairs + ((<usize>(n & this.mask)) << PAIR_SHIFT);
  }

  private grow(): void {
    this.pairs = grown(this.pairs, this.mask, PAIR_SHIFT, this.head, this.tail);
    this.mask = 2 * this.mask + 1;
  }
}
