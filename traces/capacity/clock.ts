/** Dates and times of day, as logs write them, without a clock or a time zone of this machine. */

const DATE =
  /^(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[T _](\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/;
const TIME_OF_DAY = /^(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?$/;

/** Days since 1970-01-01 in the Gregorian calendar. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const m = (month + 9) % 12;
  const daysBefore = 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return daysBefore + Math.floor((153 * m + 2) / 5) + day - 719_469;
}

function offsetMinutes(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  return sign === undefined ? 0 : (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

const fraction = (digits: string | undefined): number => Number(`0.${digits ?? "0"}`);

/** Milliseconds since 1970 (without a zone: as if in UTC), or since midnight; undefined: no such time. */
export function parseClock(text: string): number | undefined {
  const ofDay = TIME_OF_DAY.exec(text);
  if (ofDay !== null) {
    const [, hours, minutes, seconds, digits] = ofDay;
    return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds) + fraction(digits)) * 1000;
  }
  const date = DATE.exec(text);
  if (date === null) return undefined;
  const [, year, month, day, hours = "0", minutes = "0", seconds = "0", digits, zone = "Z"] = date;
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > 31) return undefined;
  const atMinutes = Number(hours) * 60 + Number(minutes) - offsetMinutes(zone);
  const days = dayNumber(Number(year), Number(month), Number(day));
  return (days * 86_400 + atMinutes * 60 + Number(seconds) + fraction(digits)) * 1000;
}
