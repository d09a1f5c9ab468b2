/** Units in which policies say the numbers of a box: 0 is its middle, +-1 its bounds. */
import type { Box } from "../../envs/spaces.ts";

/** action = middle + half x raw; an unbounded dimension keeps its own unit. Both [action]. */
export interface BoxUnits {
  readonly middle: Float64Array;
  readonly half: Float64Array;
}

export function unitsOf({ low, high }: Box): BoxUnits {
  const bounded = (i: number): boolean => Number.isFinite(low[i]) && Number.isFinite(high[i]);
  return {
    middle: Float64Array.from(low, (l, i) => (bounded(i) ? (l + high[i]!) / 2 : 0)),
    half: Float64Array.from(low, (l, i) => (bounded(i) ? (high[i]! - l) / 2 : 1)),
  };
}
