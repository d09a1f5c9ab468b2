/**
 * Stacks that follow each other towards one peer without losing or repeating a message. Each is an epoch with a session of its own. Both ends
 * prepare the next one, then each sends a last message by the old one, from which on its messages go by the new one; what the
 * new one brings waits until the peer's last message of the old one has come. So each stack must be reliable and ordered.
 */
import type { CcparkError } from "../../core/errors.ts";
import { MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { Feedback, Label, Message, Surroundings, Timer } from "../chunnel.ts";
import { SESSION_BYTES, sessionOf } from "../chunnels/framing/frame.ts";
import { type App, OpenStack } from "../stack/open.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { sameBytes, WireFault, WireReader } from "../wire.ts";
import { DATA, headed, LAST } from "./messages.ts";
import type { Way } from "./way.ts";

/** So long an old stack goes on to acknowledge: as long as a peer that hears nothing waits. */
const LINGER_US: Micros = 60 * MICROS_PER_SEC;
const NONE: readonly Message[] = [];

/** The session of a connection's nth stack. */
export function epochSession(session: Uint8Array, epoch: number): Uint8Array {
  const own = session.slice();
  own[SESSION_BYTES - 2]! ^= epoch >> 8;
  own[SESSION_BYTES - 1]! ^= epoch & 255;
  return own;
}

/** Whose stacks they are. */
export interface SuccessionUser {
  /** the application's next messages, as `dataMessage` makes them */
  pull(most: number): readonly Message[];
  /** The application's messages of the peer, as they came: in order over all stacks. */
  deliver(messages: readonly Message[], stack: OpenStack): void;
  /** A message of the peer that is none of the application. @throws WireFault */
  steer(epoch: number, kind: number, reader: WireReader): void;
  /** The peer's last message by the stack before has come, and this end has sent its own: this one is the present one in both directions. */
  changed(epoch: number): void;
  /** something has come or was acknowledged */
  heard(): void;
  feedback(fate: Feedback): void;
  roomGrew(): void;
  fail(error: CcparkError): void;
}

export interface SuccessionOptions {
  readonly side: "client" | "server";
  readonly surroundings: Surroundings;
  /** changes a stack before it is opened */
  readonly adapt?: ((stack: readonly ChunnelSpec[]) => readonly ChunnelSpec[]) | undefined;
  readonly user: SuccessionUser;
  /** a way that outlives the stacks; absent: none of them ends a way */
  readonly first?: Way;
}

export interface NewEpoch {
  readonly number: number;
  readonly stack: readonly ChunnelSpec[];
  readonly session: Uint8Array;
  readonly transcript: Uint8Array;
  readonly way: Way;
}

interface Epoch extends NewEpoch {
  open: OpenStack;
  /** of this connection, waiting to be pulled before anything of the application */
  readonly controls: Message[];
  /** came before it was this stack's turn */
  readonly early: Message[];
  last: Message | undefined;
  isLastAcked: boolean;
  linger: Timer | undefined;
  isDone: boolean;
}

export class Succession {
  readonly #options: SuccessionOptions;
  readonly #epochs = new Map<number, Epoch>();
  /** the epoch by which messages go; -1: there is none yet */
  sending = -1;
  /** the epoch whose messages are delivered */
  receiving = -1;
  isClosed = false;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  /** The stack by which messages go now. */
  get present():
    | { readonly open: OpenStack; readonly stack: readonly ChunnelSpec[]; readonly way: Way }
    | undefined {
    return this.#epochs.get(this.sending);
  }

  get labels(): ReadonlySet<Label> {
    return this.present?.open.labels ?? new Set();
  }

  has(epoch: number): boolean {
    return this.#epochs.has(epoch);
  }

  /** A change is under way. */
  get isChanging(): boolean {
    return this.sending !== this.receiving || [...this.#epochs.keys()].some((epoch) => epoch > this.sending);
  }

  /** Opens the stack that all begins with. */
  begin(first: NewEpoch): void {
    this.make(first);
    this.sending = this.receiving = first.number;
  }

  /** Opens a stack that is to follow. @throws CcparkError (invalid-argument) if it does not fit together */
  make(made: NewEpoch): OpenStack {
    const { side, surroundings, user, adapt = (same) => same } = this.#options;
    const app: App = {
      consumesAtOnce: false,
      receive: (messages) => this.#receive(epoch, messages),
      feedback: (fate) => this.#feedback(epoch, fate),
      pull: (most) => this.#pull(epoch, most),
      roomGrew: () => {
        if (made.number === this.sending) user.roomGrew();
      },
      fail: (error) => {
        if (!epoch.isDone) user.fail(error);
      },
    };
    const { number, stack, session, transcript, way } = made;
    const epoch: Epoch = {
      number,
      stack,
      session,
      transcript,
      way,
      open: undefined as unknown as OpenStack,
      controls: [],
      early: [],
      last: undefined,
      isLastAcked: false,
      linger: undefined,
      isDone: false,
    };
    this.#epochs.set(number, epoch);
    epoch.open = new OpenStack({
      stack: adapt(stack),
      surroundings,
      port: way.port,
      side,
      app,
      peer: way.peer!,
      session,
      transcript,
    });
    return epoch.open;
  }

  /** A datagram has come in. @returns false: it is of no stack of these */
  arrive(datagram: Uint8Array, from: string, isLocal?: true): boolean {
    if (this.#epochs.size === 1) {
      for (const { open } of this.#epochs.values()) open.arrive(datagram, from, isLocal);
      return true;
    }
    const session = sessionOf(datagram);
    return session !== undefined && this.arrivedBy(session, datagram, from, isLocal);
  }

  /** One of that session has come in. @returns false: it is of no stack of these */
  arrivedBy(session: Uint8Array, datagram: Uint8Array, from: string, isLocal?: true): boolean {
    for (const epoch of this.#epochs.values()) {
      if (!sameBytes(session, epoch.session)) continue;
      epoch.open.arrive(datagram, from, isLocal);
      return true;
    }
    return false;
  }

  drained(): void {
    for (const { open } of [...this.#epochs.values()]) open.drained();
  }

  offer(): void {
    this.present?.open.offer();
  }

  /** Sends a message of the connection's own, before those of the application that have not gone yet. */
  say(number: number, kind: number, body: Uint8Array): void {
    const epoch = this.#epochs.get(number)!;
    this.#control(epoch, kind, body);
    epoch.open.offer();
  }

  #control(epoch: Epoch, kind: number, body: Uint8Array): Message {
    const message: Message = { data: headed(kind, body) };
    epoch.controls.push(message);
    return message;
  }

  close(): void {
    this.isClosed = true;
    for (const number of [...this.#epochs.keys()]) this.drop(number);
  }

  drop(number: number): void {
    const epoch = this.#epochs.get(number);
    if (epoch === undefined) return;
    epoch.isDone = true;
    epoch.linger?.cancel();
    epoch.open?.close();
    this.#epochs.delete(number);
    const isShared = [...this.#epochs.values()].some(({ way }) => way === epoch.way);
    if (!isShared && epoch.way !== this.#options.first) epoch.way.close?.();
  }

  #pull(epoch: Epoch, most: number): readonly Message[] {
    if (epoch.controls.length > 0) return epoch.controls.splice(0, most);
    return epoch.number === this.sending ? this.#options.user.pull(most) : NONE;
  }

  #feedback(epoch: Epoch, fate: Feedback): void {
    const { user } = this.#options;
    const { last } = epoch;
    if (fate.acked.length > 0) user.heard();
    const acked: Message[] = [];
    for (const message of fate.acked) {
      if (message.cause !== undefined) acked.push(...message.cause);
      else if (message === last) {
        epoch.isLastAcked = true;
        this.retire(epoch.number);
      }
    }
    const lost = fate.lost.flatMap(({ cause = NONE }) => cause);
    user.feedback({ ...fate, acked, lost });
  }

  #receive(epoch: Epoch, messages: readonly Message[]): void {
    const { user } = this.#options;
    user.heard();
    let from = 0;
    for (let i = 0; i < messages.length && !this.isClosed; i++) {
      if (epoch.number > this.receiving) {
        epoch.early.push(...messages.slice(i));
        return;
      }
      if ((messages[i]!.data as Uint8Array)[0] === DATA) continue;
      if (i > from) user.deliver(messages.slice(from, i), epoch.open);
      from = i + 1;
      epoch.open.consumed(1);
      this.#steer(epoch, messages[i]!.data as Uint8Array);
    }
    if (this.isClosed || from === messages.length) return;
    user.deliver(from === 0 ? messages : messages.slice(from), epoch.open);
  }

  #steer(epoch: Epoch, data: Uint8Array): void {
    const reader = new WireReader(data);
    try {
      const kind = reader.byte();
      if (kind === LAST) this.#peerEnded(epoch);
      else this.#options.user.steer(epoch.number, kind, reader);
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
    }
  }

  /** From here on messages go by the next stack. */
  change(to: number): void {
    const epoch = this.#epochs.get(this.sending)!;
    epoch.last = this.#control(epoch, LAST, new Uint8Array(0));
    this.sending = to;
    epoch.open.offer();
    this.#epochs.get(to)!.open.offer();
    this.#options.user.roomGrew();
  }

  /** All of the peer's messages by that stack have come. */
  #peerEnded(epoch: Epoch): void {
    const next = [...this.#epochs.values()].find(({ number }) => number > epoch.number);
    if (next === undefined || epoch.number !== this.receiving) {
      throw new WireFault("an end without a next stack");
    }
    if (this.sending === epoch.number) this.change(next.number);
    this.receiving = next.number;
    if (epoch.isLastAcked) this.retire(epoch.number);
    this.#options.user.changed(next.number);
    const early = next.early.splice(0);
    if (early.length > 0) this.#receive(next, early);
  }

  /** Both directions of a stack have ended: it only acknowledges any more. */
  retire(number: number): void {
    const epoch = this.#epochs.get(number);
    if (epoch === undefined || epoch.linger !== undefined || this.receiving <= number) return;
    epoch.isDone = true;
    const { surroundings } = this.#options;
    epoch.linger = surroundings.wakeAt(surroundings.nowUs() + LINGER_US, () => this.drop(number));
  }
}
