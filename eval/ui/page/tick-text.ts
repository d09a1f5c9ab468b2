/** Numbers beside an axis and in a legend: as many digits as tell one tick from the next, and no more. */

/** From here on thousands and millions have a letter: in full their labels would meet on a phone. */
const COMPACT_FROM = 10_000;
/** More zeros behind the point than these are read as a power of ten. */
const MAX_DECIMALS = 5;
const VALUE_DIGITS = 5;

/** Power of ten of the last digit that a step has: -4 of 0.0025, 2 of 2500. */
function lastPlace(step: number): number {
  const [digits = "", exponent = "0"] = step.toExponential(6).split("e");
  const behindPoint = digits.replace(/\.?0+$/, "").split(".")[1]?.length ?? 0;
  return Number(exponent) - behindPoint;
}

/** @param step between two ticks */
export function tickTexts(ticks: readonly number[], step: number): string[] {
  const place = lastPlace(step);
  const largest = Math.max(0, ...ticks.map(Math.abs));
  return ticks.map((tick) => {
    const digits = Math.max(1, Math.floor(Math.log10(Math.abs(tick) || 1)) - place + 1);
    if (-place > MAX_DECIMALS) return tick === 0 ? "0" : String(+tick.toPrecision(digits));
    if (largest < COMPACT_FROM) {
      const decimals = Math.max(0, -place);
      return tick.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    }
    return tick.toLocaleString("en", { notation: "compact", maximumSignificantDigits: Math.min(21, digits) });
  });
}

/** Of one point, for who points at it. */
export function pointText(value: number | null | undefined): string {
  return value === null || value === undefined
    ? "–"
    : value.toLocaleString("en", { maximumSignificantDigits: VALUE_DIGITS });
}
