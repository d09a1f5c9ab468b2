/** Arrays as NumPy's .npy files, version 1.0 of the format (numpy.lib.format): little-endian, in the order of C. */
import { CcparkError } from "../../core/errors.ts";

export type NpyArray = Float32Array | Float64Array | Uint8Array;

/** An array and its shape. */
export interface Npy {
  readonly data: NpyArray;
  readonly shape: readonly number[];
}

const MAGIC = "\x93NUMPY\x01\x00";
const DESCRIPTIONS = { "<f4": Float32Array, "<f8": Float64Array, "|u1": Uint8Array } as const;

function descriptionOf(data: NpyArray): keyof typeof DESCRIPTIONS {
  if (data instanceof Float32Array) return "<f4";
  return data instanceof Float64Array ? "<f8" : "|u1";
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

export function encodeNpy({ data, shape }: Npy): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descriptionOf(data)}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // the numbers begin at a multiple of 64
  const headerBytes = Math.ceil((MAGIC.length + 2 + text.length + 1) / 64) * 64 - MAGIC.length - 2;
  const bytes = new Uint8Array(MAGIC.length + 2 + headerBytes + data.byteLength);
  bytes.set(latin1(MAGIC));
  new DataView(bytes.buffer).setUint16(MAGIC.length, headerBytes, true);
  bytes.set(latin1(`${text.padEnd(headerBytes - 1)}\n`), MAGIC.length + 2);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), MAGIC.length + 2 + headerBytes);
  return bytes;
}

/**
 * @param where the file's name, for messages
 * @throws CcparkError (invalid-argument) for anything that `encodeNpy` does not write
 */
export function decodeNpy(bytes: Uint8Array, where: string): Npy {
  const broken = (got: string, expected: string): CcparkError =>
    new CcparkError("invalid-argument", `[dataset] not readable, ${where}: got ${got}, expected ${expected}`);
  const start = MAGIC.length + 2;
  if (bytes.length < start || String.fromCharCode(...bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    throw broken("other bytes", "a .npy file, version 1.0");
  }
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint16(MAGIC.length, true);
  const header = String.fromCharCode(...bytes.subarray(start, start + headerBytes));
  const form = /^\{'descr': '([^']*)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \}\s*$/.exec(header);
  const description = form?.[1] as keyof typeof DESCRIPTIONS | undefined;
  if (form === null || description === undefined || !Object.hasOwn(DESCRIPTIONS, description)) {
    throw broken(
      `a header ${JSON.stringify(header.trim().slice(0, 80))}`,
      "<f4, <f8 or |u1 in the order of C",
    );
  }
  const shape = form[2]!
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  const kind = DESCRIPTIONS[description];
  const count = shape.reduce((product, size) => product * size, 1);
  // a copy, whatever the bytes are a view of: numbers want to be aligned
  const rest = new Uint8Array(bytes.subarray(start + headerBytes));
  if (rest.length !== count * kind.BYTES_PER_ELEMENT) {
    throw broken(`${rest.length} bytes of numbers`, `${count * kind.BYTES_PER_ELEMENT}, as its shape says`);
  }
  return { data: new kind(rest.buffer, 0, count), shape };
}
