/** Info columns: how a row's facts become numbers, and how columns travel. */
import type { StepInfo } from "../env.ts";
import { DataType, type InfoColumn } from "../grpc/generated/ccpark/v1/environment.ts";
import { INFO_KEYS, REWARD_KEY, STEP_INFO_KEYS } from "../grpc/info-keys.ts";
import type { SlotEnv } from "../grpc/session-env.ts";
import { pack } from "../grpc/wire.ts";

/** Writes the facts of one row into columns, in the order of the keys. */
export class InfoWriter {
  readonly isEmpty: boolean;
  readonly #rows: number;
  readonly #keys: readonly string[];
  /** by key: place among the reward's components, or -1 */
  readonly #components: readonly number[];
  readonly #values: Float64Array;
  readonly #wantsComponents: boolean;
  readonly #wantsInfo: boolean;

  /** @param rows of the session */
  constructor(keys: readonly string[], rewardComponents: readonly string[], rows: number) {
    this.isEmpty = keys.length === 0;
    this.#rows = rows;
    this.#keys = keys;
    this.#components = keys.map((key) =>
      key.startsWith(REWARD_KEY) ? rewardComponents.indexOf(key.slice(REWARD_KEY.length)) : -1,
    );
    this.#values = new Float64Array(rewardComponents.length);
    this.#wantsComponents = this.#components.some((at) => at >= 0);
    this.#wantsInfo = keys.some((key) => STEP_INFO_KEYS.includes(key));
  }

  /** @param into [keys x rows of the session] */
  write(env: SlotEnv, slot: number, seed: number, into: Float64Array, row: number): void {
    const info = this.#wantsInfo ? env.info(slot) : undefined;
    if (this.#wantsComponents) env.writeRewardComponents(slot, this.#values);
    for (let k = 0; k < this.#keys.length; k++) {
      const key = this.#keys[k]!;
      const component = this.#components[k]!;
      into[k * this.#rows + row] =
        component >= 0
          ? this.#values[component]!
          : key === "seed"
            ? seed
            : Number(info![key as keyof StepInfo]);
    }
  }
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
    const dtype = INFO_KEYS.get(key)?.dtype ?? DataType.DATA_TYPE_FLOAT64;
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
