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

  @inline
  push(timeNs: f64, value: i64): void {
    const tail = this.tail;
    const length = tail - this.head;
    if (length === 0) this.headNs = timeNs;
    else if (length > this.mask) this.grow();
    this.write(tail, timeNs, value);
    this.tail = tail + 1;
  }

  /** Writes a pair that there is room for. */
  @inline
  write(n: i64, timeNs: f64, value: i64): void {
    const pair = this.pair(n);
    store<f64>(pair, timeNs);
    store<i64>(pair, value, VALUE);
  }

  /** Takes the first pair; returns its value. */
  @inline
  shift(): i64 {
    const head = this.head;
    const next = head + 1;
    const value = load<i64>(this.pair(head), VALUE);
    this.head = next;
    this.headNs = next === this.tail ? Infinity : load<f64>(this.pair(next));
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
