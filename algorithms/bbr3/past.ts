/** How much a flow had delivered and lost at any time of its last rounds, between its reports in proportion. */
import type { Bytes, Micros } from "../../core/units.ts";

export interface FlowMoment {
  readonly atUs: Micros;
  readonly deliveredBytes: Bytes;
  readonly lostBytes: Bytes;
}

/** Reports beyond this number are forgotten, oldest first: many round trips of fourteen, and of one per loss. */
const MAX_REPORTS = 4_096;
const FIRST_ROOM = 64;

export class FlowPast {
  /** in order of time: when, delivered, lost */
  #numbers = new Float64Array(3 * FIRST_ROOM);
  #count = 0;
  /** one object for all answers: there are many reports */
  readonly #answer: { -readonly [Field in keyof FlowMoment]: FlowMoment[Field] } = {
    atUs: 0,
    deliveredBytes: 0,
    lostBytes: 0,
  };

  constructor(nowUs: Micros) {
    this.add(nowUs, 0, 0);
  }

  add(atUs: Micros, deliveredBytes: Bytes, lostBytes: Bytes): void {
    this.#makeRoom();
    const numbers = this.#numbers;
    const at = 3 * this.#count++;
    numbers[at] = atUs;
    numbers[at + 1] = deliveredBytes;
    numbers[at + 2] = lostBytes;
  }

  #makeRoom(): void {
    const numbers = this.#numbers;
    if (3 * this.#count < numbers.length) return;
    if (this.#count < 2 * MAX_REPORTS) {
      this.#numbers = new Float64Array(2 * numbers.length);
      this.#numbers.set(numbers);
      return;
    }
    numbers.copyWithin(0, 3 * (this.#count - MAX_REPORTS));
    this.#count = MAX_REPORTS;
  }

  /** Before the first report that is known: as it was then; after the last: as it was then. Valid until the next call. */
  at(atUs: Micros): FlowMoment {
    const numbers = this.#numbers;
    // what is asked for lies a round trip back, a few dozen reports before the end
    let after = this.#count;
    while (after > 0 && numbers[3 * (after - 1)]! > atUs) after -= 1;
    const before = Math.max(0, after - 1);
    const isBetween = after > 0 && after < this.#count;
    const next = isBetween ? after : before;
    const spanUs = numbers[3 * next]! - numbers[3 * before]!;
    const share = isBetween ? (atUs - numbers[3 * before]!) / spanUs : 0;
    const answer = this.#answer;
    answer.atUs = isBetween ? atUs : numbers[3 * before]!;
    answer.deliveredBytes = between(numbers, 3 * before + 1, 3 * next + 1, share);
    answer.lostBytes = between(numbers, 3 * before + 2, 3 * next + 2, share);
    return answer;
  }
}

function between(numbers: Float64Array, from: number, to: number, share: number): number {
  return numbers[from]! + share * (numbers[to]! - numbers[from]!);
}
