/** Rates given as points over time. */
import { type BytesPerSec, NANOS_PER_SEC, type Nanos } from "../../../core/units.ts";
import { type Piecewise, PointSeries } from "../piecewise.ts";
import { CLOSED } from "./link-servers.ts";

export interface PointSchedule {
  /** at least one, in time order */
  readonly points: readonly ScheduledRate[];
  /** laps of this length begin at the origin, forwards and backwards, and points lie within 0 to it; absent: one lap */
  readonly periodNs?: Nanos;
  /** the points' time 0; absent: the simulation's beginning */
  readonly originNs?: Nanos;
}

export interface ScheduledRate {
  readonly atNs: Nanos;
  readonly rateBytesPerSec: BytesPerSec;
}

export function pointPieces(
  { points, periodNs, originNs }: PointSchedule,
  between: "constant" | "linear",
): Piecewise {
  if (points.every((point) => point.rateBytesPerSec === 0)) return CLOSED;
  return new PointSeries(
    points.map(({ atNs, rateBytesPerSec }) => ({ atNs, value: rateBytesPerSec / NANOS_PER_SEC })),
    { between, periodNs, originNs },
  );
}
