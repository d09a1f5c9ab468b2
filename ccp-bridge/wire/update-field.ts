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
  checkCount(updates.length);
  const bytes = blankUpdate(message.flowId, updates.length);
  writeFieldUpdates(bytes, UPDATE_FIELD_HEADER_BYTES, updates);
  return bytes;
}

/** The messages that set so many fields of one flow: each made once and written anew each time. */
export class UpdateMessages {
  readonly #flowId: number;
  /** by the number of their updates */
  readonly #blank: (Uint8Array | undefined)[] = [];

  constructor(flowId: number) {
    this.#flowId = flowId;
  }

  /**
   * @returns room for so many updates, from `UPDATE_FIELD_HEADER_BYTES` on; valid until the next call
   * @throws WireError for more than 127 updates
   */
  of(count: number): Uint8Array {
    checkCount(count);
    this.#blank[count] ??= blankUpdate(this.#flowId, count);
    return this.#blank[count];
  }

  /**
   * Sets `Cwnd`, and `Rate` unless it is 0.
   * @param cwndBytes,rateBytesPerSec whole numbers below 2^64
   * @returns valid until the next call
   */
  ofWindow(cwndBytes: number, rateBytesPerSec: number): Uint8Array {
    const bytes = this.of(rateBytesPerSec > 0 ? 2 : 1);
    writeFieldUpdate(bytes, UPDATE_FIELD_HEADER_BYTES, REGISTER_TYPES.implicit, IMPLICIT.cwnd, cwndBytes);
    if (rateBytesPerSec > 0) {
      const at = UPDATE_FIELD_HEADER_BYTES + FIELD_UPDATE_BYTES;
      writeFieldUpdate(bytes, at, REGISTER_TYPES.implicit, IMPLICIT.rate, rateBytesPerSec);
    }
    return bytes;
  }
}

function checkCount(count: number): void {
  if (count > MAX_UPDATES) throw new WireError(`${count} updates, at most ${MAX_UPDATES}`, 8);
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
