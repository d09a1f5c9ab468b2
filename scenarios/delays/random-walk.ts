import { clockMs, delayMs } from "../schema/ranges.ts";
import { complain, type Kind } from "../schema/shapes.ts";

/** Every `everyMs` up or down by up to `stepMs`, reflected at the bounds. */
export interface RandomWalkDelay {
  readonly kind: "random-walk";
  readonly startMs: number;
  readonly everyMs: number;
  readonly stepMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

export const RANDOM_WALK: Kind<RandomWalkDelay> = {
  fields: { startMs: delayMs, everyMs: clockMs, stepMs: delayMs, minMs: delayMs, maxMs: delayMs },
  check({ startMs, minMs, maxMs }, complaints) {
    if (maxMs < minMs) complain(complaints, ["maxMs"], `>= ${minMs} (minMs)`);
    else if (startMs < minMs || startMs > maxMs) {
      complain(complaints, ["startMs"], `${minMs} (minMs) to ${maxMs} (maxMs)`);
    }
  },
};
