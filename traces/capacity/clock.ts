/** Dates and times of day, as logs write them, without a clock or a time zone of this machine. */

const TIME = String.raw`(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,](\d{1,9}))?)?\s*(AM|PM)?`;
const ZONE = String.raw`\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?`;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH = `(${MONTHS.join("|")})[a-z]*`;

const pattern = (date: string): RegExp => new RegExp(`^${date}(?:(?:T|,?[ _])${TIME})?${ZONE}$`, "i");

const YEAR_FIRST = pattern(String.raw`(\d{4})[-./](\d{1,2})[-./](\d{1,2})`);
const YEAR_LAST = pattern(String.raw`(\d{1,2})([-./])(\d{1,2})[-./](\d{4})`);
const DAY_MONTH = pattern(String.raw`(?:[a-z]{3},? )?(\d{1,2})[-. ]${MONTH}[-. ](\d{4})`);
const MONTH_DAY = pattern(String.raw`(?:[a-z]{3},? )?${MONTH}\.? (\d{1,2}),? (\d{4})`);
/** What `ctime` writes, such as `Tue Jan  2 10:00:00 2024`. */
const YEAR_AT_END = new RegExp(String.raw`^(?:[a-z]{3} )?${MONTH}\s+(\d{1,2}) ${TIME}\s+(\d{4})$`, "i");
const DIGITS = /^((?:19|20)\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?$/;
const TIME_OF_DAY = /^(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?\s*(AM|PM)?$/i;

/** Minutes and seconds that have passed: with a fraction, which hours and minutes never have. */
const MINUTES = /^(\d{1,2}):(\d{2})[.,](\d{1,9})$/;

/** Which comes first in `02/01/2024`. */
export type DateOrder = "dmy" | "mdy";
export const DATE_ORDERS: readonly DateOrder[] = ["dmy", "mdy"];

export const MS_PER_DAY = 86_400_000;

/** Days since 1970-01-01 in the Gregorian calendar. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const m = (month + 9) % 12;
  const daysBefore = 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return daysBefore + Math.floor((153 * m + 2) / 5) + day - 719_469;
}

function offsetMinutes(zone: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? "") ?? [];
  return sign === undefined ? 0 : (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

type Text = string | undefined;

/** Since midnight; undefined: no such time. */
function msOfDay(hours: Text = "0", minutes: Text = "0", seconds: Text = "0", digits: Text, half: Text) {
  const [h, min, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (h > 24 || min > 59 || s > 60 || (half !== undefined && (h < 1 || h > 12))) return undefined;
  const hour = half === undefined ? h : (h % 12) + (/pm/i.test(half) ? 12 : 0);
  return ((hour * 60 + min) * 60 + s + Number(`0.${digits ?? "0"}`)) * 1000;
}

interface Parts {
  readonly year: Text;
  /** from 1 */
  readonly month: number;
  readonly day: Text;
  /** hours, minutes, seconds, digits behind them, AM or PM, zone */
  readonly time: readonly Text[];
}

function partsOf(text: string, order: DateOrder): Parts | undefined {
  const monthOf = (name: Text): number => MONTHS.indexOf(name!.toLowerCase()) + 1;
  const yearFirst = YEAR_FIRST.exec(text) ?? DIGITS.exec(text);
  if (yearFirst !== null) {
    const [, year, month, day, ...time] = yearFirst;
    return { year, month: Number(month), day, time };
  }
  const yearLast = YEAR_LAST.exec(text);
  if (yearLast !== null) {
    const [, first, separator, second, year, ...time] = yearLast;
    // with points the day is first everywhere
    const isDayFirst = order === "dmy" || separator === ".";
    const [day, month] = isDayFirst ? [first, second] : [second, first];
    return { year, month: Number(month), day, time };
  }
  const dayMonth = DAY_MONTH.exec(text);
  if (dayMonth !== null) {
    const [, day, month, year, ...time] = dayMonth;
    return { year, month: monthOf(month), day, time };
  }
  const monthDay = MONTH_DAY.exec(text);
  if (monthDay !== null) {
    const [, month, day, year, ...time] = monthDay;
    return { year, month: monthOf(month), day, time };
  }
  const atEnd = YEAR_AT_END.exec(text);
  if (atEnd === null) return undefined;
  const [, month, day, hours, minutes, seconds, digits, half, year] = atEnd;
  return { year, month: monthOf(month), day, time: [hours, minutes, seconds, digits, half] };
}

/** Milliseconds since midnight; undefined: no time of day. */
export function parseTimeOfDay(text: string): number | undefined {
  const [whole, hours, minutes, seconds, digits, half] = TIME_OF_DAY.exec(text) ?? [];
  if (whole !== undefined) return msOfDay(hours, minutes, seconds, digits, half);
  const [elapsed, min, sec, fraction] = MINUTES.exec(text) ?? [];
  return elapsed === undefined ? undefined : msOfDay("0", min, sec, fraction, undefined);
}

/** Milliseconds since 1970, without a zone as if in UTC; undefined: no such date. */
export function parseDate(text: string, order: DateOrder): number | undefined {
  const parts = partsOf(text, order);
  if (parts === undefined) return undefined;
  const { year, month, day } = parts;
  if (month < 1 || month > 12 || Number(day) < 1 || Number(day) > 31) return undefined;
  const [hours, minutes, seconds, digits, half, zone] = parts.time;
  const ofDay = msOfDay(hours, minutes, seconds, digits, half);
  if (ofDay === undefined) return undefined;
  return dayNumber(Number(year), month, Number(day)) * MS_PER_DAY + ofDay - offsetMinutes(zone) * 60_000;
}
