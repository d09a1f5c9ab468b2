/** Outages over any rate: there is no service in them, packets wait, and a packet in service pauses. */
import type { Nanos } from "../../core/units.ts";
import type { Opportunities } from "./opportunities.ts";
import { areaUntil, type Piece, type Piecewise, upperBound, valueAt } from "./piecewise.ts";

/** A span of time in which a server does nothing. */
export interface Outage {
  readonly fromNs: Nanos;
  /** Infinity: for good */
  readonly toNs: Nanos;
}

/** In time order, those that touch joined, empty ones left out. */
export function joinOutages(outages: readonly Outage[]): Outage[] {
  const joined: Outage[] = [];
  for (const outage of [...outages].sort((a, b) => a.fromNs - b.fromNs)) {
    if (!(outage.toNs > outage.fromNs)) continue;
    const last = joined[joined.length - 1];
    if (last === undefined || last.toNs < outage.fromNs) joined.push(outage);
    else joined[joined.length - 1] = { fromNs: last.fromNs, toNs: Math.max(last.toNs, outage.toNs) };
  }
  return joined;
}

/** A rate that is 0 in the outages; it goes on changing behind them. */
export class InterruptedRate implements Piecewise {
  readonly #inner: Piecewise;
  readonly #outages: readonly Outage[];
  /** area under the inner rate in the first n outages, as far as it was needed */
  readonly #lost: number[] = [0];

  /** @param outages as `joinOutages` gives them */
  constructor(inner: Piecewise, outages: readonly Outage[]) {
    this.#inner = inner;
    this.#outages = outages;
  }

  pieceAt(ns: Nanos): Piece {
    const begun = upperBound(this.#outages.length, (i) => this.#outages[i]!.fromNs, ns);
    const last = this.#outages[begun - 1];
    if (last !== undefined && last.toNs > ns) {
      const area = this.#innerArea(last.fromNs) - this.#lostIn(begun - 1);
      return { fromNs: last.fromNs, toNs: last.toNs, value: 0, slope: 0, area };
    }
    const piece = this.#inner.pieceAt(ns);
    const fromNs = Math.max(piece.fromNs, last?.toNs ?? 0);
    return {
      fromNs,
      toNs: Math.min(piece.toNs, this.#outages[begun]?.fromNs ?? Number.POSITIVE_INFINITY),
      value: valueAt(piece, fromNs),
      slope: piece.slope,
      area: areaUntil(piece, fromNs) - this.#lostIn(begun),
    };
  }

  #innerArea(ns: Nanos): number {
    return areaUntil(this.#inner.pieceAt(ns), ns);
  }

  #lostIn(count: number): number {
    for (let i = this.#lost.length - 1; i < count; i++) {
      const { fromNs, toNs } = this.#outages[i]!;
      this.#lost.push(this.#lost[i]! + this.#innerArea(toNs) - this.#innerArea(fromNs));
    }
    return this.#lost[count]!;
  }
}

/** Opportunities without those in an outage: after its beginning, up to and including its end. */
export class InterruptedOpportunities implements Opportunities {
  readonly #inner: Opportunities;
  readonly #outages: readonly Outage[];
  /** per outage, as far as it was needed: opportunities that remain before it, and those lost up to its end */
  readonly #remaining: number[] = [];
  readonly #lost: number[] = [];

  /** @param outages as `joinOutages` gives them */
  constructor(inner: Opportunities, outages: readonly Outage[]) {
    this.#inner = inner;
    this.#outages = outages;
  }

  atNs(index: number): Nanos {
    for (;;) {
      let passed = this.#lost.length;
      while (passed > 0 && this.#remaining[passed - 1]! > index) passed--;
      const lost = passed === 0 ? 0 : this.#lost[passed - 1]!;
      if (lost === Number.POSITIVE_INFINITY) return lost;
      const atNs = this.#inner.atNs(index + lost);
      const next = this.#outages[this.#lost.length];
      if (passed < this.#lost.length || next === undefined || atNs <= next.fromNs) return atNs;
      this.#extend();
    }
  }

  countUntil(ns: Nanos): number {
    const begun = upperBound(this.#outages.length, (i) => this.#outages[i]!.fromNs, ns);
    while (this.#lost.length < begun) this.#extend();
    if (begun === 0) return this.#inner.countUntil(ns);
    if (this.#outages[begun - 1]!.toNs >= ns) return this.#remaining[begun - 1]!;
    return this.#inner.countUntil(ns) - this.#lost[begun - 1]!;
  }

  #extend(): void {
    const { fromNs, toNs } = this.#outages[this.#lost.length]!;
    const before = this.#inner.countUntil(fromNs);
    const lostBefore = this.#lost[this.#lost.length - 1] ?? 0;
    this.#remaining.push(before - lostBefore);
    this.#lost.push(
      toNs === Number.POSITIVE_INFINITY ? toNs : lostBefore + this.#inner.countUntil(toNs) - before,
    );
  }
}
