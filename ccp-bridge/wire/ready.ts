/** ready (datapath to agent): the datapath has started and knows no program. */
import { MESSAGE_TYPES, makeMessage, openMessage } from "./header.ts";

export interface ReadyMessage {
  readonly datapathId: number;
}

export const READY_BYTES = 12;

export function encodeReady(ready: ReadyMessage): Uint8Array {
  const message = makeMessage(MESSAGE_TYPES.ready, READY_BYTES, 0);
  new DataView(message.buffer).setUint32(8, ready.datapathId, true);
  return message;
}

/** @throws WireError */
export function decodeReady(message: Uint8Array): ReadyMessage {
  const { view } = openMessage(message, MESSAGE_TYPES.ready, READY_BYTES);
  return { datapathId: view.getUint32(8, true) };
}
