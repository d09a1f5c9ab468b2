/** Lines of packets that take turns: what DRR, SFQ and FQ-CoDel share. */
import { PacketRing } from "../packet-ring.ts";

/** The packets of one flow or bucket, in order, and its place among the lines that take turns. */
export class FairLine extends PacketRing {
  /** bytes it may still send in its turn */
  deficitBytes = 0;
  /** in a `Turns`, even if it became empty by drops */
  active = false;
  next: FairLine | undefined = undefined;
}

/** First in, first out. */
export class Turns<Line extends FairLine> {
  #first: Line | undefined;
  #last: Line | undefined;

  get first(): Line | undefined {
    return this.#first;
  }

  push(line: Line): void {
    line.active = true;
    line.next = undefined;
    if (this.#last === undefined) this.#first = line;
    else this.#last.next = line;
    this.#last = line;
  }

  /** Takes the first, which must be there. */
  shift(): Line {
    const line = this.#first!;
    this.#first = line.next as Line | undefined;
    if (this.#first === undefined) this.#last = undefined;
    line.active = false;
    return line;
  }

  /** The line with the most packets or bytes; of equals the earliest in turn, `atLeast` before all. */
  longest(by: "packets" | "bytes", atLeast: Line | undefined): Line | undefined {
    let longest = atLeast;
    for (let line = this.#first; line !== undefined; line = line.next as Line | undefined) {
      if (longest === undefined || line[by] > longest[by]) longest = line;
    }
    return longest;
  }
}
