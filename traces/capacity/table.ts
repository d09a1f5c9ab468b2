/** Files of capacity as tables: rows of numbers, CSV with any separator, JSON lists in their usual nestings. */
import { CcparkError } from "../../core/errors.ts";
import { quote, TraceError } from "../mahimahi.ts";
import { parseColumn, rateUnitOf, timeUnitOf } from "./units.ts";

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

/** Deeper than any tool nests its list. */
const MAX_JSON_DEPTH = 50;

/** Every digit of the smallest number of 64 bits is shorter. */
const MAX_NUMBER_LENGTH = 1_100;

/** Digits, a point, an exponent; undefined: no such number. */
export function toNumber(text: string): number | undefined {
  if (text.length > MAX_NUMBER_LENGTH) return undefined;
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

interface Line {
  readonly text: string;
  /** from 1 */
  readonly line: number;
}

const COMMENT = /^(?:#|%|\/\/)/;

/** What is quoted goes on in the next line, for so many of them at most. */
const MAX_QUOTED_LINES = 100;

/** Lines as a reader of CSV sees them, with the line ends of all systems. */
function linesOf(text: string): Line[] {
  const raw = text.split(/\r\n|\n|\r/);
  const lines: Line[] = [];
  for (let i = 0; i < raw.length; i++) {
    const line = i + 1;
    let content = raw[i]!.trim();
    if (content === "") continue;
    if (isOpen(content)) {
      const upTo = raw.slice(i + 1, i + MAX_QUOTED_LINES).findIndex(isOpen);
      if (upTo >= 0) {
        content = [content, ...raw.slice(i + 1, i + upTo + 2)].join("\n").trim();
        i += upTo + 1;
      }
    }
    lines.push({ text: content, line });
  }
  return lines;
}

/** Whether a quote that is opened, or closed, in a line has its other one elsewhere. */
function isOpen(line: string): boolean {
  return line.includes('"') && line.split('"').length % 2 === 0 && !COMMENT.test(line.trim());
}

const isContent = ({ text }: Line): boolean => !COMMENT.test(text) && !/^sep=.$/i.test(text);

/** `0.5 6 # the tunnel` */
function withoutRemark(text: string): string {
  return /^[-+.\d]/.test(text) && !text.includes('"') ? text.replace(/(?<!\s)\s+(?:#|\/\/).*$/, "") : text;
}

/** Lines that are neither blank nor a comment, with their numbers. */
function contentLines(text: string): Line[] {
  return linesOf(text)
    .filter(isContent)
    .map(({ text: content, line }) => ({ text: withoutRemark(content), line }));
}

/**
 * What a text looks like: JSON by its first character, otherwise by its first line.
 * @param isTable options say that a line has a rate: a lone number is not Mahimahi's
 */
export function detectFormat(text: string, isTable = false): CapacityFormat {
  const first = contentLines(text)[0]?.text ?? "";
  if (/^[[{]/.test(first)) return "json";
  if (/[,;|]/.test(first)) return "csv";
  const words = first.split(/\s+/);
  if (words.length === 2 && words.every((word) => toNumber(word) !== undefined)) return "rows";
  if (words.length > 1 || (first !== "" && toNumber(first) === undefined)) return "csv";
  // Mahimahi's are whole numbers
  return isTable || /^\d*\.\d+$/.test(first) ? "csv" : "mahimahi";
}

/** The fields of one line; a quoted field may hold separators, and quotes twice. */
function splitFields(line: string, separator: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (char === '"') {
      if (quoted && line[i + 1] === '"') field += line[i++];
      else quoted = !quoted;
    } else if (char === separator && !quoted) {
      fields.push(unquoted(field));
      field = "";
    } else field += char;
  }
  return [...fields, unquoted(field)];
}

function unquoted(field: string): string {
  const text = field.trim();
  return /^'.*'$/.test(text) ? text.slice(1, -1) : text;
}

/** `Time (s)  Rate (Mbps)`: a unit in brackets belongs to the word before it; names of several words lie further apart. */
function splitBlanks(line: string, width: number | undefined): string[] {
  const fields = line.split(/\s+/);
  if (width === undefined || fields.length === width) return fields;
  const glued = line.replace(/(?<!\s)\s+(?=[([<{])/g, "").split(/\s+/);
  if (glued.length === width) return glued;
  const apart = line.split(/\t+|\s{2,}/);
  return apart.length === width ? apart : fields;
}

/** From the rarest in texts on: a comma may also be that of a decimal number or of a name. */
const SEPARATORS = [";", "\t", "|", ","];

type Split = (line: string, isHeader?: boolean) => string[];

/** How lines are cut: by what cuts the first two alike; blanks cut where nothing else does. */
function splitter(first: string, second: string | undefined): Split {
  const fieldsOf = (line: string, separator: string): number => splitFields(line, separator).length;
  const present = SEPARATORS.filter((separator) => fieldsOf(first, separator) > 1);
  const separator =
    present.find((each) => second !== undefined && fieldsOf(second, each) === fieldsOf(first, each)) ??
    present[0];
  if (separator !== undefined) return (line) => splitFields(line, separator);
  const width = second?.split(/\s+/).length;
  return (line, isHeader) => splitBlanks(line, isHeader === true ? width : undefined);
}

/** A header in a comment, such as `# time_ms kbps`: as many fields as the rows have, a unit or a usual name each. */
function headerInComment(text: string, firstLine: number, split: Split, width: number): string[] | undefined {
  const before = linesOf(text)
    .filter(({ text: content, line }) => line < firstLine && COMMENT.test(content))
    .at(-1);
  if (before === undefined) return undefined;
  const fields = split(before.text.replace(/^(?:#|%|\/)+\s*/, ""), true);
  const saysSomething = fields.some((field) => {
    const { timeUnit, rateUnit, base } = parseColumn(field);
    return (
      timeUnit !== undefined ||
      rateUnit !== undefined ||
      /^(?:time|timestamp|rate|bandwidth|throughput)$/.test(base)
    );
  });
  return fields.length === width && fields.every(isName) && saysSomething ? fields : undefined;
}

/** As numbers of texts have them: with one comma or several, and perhaps points. */
const COMMA_NUMBER = /^[+-]?\d[\d.]*(?:,\d+)+(?:\.\d+)?$/;
const WITH_THOUSANDS = /^[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$/;
const WITH_DECIMALS = /^[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+$/;

/**
 * `0,5` and `1.234,5` as numbers with a point.
 * @param wanted the columns that are numbers
 * @throws CcparkError where all commas may be those of thousands as well, as in `12,000`
 */
export function withPoints(table: Table, wanted: readonly number[]): Table {
  const isNumber = (cell: unknown): cell is string => typeof cell === "string" && COMMA_NUMBER.test(cell);
  const numbers = table.rows.flatMap(({ cells }) => wanted.map((column) => cells[column]).filter(isNumber));
  if (numbers.length === 0) return table;
  const areDecimals = numbers.every((cell) => WITH_DECIMALS.test(cell));
  if (areDecimals === numbers.every((cell) => WITH_THOUSANDS.test(cell))) {
    throw refuse(
      `commas in numbers, ${table.name}: got ${quote(numbers[0]!)}, expected numbers with a point, since a comma may be that of decimals or of thousands`,
    );
  }
  const plain = (cell: unknown): unknown => {
    if (!isNumber(cell)) return cell;
    return areDecimals ? cell.replaceAll(".", "").replace(",", ".") : cell.replaceAll(",", "");
  };
  const rows = table.rows.map((row) => ({
    ...row,
    cells: row.cells.map((cell, column) => (wanted.includes(column) ? plain(cell) : cell)),
  }));
  return { ...table, rows };
}

/** Units in the row below the names: `time,rate` and `ms,kbps`. */
function namesWithUnits(
  head: readonly string[],
  second: readonly string[] | undefined,
): string[] | undefined {
  const isUnits =
    second?.length === head.length &&
    second.every(
      (field) => field === "" || timeUnitOf(field) !== undefined || rateUnitOf(field) !== undefined,
    );
  return isUnits ? head.map((name, i) => (second[i] === "" ? name : `${name} (${second[i]})`)) : undefined;
}

/** @throws TraceError for a file without rows, or a row with more or fewer columns than the first */
export function tableOfLines(text: string, name: string, format: "rows" | "csv"): Table {
  const lines = contentLines(text);
  const first = lines[0];
  if (first === undefined) throw emptyTrace(name);
  const split: Split = format === "rows" ? (line) => line.split(/\s+/) : splitter(first.text, lines[1]?.text);
  const head = split(first.text, true);
  const hasOwn = format === "csv" && head.some((field) => field !== "" && isName(field));
  const units = hasOwn && lines[1] !== undefined ? namesWithUnits(head, split(lines[1].text)) : undefined;
  const inComment = hasOwn ? undefined : headerInComment(text, first.line, split, head.length);
  const columns = units ?? inComment ?? (hasOwn ? head : head.map((_, i) => String(i + 1)));
  const body = lines.slice(hasOwn ? 1 + (units === undefined ? 0 : 1) : 0);
  const rows = body.map(({ text: content, line }): TableRow => {
    const fields = split(content);
    const isTrailing = fields.length === columns.length + 1 && fields.at(-1) === "";
    const cells = isTrailing ? fields.slice(0, -1) : fields;
    if (format === "rows" && cells.length !== 2) {
      fail("bad row", name, { line }, quote(content), "two numbers, seconds and rate, such as `0.5 12`");
    }
    if (cells.length !== columns.length) {
      const expected = `${columns.length} columns as in line ${first.line}`;
      fail("bad row", name, { line }, `${cells.length} columns`, expected);
    }
    return { line, cells, got: quote(content) };
  });
  return {
    name,
    columns,
    hasHeader: hasOwn || inComment !== undefined,
    unit: "line",
    firstLine: first.line,
    rows,
    others: [],
  };
}

/** A header's field: neither a number nor a date. */
function isName(field: string): boolean {
  return toNumber(field) === undefined && /^[^\d]/.test(field) && field !== "-";
}

interface List {
  readonly path: string;
  readonly list: readonly unknown[];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** The values of `{"0": a, "1": b}`, as pandas writes columns. */
function asList(value: object): readonly unknown[] | undefined {
  const keys = Object.keys(value);
  return keys.length > 1 && keys.every((key, i) => key === String(i)) ? Object.values(value) : undefined;
}

/** The lists in a value: itself, or those in an object, by their paths. */
function findLists(value: unknown, path = "", depth = 0): List[] {
  if (depth > MAX_JSON_DEPTH) return [];
  if (Array.isArray(value)) {
    const [only] = value;
    // one series of several that there might have been, as Prometheus answers
    const inside = value.length === 1 && isObject(only) ? findLists(only, path, depth + 1) : [];
    return inside.length > 0 ? inside : value.length === 0 ? [] : [{ path, list: value }];
  }
  if (!isObject(value)) return [];
  const list = asList(value);
  if (list !== undefined) return [{ path, list }];
  return Object.entries(value).flatMap(([key, inner]) =>
    findLists(inner, path === "" ? key : `${path}.${key}`, depth + 1),
  );
}

const isScalar = (value: unknown): boolean => typeof value === "number" || typeof value === "string";

/** @throws CcparkError for a text that is no JSON; one value a line is a list of them */
function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const lines = contentLines(text);
    if (lines.length > 1) {
      try {
        return lines.map(({ text: line }) => JSON.parse(line) as unknown);
      } catch {
        // then it is told of the whole
      }
    }
    const got = cause instanceof Error ? cause.message : String(cause);
    throw refuse(`not JSON, ${name}: got ${got}, expected a list of capacities`, cause);
  }
}

/**
 * @param isUsable whether a table has what is looked for, where a text has several lists
 * @throws CcparkError for a text that is no JSON, or has no list or several that do not belong together
 */
export function tableOfJson(text: string, name: string, isUsable: (table: Table) => boolean): Table {
  const value = parseJson(text, name);
  const lists = findLists(value);
  const [only] = lists;
  const common = { name, unit: "entry" as const, firstLine: 1 };
  if (only !== undefined && lists.length === 1) {
    return { ...common, ...tableOfList(only.list, name), others: [] };
  }
  const others = (taken: readonly string[]): string[] =>
    Object.keys(value as object).filter((key) => !taken.some((path) => path.split(".")[0] === key));
  const split = splitOrientation(lists);
  if (split !== undefined) return { ...common, ...split, others: others(["columns", "data", "index"]) };
  const ofObjects = lists
    .filter(({ list }) => isObject(list[0]) && fieldsOf(list[0]).length > 0)
    .map(({ path, list }): Table => ({ ...common, ...tableOfList(list, name), others: others([path]) }))
    .filter(isUsable);
  if (ofObjects.length === 1) return ofObjects[0]!;
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
    others: others(parallel.map(({ path }) => path)),
  };
}

/** `{"columns": [...], "data": [[...], ...]}`, as pandas writes it when asked to. */
function splitOrientation(lists: readonly List[]): Pick<Table, "columns" | "hasHeader" | "rows"> | undefined {
  const columns = lists.find(({ path }) => path === "columns")?.list;
  const data = lists.find(({ path }) => path === "data")?.list;
  if (columns === undefined || data === undefined || !columns.every((each) => typeof each === "string"))
    return undefined;
  const rows = data.map((entry, i): TableRow => {
    const cells = Array.isArray(entry) ? entry : [];
    return { line: i + 1, cells, got: quote(JSON.stringify(entry)) };
  });
  return { columns, hasHeader: true, rows };
}

/** Fields of an entry and of the objects in it by their last name, or by their path where that is another's, too. */
function fieldsOf(
  entry: unknown,
  path: readonly string[] = [],
): (readonly [path: readonly string[], value: unknown])[] {
  if (!isObject(entry) || path.length > MAX_JSON_DEPTH) return [[path, entry]];
  return Object.entries(entry).flatMap(([key, value]) => fieldsOf(value, [...path, key]));
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
  if (Array.isArray(first) && first.length > 0) {
    const columns = first.map((_, i) => String(i + 1));
    const cellsOf = (entry: unknown): readonly unknown[] =>
      columns.map((_, i) => (entry as readonly unknown[] | null)?.[i]);
    return { columns, hasHeader: false, rows: list.map((entry, i) => row(entry, i, cellsOf(entry))) };
  }
  const fields = isObject(first) ? fieldsOf(first) : [];
  if (fields.length === 0) {
    const expected = "a number, or an object with time and rate";
    fail("bad entry", name, { line: 1, unit: "entry" }, quote(JSON.stringify(first)), expected);
  }
  const lastNames = fields.map(([path]) => path.at(-1)!);
  const columns = fields.map(([path], i) =>
    lastNames.indexOf(lastNames[i]!) === lastNames.lastIndexOf(lastNames[i]!)
      ? lastNames[i]!
      : path.join("."),
  );
  const rows = list.map((entry, i) => {
    const values = new Map(fieldsOf(entry).map(([path, value]) => [path.join("."), value]));
    return row(
      entry,
      i,
      fields.map(([path]) => values.get(path.join("."))),
    );
  });
  return { columns, hasHeader: true, rows };
}
