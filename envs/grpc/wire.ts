/**
 * Between typed arrays, spaces and step info and the messages of the service: little-endian packed bytes, always in
 * fresh buffers (a decoded field may lie at any offset, and a written message may wait in a queue).
 */
import { CcparkError } from "../../core/errors.ts";
import { type Box, makeBox, makeDiscrete, type Space } from "../spaces.ts";
import { DataType, type Space as WireSpace } from "./generated/ccpark/v1/environment.ts";

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
 * The one leaf of a list, of so many bytes.
 * @throws CcparkError (invalid-argument)
 */
function leafOf(
  leaves: readonly Uint8Array[],
  expected: { readonly rows: number; readonly width: number; readonly type: "float32" | "int64" },
  what: string,
): Uint8Array {
  if (leaves.length !== 1) {
    throw new CcparkError("invalid-argument", `[grpc] ${what}: got ${leaves.length} leaves, expected 1`, {
      field: what,
    });
  }
  const bytes = leaves[0]!;
  const { rows, width, type } = expected;
  const length = rows * width * (type === "int64" ? 8 : 4);
  if (bytes.length !== length) {
    throw new CcparkError(
      "invalid-argument",
      `[grpc] ${what}: got ${bytes.length} bytes, expected ${length} (${rows} rows x ${width} ${type})`,
      { field: what },
    );
  }
  return bytes;
}

/** Numbers of a space as they travel: float32 of boxes, int64 of choices. */
export function packValues({ kind }: Pick<Space, "kind">, values: Float32Array): Uint8Array {
  if (kind === "box") return pack(values);
  // what is no whole number is for the other side to refuse, as whatever is none of the choices
  return pack(BigInt64Array.from(values, (x) => BigInt(Number.isSafeInteger(x) ? x : -1)));
}

/**
 * Copies a list of packed leaves, which must be one leaf of `into.length / rows` numbers per row.
 * @throws CcparkError (invalid-argument)
 */
export function unpackLeafInto(
  into: Float32Array,
  leaves: readonly Uint8Array[],
  of: { readonly rows: number; readonly space: Pick<Space, "kind"> },
  what: string,
): void {
  const { rows, space } = of;
  const width = into.length / rows;
  if (space.kind === "box") {
    unpackInto(into, leafOf(leaves, { rows, width, type: "float32" }, what));
    return;
  }
  const choices = new BigInt64Array(into.length);
  unpackInto(choices, leafOf(leaves, { rows, width, type: "int64" }, what));
  for (let i = 0; i < into.length; i++) into[i] = Number(choices[i]);
}

export function spaceToWire(space: Space): WireSpace {
  if (space.kind === "discrete") {
    const choices = space.choices.map(({ name, definition }) => ({ name, definition }));
    return { kind: { $case: "discrete", value: { dtype: DataType.DATA_TYPE_INT64, choices } } };
  }
  return {
    kind: {
      $case: "box",
      value: {
        dtype: DataType.DATA_TYPE_FLOAT32,
        shape: [...space.shape],
        low: pack(space.low),
        high: pack(space.high),
        dimensions: space.dimensions.map((d) => ({ ...d })),
      },
    },
  };
}

const unknownSpace = (what: string): CcparkError =>
  new CcparkError("internal", `[grpc] ${what}: the server announced a space that this client does not know`);

/** @throws CcparkError (internal) if the server announced another kind of space */
export function spaceFromWire(space: WireSpace | undefined, what: string): Space {
  const { kind } = space ?? {};
  if (kind?.$case === "discrete") {
    const { dtype, choices } = kind.value;
    if (dtype !== DataType.DATA_TYPE_INT64 || choices.length === 0) throw unknownSpace(what);
    return makeDiscrete(choices.map(({ name, definition }) => ({ name, definition })));
  }
  return boxFromWire(space, what);
}

/** The same where it can only be a box. */
export function boxFromWire(space: WireSpace | undefined, what: string): Box {
  const box = space?.kind?.$case === "box" ? space.kind.value : undefined;
  if (
    box === undefined ||
    box.dtype !== DataType.DATA_TYPE_FLOAT32 ||
    box.shape[0] !== box.dimensions.length
  ) {
    throw unknownSpace(what);
  }
  return makeBox(
    box.dimensions.map(({ name, unit, low, high, definition }) => ({ name, unit, low, high, definition })),
  );
}
