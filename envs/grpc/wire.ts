/**
 * Between typed arrays, spaces and step info and the messages of the service: little-endian packed bytes, always in
 * fresh buffers (a decoded field may lie at any offset, and a written message may wait in a queue).
 */
import { CcparkError } from "../../core/errors.ts";
import { type Box, makeBox } from "../spaces.ts";
import { DataType, type Space } from "./generated/ccpark/v1/environment.ts";

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

/** The same bytes without a copy; undefined on a host whose numbers are not little-endian. */
export function asPacked(values: Float32Array | Float64Array): Uint8Array | undefined {
  return HOST_IS_LITTLE_ENDIAN
    ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    : undefined;
}

/** A fresh, aligned copy of the whole number of items in `bytes`. */
export function unpackFloat32(bytes: Uint8Array): Float32Array {
  return new Float32Array(swapIfBigEndian(Uint8Array.from(bytes), 4).buffer);
}

/** As `unpackFloat32`, for float64. */
export function unpackFloat64(bytes: Uint8Array): Float64Array {
  return new Float64Array(swapIfBigEndian(Uint8Array.from(bytes), 8).buffer);
}

/** Copies packed numbers, `into.byteLength` bytes. */
export function unpackInto(
  into: Float32Array | Float64Array | BigInt64Array | Uint8Array,
  bytes: Uint8Array,
): void {
  const view = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
  view.set(bytes);
  swapIfBigEndian(view, into.BYTES_PER_ELEMENT);
}

/**
 * Copies a list of packed leaves, which must be one float32 leaf of `into.length / rows` numbers per row.
 * @throws CcparkError (invalid-argument)
 */
export function unpackLeafInto(
  into: Float32Array,
  leaves: readonly Uint8Array[],
  rows: number,
  what: string,
): void {
  const width = into.length / rows;
  if (leaves.length !== 1) {
    throw new CcparkError("invalid-argument", `[grpc] ${what}: got ${leaves.length} leaves, expected 1`, {
      field: what,
    });
  }
  const bytes = leaves[0]!;
  const expected = rows * width * 4;
  if (bytes.length !== expected) {
    throw new CcparkError(
      "invalid-argument",
      `[grpc] ${what}: got ${bytes.length} bytes, expected ${expected} (${rows} rows x ${width} float32)`,
      { field: what },
    );
  }
  unpackInto(into, bytes);
}

/** The same as a fresh array of `rows` x `width`. */
export function unpackLeaf(
  leaves: readonly Uint8Array[],
  rows: number,
  width: number,
  what: string,
): Float32Array {
  const values = new Float32Array(rows * width);
  unpackLeafInto(values, leaves, rows, what);
  return values;
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
