/** Spans of time in which every packet is lost: a route that leads nowhere for a while. */
import type { Nanos } from "../../../core/units.ts";
import type { SpanNs } from "./impairments.ts";

export class Blackhole {
  readonly #spans: readonly SpanNs[];
  #begun = 0;
  /** end of the spans that have begun */
  #untilNs: Nanos = Number.NEGATIVE_INFINITY;

  /** @param spans in any order; they may overlap */
  constructor(spans: readonly SpanNs[]) {
    this.#spans = spans.toSorted((a, b) => a.fromNs - b.fromNs);
  }

  /** Time must not go back between calls. */
  loses(nowNs: Nanos): boolean {
    for (let span = this.#spans[this.#begun]; span !== undefined && span.fromNs <= nowNs; ) {
      if (span.toNs > this.#untilNs) this.#untilNs = span.toNs;
      span = this.#spans[++this.#begun];
    }
    return nowNs < this.#untilNs;
  }
}
