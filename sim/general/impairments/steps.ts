/** Something that holds from each of some points in time to the next, in laps where there is a period. Nanoseconds. */
import type { Nanos } from "../../../core/units.ts";
import { holdsAt, type Piece, PointSeries } from "../../servers/piecewise.ts";

export interface StepsNs<T> {
  /** at least one, in time order; before the first one of a schedule without a period there is nothing */
  readonly points: readonly { readonly atNs: Nanos; readonly value: T }[];
  readonly periodNs?: Nanos;
  /** the points' time 0 */
  readonly originNs: Nanos;
}

export class Steps<T> {
  readonly #values: readonly T[];
  readonly #series: PointSeries;
  readonly #firstNs: Nanos;
  #piece: Piece;

  constructor({ points, periodNs, originNs }: StepsNs<T>) {
    this.#values = points.map(({ value }) => value);
    this.#series = new PointSeries(
      points.map(({ atNs }, value) => ({ atNs, value })),
      { between: "constant", periodNs, originNs },
    );
    this.#firstNs = periodNs === undefined ? originNs + points[0]!.atNs : originNs;
    this.#piece = this.#series.pieceAt(0);
  }

  /** Undefined before the first point. */
  at(nowNs: Nanos): T | undefined {
    if (nowNs < this.#firstNs) return undefined;
    if (!holdsAt(this.#piece, nowNs)) this.#piece = this.#series.pieceAt(nowNs);
    return this.#values[this.#piece.value];
  }
}
