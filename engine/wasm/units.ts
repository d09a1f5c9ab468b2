/** The values of `core/units.ts` that the engine needs: nanoseconds. */
export const MICRO: f64 = 1000;
export const SECOND: f64 = 1_000_000_000;
/** a count without a limit */
export const NO_LIMIT: i64 = i64.MAX_VALUE;

/** A count of the host's, which may be Infinity. */
export function countOf(value: f64): i64 {
  return value < 9e15 ? <i64>value : NO_LIMIT;
}
