/** Reading packed answers into arrays that are there already, and their info columns. */
import { CcparkError } from "../../../core/errors.ts";
import type { StepInfo } from "../../env.ts";
import { STEP_INFO_KEYS } from "../../vector/info-keys.ts";
import { DataType, type InfoColumn } from "../generated/ccpark/v1/environment.ts";
import { unpackInto } from "../wire.ts";

type Numbers = Float32Array | Float64Array | BigInt64Array | Uint8Array;

function mismatch(what: string, got: number, expected: number): CcparkError {
  return new CcparkError("internal", `[grpc] ${what}: the server sent ${got} bytes, expected ${expected}`);
}

/**
 * Copies packed numbers into `target`, which they must fill.
 * @throws CcparkError (internal)
 */
export function readInto(target: Numbers, bytes: Uint8Array | undefined, what: string): void {
  if (bytes === undefined || bytes.length !== target.byteLength) {
    throw mismatch(what, bytes?.length ?? 0, target.byteLength);
  }
  unpackInto(target, bytes);
}

/** The same for flags, where nothing says that all are `whenEmpty`. */
export function readFlags(target: Uint8Array, bytes: Uint8Array, whenEmpty: 0 | 1, what: string): void {
  if (bytes.length === 0) target.fill(whenEmpty);
  else readInto(target, bytes, what);
}

/** The one leaf of a packed observation. @throws CcparkError (internal) */
export function oneLeaf(leaves: readonly Uint8Array[], what: string): Uint8Array {
  if (leaves.length === 1) return leaves[0]!;
  throw new CcparkError("internal", `[grpc] ${what}: the server sent ${leaves.length} leaves, expected 1`);
}

const item = new Float64Array(1);

function valueAt({ dtype, values }: InfoColumn, row: number): number {
  if (dtype === DataType.DATA_TYPE_BOOL) return values[row] ?? 0;
  readInto(item, values.subarray(row * 8, row * 8 + 8), "info column");
  return item[0]!;
}

/** Where each column is expected: they come back in the order in which they were asked for. */
const STEP_INFO_PLACES: ReadonlyMap<string, number> = new Map(
  STEP_INFO_KEYS.map((key, place) => [key, place]),
);

/**
 * The step info of one row.
 * @throws CcparkError (internal) if a column is missing
 */
export function stepInfoOf(columns: readonly InfoColumn[], row: number): StepInfo {
  const value = (key: keyof StepInfo): number => {
    const expected = columns[STEP_INFO_PLACES.get(key)!];
    const column = expected?.key === key ? expected : columns.find((c) => c.key === key);
    if (column === undefined)
      throw new CcparkError("internal", `[grpc] the server sent no info column ${key}`);
    return valueAt(column, row);
  };
  return {
    report: value("report") !== 0,
    timeUs: value("timeUs"),
    stepUs: value("stepUs"),
    deliveredBytes: value("deliveredBytes"),
    lostPackets: value("lostPackets"),
    rttUs: value("rttUs"),
    cwndBytes: value("cwndBytes"),
    pacingRateBytesPerSec: value("pacingRateBytesPerSec"),
    clippedActions: value("clippedActions"),
    actionLateUs: value("actionLateUs"),
    missedReports: value("missedReports"),
  };
}

/** An info column over all rows, overwritten by the next answer. */
export interface InfoValues {
  /** 1: the row has a value; others hold 0 */
  readonly mask: Uint8Array;
  /** flags as Uint8Array, whole numbers (seeds) as BigInt64Array */
  readonly values: Float64Array | BigInt64Array | Uint8Array;
}

function makeValues(dtype: DataType, rows: number): InfoValues["values"] {
  if (dtype === DataType.DATA_TYPE_BOOL) return new Uint8Array(rows);
  if (dtype === DataType.DATA_TYPE_INT64) return new BigInt64Array(rows);
  return new Float64Array(rows);
}

/** Info columns by key. */
export class InfoTable {
  readonly columns: Map<string, InfoValues> = new Map();
  readonly #rows: number;

  constructor(rows: number) {
    this.#rows = rows;
  }

  read(columns: readonly InfoColumn[]): void {
    for (const column of columns) {
      const { mask, values } = this.#column(column);
      readFlags(mask, column.mask, 1, `info mask ${column.key}`);
      readInto(values, column.values, `info column ${column.key}`);
    }
  }

  /** Values for some rows only, one per row of `at`. */
  readRows(columns: readonly InfoColumn[], at: readonly number[]): void {
    for (const { mask } of this.columns.values()) mask.fill(0);
    for (const column of columns) {
      const { mask, values } = this.#column(column);
      const given = makeValues(column.dtype, at.length);
      readInto(given, column.values, `info column ${column.key}`);
      new Uint8Array(values.buffer).fill(0);
      at.forEach((row, k) => {
        values[row] = given[k]!;
        mask[row] = column.mask[k] ?? 1;
      });
    }
  }

  #column({ key, dtype }: InfoColumn): InfoValues {
    let found = this.columns.get(key);
    if (found === undefined) {
      found = { mask: new Uint8Array(this.#rows), values: makeValues(dtype, this.#rows) };
      this.columns.set(key, found);
    }
    return found;
  }
}
