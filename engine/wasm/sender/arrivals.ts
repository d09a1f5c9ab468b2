/** Arrivals at the receiver that no ACK has covered yet, or whose delays are not counted, in order of arrival: a ring. */
import { allocate, release } from "../memory/memory";
import { grown } from "../memory/rows";
import { FlowDelays } from "../meters/flow-delays";
import { MICRO } from "../units";

/**
 * Of an arrival: what it was (the transmission, twice doubled, and these), and when it reaches the receiver; where its delays are
 * measured when its service began and when it was sent, too.
 */
const ROW_SHIFT: usize = 5;
const AT_NS: usize = 8;
const START_NS: usize = 16;
const SENT_NS: usize = 24;
/** Its payload was not there before. */
export const FIRST: i64 = 2;
/** It comes with Congestion Experienced. */
export const CE: i64 = 1;
/** From a transmission to the next. */
const NEXT: i64 = 4;

/** Rings start small, as there may be thousands of flows with few packets each, and double when full. */
const INITIAL_ROWS: i64 = 16;

@unmanaged
export class Arrivals {
  covered: i64;
  /** listed so far: what an ACK that goes out now carries */
  count: i64;
  /** no row before it is needed any more, as of the last time that room was short */
  needed: i64;
  mask: i64;
  rows: usize;
  /** what counts their delays; null: nothing */
  delays: FlowDelays | null;
  /** from the one after this on, each arrival is the next transmission's, for the first time and without a mark */
  runFrom: i64;
  /** what the next one is if it continues the run */
  nextWhat: i64;

  init(): void {
    this.nextWhat = FIRST;
    this.mask = INITIAL_ROWS - 1;
    this.rows = allocate((<usize>INITIAL_ROWS) << ROW_SHIFT);
  }

  free(): void {
    release(this.rows, (<usize>(this.mask + 1)) << ROW_SHIFT);
  }

  @inline
  add(txn: i64, arrivalNs: f64, first: bool, ce: bool): void {
    this.list(txn, (txn << 2) | (first ? FIRST : 0) | (ce ? CE : 0), arrivalNs);
  }

  /** The same without a mark, and its delays are measured. */
  @inline
  addMeasured(txn: i64, first: bool, arrivalNs: f64, startNs: f64, sentNs: f64): void {
    const row = this.list(txn, (txn << 2) | (first ? FIRST : 0), arrivalNs);
    store<f64>(row, startNs, START_NS);
    store<f64>(row, sentNs, SENT_NS);
  }

  @inline
  private list(txn: i64, what: i64, arrivalNs: f64): usize {
    const n = this.count;
    if (n - this.needed > this.mask) this.makeRoom();
    this.count = n + 1;
    const row = this.row(n);
    store<i64>(row, what);
    store<f64>(row, arrivalNs, AT_NS);
    if (what === this.nextWhat) this.nextWhat = what + NEXT;
    else this.beginRun(n, txn);
    return row;
  }

  /** Writes a row that there is room for. */
  @inline
  write(n: i64, what: i64, arrivalNs: f64, startNs: f64, sentNs: f64): void {
    const row = this.row(n);
    store<i64>(row, what);
    store<f64>(row, arrivalNs, AT_NS);
    store<f64>(row, startNs, START_NS);
    store<f64>(row, sentNs, SENT_NS);
  }

  private beginRun(n: i64, txn: i64): void {
    this.runFrom = n;
    this.nextWhat = max<i64>(this.nextWhat, ((txn + 1) << 2) | FIRST);
  }

  @inline
  private row(n: i64): usize {
    return this.rows + ((<usize>(n & this.mask)) << ROW_SHIFT);
  }

  /** The transmission, twice doubled, and FIRST and CE. */
  @inline
  what(n: i64): i64 {
    return load<i64>(this.row(n));
  }

  @inline
  txn(n: i64): i64 {
    return this.what(n) >> 2;
  }

  @inline
  atNs(n: i64): f64 {
    return load<f64>(this.row(n), AT_NS);
  }

  @inline
  startNs(n: i64): f64 {
    return load<f64>(this.row(n), START_NS);
  }

  @inline
  queueingUs(n: i64): f64 {
    const row = this.row(n);
    return (load<f64>(row, START_NS) - load<f64>(row, SENT_NS)) / MICRO;
  }

  @inline
  oneWayUs(n: i64): f64 {
    const row = this.row(n);
    return (load<f64>(row, AT_NS) - load<f64>(row, SENT_NS)) / MICRO;
  }

  /** Listed arrivals that lie after `nowNs`: those that bring something new, or all of them. */
  underWay(nowNs: f64, onlyFirst: bool): i64 {
    let count: i64 = 0;
    for (let n = this.count - 1; n >= this.covered; n--) {
      if (this.atNs(n) <= nowNs) break;
      if (!onlyFirst || (this.what(n) & FIRST) !== 0) count++;
    }
    return count;
  }

  /** Called before the newest row is written. */
  private makeRoom(): void {
    const covered = this.covered;
    const delays = this.delays;
    if (delays !== null) delays.count(this, covered, covered);
    this.needed = covered;
    if (this.count - covered <= this.mask) return;
    this.rows = grown(this.rows, this.mask, ROW_SHIFT, covered, this.count);
    this.mask = 2 * this.mask + 1;
  }
}
