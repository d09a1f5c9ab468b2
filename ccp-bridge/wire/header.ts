/**
 * Every message starts with 8 bytes, little-endian: u16 type, u16 length (header included), u32 socket id (flow id).
 */
import { writeU32 } from "./bytes.ts";
import { WireError } from "./wire-error.ts";

export const MESSAGE_TYPES = {
  create: 0,
  measure: 1,
  install: 2,
  updateField: 3,
  changeProgram: 4,
  ready: 5,
} as const;

export const HEADER_BYTES = 8;

/** A message of this type with room for `lengthBytes`, header written. */
export function makeMessage(type: number, lengthBytes: number, flowId: number): Uint8Array {
  const message = new Uint8Array(lengthBytes);
  writeU32(message, 0, type | (lengthBytes << 16));
  writeU32(message, 4, flowId);
  return message;
}

/** Checks type and length; `view` spans exactly the message as its length field says. */
export function openMessage(
  message: Uint8Array,
  type: number,
  atLeastBytes: number,
): { view: DataView; flowId: number } {
  if (message.length < HEADER_BYTES) throw new WireError(`got ${message.length} bytes, expected a header`, 0);
  const whole = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const got = whole.getUint16(0, true) & 0xff;
  if (got !== type) throw new WireError(`got message type ${got}, expected ${type}`, 0);
  const length = whole.getUint16(2, true);
  if (length < HEADER_BYTES || length > message.length) {
    throw new WireError(`length field says ${length}, got ${message.length} bytes`, 2);
  }
  if (length < atLeastBytes) throw new WireError(`got ${length} bytes, expected ${atLeastBytes}`, length);
  return {
    view: new DataView(message.buffer, message.byteOffset, length),
    flowId: whole.getUint32(4, true),
  };
}
