/**
 * Capacity over time from other tools as a trace in Mahimahi's format: rows of `seconds Mbit/s`, JSON lists, CSV. A rate
 * holds until the next row. Opportunities are placed where the capacity has grown by another 1500-byte packet, so that at
 * every time their number is within one of what the capacity allows. As in the names of traces, 12 Mbit/s is one
 * opportunity per millisecond. Pure text and numbers.
 */
import { CcparkError } from "../core/errors.ts";
import type { Mbps } from "../core/units.ts";
import { PACKET_BYTES } from "../core/units.ts";
import {
  MAX_OPPORTUNITIES,
  MAX_TIME_MS,
  type MahimahiTrace,
  parseMahimahiTrace,
  quote,
  TraceError,
} from "./mahimahi.ts";

export type CapacityFormat = "mahimahi" | "rows" | "json" | "csv";
export const CAPACITY_FORMATS: readonly CapacityFormat[] = ["mahimahi", "rows", "json", "csv"];

/** Mbit/s of one unit. */
export const RATE_UNITS: ReadonlyMap<string, Mbps> = new Map([
  ["mbps", 1],
  ["kbps", 1e-3],
  ["bps", 1e-6],
  ["bytes-per-sec", 8e-6],
]);

export interface ImportOptions {
  /** absent: found out from the text */
  readonly format?: CapacityFormat | undefined;
  /** a key of `RATE_UNITS`; absent: mbps, or what the column's name says (`throughput_kbps`) */
  readonly rateUnit?: string | undefined;
  /** name of a CSV column or JSON key, or a column's number from 1; absent: a usual name */
  readonly timeColumn?: string | undefined;
  readonly rateColumn?: string | undefined;
  /** lists without times: how long each value holds */
  readonly intervalMs?: number | undefined;
  /** where the last rate ends; absent: it lasts as long as the one before */
  readonly durationSec?: number | undefined;
}

export interface ImportedTrace {
  readonly format: CapacityFormat;
  readonly trace: MahimahiTrace;
  /** of the source over the whole period; a Mahimahi file's own */
  readonly meanMbps: Mbps;
  /** the source's first time, which became 0 */
  readonly firstSec: number;
}

/** A rate from `atMs` on; `where` names its row in messages. */
interface Sample {
  readonly atMs: number;
  readonly mbps: Mbps;
  readonly line: number;
}

const TIME_NAMES = [
  "time",
  "seconds",
  "sec",
  "t",
  "timestamp",
  "time_s",
  "time_sec",
  "time_ms",
  "timestamp_ms",
];
const RATE_NAMES = [
  "mbps",
  "bandwidth",
  "rate",
  "throughput",
  "capacity",
  "kbps",
  "bps",
  "bandwidth_mbps",
  "bandwidth_kbps",
  "bandwidth_bps",
  "throughput_mbps",
  "throughput_kbps",
  "rate_mbps",
  "rate_kbps",
  "capacity_mbps",
  "capacity_kbps",
];

function fail(what: string, name: string, line: number, got: string, expected: string, unit = "line"): never {
  throw new TraceError(`[trace] ${what}, ${name} ${unit} ${line}: got ${got}, expected ${expected}`, line);
}

const emptyTrace = (name: string): TraceError =>
  new TraceError(`[trace] empty trace, ${name}: got no row, expected rows of time and rate`, 1);

/** Factor from the unit of a column to Mbit/s. */
function rateFactor(column: string | undefined, unit: string | undefined): number {
  const bySuffix = /(?:^|[_-])(mbps|kbps|bps)$/i.exec(column ?? "")?.[1]?.toLowerCase();
  return RATE_UNITS.get(unit ?? bySuffix ?? "mbps")!;
}

const timeFactor = (column: string | undefined): number => (/(?:^|[_-])ms$/i.test(column ?? "") ? 1 : 1000);

/** Every digit of the smallest number of 64 bits is shorter. */
const MAX_NUMBER_LENGTH = 1_100;

/** Digits, a point, an exponent; undefined: no such number. */
function toNumber(text: string): number | undefined {
  if (text.length > MAX_NUMBER_LENGTH) return undefined;
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** What a row says, checked. */
function toSample(
  time: number | undefined,
  rate: number | undefined,
  row: { readonly name: string; readonly line: number; readonly unit?: string; readonly got: string },
  factors: { readonly time: number; readonly rate: number },
): Sample {
  const { name, line, unit, got } = row;
  if (time === undefined || !Number.isFinite(time))
    fail("bad time", name, line, got, "a time that is a number", unit);
  if (rate === undefined || !Number.isFinite(rate) || rate < 0) {
    fail("bad rate", name, line, got, "a rate that is a number, 0 or more", unit);
  }
  return { atMs: time * factors.time, mbps: rate * factors.rate, line };
}

/** Lines that are neither blank nor a comment, with their numbers. */
function contentLines(text: string): { readonly text: string; readonly line: number }[] {
  return text
    .split("\n")
    .map((raw, i) => ({ text: raw.trim(), line: i + 1 }))
    .filter(({ text: content }) => content !== "" && !content.startsWith("#"));
}

function parseRows(text: string, name: string, options: ImportOptions): Sample[] {
  const factors = { time: 1000, rate: rateFactor(undefined, options.rateUnit) };
  return contentLines(text).map(({ text: content, line }) => {
    const words = content.split(/\s+/);
    if (words.length !== 2) {
      fail("bad row", name, line, quote(content), "two numbers, seconds and rate, such as `0.5 12`");
    }
    const row = { name, line, got: quote(content) };
    return toSample(toNumber(words[0]!), toNumber(words[1]!), row, factors);
  });
}

/** The fields of one line; a quoted field may hold separators. */
function splitFields(line: string, separator: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (const char of line) {
    if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      fields.push(field.trim());
      field = "";
    } else field += char;
  }
  return [...fields, field.trim()];
}

/** The name of the column that was asked for, or of one with a usual name. */
function findColumn(
  names: readonly string[],
  asked: string | undefined,
  usual: readonly string[],
  what: { readonly name: string; readonly line: number; readonly option: string; readonly unit?: string },
): number {
  const found =
    asked === undefined
      ? usual.map((name) => names.findIndex((column) => column.toLowerCase() === name)).find((i) => i >= 0)
      : names.includes(asked)
        ? names.indexOf(asked)
        : Number(asked) - 1;
  if (found !== undefined && Number.isInteger(found) && found >= 0 && found < names.length) return found;
  const expected =
    asked === undefined
      ? `one named ${usual.slice(0, 5).join(", ")} or ${what.option}`
      : `a column \`${asked}\``;
  return fail("no such column", what.name, what.line, names.map(quote).join(", "), expected, what.unit);
}

function parseCsv(text: string, name: string, options: ImportOptions): Sample[] {
  const lines = contentLines(text);
  const first = lines[0]!;
  const separator = [",", ";", "\t"].find((candidate) => first.text.includes(candidate)) ?? ",";
  const head = splitFields(first.text, separator);
  const hasHeader = head.some((field) => field !== "" && toNumber(field) === undefined);
  const names = hasHeader ? head : head.map((_, i) => String(i + 1));
  const at = { name, line: first.line };
  const { intervalMs } = options;
  const timeColumn =
    intervalMs !== undefined
      ? undefined
      : findColumn(names, options.timeColumn, hasHeader ? TIME_NAMES : ["1"], {
          ...at,
          option: "--time-column",
        });
  const rateColumn = findColumn(
    names,
    options.rateColumn,
    hasHeader ? RATE_NAMES : [names.length > 1 ? "2" : "1"],
    { ...at, option: "--rate-column" },
  );
  const factors = {
    time: timeColumn === undefined ? 1 : timeFactor(names[timeColumn]),
    rate: rateFactor(names[rateColumn], options.rateUnit),
  };
  return lines.slice(hasHeader ? 1 : 0).map(({ text: content, line }, i) => {
    const fields = splitFields(content, separator);
    if (fields.length !== names.length) {
      fail(
        "bad row",
        name,
        line,
        `${fields.length} columns`,
        `${names.length} columns as in line ${first.line}`,
      );
    }
    const time = timeColumn === undefined ? i * intervalMs! : toNumber(fields[timeColumn]!);
    return toSample(time, toNumber(fields[rateColumn]!), { name, line, got: quote(content) }, factors);
  });
}

/** Deeper than any tool nests its list. */
const MAX_JSON_DEPTH = 50;

/** The lists in a value: itself, or those in an object, by their paths. */
function findLists(
  value: unknown,
  path = "",
  depth = 0,
): { readonly path: string; readonly list: readonly unknown[] }[] {
  if (depth > MAX_JSON_DEPTH) return [];
  if (Array.isArray(value)) return value.length === 0 ? [] : [{ path, list: value }];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    findLists(inner, path === "" ? key : `${path}.${key}`, depth + 1),
  );
}

function parseJson(text: string, name: string, options: ImportOptions): Sample[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CcparkError(
      "invalid-argument",
      `[trace] not JSON, ${name}: got ${cause instanceof Error ? cause.message : String(cause)}, expected a list of capacities`,
      { cause },
    );
  }
  const lists = findLists(value);
  if (lists.length !== 1) {
    const got = lists.length === 0 ? "none" : lists.map(({ path }) => `\`${path}\``).join(", ");
    throw new CcparkError(
      "invalid-argument",
      `[trace] list of capacities, ${name}: got ${got}, expected one list that is not empty, alone or in an object`,
    );
  }
  const { list } = lists[0]!;
  const first = list[0];
  if (typeof first === "number") {
    const { intervalMs } = options;
    if (intervalMs === undefined) {
      throw new CcparkError(
        "invalid-argument",
        `[trace] list of numbers, ${name}: got no interval, expected --interval-ms, how long each number holds`,
      );
    }
    const factors = { time: 1, rate: rateFactor(undefined, options.rateUnit) };
    return list.map((rate, i) => {
      const row = { name, line: i + 1, unit: "entry", got: quote(JSON.stringify(rate)) };
      return toSample(i * intervalMs, typeof rate === "number" ? rate : undefined, row, factors);
    });
  }
  const keys = first !== null && typeof first === "object" ? Object.keys(first) : [];
  const isPair = Array.isArray(first);
  const at = { name, line: 1, unit: "entry" };
  if (keys.length === 0) {
    fail(
      "bad entry",
      name,
      1,
      quote(JSON.stringify(first)),
      "a number, or an object with time and rate",
      "entry",
    );
  }
  const { intervalMs } = options;
  const timeKey =
    intervalMs !== undefined
      ? undefined
      : keys[
          findColumn(keys, options.timeColumn, isPair ? ["0"] : TIME_NAMES, {
            ...at,
            option: "--time-column",
          })
        ]!;
  const rateKey =
    keys[
      findColumn(keys, options.rateColumn, isPair ? ["1"] : RATE_NAMES, { ...at, option: "--rate-column" })
    ]!;
  const factors = {
    time: timeKey === undefined ? 1 : timeFactor(timeKey),
    rate: rateFactor(rateKey, options.rateUnit),
  };
  return list.map((entry, i) => {
    const fields = (entry ?? {}) as Readonly<Record<string, unknown>>;
    const number = (field: unknown): number | undefined => (typeof field === "number" ? field : undefined);
    const time = timeKey === undefined ? i * intervalMs! : number(fields[timeKey]);
    const row = { name, line: i + 1, unit: "entry", got: quote(JSON.stringify(entry)) };
    return toSample(time, number(fields[rateKey]), row, factors);
  });
}

/** What a text looks like: JSON by its first character, otherwise by its first line. */
export function detectFormat(text: string): CapacityFormat {
  if (/^\s*[[{]/.test(text)) return "json";
  const first = contentLines(text)[0]?.text ?? "";
  if (/[,;]/.test(first)) return "csv";
  const words = first.split(/\s+/);
  if (words.length === 2 && words.every((word) => toNumber(word) !== undefined)) return "rows";
  if (words.length > 1 || (first !== "" && toNumber(first) === undefined)) return "csv";
  return "mahimahi";
}

/** The rates as opportunities: times in milliseconds, at the end of the one in which a packet's worth is complete. */
function placeOpportunities(samples: readonly Sample[], endMs: number): number[] {
  const periodMs = Math.max(1, Math.round(endMs));
  const opportunitiesMs: number[] = [];
  let packets = 0; // of capacity up to the sample at hand, with fraction
  samples.forEach(({ atMs, mbps }, i) => {
    const toMs = samples[i + 1]?.atMs ?? endMs;
    const packetsPerMs = (mbps * 1000) / (PACKET_BYTES * 8);
    const until = packets + packetsPerMs * (toMs - atMs);
    // Rounding must not push a packet that is complete at a boundary behind it.
    while (opportunitiesMs.length + 1 <= until + 1e-6) {
      const completeMs = atMs + (opportunitiesMs.length + 1 - packets) / packetsPerMs;
      opportunitiesMs.push(Math.min(periodMs, Math.max(1, Math.ceil(completeMs - 1e-6))));
    }
    packets = until;
  });
  // The last line is the period, so one opportunity must lie there: what is left over of a packet becomes a whole one.
  if (opportunitiesMs.at(-1) !== periodMs) opportunitiesMs.push(periodMs);
  return opportunitiesMs;
}

function convert(
  samples: readonly Sample[],
  name: string,
  durationSec: number | undefined,
): Omit<ImportedTrace, "format"> {
  const first = samples[0];
  if (first === undefined) {
    throw emptyTrace(name);
  }
  for (let i = 1; i < samples.length; i++) {
    const { atMs, line } = samples[i]!;
    const before = samples[i - 1]!.atMs;
    if (atMs > before) continue;
    fail(
      "times do not grow",
      name,
      line,
      `${atMs / 1000} s`,
      `more than ${before / 1000} s as in the row before`,
    );
  }
  const shifted = samples.map((sample) => ({ ...sample, atMs: sample.atMs - first.atMs }));
  const last = shifted[shifted.length - 1]!;
  const beforeLast = shifted[shifted.length - 2];
  if (durationSec === undefined && beforeLast === undefined) {
    throw new TraceError(
      `[trace] no end, ${name}: got one row, expected --duration, since a rate holds until the next row`,
      last.line,
    );
  }
  const endMs = durationSec === undefined ? 2 * last.atMs - beforeLast!.atMs : durationSec * 1000;
  if (endMs <= last.atMs || endMs > MAX_TIME_MS) {
    throw new TraceError(
      `[trace] bad duration, ${name}: got ${endMs / 1000} s, expected more than ${last.atMs / 1000} s, the last row, and at most ${Math.floor(MAX_TIME_MS / 1000)} s`,
      last.line,
    );
  }
  let megabits = 0;
  shifted.forEach(({ atMs, mbps }, i) => {
    megabits += (mbps * ((shifted[i + 1]?.atMs ?? endMs) - atMs)) / 1000;
  });
  const packets = (megabits * 1e6) / (PACKET_BYTES * 8);
  if (packets > MAX_OPPORTUNITIES || packets < 0.5) {
    throw new CcparkError(
      "invalid-argument",
      `[trace] capacity of the whole, ${name}: got ${Math.round(packets)} packets, expected 1 to ${MAX_OPPORTUNITIES}; is the unit right (--rate-unit)?`,
    );
  }
  return {
    trace: { name, opportunitiesMs: placeOpportunities(shifted, endMs) },
    meanMbps: (megabits * 1000) / endMs,
    firstSec: first.atMs / 1000,
  };
}

/**
 * Reads capacity over time.
 * @throws TraceError naming the first bad row, CcparkError invalid-argument for a text that is none
 */
export function importTrace(text: string, name: string, options: ImportOptions = {}): ImportedTrace {
  const content = text.replace(/^\uFEFF/, "");
  const format = options.format ?? detectFormat(content);
  if (format === "mahimahi") {
    const trace = parseMahimahiTrace(content, name);
    const times = trace.opportunitiesMs;
    return {
      format,
      trace,
      meanMbps: (times.length * PACKET_BYTES * 8) / (times.at(-1)! * 1000),
      firstSec: 0,
    };
  }
  if (contentLines(content).length === 0) {
    throw emptyTrace(name);
  }
  const parse = { rows: parseRows, csv: parseCsv, json: parseJson }[format];
  return { format, ...convert(parse(content, name, options), name, options.durationSec) };
}
