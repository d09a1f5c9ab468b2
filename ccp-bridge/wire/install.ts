/** install (agent to datapath): a program for all flows of the datapath. */
import {
  decodeEvent,
  decodeInstruction,
  EVENT_BYTES,
  INSTRUCTION_BYTES,
  type Instruction,
  type ProgramEvent,
} from "../program.ts";
import { MESSAGE_TYPES, makeMessage, openMessage } from "./header.ts";
import { WireError } from "./wire-error.ts";

export interface InstallMessage {
  readonly programUid: number;
  readonly events: readonly ProgramEvent[];
  readonly instructions: readonly Instruction[];
}

export const INSTALL_HEADER_BYTES = 20;

/** @param program events and instructions as `compileProgram` gives them */
export function encodeInstall(
  programUid: number,
  program: {
    readonly events: { readonly length: number };
    readonly instructions: { readonly length: number };
    readonly bytes: Uint8Array;
  },
): Uint8Array {
  const message = makeMessage(MESSAGE_TYPES.install, INSTALL_HEADER_BYTES + program.bytes.length, 0);
  const view = new DataView(message.buffer);
  view.setUint32(8, programUid, true);
  view.setUint32(12, program.events.length, true);
  view.setUint32(16, program.instructions.length, true);
  message.set(program.bytes, INSTALL_HEADER_BYTES);
  return message;
}

/**
 * The socket id of an install of uid 1 by an agent that makes the table anew, to evict. libccp disregards it and empties
 * the table; our strict datapath, which evicts by itself, keeps what it has and does not take the agent for a fresh one.
 */
export const REFILL = 1;

/** The same install, for a table that is made anew. */
export function markRefill(install: Uint8Array): Uint8Array {
  const marked = install.slice();
  marked[4] = REFILL;
  return marked;
}

/** @throws WireError */
export function decodeInstall(message: Uint8Array): InstallMessage {
  const { view } = openMessage(message, MESSAGE_TYPES.install, INSTALL_HEADER_BYTES);
  const eventCount = view.getUint32(12, true);
  const instructionCount = view.getUint32(16, true);
  const instructionsAt = INSTALL_HEADER_BYTES + EVENT_BYTES * eventCount;
  const expected = instructionsAt + INSTRUCTION_BYTES * instructionCount;
  if (expected > view.byteLength) {
    throw new WireError(`got ${view.byteLength} bytes, expected ${expected}`, view.byteLength);
  }
  const events = Array.from({ length: eventCount }, (_, i) =>
    decodeEvent(view, INSTALL_HEADER_BYTES + EVENT_BYTES * i),
  );
  const instructions = Array.from({ length: instructionCount }, (_, i) =>
    decodeInstruction(view, instructionsAt + INSTRUCTION_BYTES * i),
  );
  return { programUid: view.getUint32(8, true), events, instructions };
}
