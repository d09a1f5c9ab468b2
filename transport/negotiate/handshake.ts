/**
 * Negotiation on the wire, in one round trip: the client offers, the server chooses or says what does not fit, and the client's first datagrams
 * carry the choice until the server has shown that it has it. A choice is good for later connections as well: these begin without a round
 * trip, and fall back to an offer where the server no longer knows it.
 *
 *   frame (version 0xc2, session, checksum) with    client: 0 │ offer          3 │ token │ transcript │ choice │ datagram
 *                                                   server: 1 │ token │ choice     2 │ why not     4 (the choice is stale)
 *
 * The server keeps nothing of who only offers. The token is a code over the client's host, the transcript and the choice under a key of
 * the server's: who has it got it at its address. A session begins once, so what is replayed begins nothing.
 */
import { CcparkError } from "../../core/errors.ts";
import type { Bytes, Micros } from "../../core/units.ts";
import type { Surroundings, Timer } from "../chunnel.ts";
import { NEGOTIATION, openFrame, SESSION_BYTES, sealFrame } from "../chunnels/framing/frame.ts";
import { peerIsSilent, serverRefuses } from "../failures.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { prepended, sameBytes, WireFault, WireReader, withNumbers } from "../wire.ts";
import { agree, type Choice, type Slot } from "./choose.ts";
import {
  decodeOffer,
  encodeChoice,
  readChoice,
  TRANSCRIPT_BYTES,
  termsOf,
  transcriptOf,
} from "./offer-wire.ts";
import { planOf, type SlotPlan } from "./plan.ts";
import { TOKEN_BYTES, Tokens } from "./tokens.ts";

const OFFER = 0;
const CHOICE = 1;
const REFUSAL = 2;
const OPEN = 3;
const STALE = 4;
/** RFC 9000 section 8: an answer is at most so much of the question, since its source may be spoofed. */
const MAX_AMPLIFICATION = 3;
const FIRST_RETRY_US: Micros = 200_000;
const MAX_RETRY_US: Micros = 5_000_000;
/** Choices that the server no longer knew, one after another, before the client gives up. */
const MAX_STALE = 4;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** What the ends have agreed on. */
export interface Agreed {
  /** this end's */
  readonly stack: readonly ChunnelSpec[];
  readonly transcript: Uint8Array;
  readonly session: Uint8Array;
}

/** A client's first datagram of a session whose choice is good. */
export interface Opening extends Agreed {
  readonly datagram: Uint8Array;
}

/** The datagram of the stack that one of the negotiation carries; undefined: it carries none. */
export function carriedBy(datagram: Uint8Array): Uint8Array | undefined {
  try {
    return readOpen(datagram)?.inner;
  } catch (error) {
    if (error instanceof WireFault) return undefined;
    throw error;
  }
}

/** @throws WireFault */
function readOpen(datagram: Uint8Array):
  | {
      readonly session: Uint8Array;
      readonly token: Uint8Array;
      readonly transcript: Uint8Array;
      readonly choice: Choice;
      /** transcript and choice as they are written */
      readonly terms: Uint8Array;
      readonly inner: Uint8Array;
    }
  | undefined {
  const frame = openFrame(datagram, NEGOTIATION);
  if (frame === undefined) return undefined;
  const reader = new WireReader(frame.body);
  if (reader.byte() !== OPEN) return undefined;
  const token = reader.take(TOKEN_BYTES);
  const termsAt = reader.at;
  const transcript = reader.take(TRANSCRIPT_BYTES);
  const choice = readChoice(reader);
  const terms = frame.body.subarray(termsAt, reader.at);
  return { session: frame.session, token, transcript, choice, terms, inner: reader.rest() };
}

export class ServerNegotiation {
  readonly #plan: SlotPlan;
  readonly #tokens: Tokens;
  readonly #send: (datagram: Uint8Array, to: string) => void;

  constructor(
    slots: readonly Slot[],
    surroundings: Surroundings,
    send: (datagram: Uint8Array, to: string) => void,
  ) {
    this.#plan = planOf(slots);
    this.#tokens = new Tokens(surroundings, this.#plan.offerBytes);
    this.#send = send;
  }

  /** Answers what is to be answered. @returns a session that begins */
  arrive(datagram: Uint8Array, from: string): Opening | undefined {
    const frame = openFrame(datagram, NEGOTIATION);
    if (frame === undefined) return undefined;
    try {
      const reader = new WireReader(frame.body);
      const kind = reader.byte();
      if (kind === OPEN) return this.#open(datagram, from);
      if (kind === OFFER) this.#answer(frame.session, reader.rest(), from, datagram.length);
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
    }
    return undefined;
  }

  #answer(session: Uint8Array, offer: Uint8Array, from: string, askedBytes: Bytes): void {
    const most = MAX_AMPLIFICATION * askedBytes;
    let choice: Choice;
    try {
      choice = agree(decodeOffer(offer), this.#plan.offer);
      this.#plan.stack(choice, "server");
    } catch (error) {
      if (!(error instanceof CcparkError)) throw error;
      const why = ENCODER.encode(error.message);
      const room = most - sealFrame(session, Uint8Array.of(REFUSAL), NEGOTIATION).length;
      this.#send(sealFrame(session, withNumbers(REFUSAL, [], why.subarray(0, room)), NEGOTIATION), from);
      return;
    }
    const chosen = encodeChoice(choice);
    const token = this.#tokens.of(from, termsOf(transcriptOf(offer, choice), choice));
    const body = new Uint8Array(1 + TOKEN_BYTES + chosen.length);
    body[0] = CHOICE;
    body.set(token, 1);
    body.set(chosen, 1 + TOKEN_BYTES);
    const answer = sealFrame(session, body, NEGOTIATION);
    if (answer.length <= most) this.#send(answer, from);
  }

  #open(datagram: Uint8Array, from: string): Opening | undefined {
    const opened = readOpen(datagram);
    if (opened === undefined) return undefined;
    const { session, token, transcript, choice, terms, inner } = opened;
    if (!this.#tokens.isRight(token, from, terms)) {
      this.#send(sealFrame(session, Uint8Array.of(STALE), NEGOTIATION), from);
      return undefined;
    }
    if (!this.#tokens.begin(session)) return undefined;
    const stack = this.#plan.stack(choice, "server");
    return { stack, transcript: transcript.slice(), session: session.slice(), datagram: inner };
  }
}

/** What a client keeps of an agreement, for later connections to the same server. */
interface Ticket {
  readonly offer: Uint8Array;
  readonly choice: Choice;
  readonly transcript: Uint8Array;
  /** what a connection that takes it up puts in front of the stack's datagrams */
  readonly head: Uint8Array;
}

function ticketOf(offer: Uint8Array, token: Uint8Array, choice: Choice): Ticket {
  const transcript = transcriptOf(offer, choice);
  const terms = termsOf(transcript, choice);
  const head = new Uint8Array(1 + TOKEN_BYTES + terms.length);
  head[0] = OPEN;
  head.set(token, 1);
  head.set(terms, 1 + TOKEN_BYTES);
  return { offer, choice, transcript, head };
}

/** By server; at most so many, the oldest goes first. */
export class Tickets {
  readonly #bySelf = new Map<string, Ticket>();
  readonly #most: number;

  constructor(most = 1_024) {
    this.#most = most;
  }

  get(server: string): Ticket | undefined {
    return this.#bySelf.get(server);
  }

  set(server: string, ticket: Ticket): void {
    this.#bySelf.delete(server);
    this.#bySelf.set(server, ticket);
    for (const oldest of this.#bySelf.keys()) {
      if (this.#bySelf.size > this.#most) this.#bySelf.delete(oldest);
      break;
    }
  }

  delete(server: string): void {
    this.#bySelf.delete(server);
  }
}

export interface ClientNegotiationOptions {
  readonly slots: readonly Slot[];
  readonly surroundings: Surroundings;
  readonly tickets: Tickets;
  readonly server: string;
  /** of silence, until the stack has heard of the server's, which then has a limit of its own */
  readonly giveUpUs: Micros;
  send(datagram: Uint8Array): void;
  /** Called anew when the server no longer knew what was chosen: what it was sent has come nowhere. */
  opened(agreed: Agreed): void;
  failed(error: CcparkError): void;
}

export class ClientNegotiation {
  readonly #options: ClientNegotiationOptions;
  readonly #plan: SlotPlan;
  readonly #startUs: Micros;
  readonly #endUs: Micros;
  #session: Uint8Array;
  /** before the datagrams of the stack, until the server has shown that it has the choice */
  #head: Uint8Array | undefined;
  #isConfirmed = false;
  #stale = 0;
  #retryUs: Micros = FIRST_RETRY_US;
  #timer: Timer | undefined;
  /** from the stack's first datagram on */
  #silence: Timer | undefined;
  /** it began with what an earlier connection had agreed on */
  isResumed = false;

  constructor(options: ClientNegotiationOptions) {
    this.#options = options;
    this.#plan = planOf(options.slots);
    this.#startUs = options.surroundings.nowUs();
    this.#endUs = this.#startUs + options.giveUpUs;
    this.#session = options.surroundings.randomBytes(SESSION_BYTES);
  }

  begin(): void {
    const ticket = this.#options.tickets.get(this.#options.server);
    const { offerBytes } = this.#plan;
    this.isResumed =
      ticket !== undefined && (ticket.offer === offerBytes || sameBytes(ticket.offer, offerBytes));
    if (this.isResumed) this.#open(ticket!);
    else this.#ask();
  }

  /** What goes to the server instead of a datagram of the stack. */
  wrap(datagram: Uint8Array): Uint8Array {
    if (this.#head === undefined) return datagram;
    this.#silence ??= this.#awaitAnswer();
    const body = prepended(this.#head.length, datagram);
    body.set(this.#head);
    return sealFrame(this.#session, body, NEGOTIATION);
  }

  /** Chunnels that wait for the peer, such as a handshake that wants another secret, wait for ever: this does not. */
  #awaitAnswer(): Timer {
    const { surroundings, failed, giveUpUs } = this.#options;
    return surroundings.wakeAt(surroundings.nowUs() + giveUpUs, () =>
      failed(peerIsSilent(giveUpUs, " by the stack that it had chosen: are the secrets the same?")),
    );
  }

  /** The stack has heard of the server's. */
  confirm(): void {
    this.#isConfirmed = true;
    this.#head = undefined;
    this.close();
  }

  #ask(): void {
    const { surroundings, send, failed } = this.#options;
    const nowUs = surroundings.nowUs();
    if (nowUs >= this.#endUs) {
      failed(peerIsSilent(nowUs - this.#startUs));
      return;
    }
    this.#timer = surroundings.wakeAt(Math.min(nowUs + this.#retryUs, this.#endUs), () => this.#ask());
    this.#retryUs = Math.min(MAX_RETRY_US, 2 * this.#retryUs);
    send(sealFrame(this.#session, withNumbers(OFFER, [], this.#plan.offerBytes), NEGOTIATION));
  }

  #open({ choice, transcript, head }: Ticket): void {
    const stack = this.#plan.stack(choice, "client");
    this.#head = head;
    this.#options.opened({ stack, transcript, session: this.#session });
  }

  /** @returns false: it is none of the negotiation */
  arrive(datagram: Uint8Array): boolean {
    if (datagram[0] !== NEGOTIATION) return false;
    const frame = openFrame(datagram, NEGOTIATION);
    if (frame === undefined || this.#isConfirmed || !sameBytes(frame.session, this.#session)) return true;
    try {
      this.#answered(new WireReader(frame.body));
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
    }
    return true;
  }

  #answered(reader: WireReader): void {
    const { tickets, server, surroundings, failed } = this.#options;
    const kind = reader.byte();
    const isAsking = this.#head === undefined;
    if (kind === CHOICE && isAsking) {
      const token = reader.take(TOKEN_BYTES).slice();
      const ticket = ticketOf(this.#plan.offerBytes, token, readChoice(reader));
      this.#timer?.cancel();
      try {
        this.#open(ticket);
        tickets.set(server, ticket);
      } catch (error) {
        if (!(error instanceof CcparkError)) throw error;
        failed(error);
      }
    } else if (kind === REFUSAL && isAsking) {
      this.#timer?.cancel();
      failed(serverRefuses(DECODER.decode(reader.rest())));
    } else if (kind === STALE && !isAsking) {
      tickets.delete(server);
      this.#head = undefined;
      this.#silence?.cancel();
      this.#silence = undefined;
      this.#session = surroundings.randomBytes(SESSION_BYTES);
      if (++this.#stale <= MAX_STALE) this.#ask();
      else failed(new CcparkError("unavailable", "[transport] the server keeps no choice"));
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#silence?.cancel();
  }
}
