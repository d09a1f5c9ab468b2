/**
 * One end of a connection of two whose stack may be exchanged while it lives, without losing or repeating a message: stacks that
 * follow each other (`succession.ts`), on which the ends agree by messages of the present one (`exchange.ts`).
 */
import { CcparkError } from "../../core/errors.ts";
import type { Label, Message, Surroundings } from "../chunnel.ts";
import { droppedNow } from "../chunnels/queues/buffer.ts";
import type { Slot } from "../negotiate/choose.ts";
import type { Agreed } from "../negotiate/handshake.ts";
import type { App, OpenStack } from "../stack/open.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { Exchange } from "./exchange.ts";
import { baseOf } from "./fit.ts";
import { contentOf, dataMessage } from "./messages.ts";
import { epochSession, Succession } from "./succession.ts";
import { Untaken } from "./untaken.ts";
import type { OpenWay, Way } from "./way.ts";

const NONE: readonly Message[] = [];

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
  /** it is over, for whatever reason */
  closed?(): void;
}

export class LiveStack {
  readonly #options: LiveStackOptions;
  readonly #succession: Succession;
  /** made for the first proposal: most connections end without one */
  #exchange: Exchange | undefined;
  /** of the first stack */
  #agreed: Agreed | undefined;
  #isConfirmed = false;
  /** handed down before the peer has been heard of: sent again by another stack if the first was not the right one */
  #unconfirmed: Message[] = [];
  #again: Message[] = [];
  /** exchanges that were asked for before there was a stack */
  #early: Parameters<LiveStack["upgrade"]>[] = [];
  readonly #untaken: Untaken = new Untaken();
  isClosed = false;

  constructor(options: LiveStackOptions) {
    this.#options = options;
    const { side, surroundings, adapt, way, app } = options;
    this.#succession = new Succession({
      side,
      surroundings,
      adapt,
      first: way,
      user: {
        pull: (most) => this.#pull(most),
        deliver: (messages, stack) => this.#deliver(messages, stack),
        steer: (epoch, kind, reader) => this.#exchanging().steer(epoch, kind, reader),
        changed: (epoch) => this.#exchange?.changed(epoch),
        heard: () => this.#confirm(),
        feedback: (fate) => app.feedback?.(fate),
        roomGrew: () => app.roomGrew?.(),
        fail: (error) => this.fail(error),
      },
    });
  }

  #exchanging(): Exchange {
    const { side, slots } = this.#options;
    this.#exchange ??= new Exchange({
      side,
      slots,
      succession: this.#succession,
      session: () => this.#agreed!.session,
      openWay: (base, done) => this.#openWay(base, done),
      fail: (error) => this.fail(error),
    });
    return this.#exchange;
  }

  /** The number of stacks that it has exchanged. */
  get epoch(): number {
    return Math.max(0, this.#succession.sending);
  }

  get labels(): ReadonlySet<Label> {
    return this.#succession.labels;
  }

  /** Opens the first stack; anew where the peer did not know the one before: what that was given goes by this one. */
  open(agreed: Agreed): void {
    if (this.isClosed) return;
    this.#succession.drop(0);
    this.#agreed = agreed;
    if (this.#unconfirmed.length > 0) {
      this.#again = [...this.#unconfirmed, ...this.#again];
      this.#unconfirmed = [];
    }
    const { stack, transcript, session } = agreed;
    const { way, side, app } = this.#options;
    this.#succession.begin({ number: 0, stack, transcript, session: epochSession(session, 0), way });
    if (side === "server") this.#confirm();
    this.#exchange?.repropose();
    for (const asked of this.#early.splice(0)) this.upgrade(...asked);
    app.roomGrew?.();
    this.offer();
  }

  /** A datagram has come in. */
  arrive(datagram: Uint8Array, from: string, isLocal?: true): void {
    this.#succession.arrive(datagram, from, isLocal);
  }

  drained(): void {
    this.#succession.drained();
  }

  send(messages: readonly Message[]): void {
    const { present } = this.#succession;
    if (present === undefined) {
      this.#options.app.feedback?.(droppedNow(this.#options.surroundings.nowUs(), messages));
      return;
    }
    present.open.send(this.#outgoing(messages));
  }

  offer(): void {
    this.#succession.offer();
  }

  room(): number {
    return this.#succession.present?.open.room() ?? 0;
  }

  consumed(messages: number): void {
    this.#untaken.taken(messages);
  }

  /**
   * Exchanges the stack, once there is one: the peer consents if its own slots fit.
   * @param done called when messages go by the new one in both directions, or with why they do not: then the old one goes on
   */
  upgrade(slots: readonly Slot[], done: (error?: CcparkError) => void): void {
    if (this.#agreed === undefined && !this.isClosed) this.#early.push([slots, done]);
    else this.#exchanging().propose(slots, done);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#exchange?.close();
    this.#succession.close();
    for (const asked of this.#early.splice(0)) this.upgrade(...asked);
    this.#options.closed?.();
  }

  fail(error: CcparkError): void {
    if (this.isClosed) return;
    this.close();
    this.#options.app.fail?.(error);
  }

  #outgoing(messages: readonly Message[]): Message[] {
    const outgoing = messages.map(dataMessage);
    // what is not reliable is not sent again
    if (!this.#isConfirmed && this.labels.has("reliable")) this.#unconfirmed.push(...outgoing);
    return outgoing;
  }

  #pull(most: number): readonly Message[] {
    if (this.#again.length > 0) {
      const again = this.#again.splice(0, most);
      this.#unconfirmed.push(...again);
      return again;
    }
    const messages = this.#options.app.pull?.(most) ?? NONE;
    return messages.length === 0 ? NONE : this.#outgoing(messages);
  }

  /** A server's peer has chosen the stack; a client's may not know it. */
  #confirm(): void {
    if (this.#isConfirmed) return;
    this.#isConfirmed = true;
    this.#unconfirmed = [];
    this.#options.confirmed?.();
  }

  #deliver(messages: readonly Message[], stack: OpenStack): void {
    const { app } = this.#options;
    this.#untaken.add(stack, messages.length);
    app.receive(messages.map(contentOf));
    if (app.consumesAtOnce !== false && !this.isClosed) this.consumed(messages.length);
  }

  #openWay(base: string, done: (way: Way | CcparkError) => void): void {
    const { openWay, way: first } = this.#options;
    if (base === baseOf(this.#agreed!.stack)) done({ port: first.port, peer: first.peer });
    else if (openWay === undefined) {
      done(new CcparkError("failed-precondition", `[transport] this end has no way by \`${base}\``));
    } else openWay(base, (datagram, from) => this.arrive(datagram, from, base === "unix" || undefined), done);
  }
}
