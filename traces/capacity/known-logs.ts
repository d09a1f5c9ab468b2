/**
 * Logs whose shape says whose they are, where the names of columns do not say it: as tables with names and units that do.
 * What no rate can be read from is told in a sentence.
 */
import { CcparkError } from "../../core/errors.ts";
import { quote } from "../mahimahi.ts";
import type { Table, TableRow } from "./table.ts";

function refuse(message: string): CcparkError {
  return new CcparkError("invalid-argument", `[trace] ${message}`);
}

/** Files of other kinds, by how they begin where they are read as text. */
const BINARY: readonly (readonly [begin: string, kind: string])[] = [
  ["PK\u0003\u0004", "a zip archive, or a spreadsheet"],
  ["\ufffd\u00f2\ufffd", "packets (pcap)"],
  ["\ufffd\ufffd\ufffd\ufffd", "packets (pcap)"],
  ["\n\r\r\n", "packets (pcap)"],
  ["PAR1", "a Parquet file"],
  ["\ufffdHDF", "an HDF5 file"],
  ["\ufffdNUMPY", "a NumPy file"],
];

/** What text has none of. */
const CONTROL = /(?![\t\n\v\f\r])\p{Cc}/u;
const HEAD_LENGTH = 4096;

/** @throws CcparkError for what is no text of rates at all, with what to give instead */
export function expectRates(content: string, name: string): void {
  const head = content.slice(0, HEAD_LENGTH);
  if (CONTROL.test(head)) {
    const kind = BINARY.find(([begin]) => head.startsWith(begin))?.[1] ?? "bytes that are no text";
    throw refuse(`no text, ${name}: got ${kind}, expected rows of time and rate, JSON or CSV`);
  }
  if (/^\s*</.test(head)) {
    throw refuse(
      `XML, ${name}: got ${quote(head.trim().split("\n")[0]!)}, expected rows of time and rate, JSON or CSV`,
    );
  }
  if (/^\[ *ID\]/m.test(head)) {
    throw refuse(`text of iperf, ${name}: got what it prints, expected its JSON (\`iperf3 --json\`)`);
  }
}

/** @throws CcparkError for the JSON of `iperf3 --bidir`, which has two of everything */
export function expectOneDirection(content: string, name: string): void {
  if (!/"sum_bidir_reverse"\s*:/.test(content)) return;
  throw refuse(
    `both directions of iperf3, ${name}: got \`sum\` and \`sum_bidir_reverse\`, expected --time-column sum.start and --rate-column sum.bits_per_second, or those of the other`,
  );
}

/** `12 # 1504`, `12 + 1500`, `12.5 - 1500 30.1 1`: a tunnel's log. */
const PACKET_LINE = /^(\d+(?:\.\d+)?) ([#+d-]) \d+/;

/**
 * The opportunities in a log of mm-link (Mahimahi), in milliseconds from its beginning; undefined: no such log.
 * @throws CcparkError for one that has packets only
 */
export function linkLog(content: string, name: string): number[] | undefined {
  const lines = content.split(/\r?\n/);
  const first = lines.find((line) => line !== "" && !line.startsWith("#"));
  if (first === undefined || !PACKET_LINE.test(first)) return undefined;
  const baseMs = Number(/^# base timestamp: (\d+)/m.exec(content)?.[1] ?? 0);
  const times = lines.flatMap((line) => {
    const [, at, what] = PACKET_LINE.exec(line) ?? [];
    return what === "#" ? [Math.max(0, Math.round(Number(at) - baseMs))] : [];
  });
  if (times.length > 0) return times;
  throw refuse(
    `log of packets, ${name}: got arrivals and departures without the link's opportunities (\`12 # 1504\`), expected mm-link's own log, or the trace that it ran`,
  );
}

interface Known {
  readonly whose: string;
  /** of lines that are neither blank nor a comment */
  readonly line: RegExp;
  /** of lines of other shapes: they say nothing of rates */
  readonly may?: RegExp;
  readonly columns: readonly string[];
  /** by the groups of `line`; undefined: no row of rates */
  readonly cells: (groups: readonly string[]) => readonly (string | number)[] | undefined;
}

const NUMBER = String.raw`(-?\d+(?:\.\d+)?)`;

const KNOWN: readonly Known[] = [
  {
    // Riiser et al. 2013 (HSDPA in Norway), van der Hooft et al. 2016 (4G in Belgium)
    whose: "phones of Riiser et al. and van der Hooft et al.: bytes that came in so many ms",
    line: new RegExp(String.raw`^\d{9,13}(?:\.\d+)?\s+\d+\s+${NUMBER}\s+${NUMBER}\s+(\d+)\s+(\d+)$`),
    columns: ["duration (ms)", "throughput (bytes/s)"],
    cells: ([latitude, longitude, bytes, ms]) => {
      const isPlace = Math.abs(Number(latitude)) <= 90 && Math.abs(Number(longitude)) <= 180;
      return isPlace && Number(ms) > 0 ? [Number(ms), (1000 * Number(bytes)) / Number(ms)] : undefined;
    },
  },
  {
    whose: "iperf 2 (--reportstyle C)",
    line: new RegExp(
      String.raw`^\d{14}(?:\.\d+)?,[^,]*,\d+,[^,]*,\d+,-?\d+,${NUMBER}-${NUMBER},\d+,(\d+)(?:,.*)?$`,
    ),
    columns: ["start (s)", "end (s)", "throughput (bit/s)"],
    cells: ([start, end, rate]) => [Number(start), Number(end), Number(rate)],
  },
  {
    whose: "tshark (-z io,stat)",
    line: new RegExp(String.raw`^\|\s*${NUMBER}\s*<>\s*${NUMBER}\s*\|\s*\d+\s*\|\s*(\d+)\s*\|$`),
    may: /^(?:[=|]|-{3})/,
    columns: ["start (s)", "end (s)", "throughput (bytes/s)"],
    cells: ([start, end, bytes]) => [
      Number(start),
      Number(end),
      Number(bytes) / (Number(end) - Number(start)),
    ],
  },
];

export interface KnownLog {
  readonly table: Table;
  readonly note: string;
}

/** A log as a table with names and units; undefined: it is none that is known. */
export function knownLog(content: string, name: string): KnownLog | undefined {
  const lines = content
    .split(/\r\n|\n|\r/)
    .map((text, i) => ({ text: text.trim(), line: i + 1 }))
    .filter(({ text }) => text !== "" && !text.startsWith("#"));
  for (const { whose, line: shape, may, columns, cells } of KNOWN) {
    const said = lines.filter(({ text }) => may === undefined || !may.test(text) || shape.test(text));
    if (said.length === 0 || !said.every(({ text }) => shape.test(text))) continue;
    const rows = said.map(({ text, line }): TableRow | undefined => {
      const row = cells(shape.exec(text)!.slice(1));
      return row && { line, cells: row, got: quote(text) };
    });
    if (rows.includes(undefined)) continue;
    const table = {
      name,
      columns,
      hasHeader: true,
      unit: "line" as const,
      firstLine: said[0]!.line,
      rows: withoutWhole(rows as TableRow[], columns),
      others: [],
    };
    return { table, note: `a log of ${whose}` };
  }
  return undefined;
}

/** The last row of some is that of the whole, from the beginning on. */
function withoutWhole(rows: readonly TableRow[], columns: readonly string[]): TableRow[] {
  if (columns[0] !== "start (s)") return [...rows];
  return rows.filter(({ cells }, i) => i === 0 || Number(cells[0]) > Number(rows[i - 1]!.cells[0]));
}

interface KnownUnit {
  readonly whose: string;
  /** columns that only this log has */
  readonly columns: readonly string[];
  readonly rates: RegExp;
  readonly unit: string;
}

const KNOWN_UNITS: readonly KnownUnit[] = [
  {
    // Raca et al. 2018 (4G) and 2020 (5G), University College Cork
    whose: "G-NetTrack writes it",
    columns: ["CellID", "NetworkMode", "DL_bitrate", "UL_bitrate"],
    rates: /^(?:DL|UL)_bitrate$/,
    unit: "kbps",
  },
  {
    whose: "Puffer writes it",
    columns: ["session_id", "cwnd", "in_flight", "delivery_rate"],
    rates: /^delivery_rate$/,
    unit: "bytes-per-sec",
  },
];

/** The unit of a column of a log that says none; undefined: nobody's that is known. */
export function knownUnit(
  columns: readonly string[],
  column: string,
): Pick<KnownUnit, "whose" | "unit"> | undefined {
  return KNOWN_UNITS.find(
    (log) => log.rates.test(column) && log.columns.every((each) => columns.includes(each)),
  );
}
