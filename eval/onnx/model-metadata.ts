/**
 * The metadata of an ONNX file: field 14, `metadata_props`, of its ModelProto (onnx/onnx.proto, IR version 3 and newer).
 * The rest of the model is for the runtime, which does not hand the metadata out; here it is only skipped.
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
