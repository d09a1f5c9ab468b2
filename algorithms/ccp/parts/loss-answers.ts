/**
 * Which reports know of the last cut. The agent may be far from the datapath, so reports made before its answer arrived
 * still come in after it. The program echoes the number of cuts it has heard of; a loss that an older window suffered
 * asks for no second cut, only for the same answer again (the first may have been lost), and its window says nothing of
 * what the cut achieved.
 */
import type { Report } from "../../../ccp-bridge/agent/algorithm.ts";

export type Fields = Readonly<Record<string, number>>;

export class LossAnswers {
  #cuts = 0;
  #last: Fields = {};

  /** True if the datapath had the last answer when it made this report. */
  isCurrent(report: Report): boolean {
    return report.get("cuts") === this.#cuts;
  }

  /** The answer to a new loss or timeout, numbered. */
  answer(fields: Fields): Fields {
    this.#cuts += 1;
    this.#last = { ...fields, cuts: this.#cuts };
    return this.#last;
  }

  /** The last answer, for a loss from before it took effect. */
  repeat(): Fields {
    return this.#last;
  }
}
