/**
 * What the ends of a live stack say to each other, in front of the application's bytes.
 *
 *   0 │ bytes of the application     1: the last one by this stack     2 │ proposal     3 │ consent     4 │ refusal     5: look into the store
 *   proposal: epoch │ base │ address │ offer     consent: epoch │ address │ choice     refusal: epoch │ why
 */

import type { Message } from "../chunnel.ts";
import type { Choice } from "../negotiate/choose.ts";
import { encodeChoice, readChoice } from "../negotiate/offer-wire.ts";
import { withData } from "../stack/message.ts";
import { numberBytes, prepended, WireReader, writeNumber } from "../wire.ts";

export const DATA = 0;
export const LAST = 1;
export const PROPOSAL = 2;
export const CONSENT = 3;
export const REFUSAL = 4;
/** There is something new in the store by which several ends have met. */
export const LOOK = 5;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** The application's, as it goes by a stack; `cause`: what the application knows it by. */
export function dataMessage(message: Message): Message {
  return withData(message, headed(DATA, message.data as Uint8Array), [message]);
}

/** What the peer's application gave. */
export function contentOf(message: Message): Message {
  return withData(message, (message.data as Uint8Array).subarray(1));
}

export function headed(kind: number, body: Uint8Array): Uint8Array {
  const data = prepended(1, body);
  data[0] = kind;
  return data;
}

function withParts(epoch: number, parts: readonly Uint8Array[]): Uint8Array {
  let length = numberBytes(epoch);
  for (const part of parts) length += numberBytes(part.length) + part.length;
  const body = new Uint8Array(length);
  let at = writeNumber(body, 0, epoch);
  for (const part of parts) {
    at = writeNumber(body, at, part.length);
    body.set(part, at);
    at += part.length;
  }
  return body;
}

function readPart(reader: WireReader): Uint8Array {
  return reader.take(reader.number());
}

function readText(reader: WireReader): string {
  return DECODER.decode(readPart(reader));
}

export interface ProposalMessage {
  readonly epoch: number;
  /** empty: as it is */
  readonly base: string;
  /** the proposer's, by that base */
  readonly address: string;
  readonly offer: Uint8Array;
}

export function encodeProposal({ epoch, base, address, offer }: ProposalMessage): Uint8Array {
  return withParts(epoch, [ENCODER.encode(base), ENCODER.encode(address), offer]);
}

/** @throws WireFault */
export function readProposal(reader: WireReader): ProposalMessage {
  const epoch = reader.number();
  return { epoch, base: readText(reader), address: readText(reader), offer: readPart(reader).slice() };
}

export interface ConsentMessage {
  readonly epoch: number;
  readonly address: string;
  readonly choice: Choice;
}

export function encodeConsent({ epoch, address, choice }: ConsentMessage): Uint8Array {
  return withParts(epoch, [ENCODER.encode(address), encodeChoice(choice)]);
}

/** @throws WireFault */
export function readConsent(reader: WireReader): ConsentMessage {
  const epoch = reader.number();
  return { epoch, address: readText(reader), choice: readChoice(new WireReader(readPart(reader))) };
}

export interface RefusalMessage {
  readonly epoch: number;
  readonly why: string;
}

export function encodeRefusal({ epoch, why }: RefusalMessage): Uint8Array {
  return withParts(epoch, [ENCODER.encode(why)]);
}

/** @throws WireFault */
export function readRefusal(reader: WireReader): RefusalMessage {
  return { epoch: reader.number(), why: readText(reader) };
}
