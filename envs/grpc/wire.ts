/**
 * Between typed arrays, spaces and step info and the messages of the service: little-endian packed bytes, always in
 * fresh buffers (a decoded field may lie at any offset, and a written message may wait in a queue).
 */
import { CcparkError, unknownName } from "../../core/errors.ts";
import type { StepInfo } from "../env.ts";
import { type Box, makeBox } from "../spaces.ts";
import { DataType, type InfoColumn, type Space } from "./generated/ccpark/v1/environment.ts";

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function swapIfBigEndian(bytes: Uint8Array, itemBytes: number): Uint8Array {
  if (!HOST_IS_LITTLE_ENDIAN) {
    for (let i = 0; i < bytes.length; i += itemBytes) bytes.subarray(i, i + itemBytes).reverse();
  }
  return bytes;
}

/** A fresh little-endian copy. */
export function pack(values: Float32Array | Float64Array | BigInt64Array | Uint8Array): Uint8Array {
  const bytes = new Uint8Array(values.byteLength);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return swapIfBigEndian(bytes, values.BYTES_PER_ELEMENT);
}

/** A fresh, aligned copy of the whole number of items in `bytes`. */
export function unpackFloat32(bytes: Uint8Array): Float32Array {
  return new Float32Array(swapIfBigEndian(Uint8Array.from(bytes), 4).buffer);
}

/** As `unpackFloat32`, for float64. */
export function unpackFloat64(bytes: Uint8Array): Float64Array {
  return new Float64Array(swapIfBigEndian(Uint8Array.from(bytes), 8).buffer);
}

/**
 * A list of packed leaves that must be one float32 leaf of `rows` x `width`.
 * @throws CcparkError (invalid-argument)
 */
export function unpackLeaf(
  leaves: readonly Uint8Array[],
  rows: number,
  width: number,
  what: string,
): Float32Array {
  if (leaves.length !== 1) {
    throw new CcparkError("invalid-argument", `[grpc] ${what}: got ${leaves.length} leaves, expected 1`);
  }
  const bytes = leaves[0]!;
  const expected = rows * width * 4;
  if (bytes.length !== expected) {
    throw new CcparkError(
      "invalid-argument",
      `[grpc] ${what}: got ${bytes.length} bytes, expected ${expected} (${rows} rows x ${width} float32)`,
    );
  }
  return unpackFloat32(bytes);
}

export function spaceToWire(box: Box): Space {
  return {
    kind: {
      $case: "box",
      value: {
        dtype: DataType.DATA_TYPE_FLOAT32,
        shape: [...box.shape],
        low: pack(box.low),
        high: pack(box.high),
        dimensions: box.dimensions.map((d) => ({ ...d })),
      },
    },
  };
}

/** @throws CcparkError (internal) if the server announced another kind of space */
export function spaceFromWire(space: Space | undefined, what: string): Box {
  const box = space?.kind?.value;
  if (
    box === undefined ||
    box.dtype !== DataType.DATA_TYPE_FLOAT32 ||
    box.shape[0] !== box.dimensions.length
  ) {
    throw new CcparkError("internal", `[grpc] ${what}: the server announced no float32 box of one dimension`);
  }
  return makeBox(
    box.dimensions.map(({ name, unit, low, high, definition }) => ({ name, unit, low, high, definition })),
  );
}

/** Info of one row and the seed of its episode. */
export interface RowInfo {
  readonly info: StepInfo;
  readonly seed: number;
}

interface ColumnSpec {
  readonly dtype: DataType;
  /** @param rows undefined: a row without a value */
  pack(rows: readonly (RowInfo | undefined)[]): Uint8Array;
}

const booleanColumn = (of: (row: RowInfo) => boolean): ColumnSpec => ({
  dtype: DataType.DATA_TYPE_BOOL,
  pack: (rows) => Uint8Array.from(rows, (row) => (row !== undefined && of(row) ? 1 : 0)),
});
const float64Column = (of: (row: RowInfo) => number): ColumnSpec => ({
  dtype: DataType.DATA_TYPE_FLOAT64,
  pack: (rows) => pack(Float64Array.from(rows, (row) => (row === undefined ? 0 : of(row)))),
});

/** Every fact of StepInfo, by its name; the type makes a forgotten one an error. */
const STEP_INFO_COLUMNS: Readonly<Record<keyof StepInfo, ColumnSpec>> = {
  report: booleanColumn((row) => row.info.report),
  timeUs: float64Column((row) => row.info.timeUs),
  stepUs: float64Column((row) => row.info.stepUs),
  deliveredBytes: float64Column((row) => row.info.deliveredBytes),
  lostPackets: float64Column((row) => row.info.lostPackets),
  rttUs: float64Column((row) => row.info.rttUs),
  cwndBytes: float64Column((row) => row.info.cwndBytes),
  pacingRateBytesPerSec: float64Column((row) => row.info.pacingRateBytesPerSec),
  clippedActions: float64Column((row) => row.info.clippedActions),
};

const COLUMNS: ReadonlyMap<string, ColumnSpec> = new Map<string, ColumnSpec>([
  ...Object.entries(STEP_INFO_COLUMNS),
  [
    "seed",
    {
      dtype: DataType.DATA_TYPE_INT64,
      pack: (rows) => pack(BigInt64Array.from(rows, (row) => BigInt(row?.seed ?? 0))),
    },
  ],
]);

/** The keys that make up a StepInfo. */
export const STEP_INFO_KEYS: readonly string[] = Object.keys(STEP_INFO_COLUMNS);

/** @throws CcparkError (invalid-argument) with the nearest known key */
export function checkInfoKeys(keys: readonly string[]): void {
  for (const key of keys) {
    if (!COLUMNS.has(key)) {
      throw new CcparkError(
        "invalid-argument",
        unknownName("grpc", "info key", key, [...COLUMNS.keys()]).message,
      );
    }
  }
}

/** @param keys checked; @param rows undefined: a row without a value */
export function infoColumns(keys: readonly string[], rows: readonly (RowInfo | undefined)[]): InfoColumn[] {
  if (keys.length === 0) return [];
  const mask = rows.includes(undefined)
    ? Uint8Array.from(rows, (row) => (row === undefined ? 0 : 1))
    : new Uint8Array(0);
  return keys.map((key) => {
    const column = COLUMNS.get(key)!;
    return { key, dtype: column.dtype, mask, values: column.pack(rows) };
  });
}

/**
 * The step info of one row.
 * @throws CcparkError (internal) if a column is missing
 */
export function stepInfoFromColumns(columns: readonly InfoColumn[], row: number): StepInfo {
  const value = (key: keyof StepInfo): number => {
    const column = columns.find((c) => c.key === key);
    const values =
      column?.dtype === DataType.DATA_TYPE_BOOL ? column.values : column && unpackFloat64(column.values);
    const found = values?.[row];
    if (found === undefined)
      throw new CcparkError("internal", `[grpc] the server sent no info column ${key}`);
    return found;
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
  };
}
