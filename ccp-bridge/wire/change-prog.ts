/** change_prog (agent to datapath): the flow runs another program from its next ACK, with preset variables. */
import { writeU32 } from "./bytes.ts";
import { FIELD_UPDATE_BYTES, type FieldUpdate, readFieldUpdates, writeFieldUpdates } from "./field-update.ts";
import { MESSAGE_TYPES, makeMessage, openMessage } from "./header.ts";
import { WireError } from "./wire-error.ts";

export interface ChangeProgMessage {
  readonly flowId: number;
  readonly programUid: number;
  readonly updates: readonly FieldUpdate[];
}

export const CHANGE_PROG_HEADER_BYTES = 16;
/** libccp's limit */
export const MAX_CHANGE_PROG_UPDATES = 222;

/** @throws WireError for more than 222 updates */
export function encodeChangeProg(message: ChangeProgMessage): Uint8Array {
  const { updates } = message;
  if (updates.length > MAX_CHANGE_PROG_UPDATES) {
    throw new WireError(`${updates.length} updates, at most ${MAX_CHANGE_PROG_UPDATES}`, 12);
  }
  const length = CHANGE_PROG_HEADER_BYTES + FIELD_UPDATE_BYTES * updates.length;
  const bytes = makeMessage(MESSAGE_TYPES.changeProgram, length, message.flowId);
  writeU32(bytes, 8, message.programUid);
  writeU32(bytes, 12, updates.length);
  writeFieldUpdates(bytes, CHANGE_PROG_HEADER_BYTES, updates);
  return bytes;
}

/** @throws WireError */
export function decodeChangeProg(message: Uint8Array): ChangeProgMessage {
  const { view, flowId } = openMessage(message, MESSAGE_TYPES.changeProgram, CHANGE_PROG_HEADER_BYTES);
  const count = view.getUint32(12, true);
  const expected = CHANGE_PROG_HEADER_BYTES + FIELD_UPDATE_BYTES * count;
  if (expected > view.byteLength) {
    throw new WireError(`got ${view.byteLength} bytes, expected ${expected}`, view.byteLength);
  }
  const updates = readFieldUpdates(view, CHANGE_PROG_HEADER_BYTES, count);
  return { flowId, programUid: view.getUint32(8, true), updates };
}
