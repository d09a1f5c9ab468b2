/** A one-way propagation delay over time: steps, a recorded delay, a bounded random walk. Nanoseconds throughout. */
import type { Rng } from "../../core/random.ts";
import type { Nanos } from "../../core/units.ts";
import { holdsAt, type Piece, PointSeries, valueAt } from "./piecewise.ts";

export interface DelayPoints {
  /** at least one, in time order; the first delay holds before its time too, the last after it */
  readonly points: readonly { readonly atNs: Nanos; readonly delayNs: Nanos }[];
  /** laps of this length begin at the origin, forwards and backwards, and points lie within 0 to it; absent: one lap */
  readonly periodNs?: Nanos;
  /** the points' time 0; absent: the simulation's beginning */
  readonly originNs?: Nanos;
}

export type DelayProcessSpec =
  /** constant from each point to the next */
  | ({ readonly kind: "steps" } & DelayPoints)
  /** linear between the points */
  | ({ readonly kind: "trace" } & DelayPoints)
  /** after each `everyNs` (> 0) a move of U(-stepNs, stepNs), reflected at the bounds; it starts at `startNs` */
  | {
      readonly kind: "random-walk";
      readonly startNs: Nanos;
      readonly everyNs: Nanos;
      readonly stepNs: Nanos;
      readonly minNs: Nanos;
      readonly maxNs: Nanos;
    };

export interface DelayProcess {
  /** The delay of a packet that sets out at `atNs`, which must not lie before that of the last call. */
  delayNs(atNs: Nanos): Nanos;
}

class PointDelay implements DelayProcess {
  readonly #series: PointSeries;
  #piece: Piece;

  constructor({ points, periodNs, originNs }: DelayPoints, between: "constant" | "linear") {
    this.#series = new PointSeries(
      points.map(({ atNs, delayNs }) => ({ atNs, value: delayNs })),
      { between, periodNs, originNs },
    );
    this.#piece = this.#series.pieceAt(0);
  }

  delayNs(atNs: Nanos): Nanos {
    if (!holdsAt(this.#piece, atNs)) this.#piece = this.#series.pieceAt(atNs);
    return valueAt(this.#piece, atNs);
  }
}

/** `value` folded back at the bounds as often as it takes. */
function reflect(value: number, min: number, max: number): number {
  const span = max - min;
  if (span <= 0) return min;
  const folded = Math.abs(value - min) % (2 * span);
  return min + (folded <= span ? folded : 2 * span - folded);
}

class RandomWalkDelay implements DelayProcess {
  readonly #spec: Extract<DelayProcessSpec, { readonly kind: "random-walk" }>;
  readonly #rng: Rng;
  #moves = 0;
  #delayNs: Nanos;

  constructor(spec: Extract<DelayProcessSpec, { readonly kind: "random-walk" }>, rng: Rng) {
    this.#spec = spec;
    this.#rng = rng;
    this.#delayNs = spec.startNs;
  }

  delayNs(atNs: Nanos): Nanos {
    const { everyNs, stepNs, minNs, maxNs } = this.#spec;
    while ((this.#moves + 1) * everyNs <= atNs) {
      this.#moves++;
      this.#delayNs = reflect(this.#delayNs + this.#rng.uniform(-stepNs, stepNs), minNs, maxNs);
    }
    return this.#delayNs;
  }
}

/** @param rng of this delay alone; only a random walk draws from it */
export function makeDelay(spec: DelayProcessSpec, rng: Rng): DelayProcess {
  switch (spec.kind) {
    case "steps":
      return new PointDelay(spec, "constant");
    case "trace":
      return new PointDelay(spec, "linear");
    case "random-walk":
      return new RandomWalkDelay(spec, rng);
  }
}
