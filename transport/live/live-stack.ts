/**
 * One end of a connection whose stack may be exchanged while it lives, without losing or repeating a message. Each stack is an
 * epoch with a session of its own. Both ends prepare the next one, then each sends a last message in the old one, from which on its messages
 * go by the new one; what the new one brings waits until the peer's last message of the old one has come. So the old stack must be
 * reliable and ordered, and the new one as well.
 *
 *   message: 0 │ bytes of the application     1: the last one     2 │ proposal     3 │ consent     4 │ refusal
 */
import { CcparkError } from "../../core/errors.ts";
import { MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { Feedback, Label, Message, Surroundings, Timer } from "../chunnel.ts";
import { SESSION_BYTES, sessionOf } from "../chunnels/framing/frame.ts";
import { droppedNow } from "../chunnels/queues/buffer.ts";
import { agree, type Choice, chosenStack, offerOf, type Slot } from "../negotiate/choose.ts";
import type { Agreed } from "../negotiate/handshake.ts";
import { decodeOffer, encodeChoice, encodeOffer, readChoice, transcriptOf } from "../negotiate/offer-wire.ts";
import { type App, type DatagramPort, OpenStack } from "../stack/open.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { numberBytes, sameBytes, WireFault, WireReader, writeNumber } from "../wire.ts";

const DATA = 0;
const LAST = 1;
const PROPOSAL = 2;
const CONSENT = 3;
const REFUSAL = 4;
const MAX_EPOCHS = 65_535;
/** So long an old stack goes on to acknowledge: as long as a peer that hears nothing waits. */
const LINGER_US: Micros = 60 * MICROS_PER_SEC;
const NEEDED: readonly Label[] = ["reliable", "ordered"];
const NONE: readonly Message[] = [];
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** How datagrams go for the stacks that end in a base. */
export interface Way {
  readonly port: DatagramPort;
  /** the peer's address; set by the stack when it has learned it, where it is not known before */
  readonly peer?: string;
  close?(): void;
}

export type OpenWay = (
  base: string,
  onDatagram: (datagram: Uint8Array, from: string) => void,
  done: (way: Way | CcparkError) => void,
) => void;

export interface LiveStackOptions {
  readonly side: "client" | "server";
  readonly surroundings: Surroundings;
  readonly app: App;
  /** what this end consents to when its peer proposes another stack */
  readonly slots: readonly Slot[];
  readonly way: Way & { readonly peer: string };
  /** ways by other bases, such as unix sockets; absent: there are none */
  readonly openWay?: OpenWay | undefined;
  /** changes a stack before it is opened */
  readonly adapt?: ((stack: readonly ChunnelSpec[]) => readonly ChunnelSpec[]) | undefined;
  /** the peer has been heard of in the first stack */
  confirmed?(): void;
}

/** The session of a connection's nth stack. */
export function epochSession(session: Uint8Array, epoch: number): Uint8Array {
  const own = session.slice();
  own[SESSION_BYTES - 2]! ^= epoch >> 8;
  own[SESSION_BYTES - 1]! ^= epoch & 255;
  return own;
}

interface Epoch {
  readonly number: number;
  readonly base: string;
  readonly session: Uint8Array;
  readonly way: Way;
  stack: OpenStack;
  /** of this connection, waiting to be pulled before anything of the application */
  readonly controls: Message[];
  /** came before it was this stack's turn */
  readonly early: Message[];
  last: Message | undefined;
  linger: Timer | undefined;
  isDone: boolean;
}

interface Proposal {
  readonly epoch: number;
  readonly slots: readonly Slot[];
  readonly offer: Uint8Array;
  readonly base: string | undefined;
  way: Way | undefined;
  readonly done: (error?: CcparkError) => void;
}

function baseOf(stack: readonly { readonly name: string }[]): string {
  return stack.at(-1)!.name;
}

export class LiveStack {
  readonly #options: LiveStackOptions;
  readonly #epochs = new Map<number, Epoch>();
  #slots: readonly Slot[];
  /** of the first stack */
  #agreed: Agreed | undefined;
  #sending = -1;
  #receiving = -1;
  #proposal: Proposal | undefined;
  #isConfirmed = false;
  /** handed down before the peer has been heard of: sent again by another stack if the first was not the right one */
  #unconfirmed: Message[] = [];
  #again: Message[] = [];
  /** of what the application has not taken yet: which epoch it came by */
  readonly #untaken: { readonly epoch: number; count: number }[] = [];
  isClosed = false;

  constructor(options: LiveStackOptions) {
    this.#options = options;
    this.#slots = options.slots;
  }

  /** The number of stacks that it has exchanged. */
  get epoch(): number {
    return Math.max(0, this.#sending);
  }

  get labels(): ReadonlySet<Label> {
    return this.#epochs.get(this.#sending)?.stack.labels ?? new Set();
  }

  /** Opens the first stack; anew where the peer did not know the one before: what that was given goes by this one. */
  open(agreed: Agreed): void {
    if (this.isClosed) return;
    this.#epochs.get(0)?.stack.close();
    this.#epochs.delete(0);
    this.#agreed = agreed;
    this.#again = [...this.#unconfirmed, ...this.#again];
    this.#unconfirmed = [];
    this.#make(0, agreed.stack, agreed.transcript, this.#options.way);
    this.#sending = this.#receiving = 0;
    if (this.#options.side === "server") this.#confirm();
    this.#options.app.roomGrew?.();
    this.offer();
  }

  #make(number: number, specs: readonly ChunnelSpec[], transcript: Uint8Array, way: Way): Epoch {
    const { side, surroundings, adapt = (same) => same } = this.#options;
    const session = epochSession(this.#agreed!.session, number);
    const app: App = {
      consumesAtOnce: false,
      receive: (messages) => this.#receive(epoch, messages),
      feedback: (fate) => this.#feedback(epoch, fate),
      pull: (most) => this.#pull(epoch, most),
      roomGrew: () => {
        if (number === this.#sending) this.#options.app.roomGrew?.();
      },
      fail: (error) => {
        if (!epoch.isDone) this.fail(error);
      },
    };
    const epoch: Epoch = {
      number,
      base: baseOf(specs),
      session,
      way,
      stack: undefined as unknown as OpenStack,
      controls: [],
      early: [],
      last: undefined,
      linger: undefined,
      isDone: false,
    };
    this.#epochs.set(number, epoch);
    epoch.stack = new OpenStack({
      stack: adapt(specs),
      surroundings,
      port: way.port,
      side,
      app,
      peer: way.peer!,
      session,
      transcript,
    });
    return epoch;
  }

  /** A datagram has come in. */
  arrive(datagram: Uint8Array, from: string, isLocal?: true): void {
    if (this.#epochs.size === 1) {
      for (const { stack } of this.#epochs.values()) stack.arrive(datagram, from, isLocal);
      return;
    }
    const session = sessionOf(datagram);
    if (session === undefined) return;
    for (const epoch of this.#epochs.values()) {
      if (!sameBytes(session, epoch.session)) continue;
      epoch.stack.arrive(datagram, from, isLocal);
      return;
    }
  }

  drained(): void {
    for (const { stack } of [...this.#epochs.values()]) stack.drained();
  }

  send(messages: readonly Message[]): void {
    const epoch = this.#epochs.get(this.#sending);
    if (epoch === undefined) {
      this.#options.app.feedback?.(droppedNow(this.#options.surroundings.nowUs(), messages));
      return;
    }
    epoch.stack.send(this.#wrapped(messages));
  }

  offer(): void {
    this.#epochs.get(this.#sending)?.stack.offer();
  }

  room(): number {
    return this.#epochs.get(this.#sending)?.stack.room() ?? 0;
  }

  consumed(messages: number): void {
    let left = messages;
    while (left > 0 && this.#untaken.length > 0) {
      const first = this.#untaken[0]!;
      const count = Math.min(left, first.count);
      left -= count;
      first.count -= count;
      if (first.count === 0) this.#untaken.shift();
      this.#epochs.get(first.epoch)?.stack.consumed(count);
    }
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#abandon(new CcparkError("unavailable", "[transport] the connection was closed"));
    for (const epoch of [...this.#epochs.values()]) this.#drop(epoch);
  }

  fail(error: CcparkError): void {
    if (this.isClosed) return;
    this.close();
    this.#options.app.fail?.(error);
  }

  #drop(epoch: Epoch): void {
    epoch.isDone = true;
    epoch.linger?.cancel();
    epoch.stack.close();
    this.#epochs.delete(epoch.number);
    const isShared = [...this.#epochs.values()].some(({ way }) => way === epoch.way);
    if (!isShared && epoch.way !== this.#options.way) epoch.way.close?.();
  }

  #wrapped(messages: readonly Message[]): Message[] {
    return messages.map((message) => {
      const body = message.data as Uint8Array;
      const data = new Uint8Array(1 + body.length);
      data.set(body, 1);
      const wrapped: Message = { ...message, data, cause: [message] };
      if (!this.#isConfirmed && this.labels.has("reliable")) this.#unconfirmed.push(wrapped);
      return wrapped;
    });
  }

  #pull(epoch: Epoch, most: number): readonly Message[] {
    if (epoch.controls.length > 0) return epoch.controls.splice(0, most);
    if (epoch.number !== this.#sending) return NONE;
    if (this.#again.length > 0) {
      const again = this.#again.splice(0, most);
      this.#unconfirmed.push(...again);
      return again;
    }
    const messages = this.#options.app.pull?.(most) ?? NONE;
    return messages.length === 0 ? NONE : this.#wrapped(messages);
  }

  #control(epoch: Epoch, kind: number, body: Uint8Array): Message {
    const data = new Uint8Array(1 + body.length);
    data[0] = kind;
    data.set(body, 1);
    const message: Message = { data };
    epoch.controls.push(message);
    return message;
  }

  /** A server's peer has chosen the stack; a client's may not know it, and what is not reliable is not sent again. */
  #confirm(): void {
    if (this.#isConfirmed) return;
    this.#isConfirmed = true;
    this.#unconfirmed = [];
    this.#options.confirmed?.();
  }

  #feedback(epoch: Epoch, fate: Feedback): void {
    const { last } = epoch;
    if (fate.acked.length > 0) this.#confirm();
    const acked: Message[] = [];
    for (const message of fate.acked) {
      if (message.cause !== undefined) acked.push(...message.cause);
      else if (message === last) this.#retire(epoch);
    }
    const lost = fate.lost.flatMap(({ cause = NONE }) => cause);
    this.#options.app.feedback?.({ ...fate, acked, lost });
  }

  #receive(epoch: Epoch, messages: readonly Message[]): void {
    this.#confirm();
    let from = 0;
    for (let i = 0; i < messages.length && !this.isClosed; i++) {
      if (epoch.number > this.#receiving) {
        epoch.early.push(...messages.slice(i));
        return;
      }
      if ((messages[i]!.data as Uint8Array)[0] === DATA) continue;
      this.#deliver(epoch, messages.slice(from, i));
      from = i + 1;
      epoch.stack.consumed(1);
      this.#steer(epoch, messages[i]!.data as Uint8Array);
    }
    if (!this.isClosed) this.#deliver(epoch, from === 0 ? messages : messages.slice(from));
  }

  #deliver(epoch: Epoch, messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const { app } = this.#options;
    const end = this.#untaken.at(-1);
    if (end?.epoch === epoch.number) end.count += messages.length;
    else this.#untaken.push({ epoch: epoch.number, count: messages.length });
    app.receive(messages.map((message) => ({ ...message, data: (message.data as Uint8Array).subarray(1) })));
    if (app.consumesAtOnce !== false && !this.isClosed) this.consumed(messages.length);
  }

  /** A message of the peer's live stack. */
  #steer(epoch: Epoch, data: Uint8Array): void {
    const reader = new WireReader(data);
    try {
      const kind = reader.byte();
      if (kind === LAST) this.#peerEnded(epoch);
      else if (kind === PROPOSAL) this.#proposed(epoch, reader);
      else if (kind === CONSENT) this.#consented(epoch, reader);
      else if (kind === REFUSAL) this.#refused(reader);
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
    }
  }

  /**
   * Exchanges the stack: the peer consents if its own slots fit.
   * @param done called when messages go by the new one in both directions, or with why they do not: then the old one goes on
   */
  upgrade(slots: readonly Slot[], done: (error?: CcparkError) => void): void {
    const epoch = this.#epochs.get(this.#sending);
    const base = baseOf(slots.map((slot) => ("make" in slot ? slot : slot.options[0]!)));
    const missing = NEEDED.find((label) => !this.labels.has(label));
    const why = this.isClosed
      ? "the connection is closed"
      : epoch === undefined
        ? "the connection has not begun"
        : missing !== undefined
          ? `the stack is not ${missing}`
          : this.#proposal !== undefined ||
              this.#epochs.has(this.#sending + 1) ||
              this.#sending !== this.#receiving
            ? "another one is under way"
            : this.#sending >= MAX_EPOCHS
              ? `there have been ${MAX_EPOCHS}`
              : undefined;
    if (why !== undefined) {
      done(new CcparkError("failed-precondition", `[transport] cannot exchange the stack: ${why}`));
      return;
    }
    const proposal: Proposal = {
      epoch: this.#sending + 1,
      slots,
      offer: encodeOffer(offerOf(slots)),
      base: base === epoch!.base ? undefined : base,
      way: undefined,
      done,
    };
    this.#proposal = proposal;
    const propose = (address: string): void =>
      this.#say(epoch!, PROPOSAL, proposal.epoch, [
        ENCODER.encode(proposal.base ?? ""),
        ENCODER.encode(address),
        proposal.offer,
      ]);
    if (proposal.base === undefined) propose("");
    else {
      this.#openWay(proposal.base, (way) => {
        if (way instanceof CcparkError) this.#abandon(way);
        else if (this.#proposal !== proposal) way.close?.();
        else {
          proposal.way = way;
          propose(way.port.self);
        }
      });
    }
  }

  #openWay(base: string, done: (way: Way | CcparkError) => void): void {
    const { openWay } = this.#options;
    const none = new CcparkError("failed-precondition", `[transport] this end has no way by \`${base}\``);
    const first = this.#options.way;
    if (base === baseOf(this.#agreed!.stack)) done({ port: first.port, peer: first.peer });
    else if (openWay === undefined) done(none);
    else openWay(base, (datagram, from) => this.arrive(datagram, from, base === "unix" || undefined), done);
  }

  #say(epoch: Epoch, kind: number, number: number, parts: readonly Uint8Array[]): void {
    let length = numberBytes(number);
    for (const part of parts) length += numberBytes(part.length) + part.length;
    const body = new Uint8Array(length);
    let at = writeNumber(body, 0, number);
    for (const part of parts) {
      at = writeNumber(body, at, part.length);
      body.set(part, at);
      at += part.length;
    }
    this.#control(epoch, kind, body);
    epoch.stack.offer();
  }

  #abandon(error: CcparkError): void {
    const proposal = this.#proposal;
    this.#proposal = undefined;
    proposal?.way?.close?.();
    proposal?.done(error);
  }

  /** @throws WireFault */
  #proposed(epoch: Epoch, reader: WireReader): void {
    const number = reader.number();
    const base = DECODER.decode(reader.take(reader.number()));
    const address = DECODER.decode(reader.take(reader.number()));
    const offer = reader.take(reader.number()).slice();
    const refuse = (why: string): void => this.#say(epoch, REFUSAL, number, [ENCODER.encode(why)]);
    // where both propose at once the client's goes first; the server hears a refusal
    const isCrossed = this.#proposal !== undefined && this.#options.side === "client";
    if (
      isCrossed ||
      number !== this.#receiving + 1 ||
      this.#sending !== this.#receiving ||
      this.#epochs.has(number)
    ) {
      refuse("[transport] cannot exchange the stack: another one is under way");
      return;
    }
    const consent = (way: Way): void => {
      let choice: Choice;
      try {
        const slots = this.#slots;
        choice = agree(decodeOffer(offer), offerOf(slots));
        const stack = chosenStack(withBase(slots, base), choice, "server");
        checkUpgradable(this.#make(number, stack, transcriptOf(offer, choice), way).stack.labels);
      } catch (error) {
        const made = this.#epochs.get(number);
        if (made !== undefined) this.#drop(made);
        else if (way !== this.#currentWay) way.close?.();
        if (error instanceof CcparkError) refuse(error.message);
        else if (!(error instanceof WireFault)) throw error;
        return;
      }
      this.#say(epoch, CONSENT, number, [ENCODER.encode(way.port.self), encodeChoice(choice)]);
    };
    if (base === "") consent(this.#currentWay);
    else {
      this.#openWay(base, (way) => {
        if (way instanceof CcparkError) refuse(way.message);
        else if (this.isClosed) way.close?.();
        else consent({ port: way.port, peer: address, close: () => way.close?.() });
      });
    }
  }

  get #currentWay(): Way {
    return this.#epochs.get(this.#sending)?.way ?? this.#options.way;
  }

  /** @throws WireFault */
  #consented(epoch: Epoch, reader: WireReader): void {
    const proposal = this.#proposal;
    const number = reader.number();
    const address = DECODER.decode(reader.take(reader.number()));
    const choice = readChoice(new WireReader(reader.take(reader.number())));
    if (proposal?.epoch !== number) return;
    try {
      const stack = chosenStack(proposal.slots, choice, "client");
      const { way } = proposal;
      const theirs: Way =
        way === undefined ? epoch.way : { port: way.port, peer: address, close: () => way.close?.() };
      this.#make(number, stack, transcriptOf(proposal.offer, choice), theirs);
    } catch (error) {
      // the peer chose what was not offered: it is none of ours
      if (error instanceof CcparkError) this.fail(error);
      else throw error;
      return;
    }
    this.#switch(epoch, number);
  }

  #refused(reader: WireReader): void {
    const number = reader.number();
    const why = DECODER.decode(reader.take(reader.number()));
    if (this.#proposal?.epoch === number) this.#abandon(new CcparkError("failed-precondition", why));
  }

  /** From here on messages go by the next stack. */
  #switch(epoch: Epoch, number: number): void {
    epoch.last = this.#control(epoch, LAST, new Uint8Array(0));
    this.#sending = number;
    epoch.stack.offer();
    this.#epochs.get(number)!.stack.offer();
    this.#options.app.roomGrew?.();
  }

  /** All of the peer's messages by that stack have come. */
  #peerEnded(epoch: Epoch): void {
    const next = this.#epochs.get(epoch.number + 1);
    if (next === undefined) throw new WireFault("an end without a next stack");
    const isMine = this.#proposal?.epoch === next.number;
    if (this.#sending === epoch.number) this.#switch(epoch, next.number);
    this.#receiving = next.number;
    if (isMine) {
      const { done, slots } = this.#proposal!;
      this.#slots = slots;
      this.#proposal = undefined;
      // the peer ended because this end had: all has come
      this.#retire(epoch);
      done();
    }
    const early = next.early.splice(0);
    if (early.length > 0) this.#receive(next, early);
  }

  /** Both directions have ended: it only acknowledges any more. */
  #retire(epoch: Epoch): void {
    if (epoch.linger !== undefined || this.#receiving <= epoch.number) return;
    epoch.isDone = true;
    const { surroundings } = this.#options;
    epoch.linger = surroundings.wakeAt(surroundings.nowUs() + LINGER_US, () => this.#drop(epoch));
  }
}

function withBase(slots: readonly Slot[], base: string): readonly Slot[] {
  if (base === "") return slots;
  const last = slots.at(-1)!;
  return "make" in last ? [...slots.slice(0, -1), { ...last, name: base }] : slots;
}

function checkUpgradable(labels: ReadonlySet<Label>): void {
  const missing = NEEDED.find((label) => !labels.has(label));
  if (missing === undefined) return;
  throw new CcparkError(
    "failed-precondition",
    `[transport] cannot exchange the stack: the new one is not ${missing}`,
  );
}
