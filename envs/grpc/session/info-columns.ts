/** Info columns as they travel, and their keys as they are described. */
import { allInfoKeys, type InfoKeySpec, infoType } from "../../vector/info-keys.ts";
import { DataType, type InfoColumn, type InfoKey } from "../generated/ccpark/v1/environment.ts";
import { pack } from "../wire.ts";

const DTYPE: Readonly<Record<InfoKeySpec["type"], DataType>> = {
  float64: DataType.DATA_TYPE_FLOAT64,
  bool: DataType.DATA_TYPE_BOOL,
  int64: DataType.DATA_TYPE_INT64,
};

/** Every key of an environment, components of all its rewards included. */
export function describeInfoKeys(components: ReadonlyMap<string, string>): InfoKey[] {
  return allInfoKeys(components).map(([key, { type, unit, definition }]) => ({
    key,
    dtype: DTYPE[type],
    unit,
    definition,
  }));
}

/**
 * @param values [keys x rows]
 * @param isThere by row: has a value; undefined: every row
 * @param picked rows that are to be in the columns; undefined: all
 */
export function packColumns(
  keys: readonly string[],
  values: Float64Array,
  isThere?: Uint8Array,
  picked?: readonly number[],
): InfoColumn[] {
  const rows = keys.length === 0 ? 0 : values.length / keys.length;
  return keys.map((key, k) => {
    const dtype = DTYPE[infoType(key)];
    const all = values.subarray(k * rows, (k + 1) * rows);
    const column = picked === undefined ? all.slice() : Float64Array.from(picked, (row) => all[row]!);
    if (isThere !== undefined) for (let i = 0; i < rows; i++) if (isThere[i] === 0) column[i] = 0;
    return { key, dtype, mask: isThere?.slice() ?? new Uint8Array(0), values: packAs(dtype, column) };
  });
}

function packAs(dtype: DataType, column: Float64Array): Uint8Array {
  if (dtype === DataType.DATA_TYPE_BOOL) return Uint8Array.from(column);
  if (dtype === DataType.DATA_TYPE_INT64) return pack(BigInt64Array.from(column, BigInt));
  return pack(column);
}
