/**
 * Capacity over time from other tools: what a file says is found out from its shape, the names of its columns and its
 * values; what was taken for what is told, and what could be two things is refused. A rate holds until the next row. As a
 * trace in Mahimahi's format, opportunities are placed where the capacity has grown by another 1500-byte packet, so that at
 * every time their number is within one of what the capacity allows. As in the names of traces, 12 Mbit/s is one
 * opportunity per millisecond. Pure text and numbers.
 */
import { CcparkError } from "../../core/errors.ts";
import type { Mbps } from "../../core/units.ts";
import { PACKET_BYTES } from "../../core/units.ts";
import {
  MAX_OPPORTUNITIES,
  MAX_TIME_MS,
  type MahimahiTrace,
  parseMahimahiTrace,
  quote,
  TraceError,
} from "../mahimahi.ts";
import { parseClock } from "./clock.ts";
import {
  type CapacityFormat,
  detectFormat,
  emptyTrace,
  fail,
  type Table,
  type TableRow,
  tableOfJson,
  tableOfLines,
  toNumber,
} from "./table.ts";
import { parseColumn, RATE_UNITS, TIME_UNITS } from "./units.ts";

export interface ImportOptions {
  /** absent: found out from the text */
  readonly format?: CapacityFormat | undefined;
  /** a key of `RATE_UNITS`; absent: as the column's name says (`throughput_kbps`, `DL (MB/s)`), else mbps */
  readonly rateUnit?: string | undefined;
  /** a key of `TIME_UNITS`; absent: as the column's name says, or as times of an epoch or dates do, else s */
  readonly timeUnit?: string | undefined;
  /** name of a CSV column or JSON key, or a column's number from 1; absent: a usual name */
  readonly timeColumn?: string | undefined;
  readonly rateColumn?: string | undefined;
  /** lists without times: how long each value holds */
  readonly intervalMs?: number | undefined;
  /** where the last rate ends; absent: it lasts as long as the one before */
  readonly durationSec?: number | undefined;
}

/** A rate from `atMs` on. */
export interface CapacityPoint {
  readonly atMs: number;
  readonly mbps: Mbps;
}

export interface Capacity {
  readonly name: string;
  readonly format: Exclude<CapacityFormat, "mahimahi">;
  /** times from 0, growing */
  readonly points: readonly CapacityPoint[];
  readonly endMs: number;
  /** over the whole period */
  readonly meanMbps: Mbps;
  /** the source's first time, which became 0 */
  readonly firstSec: number;
  /** what was taken for what, for a reader */
  readonly notes: readonly string[];
}

export interface ImportedTrace {
  readonly format: CapacityFormat;
  readonly trace: MahimahiTrace;
  /** of the source over the whole period; a Mahimahi file's own */
  readonly meanMbps: Mbps;
  /** the source's first time, which became 0 */
  readonly firstSec: number;
  readonly notes: readonly string[];
}

interface Sample extends CapacityPoint {
  readonly line: number;
}

/** Bases of columns' names; the empty one is a name that is nothing but a unit. */
const TIME_BASES = [
  "time",
  "",
  "t",
  "timestamp",
  "timestamps",
  "times",
  "ts",
  "elapsed",
  "epoch",
  "date",
  "datetime",
];
const DURATION_BASES = ["duration", "durations", "interval", "intervals", "length"];
const RATE_BASES = [
  "",
  ...["bandwidth", "rate", "throughput", "capacity", "bitrate", "bw", "datarate", "goodput"],
  ...["bandwidths", "rates", "throughputs", "capacities", "bitrates"],
];

/** More is a mistaken unit. */
const MAX_PLAIN_MBPS = 100_000;
/** Steps of whole times from here on may be milliseconds as well as seconds. */
const DOUBTFUL_STEP = 100;

function refuse(message: string): CcparkError {
  return new CcparkError("invalid-argument", `[trace] ${message}`);
}

/** @throws TraceError */
function askedColumn({ columns, name, firstLine, unit }: Table, asked: string): number {
  const at = columns.includes(asked) ? columns.indexOf(asked) : Number(asked) - 1;
  if (Number.isInteger(at) && at >= 0 && at < columns.length) return at;
  const got = columns.map(quote).join(", ");
  return fail("no such column", name, { line: firstLine, unit }, got, `a column \`${asked}\``);
}

function usualColumn(
  table: Table,
  bases: readonly string[],
  kind: "timeUnit" | "rateUnit",
): number | undefined {
  const names = table.columns.map(parseColumn);
  const other = kind === "timeUnit" ? "rateUnit" : "timeUnit";
  for (const base of bases) {
    const at = names.findIndex(
      (each) => each.base === base && each[other] === undefined && (base !== "" || each[kind] !== undefined),
    );
    if (at >= 0) return at;
  }
  return undefined;
}

function noColumn(
  { columns, name, firstLine, unit }: Table,
  bases: readonly string[],
  option: string,
): never {
  const usual = bases.filter((base) => base !== "").slice(0, 4);
  const expected = `one named ${usual.join(", ")} or ${option}`;
  return fail("no such column", name, { line: firstLine, unit }, columns.map(quote).join(", "), expected);
}

type Times = { readonly column: number; readonly are: "times" | "durations" } | "interval";

function findTimes(table: Table, { timeColumn, intervalMs }: ImportOptions): Times {
  if (intervalMs !== undefined) {
    if (timeColumn === undefined) return "interval";
    throw refuse(`${table.name}: got --interval-ms and --time-column, expected one of them`);
  }
  if (timeColumn !== undefined) {
    const column = askedColumn(table, timeColumn);
    const isDuration = DURATION_BASES.includes(parseColumn(table.columns[column]!).base);
    return { column, are: isDuration ? "durations" : "times" };
  }
  if (!table.hasHeader) {
    if (table.columns.length > 1) return { column: 0, are: "times" };
    if (table.unit === "entry" && typeof table.rows[0]?.cells[0] === "number") {
      throw refuse(
        `list of numbers, ${table.name}: got no interval, expected --interval-ms, how long each number holds`,
      );
    }
    return noColumn(table, ["time and one of rate"], "--interval-ms");
  }
  const column = usualColumn(table, TIME_BASES, "timeUnit");
  if (column !== undefined) return { column, are: "times" };
  const duration = usualColumn(table, DURATION_BASES, "timeUnit");
  if (duration !== undefined) return { column: duration, are: "durations" };
  return noColumn(table, TIME_BASES, "--time-column");
}

function findRates(table: Table, { rateColumn }: ImportOptions): number {
  if (rateColumn !== undefined) return askedColumn(table, rateColumn);
  if (!table.hasHeader) return table.columns.length > 1 ? 1 : 0;
  return usualColumn(table, RATE_BASES, "rateUnit") ?? noColumn(table, RATE_BASES, "--rate-column");
}

const called = ({ hasHeader, columns }: Table, column: number): string =>
  hasHeader ? `\`${columns[column]}\`` : `column ${column + 1}`;

/** Mbit/s of one unit, and the note that says which. */
function rateUnitFor(table: Table, column: number, asked: string | undefined): [number, string] {
  const { rateUnit } = table.hasHeader ? parseColumn(table.columns[column]!) : {};
  const name = called(table, column);
  if (asked !== undefined) return [RATE_UNITS.get(asked)!, `rates: ${name} in ${asked}, as asked`];
  if (rateUnit === "ambiguous") {
    throw refuse(`unit of ${name}, ${table.name}: got bits or bytes in capitals, expected --rate-unit`);
  }
  if (rateUnit !== undefined)
    return [RATE_UNITS.get(rateUnit)!, `rates: ${name} in ${rateUnit}, as its name says`];
  return [1, `rates: ${name} in mbps, which is taken for granted (--rate-unit)`];
}

interface ReadTimes {
  readonly timesMs: readonly number[];
  readonly note: string;
}

/** The cells of a column as numbers or dates, in units that are still open. */
function readColumn(table: Table, column: number): { readonly values: number[]; readonly areDates: boolean } {
  const { name, unit, rows } = table;
  const first = rows[0]?.cells[column];
  const areDates =
    typeof first === "string" && toNumber(first) === undefined && parseClock(first) !== undefined;
  const values = rows.map(({ cells, line, got }) => {
    const cell = cells[column];
    const value = typeof cell === "number" ? cell : readText(cell, areDates);
    if (value === undefined || !Number.isFinite(value)) {
      const expected = areDates ? "a date like the first" : "a time that is a number";
      return fail("bad time", name, { line, unit }, got, expected);
    }
    return value;
  });
  return { values, areDates };
}

function readText(cell: unknown, isDate: boolean): number | undefined {
  if (typeof cell !== "string") return undefined;
  return isDate ? parseClock(cell) : toNumber(cell);
}

/** By their size, times since 1970: seconds have ten digits, milliseconds thirteen, and so on. */
function epochUnit(values: readonly number[]): string | undefined {
  const smallest = Math.min(...values.slice(0, 1), values.at(-1)!);
  if (smallest >= 1e17) return "ns";
  if (smallest >= 1e14) return "us";
  if (smallest >= 1e11) return "ms";
  return smallest >= 1e9 ? "s" : undefined;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function readTimes(
  table: Table,
  { column, are }: Exclude<Times, string>,
  asked: string | undefined,
): ReadTimes {
  const { values, areDates } = readColumn(table, column);
  const name = called(table, column);
  const label = are === "times" ? "times" : "durations";
  if (areDates) {
    if (asked === undefined) return { timesMs: values, note: `${label}: ${name}, dates` };
    throw refuse(`--time-unit ${asked}, ${table.name}: got dates in ${name}, expected no unit`);
  }
  const scaled = (unit: string, why: string): ReadTimes => {
    const factor = TIME_UNITS.get(unit)!;
    return { timesMs: values.map((value) => value * factor), note: `${label}: ${name} in ${unit}, ${why}` };
  };
  if (asked !== undefined) return scaled(asked, "as asked");
  const { timeUnit } = table.hasHeader ? parseColumn(table.columns[column]!) : {};
  if (timeUnit !== undefined) return scaled(timeUnit, "as its name says");
  const epoch = values.length === 0 || are === "durations" ? undefined : epochUnit(values);
  if (epoch !== undefined) return scaled(epoch, "times since 1970");
  const steps = are === "durations" ? values : values.slice(1).map((value, i) => value - values[i]!);
  if (steps.length > 0 && median(steps) >= DOUBTFUL_STEP && values.every(Number.isInteger)) {
    throw refuse(
      `unit of ${name}, ${table.name}: got whole numbers in steps of ${median(steps)}, which may be s or ms, expected --time-unit`,
    );
  }
  return scaled("s", "which is taken for granted (--time-unit)");
}

/** Times at which given durations begin, and where the last one ends. */
function startsOf(table: Table, durationsMs: readonly number[]): { startsMs: number[]; endMs: number } {
  let endMs = 0;
  const startsMs = durationsMs.map((duration, i) => {
    const { line, got } = table.rows[i]!;
    if (duration <= 0) fail("bad duration", table.name, { line, unit: table.unit }, got, "one above 0");
    const startMs = endMs;
    endMs += duration;
    return startMs;
  });
  return { startsMs, endMs };
}

interface Samples {
  readonly samples: readonly Sample[];
  /** where durations end */
  readonly endMs?: number;
  readonly notes: readonly string[];
}

function readSamples(table: Table, options: ImportOptions): Samples {
  const times = findTimes(table, options);
  const rates = findRates(table, options);
  const { name, unit, rows } = table;
  if (rows.length === 0) throw emptyTrace(name);
  const { timesMs, note, endMs } = timesOf(table, times, options);
  const [factor, rateNote] = rateUnitFor(table, rates, options.rateUnit);
  const samples = rows.map(({ cells, line, got }: TableRow, i): Sample => {
    const cell = cells[rates];
    const rate = typeof cell === "number" ? cell : readText(cell, false);
    if (rate === undefined || !Number.isFinite(rate) || rate < 0) {
      fail("bad rate", name, { line, unit }, got, "a rate that is a number, 0 or more");
    }
    return { atMs: timesMs[i]!, mbps: rate * factor, line };
  });
  const largest = samples.reduce((most, { mbps }) => Math.max(most, mbps), 0);
  if (largest > MAX_PLAIN_MBPS && rateNote.includes("granted")) {
    throw refuse(
      `unit of ${called(table, rates)}, ${name}: got up to ${largest} Mbit/s without a unit, expected --rate-unit`,
    );
  }
  const taken = times === "interval" ? [rates] : [rates, times.column];
  const left = table.hasHeader
    ? [...table.columns.filter((_, column) => !taken.includes(column)), ...table.others]
    : [];
  return {
    samples,
    ...(endMs !== undefined && { endMs }),
    notes: [note, rateNote, ...(left.length > 0 ? [`not taken along: ${left.slice(0, 8).join(", ")}`] : [])],
  };
}

function timesOf(
  table: Table,
  times: Times,
  { intervalMs, timeUnit }: ImportOptions,
): ReadTimes & { endMs?: number } {
  if (times === "interval") {
    if (timeUnit !== undefined) {
      throw refuse(`${table.name}: got --time-unit and --interval-ms, expected one of them`);
    }
    const timesMs = table.rows.map((_, i) => i * intervalMs!);
    return { timesMs, note: `times: one row every ${intervalMs} ms, as asked` };
  }
  const read = readTimes(table, times, timeUnit);
  if (times.are === "times") return read;
  const { startsMs, endMs } = startsOf(table, read.timesMs);
  return { timesMs: startsMs, note: read.note, endMs };
}

/** Rows of one time become their mean. */
function merged(samples: readonly Sample[]): { readonly samples: Sample[]; readonly notes: string[] } {
  const groups: Sample[][] = [];
  for (const sample of samples) {
    const group = groups.at(-1);
    if (group !== undefined && group[0]!.atMs === sample.atMs) group.push(sample);
    else groups.push([sample]);
  }
  const several = groups.filter((group) => group.length > 1).length;
  return {
    samples: groups.map((group) => {
      const mbps = group.reduce((sum, each) => sum + each.mbps, 0) / group.length;
      return { ...group[0]!, mbps };
    }),
    notes: several === 0 ? [] : [`times with several rows, of which the mean is taken: ${several}`],
  };
}

/**
 * Reads capacity over time from anything but Mahimahi's format.
 * @throws TraceError naming the first bad row, CcparkError invalid-argument for a text that is none
 */
export function importCapacity(text: string, name: string, options: ImportOptions = {}): Capacity {
  const content = text.replace(/^\uFEFF/, "");
  const format = formatOf(content, options);
  if (format === "mahimahi") throw refuse(`${name}: got a Mahimahi trace, expected rates over time`);
  const table = format === "json" ? tableOfJson(content, name) : tableOfLines(content, name, format);
  const read = readSamples(table, options);
  const { samples, notes } = merged(read.samples);
  for (let i = 1; i < samples.length; i++) {
    const { atMs, line } = samples[i]!;
    const before = samples[i - 1]!.atMs;
    if (atMs > before) continue;
    const expected = `more than ${before / 1000} s as in the row before`;
    fail("times do not grow", name, { line, unit: table.unit }, `${atMs / 1000} s`, expected);
  }
  const firstMs = samples[0]!.atMs;
  const points = samples.map(({ atMs, mbps }) => ({ atMs: atMs - firstMs, mbps }));
  const last = samples.at(-1)!;
  const endMs = endOf(points, name, last.line, options.durationSec, read.endMs);
  const megabits = points.reduce(
    (sum, { atMs, mbps }, i) => sum + (mbps * ((points[i + 1]?.atMs ?? endMs) - atMs)) / 1000,
    0,
  );
  return {
    name,
    format,
    points,
    endMs,
    meanMbps: (megabits * 1000) / endMs,
    firstSec: firstMs / 1000,
    notes: [...read.notes, ...notes],
  };
}

function endOf(
  points: readonly CapacityPoint[],
  name: string,
  line: number,
  durationSec: number | undefined,
  ofDurationsMs: number | undefined,
): number {
  const lastMs = points.at(-1)!.atMs;
  const beforeLast = points.at(-2);
  const asked = durationSec === undefined ? ofDurationsMs : durationSec * 1000;
  if (asked === undefined && beforeLast === undefined) {
    throw new TraceError(
      `[trace] no end, ${name}: got one row, expected --duration, since a rate holds until the next row`,
      line,
    );
  }
  const endMs = asked ?? 2 * lastMs - beforeLast!.atMs;
  if (endMs > lastMs && endMs <= MAX_TIME_MS) return endMs;
  throw new TraceError(
    `[trace] bad duration, ${name}: got ${endMs / 1000} s, expected more than ${lastMs / 1000} s, the last row, and at most ${Math.floor(MAX_TIME_MS / 1000)} s`,
    line,
  );
}

/**
 * The rates as opportunities: times in milliseconds, at the end of the one in which a packet's worth is complete.
 * @throws CcparkError (invalid-argument) where they are none or more than `MAX_OPPORTUNITIES`
 */
export function traceOf({ name, points, endMs, meanMbps }: Capacity): MahimahiTrace {
  const whole = (meanMbps * 1000 * endMs) / (PACKET_BYTES * 8);
  if (whole < 0.5) {
    throw refuse(
      `capacity of the whole, ${name}: got ${Math.round(whole)} packets, expected 1 to ${MAX_OPPORTUNITIES}; is the unit right (--rate-unit)?`,
    );
  }
  if (whole > MAX_OPPORTUNITIES) {
    throw refuse(
      `too large for a trace, ${name}: got ${Math.round(whole)} packets, expected at most ${MAX_OPPORTUNITIES}, one line each; ` +
        "--as scenario writes the rates themselves; or is the unit right (--rate-unit)?",
    );
  }
  const periodMs = Math.max(1, Math.round(endMs));
  const opportunitiesMs: number[] = [];
  let packets = 0; // of capacity up to the point at hand, with fraction
  points.forEach(({ atMs, mbps }, i) => {
    const toMs = points[i + 1]?.atMs ?? endMs;
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
  return { name, opportunitiesMs };
}

/** How options are called on the command line, where a Mahimahi trace has no use for them. */
const TABLE_OPTIONS: Readonly<Partial<Record<keyof ImportOptions, string>>> = {
  rateUnit: "--rate-unit",
  timeUnit: "--time-unit",
  timeColumn: "--time-column",
  rateColumn: "--rate-column",
  intervalMs: "--interval-ms",
  durationSec: "--duration",
};

function formatOf(content: string, options: ImportOptions): CapacityFormat {
  const isTable = (["rateUnit", "rateColumn", "timeColumn", "timeUnit", "intervalMs"] as const).some(
    (key) => options[key] !== undefined,
  );
  return options.format ?? detectFormat(content, isTable);
}

/**
 * Reads a trace, or capacity over time as one.
 * @throws TraceError naming the first bad row, CcparkError invalid-argument for a text that is none, or an option that does
 *   not apply to it
 */
export function importTrace(text: string, name: string, options: ImportOptions = {}): ImportedTrace {
  const content = text.replace(/^\uFEFF/, "");
  if (formatOf(content, options) === "mahimahi") {
    for (const [key, option] of Object.entries(TABLE_OPTIONS)) {
      if (options[key as keyof ImportOptions] === undefined) continue;
      throw refuse(`${option}, ${name}: does not apply to a Mahimahi trace, expected a file of rates`);
    }
    const trace = parseMahimahiTrace(content, name);
    const times = trace.opportunitiesMs;
    const meanMbps = (times.length * PACKET_BYTES * 8) / (times.at(-1)! * 1000);
    return { format: "mahimahi", trace, meanMbps, firstSec: 0, notes: [] };
  }
  const capacity = importCapacity(content, name, options);
  const { format, meanMbps, firstSec, notes } = capacity;
  return { format, trace: traceOf(capacity), meanMbps, firstSec, notes };
}
