/**
 * What each transmission was sent with, by its number, and what has arrived of them: all up to the first unseen one but for the
 * suspects, which later ones have overtaken.
 */
import { allocate, release } from "../memory/memory";
import { Numbers } from "../memory/numbers";
import { grown } from "../memory/rows";

/** A cache line each. */
@unmanaged
export class Transmission {
  sequence: i64;
  sentNs: f64;
  /** delivery-rate state when it was sent (draft-cheng-iccrg-delivery-rate-estimation, P.delivered and so on) */
  delivered: i64;
  deliveredNs: f64;
  firstSentNs: f64;
  /** 0, or the congestion episode in which it was judged lost (kept for undo), or PROBE */
  note: i32;
  /** the application, not the network, limited the flow then */
  appLimited: bool;
  // kept for congestion controls that ask
  /** in flight when it was sent, itself included; judged lost by then (draft-ietf-ccwg-bbr, P.tx_in_flight, P.lost), in packets */
  inflight: i32;
  lost: f64;
}
/** a tail loss probe that is a retransmission */
export const PROBE: i32 = -1;

const ROW_SHIFT: usize = 6;
/** Rings start small, as there may be thousands of flows with few packets each, and double when full. */
const INITIAL_ROWS: i64 = 16;

/** The list lies behind the rest. */
const SUSPECTS: usize = (offsetof<Transmissions>() + 7) & ~7;
export const TRANSMISSIONS_BYTES: usize = SUSPECTS + offsetof<Numbers>();

@unmanaged
export class Transmissions {
  /** number of the next one */
  next: i64;
  /** each transmission below has been acknowledged, is a suspect, or was judged lost */
  nextUnseen: i64;
  /** no row before it is needed any more; the ring never overwrites it or a later one */
  oldestNeeded: i64;
  /** from this one on each carries the sequence after that of the one before */
  orderedFrom: i64;
  /** the oldest row that growing kept */
  oldestKept: i64;
  /** ring: all that may still be judged, and older ones as long as there is room */
  mask: i64;
  rows: usize;

  init(): void {
    this.mask = INITIAL_ROWS - 1;
    this.rows = allocate((<usize>INITIAL_ROWS) << ROW_SHIFT);
  }

  free(): void {
    release(this.rows, (<usize>(this.mask + 1)) << ROW_SHIFT);
    this.suspects.free();
  }

  /** transmissions that later ones have overtaken and that are not yet judged lost, oldest first */
  @inline
  get suspects(): Numbers {
    return changetype<Numbers>(changetype<usize>(this) + SUSPECTS);
  }

  @inline
  at(txn: i64): Transmission {
    return changetype<Transmission>(this.rows + ((<usize>(txn & this.mask)) << ROW_SHIFT));
  }

  @inline
  sequenceOf(txn: i64): i64 {
    return this.at(txn).sequence;
  }

  @inline
  sentNs(txn: i64): f64 {
    return this.at(txn).sentNs;
  }

  /** @returns the number of a new one, whose row is the caller's to write */
  @inline
  add(): i64 {
    const txn = this.next;
    this.next = txn + 1;
    if (txn - this.oldestNeeded > this.mask) this.grow();
    return txn;
  }

  /** Its row may be another's by now. */
  isForgotten(txn: i64): bool {
    return txn < this.oldestKept || txn < this.next - 1 - this.mask;
  }

  /** It has arrived before others that were sent earlier: those become suspects. */
  overtake(txn: i64): void {
    for (let unseen = this.nextUnseen; unseen < txn; unseen++) this.suspects.push(unseen);
    this.nextUnseen = txn + 1;
  }

  /** It was judged lost in vain: if later ones have overtaken it, it is a suspect again. */
  suspectAgain(txn: i64): void {
    if (txn >= this.nextUnseen) return;
    const suspects = this.suspects;
    const place = suspects.find(txn);
    if (place === suspects.length || suspects.at(place) !== txn) suspects.insert(place, txn);
  }

  /** What lies before the oldest suspect is not needed any more. */
  forgetJudged(): void {
    this.oldestNeeded = this.suspects.length > 0 ? this.suspects.at(0) : this.nextUnseen;
  }

  /** Called before the newest row is written: that one's place still holds the oldest. */
  private grow(): void {
    const first = max<i64>(this.oldestKept, this.next - 2 - this.mask);
    this.rows = grown(this.rows, this.mask, ROW_SHIFT, first, this.next - 1);
    this.mask = 2 * this.mask + 1;
    this.oldestKept = first;
  }
}
