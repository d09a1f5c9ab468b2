/** Connections of several ends over UDP, which meet by a name in a store: messages to all, in order from each, once. */
import { EventEmitter } from "node:events";
import { CcparkError } from "../../../core/errors.ts";
import type { Bytes } from "../../../core/units.ts";
import type { Message } from "../../chunnel.ts";
import { textOption } from "../../chunnels/options.ts";
import type { Slot } from "../../negotiate/choose.ts";
import { type GroupApp, GroupStack } from "../../rendezvous/group-stack.ts";
import type { RendezvousStore } from "../../rendezvous/store.ts";
import {
  checkSocketOptions,
  type KeysOf,
  refuseUnknown,
  STREAM_OPTIONS,
  UPGRADE_OPTIONS,
} from "../known-options.ts";
import { type StreamOptions, type StreamUpgrade, streamSlots } from "../stream-slots.ts";
import { realSurroundings } from "../surroundings.ts";
import { MAX_DATAGRAM_BYTES, UdpSocket } from "../udp-socket.ts";
import { openUnixWay } from "../unix-way.ts";

export interface MeetOptions extends Omit<StreamOptions, "keepAliveMs"> {
  readonly store: RendezvousStore;
  /** what the ends know the connection by */
  readonly name: string;
  /** by which the others reach this end; default 127.0.0.1 */
  readonly host?: string;
  /** default: any free one */
  readonly port?: number;
}

const { keepAliveMs: _, ...ofStreams } = STREAM_OPTIONS;
const MEET_OPTIONS: KeysOf<MeetOptions> = { store: true, name: true, host: true, port: true, ...ofStreams };

/** The headers of the standard stack with encryption. */
const HEADER_BYTES: Bytes = 112;

interface Sent {
  readonly message: Message;
  readonly resolve: () => void;
  readonly reject: (error: CcparkError) => void;
}

interface Events {
  message: [bytes: Buffer, from: string];
  joined: [address: string];
  left: [address: string];
  error: [error: CcparkError];
}

export class Group extends EventEmitter<Events> implements GroupApp {
  static readonly MAX_MESSAGE_BYTES: Bytes = MAX_DATAGRAM_BYTES - HEADER_BYTES;
  readonly address: string;
  readonly #stack: GroupStack;
  readonly #socket: UdpSocket;
  #options: MeetOptions;
  readonly #waiting: Sent[] = [];
  readonly #underway = new Map<Message, Sent>();
  readonly #sends = new Set<Promise<void>>();
  readonly #onReady: (error?: CcparkError) => void;

  /** @param onReady this end is one of them, or cannot be */
  constructor(options: MeetOptions, socket: UdpSocket, onReady: (error?: CcparkError) => void) {
    super();
    this.#options = options;
    this.#socket = socket;
    this.#onReady = onReady;
    this.address = socket.port.self;
    const { store, name, trace } = options;
    this.#stack = new GroupStack({
      store,
      key: name,
      slots: streamSlots(options),
      surroundings: realSurroundings(trace),
      // addresses are what others have written into the store
      port: {
        ...socket.port,
        send: (datagram, to) => void (isAddress(to) && socket.port.send(datagram, to)),
      },
      app: this,
      openWay: openUnixWay,
    });
  }

  /** Addresses of the others. */
  get members(): readonly string[] {
    return this.#stack.members;
  }

  /** The proposal that brought the present stack; 0: it is the first. */
  get epoch(): number {
    return this.#stack.epoch;
  }

  /** By which messages go now: `unix`, inside this host, after an upgrade to it. */
  get datapath(): "udp" | "unix" {
    return this.#stack.base === "unix" ? "unix" : "udp";
  }

  /**
   * To all others, or to one of them; waits for the first where there is none. Done when they have it.
   * @throws CcparkError (invalid-argument) for more than `MAX_MESSAGE_BYTES`, (not-found) if `to` is none of them, (unavailable) if
   * the connection ends before
   */
  async send(bytes: Uint8Array, to?: string): Promise<void> {
    if (bytes.length > Group.MAX_MESSAGE_BYTES) {
      const message = `[transport] message: got ${bytes.length} bytes, expected at most ${Group.MAX_MESSAGE_BYTES}`;
      throw new CcparkError("invalid-argument", message);
    }
    if (this.#stack.isClosed) throw closed();
    const sent = new Promise<void>((resolve, reject) => {
      const message: Message = { data: bytes.slice(), ...(to !== undefined && { to }) };
      this.#waiting.push({ message, resolve, reject });
      this.#stack.offer();
    });
    this.#sends.add(sent);
    try {
      await sent;
    } finally {
      this.#sends.delete(sent);
    }
  }

  /** Exchanges the stack of all ends while messages go on. @throws CcparkError that says why it was not: all is as before */
  async upgrade(changes: StreamUpgrade): Promise<void> {
    refuseUnknown("upgrade", changes, UPGRADE_OPTIONS);
    const { encryption } = this.#options;
    // what is not named stays: of two ways that this end would have, that which all have now goes first
    const isEither = encryption === "preferred" || encryption === "allowed";
    const slotsOf = (shared: readonly string[], base: string): readonly Slot[] => {
      const now = shared.includes("encrypt") ? "preferred" : "allowed";
      const datapath = base === "unix" ? base : "udp";
      return streamSlots({ ...this.#options, ...(isEither && { encryption: now }), datapath, ...changes });
    };
    await new Promise<void>((resolve, reject) => {
      this.#stack.upgrade(slotsOf, (error) => (error === undefined ? resolve() : reject(error)));
    });
    this.#options = { ...this.#options, ...changes };
  }

  /** Once the others have all that this end has sent. */
  async leave(): Promise<void> {
    if (this.members.length > 0) await Promise.allSettled(this.#sends);
    await new Promise<void>((resolve) => this.#stack.leave(resolve));
    this.#end(closed());
  }

  /** At once: what is under way is lost, and the others find out. */
  close(): void {
    this.#stack.close();
    this.#end(closed());
  }

  #end(error: CcparkError): void {
    for (const { reject } of [...this.#waiting.splice(0), ...this.#underway.values()]) reject(error);
    this.#underway.clear();
    this.#socket.close();
  }

  arrive(datagram: Uint8Array, from: string): void {
    this.#stack.arrive(datagram, from);
  }

  drained(): void {
    this.#stack.drained();
  }

  ready(): void {
    this.#onReady();
  }

  joined(address: string): void {
    this.emit("joined", address);
  }

  left(address: string): void {
    this.emit("left", address);
  }

  pull(most: number): readonly Message[] {
    const sent = this.#waiting.splice(0, most);
    for (const each of sent) this.#underway.set(each.message, each);
    return sent.map(({ message }) => message);
  }

  receive(messages: readonly Message[]): void {
    for (const { data, from } of messages) {
      const { buffer, byteOffset, length } = data as Uint8Array<ArrayBuffer>;
      // as a connection gives its bytes: the same ones, not a copy
      this.emit("message", Buffer.from(buffer, byteOffset, length), from!);
    }
  }

  feedback({ acked, lost }: { readonly acked: readonly Message[]; readonly lost: readonly Message[] }): void {
    for (const message of [...acked, ...lost]) {
      const sent = this.#underway.get(message);
      this.#underway.delete(message);
      if (lost.includes(message)) {
        sent?.reject(
          new CcparkError("not-found", `[transport] got ${message.to}, expected one of the others`),
        );
      } else sent?.resolve();
    }
  }

  fail(error: CcparkError): void {
    this.#onReady(error);
    this.#end(error);
    if (this.listenerCount("error") > 0) this.emit("error", error);
  }
}

function isAddress(text: string): boolean {
  const port = Number(/^.+:(\d{1,5})$/.exec(text)?.[1]);
  return port > 0 && port < 65_536;
}

function closed(): CcparkError {
  return new CcparkError("unavailable", "[transport] the connection was closed");
}

/**
 * One end of the connection of that name; whoever comes first decides on its stack.
 * @throws CcparkError (failed-precondition) that names the chunnel in which the options do not fit those of the others,
 * (unavailable) if no socket can be opened
 */
export async function meet(options: MeetOptions): Promise<Group> {
  refuseUnknown("meet", options, MEET_OPTIONS);
  checkSocketOptions("meet", options);
  textOption("meet", "name", options.name);
  let group: Group | undefined;
  const socket = await UdpSocket.open(
    options,
    (datagram, from) => group?.arrive(datagram, from),
    () => group?.drained(),
  );
  return await new Promise((resolve, reject) => {
    // it may be ready before it is there to be given
    const onReady = (error?: CcparkError): void =>
      queueMicrotask(() => (error === undefined ? resolve(group!) : reject(error)));
    try {
      group = new Group(options, socket, onReady);
    } catch (error) {
      socket.close();
      throw error;
    }
  });
}
