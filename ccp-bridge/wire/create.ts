/** create (datapath to agent): a flow has started. Addresses and ports are whatever the datapath puts there. */
import { MESSAGE_TYPES, makeMessage, openMessage } from "./header.ts";
import { WireError } from "./wire-error.ts";

export interface CreateMessage {
  readonly flowId: number;
  readonly initCwndBytes: number;
  readonly mssBytes: number;
  readonly srcIp: number;
  readonly srcPort: number;
  readonly dstIp: number;
  readonly dstPort: number;
  /** name of the algorithm asked for, at most 63 bytes of UTF-8; empty: the agent's default */
  readonly algorithmName: string;
}

export const CREATE_BYTES = 96;
const NAME_OFFSET = 32;
const NAME_BYTES = 64;

/** @throws WireError if the name has more than 63 bytes */
export function encodeCreate(create: CreateMessage): Uint8Array {
  const message = makeMessage(MESSAGE_TYPES.create, CREATE_BYTES, create.flowId);
  const view = new DataView(message.buffer);
  view.setUint32(8, create.initCwndBytes, true);
  view.setUint32(12, create.mssBytes, true);
  view.setUint32(16, create.srcIp, true);
  view.setUint32(20, create.srcPort, true);
  view.setUint32(24, create.dstIp, true);
  view.setUint32(28, create.dstPort, true);
  const name = new TextEncoder().encode(create.algorithmName);
  if (name.length >= NAME_BYTES) {
    throw new WireError(`algorithm name has ${name.length} bytes, expected at most 63`, NAME_OFFSET);
  }
  message.set(name, NAME_OFFSET);
  return message;
}

/**
 * Any length from 33 up is accepted, as Portus does; the name ends at the first NUL or with the message.
 * @throws WireError
 */
export function decodeCreate(message: Uint8Array): CreateMessage {
  const { view, flowId } = openMessage(message, MESSAGE_TYPES.create, NAME_OFFSET + 1);
  const end = Math.min(view.byteLength, NAME_OFFSET + NAME_BYTES);
  const name = message.subarray(NAME_OFFSET, end);
  const nul = name.indexOf(0);
  let algorithmName: string;
  try {
    algorithmName = new TextDecoder("utf-8", { fatal: true }).decode(nul < 0 ? name : name.subarray(0, nul));
  } catch {
    throw new WireError("algorithm name is not UTF-8", NAME_OFFSET);
  }
  return {
    flowId,
    initCwndBytes: view.getUint32(8, true),
    mssBytes: view.getUint32(12, true),
    srcIp: view.getUint32(16, true),
    srcPort: view.getUint32(20, true),
    dstIp: view.getUint32(24, true),
    dstPort: view.getUint32(28, true),
    algorithmName,
  };
}
