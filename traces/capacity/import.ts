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
import { type DateOrder, MS_PER_DAY, parseDate, parseTimeOfDay } from "./clock.ts";
import { expectOneDirection, expectRates, knownLog, knownUnit, linkLog } from "./known-logs.ts";
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
  withPoints,
} from "./table.ts";
import { type ColumnName, parseColumn, RATE_UNITS, TIME_UNITS } from "./units.ts";

export interface ImportOptions {
  /** absent: found out from the text */
  readonly format?: CapacityFormat | undefined;
  /** a key of `RATE_UNITS`; absent: as the column's name says (`throughput_kbps`, `DL (MB/s)`), else mbps */
  readonly rateUnit?: string | undefined;
  /** a key of `TIME_UNITS`; absent: as the column's name says, or as times of an epoch or dates do, else s */
  readonly timeUnit?: string | undefined;
  /** of dates such as 02/01/2024; absent: as the one of them says that can be meant */
  readonly dateOrder?: DateOrder | undefined;
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
  ...[
    "time",
    "timestamp",
    "start",
    "starttime",
    "",
    "t",
    "timestamps",
    "times",
    "ts",
    "elapsed",
    "elapsedtime",
  ],
  ...[
    "timeelapsed",
    "epoch",
    "epochtime",
    "unixtime",
    "unixtimestamp",
    "timestampunix",
    "unix",
    "utc",
    "timeutc",
  ],
  ...["simtime", "systemtime", "clock", "date", "datetime", "at", "intervalstart"],
];
const END_BASES = ["end", "endtime", "stop"];
const DURATION_BASES = ["duration", "durations", "interval", "intervals", "length"];
const RATE_BASES = [
  "",
  ...["bandwidth", "rate", "throughput", "capacity", "bitrate", "bw", "datarate", "goodput"],
  ...["bandwidths", "rates", "throughputs", "capacities", "bitrates", "deliveryrate"],
];
/** In a longer name, such as `available_bandwidth` or `DL_bitrate`, or the direction alone. */
const RATE_WORD =
  /bandwidth|throughput|capacity|bitrate|goodput|datarate|^(?:downlink|uplink|download|upload|dl|ul)$/;
/** In a longer name, such as `frame.time_epoch` or `datetimestamp_utc`. */
const TIME_WORD = /time|epoch|date/;
/** What is measured in units of time and is none. */
const DELAY_WORD = /rtt|ping|latency|delay|jitter|owd/;
/** Columns of rates without a name of their own that a message lists. */
const MAX_CANDIDATES = 6;

/** More, without a unit, are kbit/s or bit/s as well. */
const MAX_PLAIN_MBPS = 10_000;
/** Steps of times from here on may be milliseconds as well as seconds. */
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

/** By names that are not usual: those with a word for it in them, and those with its unit. */
const BY_WORD_OR_UNIT: Readonly<Record<"timeUnit" | "rateUnit", readonly ((name: ColumnName) => boolean)[]>> =
  {
    timeUnit: [
      ({ base, rateUnit }) => rateUnit === undefined && TIME_WORD.test(base),
      ({ base, timeUnit }) => timeUnit !== undefined && !DELAY_WORD.test(base),
    ],
    rateUnit: [({ rateUnit }) => rateUnit !== undefined, ({ base }) => RATE_WORD.test(base)],
  };

/**
 * Where no name is usual: the only one that may be meant.
 * @throws CcparkError where there are several, with their names
 */
function onlyOne(table: Table, kind: "timeUnit" | "rateUnit", option: string): number | undefined {
  const names = table.columns.map(parseColumn);
  for (const isIt of BY_WORD_OR_UNIT[kind]) {
    const found = names.flatMap((name, column) => (isIt(name) ? [column] : []));
    if (found.length === 1) return found[0];
    if (found.length > 1 && found.length <= MAX_CANDIDATES) {
      const got = found.map((column) => quote(table.columns[column]!)).join(" and ");
      const what = kind === "timeUnit" ? "times" : "rates";
      throw refuse(`${what} of ${table.name}: got ${got}, expected ${option} with one of them`);
    }
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

type Times =
  | {
      readonly column: number;
      readonly are: "times" | "durations" /** where rows end */;
      readonly end?: number;
    }
  | "interval";

/** Columns without names, which mean time and rate where they are two. */
function expectTwo({ columns, name, firstLine, unit, rows }: Table, option: string): void {
  const isEmpty = (column: number): boolean => rows.every(({ cells }) => cells[column] === "");
  if (columns.every((_, column) => column < 2 || isEmpty(column))) return;
  fail("no such column", name, { line: firstLine, unit }, `${columns.length} columns without names`, option);
}

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
    if (table.columns.length > 1) {
      expectTwo(table, "--time-column and --rate-column");
      return { column: 0, are: "times" };
    }
    if (numberOf(table.rows[0]?.cells[0]) !== undefined) {
      throw refuse(
        `list of numbers, ${table.name}: got no interval, expected --interval-ms, how long each number holds`,
      );
    }
    return noColumn(table, ["time and one of rate"], "--interval-ms");
  }
  const column = usualColumn(table, TIME_BASES, "timeUnit");
  if (column !== undefined) {
    const { base, timeUnit } = parseColumn(table.columns[column]!);
    const end = base.startsWith("start") ? usualColumn(table, END_BASES, "timeUnit") : undefined;
    const isAlike = end !== undefined && parseColumn(table.columns[end]!).timeUnit === timeUnit;
    return { column, are: "times", ...(isAlike && { end }) };
  }
  const duration = usualColumn(table, DURATION_BASES, "timeUnit");
  if (duration !== undefined) return { column: duration, are: "durations" };
  const only = onlyOne(table, "timeUnit", "--time-column");
  if (only !== undefined) return { column: only, are: "times" };
  return noColumn(table, TIME_BASES, "--time-column, or --interval-ms where rows come at one interval");
}

function findRates(table: Table, { rateColumn }: ImportOptions): number {
  if (rateColumn !== undefined) return askedColumn(table, rateColumn);
  if (!table.hasHeader) {
    expectTwo(table, "--rate-column");
    return table.columns.length > 1 ? 1 : 0;
  }
  const column = usualColumn(table, RATE_BASES, "rateUnit") ?? onlyOne(table, "rateUnit", "--rate-column");
  return column ?? noColumn(table, RATE_BASES, "--rate-column");
}

const called = ({ hasHeader, columns }: Table, column: number): string =>
  hasHeader ? `\`${columns[column]}\`` : `column ${column + 1}`;

const NO_NAME: ColumnName = { base: "", timeUnit: undefined, rateUnit: undefined };

const nameOf = ({ hasHeader, columns }: Table, column: number): ColumnName =>
  hasHeader ? parseColumn(columns[column]!) : NO_NAME;

/** What a note says of a unit that was asked for. */
function asAsked(asked: string, named: string | undefined): string {
  return named === undefined || named === asked ? "as asked" : "as asked, though its name says otherwise";
}

/** Mbit/s of one unit, and the note that says which. */
function rateUnitFor(table: Table, column: number, asked: string | undefined): [number, string] {
  const { rateUnit, timeUnit, unknown } = nameOf(table, column);
  const name = called(table, column);
  if (asked !== undefined) {
    return [RATE_UNITS.get(asked)!, `rates: ${name} in ${asked}, ${asAsked(asked, rateUnit)}`];
  }
  const known =
    rateUnit !== undefined || unknown !== undefined
      ? undefined
      : knownUnit(table.columns, table.columns[column]!);
  if (known !== undefined) {
    return [RATE_UNITS.get(known.unit)!, `rates: ${name} in ${known.unit}, as ${known.whose}`];
  }
  if (rateUnit === "ambiguous") {
    throw refuse(`unit of ${name}, ${table.name}: got bits or bytes in capitals, expected --rate-unit`);
  }
  if (rateUnit !== undefined)
    return [RATE_UNITS.get(rateUnit)!, `rates: ${name} in ${rateUnit}, as its name says`];
  if (unknown !== undefined || timeUnit !== undefined) {
    throw refuse(`unit of ${name}, ${table.name}: got ${quote(unknown ?? timeUnit!)}, expected --rate-unit`);
  }
  return [1, `rates: ${name} in mbps, which is taken for granted (--rate-unit)`];
}

interface ReadTimes {
  readonly timesMs: readonly number[];
  readonly note: string;
  /** ms of one unit of the column */
  readonly msPerUnit: number;
}

interface ReadColumn {
  /** of numbers in a unit that is still open, of clocks in ms */
  readonly values: readonly number[];
  readonly are: "numbers" | "dates" | "times of day";
}

/** Each cell by a reader; where one is none, undefined, or an error. */
function readCells(table: Table, column: number, read: (cell: unknown) => number | undefined): number[] {
  const { name, unit, rows } = table;
  return rows.map(({ cells, line, got }) => {
    const value = read(cells[column]);
    if (value !== undefined && Number.isFinite(value)) return value;
    return fail(
      "bad time",
      name,
      { line, unit },
      got,
      "a time that is a number, or a date, as in the first row",
    );
  });
}

/** Times of day go on after midnight. */
function pastMidnight(timesMs: readonly number[]): number[] {
  let days = 0;
  return timesMs.map((timeMs, i) => {
    if (i > 0 && timeMs < timesMs[i - 1]! - MS_PER_DAY / 2) days++;
    return timeMs + days * MS_PER_DAY;
  });
}

/** The same date whatever comes first, day or month, is none of doubt. */
function readDates(table: Table, column: number, asked: DateOrder | undefined): readonly number[] {
  const by = (order: DateOrder) => (cell: unknown) =>
    isText(cell) ? parseDate(String(cell), order) : undefined;
  if (asked !== undefined) return readCells(table, column, by(asked));
  const readable = (["dmy", "mdy"] as const).filter((order) =>
    table.rows.every(({ cells }) => by(order)(cells[column]) !== undefined),
  );
  const [first, second] = readable.map((order) => readCells(table, column, by(order)));
  if (first === undefined) return readCells(table, column, by("dmy"));
  if (second === undefined || first.every((atMs, i) => atMs - first[0]! === second[i]! - second[0]!))
    return first;
  const got = quote(String(table.rows[0]!.cells[column]));
  throw refuse(`dates of ${called(table, column)}, ${table.name}: got ${got}, expected --date-order`);
}

const isText = (cell: unknown): boolean => typeof cell === "string" || typeof cell === "number";

function readColumn(table: Table, column: number, order: DateOrder | undefined): ReadColumn {
  const first = table.rows[0]?.cells[column];
  if (
    isText(first) &&
    parseDate(String(first), "dmy") === undefined &&
    parseDate(String(first), "mdy") === undefined
  ) {
    if (order !== undefined) {
      throw refuse(`--date-order, ${table.name}: got no dates in ${called(table, column)}, expected none`);
    }
    if (parseTimeOfDay(String(first)) === undefined) {
      return { values: readCells(table, column, numberOf), are: "numbers" };
    }
    const clock = (cell: unknown) => (isText(cell) ? parseTimeOfDay(String(cell)) : undefined);
    return { values: pastMidnight(readCells(table, column, clock)), are: "times of day" };
  }
  return isText(first)
    ? { values: readDates(table, column, order), are: "dates" }
    : { values: readCells(table, column, numberOf), are: "numbers" };
}

function numberOf(cell: unknown): number | undefined {
  if (typeof cell === "number") return cell;
  return typeof cell === "string" ? toNumber(cell) : undefined;
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
  { timeUnit: asked, dateOrder }: ImportOptions,
): ReadTimes {
  const { values, are: kind } = readColumn(table, column, dateOrder);
  const name = called(table, column);
  const label = are === "times" ? "times" : "durations";
  if (kind !== "numbers") {
    if (asked === undefined) return { timesMs: values, note: `${label}: ${name}, ${kind}`, msPerUnit: 1 };
    throw refuse(`--time-unit ${asked}, ${table.name}: got ${kind} in ${name}, expected no unit`);
  }
  const scaled = (unit: string, why: string): ReadTimes => {
    const msPerUnit = TIME_UNITS.get(unit)!;
    const timesMs = values.map((value) => value * msPerUnit);
    return { timesMs, note: `${label}: ${name} in ${unit}, ${why}`, msPerUnit };
  };
  const { timeUnit, rateUnit, unknown } = nameOf(table, column);
  if (asked !== undefined) return scaled(asked, asAsked(asked, timeUnit));
  const epoch = values.length === 0 || are === "durations" ? undefined : epochUnit(values);
  if (timeUnit !== undefined) {
    if (epoch === undefined || epoch === timeUnit) return scaled(timeUnit, "as its name says");
    throw refuse(
      `unit of ${name}, ${table.name}: got ${timeUnit} by its name and ${epoch} since 1970 by its numbers, expected --time-unit`,
    );
  }
  if (epoch !== undefined) return scaled(epoch, "times since 1970");
  if (unknown !== undefined || rateUnit !== undefined) {
    throw refuse(`unit of ${name}, ${table.name}: got ${quote(unknown ?? rateUnit!)}, expected --time-unit`);
  }
  const steps = are === "durations" ? values : values.slice(1).map((value, i) => value - values[i]!);
  if (steps.length > 0 && median(steps) >= DOUBTFUL_STEP) {
    throw refuse(
      `unit of ${name}, ${table.name}: got numbers in steps of ${median(steps)}, which may be s or ms, expected --time-unit`,
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
  /** where the last row ends, by the times of rows */
  readonly endMs?: number;
  readonly notes: readonly string[];
}

function readSamples(whole: Table, options: ImportOptions): Samples {
  const times = findTimes(whole, options);
  const rates = findRates(whole, options);
  const taken =
    times === "interval" ? [rates] : [rates, times.column, ...(times.end === undefined ? [] : [times.end])];
  const table = withPoints(whole, taken);
  const { name, unit, rows } = table;
  if (rows.length === 0) throw emptyTrace(name);
  const { timesMs, note, endMs } = timesOf(table, times, options);
  const [factor, rateNote] = rateUnitFor(table, rates, options.rateUnit);
  const samples = rows.map(({ cells, line, got }: TableRow, i): Sample => {
    const rate = numberOf(cells[rates]);
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
  const left = [
    ...table.columns.map((each, column) => (table.hasHeader ? each : `column ${column + 1}`)),
  ].filter((each, column) => each !== "" && !taken.includes(column));
  return {
    samples,
    ...(endMs !== undefined && { endMs }),
    notes: [note, rateNote, ...leftNote([...left, ...table.others])],
  };
}

/** Names that a note lists before it counts them. */
const LISTED = 8;

function leftNote(left: readonly string[]): string[] {
  if (left.length === 0) return [];
  const more = left.length > LISTED ? ` and ${left.length - LISTED} more` : "";
  return [`not taken along: ${left.slice(0, LISTED).join(", ")}${more}`];
}

function timesOf(
  table: Table,
  times: Times,
  options: ImportOptions,
): Omit<ReadTimes, "msPerUnit"> & { endMs?: number } {
  const { intervalMs } = options;
  if (times === "interval") {
    for (const option of ["timeUnit", "dateOrder"] as const) {
      if (options[option] === undefined) continue;
      throw refuse(`${table.name}: got ${OPTIONS[option]} and --interval-ms, expected one of them`);
    }
    const timesMs = table.rows.map((_, i) => i * intervalMs!);
    return { timesMs, note: `times: one row every ${intervalMs} ms, as asked` };
  }
  const read = readTimes(table, times, options);
  if (times.are === "times") {
    const last = times.end === undefined ? undefined : numberOf(table.rows.at(-1)!.cells[times.end]);
    return last === undefined ? read : { ...read, endMs: last * read.msPerUnit };
  }
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
  expectRates(content, name);
  const format = formatOf(content, options);
  if (format === "mahimahi") throw refuse(`${name}: got a Mahimahi trace, expected rates over time`);
  const known = knownOne(content, name, options);
  const table =
    known?.table ??
    (format === "json" ? jsonTable(content, name, options) : tableOfLines(content, name, format));
  const read = readSamples(options.intervalMs === undefined ? table : inOneColumn(table), options);
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
  const ofRowsMs = read.endMs === undefined ? undefined : read.endMs - firstMs;
  const endMs = endOf(points, name, last.line, options.durationSec, ofRowsMs);
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
    notes: [...(known === undefined ? [] : [known.note]), ...read.notes, ...notes],
  };
}

/** A log whose columns are known, unless options say what they are. */
function knownOne(content: string, name: string, options: ImportOptions): ReturnType<typeof knownLog> {
  const { format, timeColumn, rateColumn, intervalMs } = options;
  if ([format, timeColumn, rateColumn, intervalMs].some((option) => option !== undefined)) return undefined;
  const known = knownLog(content, name);
  const useless =
    known && (["rateUnit", "timeUnit", "dateOrder"] as const).find((key) => options[key] !== undefined);
  if (useless === undefined) return known;
  throw refuse(`${OPTIONS[useless]}, ${name}: does not apply to ${known!.note}, expected none`);
}

/** Of several lists in a text, the one that has times and rates. */
function jsonTable(content: string, name: string, options: ImportOptions): Table {
  if (options.timeColumn === undefined || options.rateColumn === undefined) expectOneDirection(content, name);
  return tableOfJson(content, name, (table) => {
    try {
      findTimes(table, options);
      findRates(table, options);
      return true;
    } catch (error) {
      if (error instanceof CcparkError) return false;
      throw error;
    }
  });
}

/** `9 12 16` in one line, with an interval, is a list. */
function inOneColumn(table: Table): Table {
  const [row, second] = table.rows;
  if (table.hasHeader || row === undefined || second !== undefined || row.cells.length < 2) return table;
  return { ...table, columns: ["1"], rows: row.cells.map((cell) => ({ ...row, cells: [cell] })) };
}

function endOf(
  points: readonly CapacityPoint[],
  name: string,
  line: number,
  durationSec: number | undefined,
  ofRowsMs: number | undefined,
): number {
  const lastMs = points.at(-1)!.atMs;
  const beforeLast = points.at(-2);
  const asked = durationSec === undefined ? ofRowsMs : durationSec * 1000;
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
const OPTIONS: Readonly<Record<Exclude<keyof ImportOptions, "format">, string>> = {
  rateUnit: "--rate-unit",
  timeUnit: "--time-unit",
  dateOrder: "--date-order",
  timeColumn: "--time-column",
  rateColumn: "--rate-column",
  intervalMs: "--interval-ms",
  durationSec: "--duration",
};

/** Options say what the columns are. */
function isChosen(options: ImportOptions): boolean {
  const keys = ["rateUnit", "rateColumn", "timeColumn", "timeUnit", "dateOrder", "intervalMs"] as const;
  return keys.some((key) => options[key] !== undefined);
}

function formatOf(content: string, options: ImportOptions): CapacityFormat {
  return options.format ?? detectFormat(content, isChosen(options));
}

/**
 * Reads a trace, or capacity over time as one.
 * @throws TraceError naming the first bad row, CcparkError invalid-argument for a text that is none, or an option that does
 *   not apply to it
 */
export function importTrace(text: string, name: string, options: ImportOptions = {}): ImportedTrace {
  const content = text.replace(/^\uFEFF/, "");
  expectRates(content, name);
  const opportunities = options.format === undefined ? linkLog(content, name) : undefined;
  if (opportunities !== undefined || formatOf(content, options) === "mahimahi") {
    for (const [key, option] of Object.entries(OPTIONS)) {
      if (options[key as keyof ImportOptions] === undefined) continue;
      throw refuse(`${option}, ${name}: does not apply to a Mahimahi trace, expected a file of rates`);
    }
    const trace = parseMahimahiTrace(opportunities?.map((ms) => `${ms}\n`).join("") ?? content, name);
    const times = trace.opportunitiesMs;
    const meanMbps = (times.length * PACKET_BYTES * 8) / (times.at(-1)! * 1000);
    const notes =
      opportunities === undefined ? [] : ["a log of mm-link, of which the opportunities are taken"];
    return { format: "mahimahi", trace, meanMbps, firstSec: 0, notes };
  }
  const capacity = importCapacity(content, name, options);
  const { format, meanMbps, firstSec, notes } = capacity;
  return { format, trace: traceOf(capacity), meanMbps, firstSec, notes };
}
