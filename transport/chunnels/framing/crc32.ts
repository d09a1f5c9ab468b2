/** CRC-32 as of IEEE 802.3, over bytes, eight at a time (slicing, Kounavis and Berry 2005). */
const SLICES = 8;

/** Slice k: what a byte does to the remainder when k bytes follow it. */
const TABLE: Int32Array = new Int32Array(256 * SLICES);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  TABLE[byte] = crc;
}
for (let i = 256; i < TABLE.length; i++) {
  const before = TABLE[i - 256]!;
  TABLE[i] = (before >>> 8) ^ TABLE[before & 255]!;
}

export function crc32(bytes: Uint8Array): number {
  const table = TABLE;
  const end = bytes.length;
  let crc = -1;
  let i = 0;
  for (; i + SLICES <= end; i += SLICES) {
    const first = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    crc =
      table[1792 + (first & 255)]! ^
      table[1536 + ((first >>> 8) & 255)]! ^
      table[1280 + ((first >>> 16) & 255)]! ^
      table[1024 + (first >>> 24)]! ^
      table[768 + bytes[i + 4]!]! ^
      table[512 + bytes[i + 5]!]! ^
      table[256 + bytes[i + 6]!]! ^
      table[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}
