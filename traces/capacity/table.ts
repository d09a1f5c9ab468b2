/** Files of capacity as tables: rows of numbers, CSV with any separator, JSON lists in their usual nestings. */
import { CcparkError } from "../../core/errors.ts";
import { quote, TraceError } from "../mahimahi.ts";

export type CapacityFormat = "mahimahi" | "rows" | "json" | "csv";
export const CAPACITY_FORMATS: readonly CapacityFormat[] = ["mahimahi", "rows", "json", "csv"];

export interface TableRow {
  /** from 1 */
  readonly line: number;
  /** by column; undefined: there is none */
  readonly cells: readonly unknown[];
  /** the whole row, for messages */
  readonly got: string;
}

export interface Table {
  readonly name: string;
  /** of columns: a header's, keys, or numbers from 1 */
  readonly columns: readonly string[];
  readonly hasHeader: boolean;
  /** what a row is called in messages */
  readonly unit: "line" | "entry";
  /** of the first row */
  readonly firstLine: number;
  readonly rows: readonly TableRow[];
  /** what lies beside the columns */
  readonly others: readonly string[];
}

export function fail(
  what: string,
  name: string,
  at: { readonly line: number; readonly unit?: string },
  got: string,
  expected: string,
): never {
  const where = `${at.unit ?? "line"} ${at.line}`;
  throw new TraceError(`[trace] ${what}, ${name} ${where}: got ${got}, expected ${expected}`, at.line);
}

export const emptyTrace = (name: string): TraceError =>
  new TraceError(`[trace] empty trace, ${name}: got no row, expected rows of time and rate`, 1);

function refuse(message: string, cause?: unknown): CcparkError {
  return new CcparkError("invalid-argument", `[trace] ${message}`, { cause });
}

/** Every digit of the smallest number of 64 bits is shorter. */
const MAX_NUMBER_LENGTH = 1_100;

/** Digits, a point, an exponent; undefined: no such number. */
export function toNumber(text: string): number | undefined {
  if (text.length > MAX_NUMBER_LENGTH) return undefined;
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** Lines that are neither blank nor a comment, with their numbers. */
function contentLines(text: string): { readonly text: string; readonly line: number }[] {
  return text
    .split("\n")
    .map((raw, i) => ({ text: raw.trim(), line: i + 1 }))
    .filter(({ text: content }) => content !== "" && !content.startsWith("#"));
}

/**
 * What a text looks like: JSON by its first character, otherwise by its first line.
 * @param isTable options say that a line has a rate: a lone number is not Mahimahi's
 */
export function detectFormat(text: string, isTable = false): CapacityFormat {
  if (/^\s*[[{]/.test(text)) return "json";
  const first = contentLines(text)[0]?.text ?? "";
  if (/[,;]/.test(first)) return "csv";
  const words = first.split(/\s+/);
  if (words.length === 2 && words.every((word) => toNumber(word) !== undefined)) return "rows";
  if (words.length > 1 || (first !== "" && toNumber(first) === undefined)) return "csv";
  return isTable ? "csv" : "mahimahi";
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

/** How a line is cut; blanks cut where nothing else does. */
function splitter(first: string): (line: string) => string[] {
  const separator = [",", ";", "\t"].find((candidate) => first.includes(candidate));
  return separator === undefined ? (line) => line.split(/\s+/) : (line) => splitFields(line, separator);
}

/** @throws TraceError for a file without rows, or a row with more or fewer columns than the first */
export function tableOfLines(text: string, name: string, format: "rows" | "csv"): Table {
  const lines = contentLines(text);
  const first = lines[0];
  if (first === undefined) throw emptyTrace(name);
  const split = splitter(format === "rows" ? " " : first.text);
  const head = split(first.text);
  const hasHeader = format === "csv" && head.some((field) => field !== "" && isName(field));
  const columns = hasHeader ? head : head.map((_, i) => String(i + 1));
  const rows = lines.slice(hasHeader ? 1 : 0).map(({ text: content, line }): TableRow => {
    const cells = split(content);
    if (format === "rows" && cells.length !== 2) {
      fail("bad row", name, { line }, quote(content), "two numbers, seconds and rate, such as `0.5 12`");
    }
    if (cells.length !== columns.length) {
      const expected = `${columns.length} columns as in line ${first.line}`;
      fail("bad row", name, { line }, `${cells.length} columns`, expected);
    }
    return { line, cells, got: quote(content) };
  });
  return { name, columns, hasHeader, unit: "line", firstLine: first.line, rows, others: [] };
}

/** A header's field: neither a number nor a date. */
function isName(field: string): boolean {
  return toNumber(field) === undefined && /^[^\d]/.test(field) && field !== "-";
}

/** Deeper than any tool nests its list. */
const MAX_JSON_DEPTH = 50;

interface List {
  readonly path: string;
  readonly list: readonly unknown[];
}

/** The lists in a value: itself, or those in an object, by their paths. */
function findLists(value: unknown, path = "", depth = 0): List[] {
  if (depth > MAX_JSON_DEPTH) return [];
  if (Array.isArray(value)) return value.length === 0 ? [] : [{ path, list: value }];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    findLists(inner, path === "" ? key : `${path}.${key}`, depth + 1),
  );
}

const isScalar = (value: unknown): boolean => typeof value === "number" || typeof value === "string";

/** @throws CcparkError for a text that is no JSON, or has no list or several that do not belong together */
export function tableOfJson(text: string, name: string): Table {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    throw refuse(`not JSON, ${name}: got ${got}, expected a list of capacities`, cause);
  }
  const lists = findLists(value);
  const [only] = lists;
  const common = { name, unit: "entry" as const, firstLine: 1 };
  if (only !== undefined && lists.length === 1)
    return { ...common, ...tableOfList(only.list, name), others: [] };
  const longest = Math.max(0, ...lists.map(({ list }) => list.length));
  const parallel = lists.filter(({ list }) => list.length === longest && list.every(isScalar));
  if (parallel.length < 2) {
    const got = lists.length === 0 ? "none" : lists.map(({ path }) => `\`${path}\``).join(", ");
    throw refuse(
      `list of capacities, ${name}: got ${got}, expected one list that is not empty, alone or in an object, or lists of the same length`,
    );
  }
  const rows = Array.from({ length: longest }, (_, i): TableRow => {
    const cells = parallel.map(({ list }) => list[i]);
    return { line: i + 1, cells, got: quote(JSON.stringify(cells)) };
  });
  return {
    ...common,
    columns: parallel.map(({ path }) => path.split(".").at(-1)!),
    hasHeader: true,
    rows,
    others: Object.keys(value as object).filter(
      (key) => !parallel.some(({ path }) => path.split(".")[0] === key),
    ),
  };
}

function tableOfList(list: readonly unknown[], name: string): Pick<Table, "columns" | "hasHeader" | "rows"> {
  const first = list[0];
  const row = (entry: unknown, i: number, cells: readonly unknown[]): TableRow => ({
    line: i + 1,
    cells,
    got: quote(JSON.stringify(entry)),
  });
  if (typeof first === "number") {
    return { columns: ["1"], hasHeader: false, rows: list.map((entry, i) => row(entry, i, [entry])) };
  }
  const keys = first !== null && typeof first === "object" ? Object.keys(first) : [];
  if (keys.length === 0) {
    const expected = "a number, or an object with time and rate";
    fail("bad entry", name, { line: 1, unit: "entry" }, quote(JSON.stringify(first)), expected);
  }
  const isPair = Array.isArray(first);
  const rows = list.map((entry, i) => {
    const fields = (entry ?? {}) as Readonly<Record<string, unknown>>;
    return row(
      entry,
      i,
      keys.map((key) => fields[key]),
    );
  });
  return { columns: isPair ? keys.map((_, i) => String(i + 1)) : keys, hasHeader: !isPair, rows };
}
