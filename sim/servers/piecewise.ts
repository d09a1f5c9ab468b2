/**
 * A quantity that is linear in each piece of time: a rate (bytes per nanosecond, whose area is bytes) or a delay.
 * Fixed ones are built from points, with laps if they have a period; random ones are in `random-pieces.ts`.
 */
import { assert } from "../../core/errors.ts";
import type { Nanos } from "../../core/units.ts";

/** One piece: fromNs <= t < toNs. */
export interface Piece {
  readonly fromNs: Nanos;
  /** Infinity: the last one, which is constant */
  readonly toNs: Nanos;
  /** at `fromNs` */
  readonly value: number;
  /** change of the value per nanosecond */
  readonly slope: number;
  /** area up to `fromNs`, from a beginning that is the same for all pieces */
  readonly area: number;
}

export interface Piecewise {
  /** The piece that holds at `ns`, 0 or more; pieces join without gap: the next one is `pieceAt(piece.toNs)`. */
  pieceAt(ns: Nanos): Piece;
}

export function holdsAt(piece: Piece, ns: Nanos): boolean {
  return ns >= piece.fromNs && ns < piece.toNs;
}

export function valueAt(piece: Piece, ns: Nanos): number {
  return piece.slope === 0 ? piece.value : piece.value + piece.slope * (ns - piece.fromNs);
}

/** Area under the piece between two times within it. */
export function areaBetween(piece: Piece, fromNs: Nanos, toNs: Nanos): number {
  const value = valueAt(piece, fromNs);
  if (piece.slope === 0) return value === 0 ? 0 : value * (toNs - fromNs);
  return (toNs - fromNs) * (value + (piece.slope * (toNs - fromNs)) / 2);
}

/** Area up to `ns` within the piece. */
export function areaUntil(piece: Piece, ns: Nanos): number {
  return piece.area + areaBetween(piece, piece.fromNs, ns);
}

/** The first index whose element is above `value`, in a list that does not decrease. */
export function upperBound(length: number, elementAt: (index: number) => number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (elementAt(middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface Point {
  readonly atNs: Nanos;
  readonly value: number;
}

export interface PointsOptions {
  readonly between: "constant" | "linear";
  readonly periodNs?: Nanos | undefined;
  readonly originNs?: Nanos | undefined;
}

/** Points in time order as pieces; the first value holds before its point too, the last after it. */
export class PointSeries implements Piecewise {
  readonly #originNs: Nanos;
  readonly #periodNs: Nanos;
  /** pieces of lap 0, times from the origin */
  readonly #pieces: readonly Piece[];
  readonly #lapArea: number;

  constructor(points: readonly Point[], options: PointsOptions) {
    const { between, periodNs = Number.POSITIVE_INFINITY, originNs = 0 } = options;
    assert(points.length > 0, "a schedule has at least one point");
    const pieces: Piece[] = [];
    let area = 0;
    const add = (fromNs: Nanos, toNs: Nanos, value: number, slope: number): void => {
      assert(toNs >= fromNs, `points in time order and within the period, got ${fromNs} before ${toNs}`);
      if (toNs === fromNs) return;
      const piece: Piece = { fromNs, toNs, value, slope, area };
      pieces.push(piece);
      if (toNs !== Number.POSITIVE_INFINITY) area += areaBetween(piece, fromNs, toNs);
    };
    const first = points[0]!;
    const startNs = periodNs === Number.POSITIVE_INFINITY ? Math.min(-originNs, first.atNs) : 0;
    add(startNs, first.atNs, first.value, 0);
    for (let i = 0; i < points.length; i++) {
      const point = points[i]!;
      const next = points[i + 1];
      const toNs = next?.atNs ?? periodNs;
      const rise = between === "linear" && next !== undefined ? next.value - point.value : 0;
      add(point.atNs, toNs, point.value, rise === 0 ? 0 : rise / (toNs - point.atNs));
    }
    this.#originNs = originNs;
    this.#periodNs = periodNs;
    this.#pieces = pieces;
    this.#lapArea = area;
  }

  pieceAt(ns: Nanos): Piece {
    const pieces = this.#pieces;
    let lap =
      this.#periodNs === Number.POSITIVE_INFINITY ? 0 : Math.floor((ns - this.#originNs) / this.#periodNs);
    const localNs = ns - this.#lapStartNs(lap);
    let index = Math.max(0, upperBound(pieces.length, (i) => pieces[i]!.fromNs, localNs) - 1);
    // Rounding may have led to a neighbour: what counts is the pieces' own bounds.
    for (;;) {
      const piece = this.#piece(lap, index);
      if (ns >= piece.toNs) {
        index++;
        if (index === pieces.length) {
          index = 0;
          lap++;
        }
      } else if (ns < piece.fromNs) {
        index--;
        if (index < 0) {
          index = pieces.length - 1;
          lap--;
        }
      } else return piece;
    }
  }

  #lapStartNs(lap: number): Nanos {
    return lap === 0 ? this.#originNs : this.#originNs + lap * this.#periodNs;
  }

  #piece(lap: number, index: number): Piece {
    const { fromNs, toNs, value, slope, area } = this.#pieces[index]!;
    const startNs = this.#lapStartNs(lap);
    const isLast = index === this.#pieces.length - 1;
    return {
      fromNs: startNs + fromNs,
      toNs: isLast ? this.#lapStartNs(lap + 1) : startNs + toNs,
      value,
      slope,
      area: lap * this.#lapArea + area,
    };
  }
}

/** One value for good. */
export function constantPieces(value: number): Piecewise {
  return new PointSeries([{ atNs: 0, value }], { between: "constant" });
}
