/**
 * Reports between a flow that does not wait and an observer that may be slow: the newest are kept, each that does not fit
 * overwrites the oldest. What was overwritten is told by notices, and these are few: one with the first, then each time
 * the count is ten times what it was, and one with the whole count when the observer has caught up.
 */
import { assert } from "../core/errors.ts";

/** Ten times as many are overwritten before the next notice. */
const NOTICE_FACTOR = 10;

/** So many were overwritten so far, of all that came. */
export interface OverflowNotice {
  readonly overwritten: number;
  readonly received: number;
}

export class ObservationQueue<T> {
  readonly capacity: number;
  readonly #ring: (T | undefined)[];
  #first = 0;
  #length = 0;
  #received = 0;
  #overwritten = 0;
  #toldOf = 0;
  #nextNotice = 1;
  #notices: OverflowNotice[] = [];

  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity >= 1, "a queue has room for one report or more");
    this.capacity = capacity;
    this.#ring = new Array<undefined>(capacity).fill(undefined);
  }

  /** unread */
  get length(): number {
    return this.#length;
  }

  /** so far */
  get overwritten(): number {
    return this.#overwritten;
  }

  push(report: T): void {
    this.#received += 1;
    if (this.#length < this.capacity) {
      this.#ring[(this.#first + this.#length) % this.capacity] = report;
      this.#length += 1;
      return;
    }
    this.#ring[this.#first] = report;
    this.#first = (this.#first + 1) % this.capacity;
    this.#overwritten += 1;
    if (this.#overwritten < this.#nextNotice) return;
    this.#nextNotice *= NOTICE_FACTOR;
    this.#notice();
  }

  /** The oldest report that is still there; undefined: all are read. */
  read(): T | undefined {
    if (this.#length === 0) return undefined;
    const report = this.#ring[this.#first];
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.capacity;
    this.#length -= 1;
    if (this.#length === 0 && this.#overwritten > this.#toldOf) this.#notice();
    return report;
  }

  /** Takes the notices that have come since the last call, oldest first. */
  takeNotices(): readonly OverflowNotice[] {
    const taken = this.#notices;
    if (taken.length > 0) this.#notices = [];
    return taken;
  }

  #notice(): void {
    this.#toldOf = this.#overwritten;
    this.#notices.push({ overwritten: this.#overwritten, received: this.#received });
  }
}
