/** Values as bytes, in two ways: JSON, and a compact binary form. Both read back what they wrote; what else comes is a `WireFault`. */
import { CcparkError } from "../../../core/errors.ts";
import { numberBytes, WireFault, WireReader, writeNumber } from "../../wire.ts";

export interface Codec {
  readonly name: string;
  encode(value: unknown): Uint8Array;
  /** @throws WireFault */
  decode(bytes: Uint8Array): unknown;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true });

function decodeText(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new WireFault("not UTF-8");
  }
}

const json: Codec = {
  name: "json",
  encode: (value) => ENCODER.encode(JSON.stringify(value) ?? "null"),
  decode: (bytes) => {
    try {
      return JSON.parse(decodeText(bytes));
    } catch {
      throw new WireFault("not JSON");
    }
  },
};

/** The first byte of each value in binary. */
const NULL = 0;
const FALSE = 1;
const TRUE = 2;
const WHOLE = 3;
const DOUBLE = 4;
const TEXT = 5;
const BYTES = 6;
const LIST = 7;
const RECORD = 8;
/** Deeper values are refused: a peer could exhaust the stack. */
const MAX_DEPTH = 64;

function encodeBinary(value: unknown, parts: Uint8Array[], depth: number): void {
  if (depth > MAX_DEPTH)
    throw new CcparkError("invalid-argument", `[transport] value: got more than ${MAX_DEPTH} levels`);
  const head = (kind: number, count: number): void => {
    const bytes = new Uint8Array(1 + numberBytes(count));
    bytes[0] = kind;
    writeNumber(bytes, 1, count);
    parts.push(bytes);
  };
  if (value === null || value === undefined) parts.push(Uint8Array.of(NULL));
  else if (typeof value === "boolean") parts.push(Uint8Array.of(value ? TRUE : FALSE));
  else if (typeof value === "number") {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) head(WHOLE, value);
    else {
      const bytes = new Uint8Array(9);
      bytes[0] = DOUBLE;
      new DataView(bytes.buffer).setFloat64(1, value);
      parts.push(bytes);
    }
  } else if (typeof value === "string") {
    const text = ENCODER.encode(value);
    head(TEXT, text.length);
    parts.push(text);
  } else if (value instanceof Uint8Array) {
    head(BYTES, value.length);
    parts.push(value);
  } else if (Array.isArray(value)) {
    head(LIST, value.length);
    for (const each of value) encodeBinary(each, parts, depth + 1);
  } else if (typeof value === "object") {
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    head(RECORD, entries.length);
    for (const [key, each] of entries) {
      encodeBinary(key, parts, depth + 1);
      encodeBinary(each, parts, depth + 1);
    }
  } else throw new CcparkError("invalid-argument", `[transport] value: got a ${typeof value}, expected data`);
}

function decodeBinary(reader: WireReader, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new WireFault("too many levels");
  const kind = reader.byte();
  switch (kind) {
    case NULL:
      return null;
    case FALSE:
    case TRUE:
      return kind === TRUE;
    case WHOLE:
      return reader.number();
    case DOUBLE: {
      const bytes = reader.take(8);
      return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
    }
    case TEXT:
      return decodeText(reader.take(reader.number()));
    case BYTES:
      return reader.take(reader.number()).slice();
    case LIST: {
      const count = reader.number();
      if (count > reader.left) throw new WireFault("a list is cut off");
      return Array.from({ length: count }, () => decodeBinary(reader, depth + 1));
    }
    case RECORD: {
      const count = reader.number();
      if (2 * count > reader.left) throw new WireFault("a record is cut off");
      const entries = Array.from(
        { length: count },
        () => [decodeBinary(reader, depth + 1), decodeBinary(reader, depth + 1)] as const,
      );
      return Object.fromEntries(entries.map(([key, each]) => [String(key), each]));
    }
    default:
      throw new WireFault("an unknown kind of value");
  }
}

const binary: Codec = {
  name: "binary",
  encode: (value) => {
    const parts: Uint8Array[] = [];
    encodeBinary(value, parts, 0);
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  },
  decode: (bytes) => {
    const reader = new WireReader(bytes);
    const value = decodeBinary(reader, 0);
    if (reader.left > 0) throw new WireFault("bytes after the value");
    return value;
  },
};

export const CODECS: ReadonlyMap<string, Codec> = new Map([json, binary].map((codec) => [codec.name, codec]));
