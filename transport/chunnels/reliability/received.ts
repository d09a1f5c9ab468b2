/** Which numbers have come, as ranges: what a SACK tells, and what a replay or a doubled datagram is told by. */

/** The newest ranges are kept: what lies below the oldest counts as come. */
const MAX_RANGES = 64;

export interface NumberRange {
  low: number;
  /** inclusive */
  high: number;
}

export class ReceivedNumbers {
  /** highest first, apart by at least one number */
  readonly ranges: NumberRange[] = [];
  #floor = 0;

  get largest(): number {
    return this.ranges[0]?.high ?? -1;
  }

  /** The lowest that has not come. */
  get firstMissing(): number {
    const lowest = this.ranges.at(-1);
    return lowest !== undefined && lowest.low <= this.#floor ? lowest.high + 1 : this.#floor;
  }

  has(number: number): boolean {
    return number < this.#floor || this.ranges.some(({ low, high }) => number >= low && number <= high);
  }

  /** @returns false: it had come before, or is so old that this is not known */
  add(number: number): boolean {
    const { ranges } = this;
    const first = ranges[0];
    if (first !== undefined && number === first.high + 1) {
      first.high = number;
      return true;
    }
    if (this.has(number)) return false;
    const found = ranges.findIndex(({ high }) => high < number);
    const at = found < 0 ? ranges.length : found;
    const upper = ranges[at - 1];
    const lower = ranges[at];
    if (lower !== undefined && lower.high === number - 1) {
      lower.high = number;
      if (upper !== undefined && upper.low === number + 1) {
        upper.low = lower.low;
        ranges.splice(at, 1);
      }
    } else if (upper !== undefined && upper.low === number + 1) upper.low = number;
    else ranges.splice(at, 0, { low: number, high: number });
    if (ranges.length > MAX_RANGES) this.#floor = ranges.pop()!.high + 1;
    return true;
  }
}
