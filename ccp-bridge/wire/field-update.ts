/** The 13-byte entry of update_field and change_prog: u8 register type, u32 index, u64 value. */
import { writeU32, writeU64 } from "./bytes.ts";

export interface FieldUpdate {
  /** register type byte: control (0, 8) or implicit (2) */
  readonly registerType: number;
  readonly index: number;
  /** below 2^64; a number must be a whole number */
  readonly value: number | bigint;
}

export const FIELD_UPDATE_BYTES = 13;

export function writeFieldUpdate(
  bytes: Uint8Array,
  at: number,
  registerType: number,
  index: number,
  value: number | bigint,
): void {
  bytes[at] = registerType;
  writeU32(bytes, at + 1, index);
  writeU64(bytes, at + 5, value);
}

export function writeFieldUpdates(bytes: Uint8Array, offset: number, updates: readonly FieldUpdate[]): void {
  let at = offset;
  for (const { registerType, index, value } of updates) {
    writeFieldUpdate(bytes, at, registerType, index, value);
    at += FIELD_UPDATE_BYTES;
  }
}

export function readFieldUpdates(view: DataView, offset: number, count: number): FieldUpdate[] {
  return Array.from({ length: count }, (_, i) => {
    const at = offset + FIELD_UPDATE_BYTES * i;
    return {
      registerType: view.getUint8(at),
      index: view.getUint32(at + 1, true),
      value: view.getBigUint64(at + 5, true),
    };
  });
}
