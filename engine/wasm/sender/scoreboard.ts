/**
 * The state of every sequence from the cumulative ACK to the next new packet, what is in flight of them, and what is to be
 * retransmitted (the scoreboard of RFC 6675, without a limit to SACK blocks).
 */
import { allocate, release } from "../memory/memory";
import { Numbers } from "../memory/numbers";

/** Of a sequence. */
export const UNSENT: u8 = 0;
export const IN_FLIGHT: u8 = 1;
export const LOST: u8 = 2;
export const ACKED: u8 = 3;

/** Rings start small, as there may be thousands of flows with few packets each, and double when full. */
const INITIAL_SEQUENCES: i64 = 16;
/** A queue's dead front is cut off from this length on, so that one that never runs empty stays short. */
const MIN_DEAD_ENTRIES: i32 = 64;

/** The list lies behind the rest: every packet that leaves asks for its length. */
const RETRANSMIT_QUEUE: usize = (offsetof<Scoreboard>() + 7) & ~7;
export const SCOREBOARD_BYTES: usize = RETRANSMIT_QUEUE + offsetof<Numbers>();

@unmanaged
export class Scoreboard {
  /** first sequence that is not acknowledged in order */
  cumulative: i64;
  /** first sequence that was never sent */
  next: i64;
  inflight: i64;
  sackedPackets: i64;
  /** what the rings say of sequences from here on does not hold yet: `sendNext` has sent them, and they are in flight */
  writtenTo: i64;
  // rings of sequences
  mask: i64;
  states: usize;
  latestTxns: usize;
  retransmitHead: i32;

  init(): void {
    this.mask = INITIAL_SEQUENCES - 1;
    this.states = allocate(<usize>INITIAL_SEQUENCES);
    this.latestTxns = allocate((<usize>INITIAL_SEQUENCES) << 3);
  }

  free(): void {
    this.freeRings();
    this.retransmitQueue.free();
  }

  /** lost sequences to retransmit, oldest first; entries acknowledged since are skipped */
  @inline
  get retransmitQueue(): Numbers {
    return changetype<Numbers>(changetype<usize>(this) + RETRANSMIT_QUEUE);
  }

  @inline
  state(sequence: i64): u8 {
    return load<u8>(this.states + <usize>(sequence & this.mask));
  }

  @inline
  setState(sequence: i64, state: u8): void {
    store<u8>(this.states + <usize>(sequence & this.mask), state);
  }

  /** Number of the transmission that carried the sequence last. */
  @inline
  latestTxn(sequence: i64): i64 {
    return load<i64>(this.latestTxns + ((<usize>(sequence & this.mask)) << 3));
  }

  /** Whether the transmission is the latest of a sequence that is in flight. */
  isInFlightAs(sequence: i64, txn: i64): bool {
    return (
      sequence >= this.cumulative && this.state(sequence) === IN_FLIGHT && this.latestTxn(sequence) === txn
    );
  }

  /** The sequence leaves. One that a probe repeats while it is in flight counts once. */
  @inline
  send(sequence: i64, txn: i64): void {
    if (sequence >= this.writtenTo) this.writtenTo = sequence + 1;
    const place = <usize>(sequence & this.mask);
    if (load<u8>(this.states + place) !== IN_FLIGHT) this.inflight++;
    store<u8>(this.states + place, IN_FLIGHT);
    store<i64>(this.latestTxns + (place << 3), txn);
  }

  /** The next new sequence leaves, as all did since `write`, each with the next transmission. @returns it */
  @inline
  sendNext(): i64 {
    const sequence = this.next;
    this.next = sequence + 1;
    this.inflight++;
    return sequence;
  }

  /** Writes the rings after `sendNext`. @param txnOffset from a sequence that it sent to its transmission */
  write(txnOffset: i64): void {
    const next = this.next;
    if (this.writtenTo >= next) return;
    while (next - 1 - this.cumulative > this.mask) this.grow();
    for (let sequence = max<i64>(this.writtenTo, this.cumulative); sequence < next; sequence++) {
      const place = <usize>(sequence & this.mask);
      store<u8>(this.states + place, IN_FLIGHT);
      store<i64>(this.latestTxns + (place << 3), sequence + txnOffset);
    }
    this.writtenTo = next;
  }

  /** Room for the sequence, which lies after all others. */
  @inline
  reach(sequence: i64): void {
    if (sequence - this.cumulative > this.mask) this.grow();
  }

  @inline
  isDelivered(sequence: i64): bool {
    return sequence < this.cumulative || this.state(sequence) === ACKED;
  }

  deliver(sequence: i64): void {
    if (this.state(sequence) === IN_FLIGHT) this.inflight--;
    this.setState(sequence, ACKED);
    this.sackedPackets++;
  }

  /** The cumulative ACK goes on over all that was delivered. */
  advance(): void {
    while (this.state(this.cumulative) === ACKED) {
      this.setState(this.cumulative, UNSENT);
      this.cumulative++;
      this.sackedPackets--;
    }
  }

  /** The next `count` sequences, all in flight, are delivered, and nothing lies beyond them. */
  @inline
  deliverInOrder(count: i64): void {
    const cumulative = this.cumulative;
    const end = cumulative + count;
    if (cumulative < this.writtenTo) this.clear(cumulative, min<i64>(end, this.writtenTo));
    this.cumulative = end;
    this.inflight -= count;
  }

  private clear(from: i64, end: i64): void {
    for (let sequence = from; sequence < end; sequence++) this.setState(sequence, UNSENT);
  }

  lose(sequence: i64): void {
    this.setState(sequence, LOST);
    this.inflight--;
    this.retransmitQueue.push(sequence);
  }

  /** It was not lost. */
  restore(sequence: i64): void {
    this.setState(sequence, IN_FLIGHT);
    this.inflight++;
  }

  @inline
  hasRetransmission(): bool {
    return this.retransmitQueue.length > 0 && this.findRetransmission();
  }

  /** Whether the queue's head is a sequence to retransmit; drops what was acknowledged since. */
  private findRetransmission(): bool {
    const queue = this.retransmitQueue;
    let head = this.retransmitHead;
    while (head < queue.length) {
      const sequence = queue.at(head);
      if (sequence >= this.cumulative && this.state(sequence) === LOST) break;
      head++;
    }
    if (head === queue.length) {
      queue.length = head = 0;
    } else if (head >= MIN_DEAD_ENTRIES && 2 * head >= queue.length) {
      queue.dropFirst(head);
      head = 0;
    }
    this.retransmitHead = head;
    return queue.length > 0;
  }

  takeRetransmission(): i64 {
    return this.retransmitQueue.at(this.retransmitHead++);
  }

  clearRetransmissions(): void {
    this.retransmitQueue.length = this.retransmitHead = 0;
  }

  private grow(): void {
    const mask = this.mask;
    const cumulative = this.cumulative;
    const size = (mask + 1) * 2;
    const states = allocate(<usize>size);
    const latest = allocate((<usize>size) << 3);
    for (let k: i64 = 0; k <= mask; k++) {
      const sequence = cumulative + k;
      const to = <usize>(sequence & (size - 1));
      store<u8>(states + to, this.state(sequence));
      store<i64>(latest + (to << 3), this.latestTxn(sequence));
    }
    this.freeRings();
    this.states = states;
    this.latestTxns = latest;
    this.mask = size - 1;
  }

  private freeRings(): void {
    release(this.states, <usize>(this.mask + 1));
    release(this.latestTxns, (<usize>(this.mask + 1)) << 3);
  }
}
