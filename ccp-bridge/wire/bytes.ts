/** Little-endian access by bytes: on small arrays much cheaper than a DataView, which moves them off the heap. */

const TWO_32 = 2 ** 32;

export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** A whole number from 0 to 2^64, a bigint where it must be exact above 2^53. */
export function writeU64(bytes: Uint8Array, at: number, value: number | bigint): void {
  if (typeof value === "bigint") {
    writeU32(bytes, at, Number(value & 0xffffffffn));
    writeU32(bytes, at + 4, Number((value >> 32n) & 0xffffffffn));
  } else {
    writeU32(bytes, at, value >>> 0);
    writeU32(bytes, at + 4, Math.floor(value / TWO_32));
  }
}
