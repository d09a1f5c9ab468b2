/**
 * A list of chunnels becomes one end of a connection. Everything below a chunnel that fans out (`route`) is made once for each
 * neighbour; the base is a face of the one port.
 */
import { assert, type CcparkError } from "../../core/errors.ts";
import type { Bytes } from "../../core/units.ts";
import type { Above, Below, Chunnel, Feedback, Label, Message, Surroundings } from "../chunnel.ts";
import { type ChunnelSpec, checkStack } from "./spec.ts";

/** What carries datagrams: a socket, a simulated path, memory. */
export interface DatagramPort {
  /** its address as peers know it */
  readonly self: string;
  readonly maxBytes: Bytes;
  send(datagram: Uint8Array, to: string): void;
  /** datagrams that it takes now; whoever owns it calls `OpenStack.drained` when there is room again */
  room(): number;
  /** A port to the same peer inside this host, where it is here; what comes by it arrives with `isLocal`. */
  local?(peer: string): DatagramPort | undefined;
}

export interface BaseFacts {
  /** largest datagram */
  readonly maxBytes: Bytes;
  /** the other end; absent: messages say where they go */
  readonly peer?: string;
  /** eight bytes that tell this connection from others of the two; absent: the client draws them, the server takes what comes first */
  readonly session?: Uint8Array;
  /** what the ends have agreed on, as a hash: encryption binds its keys to it */
  readonly transcript?: Uint8Array;
  local?(peer: string): DatagramPort | undefined;
}

export interface FanOut {
  /** The layers below for a neighbour. */
  open(neighbour: string, above: Above): Below;
  /** This chunnel fans out. @param onStranger called with a neighbour that has no layers yet and sends something */
  begin(onStranger: (neighbour: string) => void): void;
}

/** The application. */
export interface App {
  receive(messages: readonly Message[]): void;
  feedback?(fate: Feedback): void;
  /** see `Above.pull`; absent: it pushes */
  pull?(most: number): readonly Message[];
  roomGrew?(): void;
  fail?(error: CcparkError): void;
  /** false: it calls `consumed` itself; default true: what it received is taken */
  readonly consumesAtOnce?: boolean;
}

export interface OpenStackOptions {
  /** top first */
  readonly stack: readonly ChunnelSpec[];
  readonly surroundings: Surroundings;
  readonly port: DatagramPort;
  readonly side: "client" | "server";
  readonly app: App;
  readonly peer?: string;
  readonly session?: Uint8Array;
  readonly transcript?: Uint8Array;
}

const PULL_AT_ONCE = 64;

/** The bottom of a stack, as `udp()` and its like make it. */
export class Base implements Chunnel {
  above!: Above;
  below!: Below;
  readonly #port: DatagramPort;
  readonly #peer: string | undefined;
  #isPulling = false;
  #offeredAgain = false;
  #closed = false;

  constructor(port: DatagramPort, peer: string | undefined) {
    this.#port = port;
    this.#peer = peer;
  }

  send(messages: readonly Message[]): void {
    if (this.#closed) return;
    for (const { data, to = this.#peer } of messages) {
      assert(to !== undefined, "a datagram without an address");
      this.#port.send(data as Uint8Array, to);
    }
  }

  offer(): void {
    this.#offeredAgain = true;
    if (this.#isPulling || this.#closed) return;
    this.#isPulling = true;
    try {
      while (this.#offeredAgain) {
        this.#offeredAgain = false;
        for (let room = this.#port.room(); room > 0 && !this.#closed; room = this.#port.room()) {
          const messages = this.above.pull(Math.min(room, PULL_AT_ONCE));
          if (messages.length === 0) break;
          this.send(messages);
        }
      }
    } finally {
      this.#isPulling = false;
    }
  }

  room(): number {
    return this.#port.room();
  }

  consumed(): void {}

  close(): void {
    this.#closed = true;
  }

  receive(messages: readonly Message[]): void {
    if (!this.#closed) this.above.receive(messages);
  }

  feedback(): void {}
  pull(): readonly Message[] {
    return [];
  }
  roomGrew(): void {
    this.above.roomGrew();
    this.offer();
  }
  fail(error: CcparkError): void {
    this.above.fail(error);
  }
}

/** The top of a stack: what the application holds. */
export class OpenStack implements Above {
  readonly labels: ReadonlySet<Label>;
  readonly #options: OpenStackOptions;
  readonly #bases = new Map<string, Base>();
  readonly #top: Below;
  #onStranger: ((neighbour: string) => void) | undefined;
  #only: Base | undefined;
  isClosed = false;

  /** @throws CcparkError (invalid-argument) if the stack does not fit */
  constructor(options: OpenStackOptions) {
    this.#options = options;
    this.labels = checkStack(options.stack).labels;
    this.#top = this.#build(0, this, options.peer);
  }

  #build(i: number, above: Above, peer: string | undefined): Below {
    const { stack, surroundings, port, side, session, transcript } = this.#options;
    const spec = stack[i]!;
    if (spec.down === "none") {
      const base = new Base(port, peer);
      base.above = above;
      if (peer === undefined || this.#onStranger === undefined) this.#only ??= base;
      if (peer !== undefined) this.#bases.set(peer, base);
      return base;
    }
    let fansOut = false;
    const chunnel = spec.make(surroundings, {
      side,
      self: port.self,
      base: { maxBytes: port.maxBytes, peer, session, transcript, local: port.local?.bind(port) },
      fanOut: {
        open: (neighbour, each) => this.#build(i + 1, each, neighbour),
        // no accessor: V8 would keep a hidden class for each of them, and with it what the connection was
        begin: (onStranger) => {
          fansOut = true;
          this.#onStranger = onStranger;
        },
      },
    });
    chunnel.above = above;
    if (!fansOut) chunnel.below = this.#build(i + 1, chunnel, peer);
    return chunnel;
  }

  /** A datagram has come in at the port. */
  arrive(datagram: Uint8Array, from: string, isLocal?: true): void {
    if (this.isClosed) return;
    if (this.#onStranger !== undefined && !this.#bases.has(from)) this.#onStranger(from);
    const base = this.#onStranger === undefined ? this.#only : this.#bases.get(from);
    base?.receive([isLocal ? { data: datagram, from, isLocal } : { data: datagram, from }]);
  }

  /** The port has room again. */
  drained(): void {
    this.#only?.roomGrew();
    for (const base of this.#bases.values()) if (base !== this.#only) base.roomGrew();
  }

  send(messages: readonly Message[]): void {
    this.#top.send(messages);
  }

  offer(): void {
    this.#top.offer();
  }

  room(): number {
    return this.#top.room();
  }

  consumed(messages: number): void {
    this.#top.consumed(messages);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#top.close();
  }

  receive(messages: readonly Message[]): void {
    const { app } = this.#options;
    app.receive(messages);
    if (app.consumesAtOnce !== false && !this.isClosed) this.#top.consumed(messages.length);
  }

  feedback(fate: Feedback): void {
    this.#options.app.feedback?.(fate);
  }

  pull(most: number): readonly Message[] {
    return this.#options.app.pull?.(most) ?? [];
  }

  roomGrew(): void {
    this.#options.app.roomGrew?.();
  }

  fail(error: CcparkError): void {
    this.close();
    this.#options.app.fail?.(error);
  }
}
