/** How much a flow had delivered and lost at any time of its last rounds, between its reports in proportion. */
import type { Bytes, Micros } from "../../core/units.ts";

export interface FlowMoment {
  readonly atUs: Micros;
  readonly deliveredBytes: Bytes;
  readonly lostBytes: Bytes;
}

/** Reports beyond this number are forgotten, oldest first: many round trips of ten, and of one per loss. */
const MAX_REPORTS = 4_096;

export class FlowPast {
  /** in order of time */
  #moments: FlowMoment[];

  constructor(nowUs: Micros) {
    this.#moments = [{ atUs: nowUs, deliveredBytes: 0, lostBytes: 0 }];
  }

  add(atUs: Micros, deliveredBytes: Bytes, lostBytes: Bytes): void {
    this.#moments.push({ atUs, deliveredBytes, lostBytes });
    if (this.#moments.length > 2 * MAX_REPORTS) this.#moments = this.#moments.slice(-MAX_REPORTS);
  }

  /** Before the first report that is known: as it was then; after the last: as it was then. */
  at(atUs: Micros): FlowMoment {
    const moments = this.#moments;
    // what is asked for lies a round trip back, a few dozen reports before the end
    let after = moments.length;
    while (after > 0 && moments[after - 1]!.atUs > atUs) after -= 1;
    const before = moments[after - 1];
    const next = moments[after];
    if (before === undefined) return moments[0]!;
    if (next === undefined) return before;
    const share = (atUs - before.atUs) / (next.atUs - before.atUs);
    const between = (from: number, to: number): number => from + share * (to - from);
    return {
      atUs,
      deliveredBytes: between(before.deliveredBytes, next.deliveredBytes),
      lostBytes: between(before.lostBytes, next.lostBytes),
    };
  }
}
