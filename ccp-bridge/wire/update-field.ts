/** update_field (agent to datapath): new values for control variables, `Cwnd` or `Rate` of a flow's program. */
import { IMPLICIT, REGISTER_TYPES } from "../program.ts";
import { writeU32 } from "./bytes.ts";
import {
  FIELD_UPDATE_BYTES,
  type FieldUpdate,
  readFieldUpdates,
  writeFieldUpdate,
  writeFieldUpdates,
} from "./field-update.ts";
import { MESSAGE_TYPES, makeMessage, openMessage } from "./header.ts";
import { WireError } from "./wire-error.ts";

export interface UpdateFieldMessage {
  readonly flowId: number;
  readonly updates: readonly FieldUpdate[];
}

export const UPDATE_FIELD_HEADER_BYTES = 12;
/** libccp reads the count from one signed byte */
export const MAX_UPDATES = 127;

/** @throws WireError for more than 127 updates */
export function encodeUpdateField(message: UpdateFieldMessage): Uint8Array {
  const { updates } = message;
  if (updates.length > MAX_UPDATES)
    throw new WireError(`${updates.length} updates, at most ${MAX_UPDATES}`, 8);
  const bytes = blankUpdate(message.flowId, updates.length);
  writeFieldUpdates(bytes, UPDATE_FIELD_HEADER_BYTES, updates);
  return bytes;
}

/** The message that sets `Cwnd`, and `Rate` unless it is 0, of one flow: made once and written anew each time. */
export class WindowMessage {
  readonly #cwndAlone: Uint8Array;
  readonly #both: Uint8Array;

  constructor(flowId: number) {
    this.#cwndAlone = blankUpdate(flowId, 1);
    this.#both = blankUpdate(flowId, 2);
  }

  /**
   * @param cwndBytes,rateBytesPerSec whole numbers below 2^64
   * @returns valid until the next call
   */
  encode(cwndBytes: number, rateBytesPerSec: number): Uint8Array {
    const bytes = rateBytesPerSec > 0 ? this.#both : this.#cwndAlone;
    writeFieldUpdate(bytes, UPDATE_FIELD_HEADER_BYTES, REGISTER_TYPES.implicit, IMPLICIT.cwnd, cwndBytes);
    if (rateBytesPerSec > 0) {
      const at = UPDATE_FIELD_HEADER_BYTES + FIELD_UPDATE_BYTES;
      writeFieldUpdate(bytes, at, REGISTER_TYPES.implicit, IMPLICIT.rate, rateBytesPerSec);
    }
    return bytes;
  }
}

/** Room for so many updates, their number written. */
function blankUpdate(flowId: number, count: number): Uint8Array {
  const length = UPDATE_FIELD_HEADER_BYTES + FIELD_UPDATE_BYTES * count;
  const bytes = makeMessage(MESSAGE_TYPES.updateField, length, flowId);
  writeU32(bytes, 8, count);
  return bytes;
}

/** @throws WireError */
export function decodeUpdateField(message: Uint8Array): UpdateFieldMessage {
  const { view, flowId } = openMessage(message, MESSAGE_TYPES.updateField, UPDATE_FIELD_HEADER_BYTES);
  const count = view.getUint32(8, true);
  const expected = UPDATE_FIELD_HEADER_BYTES + FIELD_UPDATE_BYTES * count;
  if (expected > view.byteLength) {
    throw new WireError(`got ${view.byteLength} bytes, expected ${expected}`, view.byteLength);
  }
  return { flowId, updates: readFieldUpdates(view, UPDATE_FIELD_HEADER_BYTES, count) };
}
