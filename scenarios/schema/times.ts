/** Spans of time and points in time, as lists in the order of time. */
import { laterSec, list, MIN_CLOCK_SEC, timeSec } from "./ranges.ts";
import { type Complaints, complain, fields, increasing, type Schema, withRule } from "./shapes.ts";

export interface TimeSpan {
  readonly fromSec: number;
  readonly toSec: number;
}

const timeSpan = increasing(fields<TimeSpan>({ fromSec: timeSec, toSec: laterSec }), "fromSec", "toSec");

/** Spans that do not overlap, in the order of time. */
export const timeSpans: Schema = withRule<TimeSpan[]>(list(timeSpan), (spans, complaints) => {
  for (let i = 1; i < spans.length; i++) {
    const endSec = spans[i - 1]!.toSec;
    if (spans[i]!.fromSec < endSec) {
      complain(complaints, [i, "fromSec"], `>= ${endSec}, the end of the span before`);
      return;
    }
  }
});

/** Points over time, in laps of `periodSec` where that is given. */
interface Schedule {
  readonly points: readonly { readonly atSec: number }[];
  readonly periodSec?: number;
}

/** Points come in the order of time, and no period cuts them off. */
export function checkSchedule({ points, periodSec }: Schedule, complaints: Complaints): void {
  for (let i = 1; i < points.length; i++) {
    const beforeSec = points[i - 1]!.atSec;
    if (points[i]!.atSec <= beforeSec) {
      complain(complaints, ["points", i, "atSec"], `more than ${beforeSec}, the time of the point before`);
      return;
    }
  }
  const lastSec = points.at(-1)?.atSec ?? 0;
  if (periodSec === undefined) return;
  if (periodSec <= lastSec) {
    complain(complaints, ["periodSec"], `more than ${lastSec}, the time of the last point`);
  } else if (periodSec < points.length * MIN_CLOCK_SEC) {
    const shortestSec = points.length * MIN_CLOCK_SEC;
    complain(complaints, ["periodSec"], `>= ${shortestSec}, a mean of 0.1 ms for each of its points`);
  }
}
