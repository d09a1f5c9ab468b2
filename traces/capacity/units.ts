/** Units of times and rates, in the spellings that people's files have: `Time (ms)`, `timeMs`, `rate_kbps`, `DL [MB/s]`. */
import type { Mbps } from "../../core/units.ts";

/** Milliseconds of one unit. */
export const TIME_UNITS: ReadonlyMap<string, number> = new Map([
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
  ["ms", 1],
  ["us", 1e-3],
  ["ns", 1e-6],
]);

/** Mbit/s of one unit. */
export const RATE_UNITS: ReadonlyMap<string, Mbps> = new Map([
  ["gbps", 1e3],
  ["mbps", 1],
  ["kbps", 1e-3],
  ["bps", 1e-6],
  ["gbytes-per-sec", 8e3],
  ["mbytes-per-sec", 8],
  ["kbytes-per-sec", 8e-3],
  ["bytes-per-sec", 8e-6],
]);

const TIME_SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  h: ["h", "hour", "hours"],
  min: ["min", "mins", "minute", "minutes"],
  s: ["s", "sec", "secs", "second", "seconds"],
  ms: ["ms", "msec", "msecs", "milli", "millis", "millisec", "millisecs", "millisecond", "milliseconds"],
  us: ["us", "µs", "μs", "usec", "usecs", "micro", "micros", "microsecond", "microseconds"],
  ns: ["ns", "nsec", "nsecs", "nano", "nanos", "nanosecond", "nanoseconds"],
};

/** Key of `TIME_UNITS`; undefined: no unit of time. */
export function timeUnitOf(spelling: string): string | undefined {
  const wanted = spelling.toLowerCase();
  return Object.entries(TIME_SPELLINGS).find(([, spellings]) => spellings.includes(wanted))?.[0];
}

const PER_SECOND = String.raw`(?:ps|[- _]?(?:\/|per)[- _]?s(?:ec(?:ond)?)?|_sec)`;
const AMOUNT = `(giga|mega|kilo|g|m|k)?[- _]?(bytes?|bits?|b)`;
const RATE: RegExp = new RegExp(`^${AMOUNT}${PER_SECOND}$`, "i");

/**
 * Key of `RATE_UNITS`; undefined: no unit of rates. A lone b says bits, a lone B bytes.
 * @returns `ambiguous` where all letters are capitals, such as MBPS, so that B may be either
 */
export function rateUnitOf(spelling: string): string | "ambiguous" | undefined {
  const match = RATE.exec(spelling);
  if (match === null) return undefined;
  const [whole, prefix = "", amount = ""] = match;
  const isLone = amount.length === 1;
  if (isLone && amount === "B" && /[a-z]/i.test(whole.slice(prefix.length + 1)) && !/[a-z]/.test(whole)) {
    return "ambiguous";
  }
  const isBytes = isLone ? amount === "B" : /^byte/i.test(amount);
  return `${prefix[0]?.toLowerCase() ?? ""}${isBytes ? "bytes-per-sec" : "bps"}`;
}

const BRACKETS = /^(.*?)\s*[([{<]\s*(?:in\s+)?([^()[\]{}<>]+?)\s*[)\]}>]\s*$/i;

/** Where a unit may stand in a column's name, from the surest on. */
const PLACES: readonly RegExp[] = [
  /^()(.+)$/,
  BRACKETS,
  new RegExp(String.raw`^(.*?)[\s_.:,-]+(${AMOUNT}${PER_SECOND})$`, "i"),
  /^(.*?)[\s_.:,/-]+([a-zµμ]+)$/i,
  /^(.*[a-z0-9])([A-Z][A-Za-z]*)$/,
];

export interface ColumnName {
  /** without its unit, in small letters and without separators: empty where the name is nothing but a unit */
  readonly base: string;
  readonly timeUnit: string | undefined;
  /** also `ambiguous` */
  readonly rateUnit: string | undefined;
  /** what stands in brackets and is no unit that is known here */
  readonly unknown?: string;
}

const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

/** No column's name with its unit is longer; what looks for a unit tries every place in it. */
const LONGEST_NAME = 200;

export function parseColumn(name: string): ColumnName {
  const text = name.trim();
  if (text.length > LONGEST_NAME) return { base: plain(text), timeUnit: undefined, rateUnit: undefined };
  for (const place of PLACES) {
    const [, base = "", unit = ""] = place.exec(text) ?? [];
    if (unit === "") continue;
    const [timeUnit, rateUnit] = [timeUnitOf(unit), rateUnitOf(unit)];
    if (timeUnit === undefined && rateUnit === undefined) continue;
    return { base: plain(base.replace(/[\s_]in$/i, "")), timeUnit, rateUnit };
  }
  const [, base, unknown] = BRACKETS.exec(text) ?? [];
  const nothing = { timeUnit: undefined, rateUnit: undefined };
  return unknown === undefined
    ? { base: plain(text), ...nothing }
    : { base: plain(base!), ...nothing, unknown };
}
