/**
 * What the runtime does not tell of an ONNX file (onnx/onnx.proto, IR version 3 and newer): the metadata, field 14 of its
 * ModelProto, and the names of the operators in its graphs.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

const METADATA_PROPS = 14;
const KEY = 1;
const VALUE = 2;

/** A StringStringEntryProto. */
function readEntry(bytes: Uint8Array): readonly [string, string] {
  const reader = new BinaryReader(bytes);
  let key = "";
  let value = "";
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === KEY) key = reader.string();
    else if (field === VALUE) value = reader.string();
    else reader.skip(wireType, field);
  }
  return [key, value];
}

/** @throws Error of the protobuf reader for bytes that are no protobuf message, or not a whole one */
export function readMetadata(model: Uint8Array): Map<string, string> {
  const reader = new BinaryReader(model);
  const metadata = new Map<string, string>();
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === METADATA_PROPS && wireType === WireType.LengthDelimited) {
      const [key, value] = readEntry(reader.bytes());
      metadata.set(key, value);
    } else reader.skip(wireType, field);
  }
  return metadata;
}

type Message = "model" | "graph" | "function" | "node" | "attribute";

/** By the kind of message: the field with an operator's name, and those with messages further in. */
const MESSAGES: Readonly<
  Record<Message, { readonly operator?: number; readonly inner: Readonly<Record<number, Message>> }>
> = {
  model: { inner: { 7: "graph", 25: "function" } },
  graph: { inner: { 1: "node" } },
  function: { inner: { 7: "node" } },
  node: { operator: 4, inner: { 5: "attribute" } },
  attribute: { inner: { 6: "graph", 11: "graph" } },
};

/** @throws as `readMetadata` */
export function readOperators(
  bytes: Uint8Array,
  kind: Message = "model",
  found: Set<string> = new Set(),
): Set<string> {
  const { operator, inner } = MESSAGES[kind];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const next = inner[field];
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else if (field === operator) found.add(reader.string());
    else if (next !== undefined) readOperators(reader.bytes(), next, found);
    else reader.skip(wireType, field);
  }
  return found;
}
