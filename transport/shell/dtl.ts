/**
 * Reliable byte streams over UDP, with one priority that may change while a connection lives: DTL as a library
 * (Reale, Roverso, El-Ansary and Haridi, ICDCN 2012). `connect` and `listen` as of `node:net`.
 */
import { numberOption } from "../chunnels/options.ts";
import { Acceptor } from "../negotiate/acceptor.ts";
import { Tickets } from "../negotiate/handshake.ts";
import { Connection } from "./connection.ts";
import {
  addressOf,
  checkSocketOptions,
  type KeysOf,
  refuseUnknown,
  STREAM_OPTIONS,
} from "./known-options.ts";
import { type StreamOptions, streamSlots } from "./stream-slots.ts";
import { realSurroundings } from "./surroundings.ts";
import { addressText, UdpSocket } from "./udp-socket.ts";

export interface ConnectOptions extends StreamOptions {
  readonly port: number;
  /** default 127.0.0.1 */
  readonly host?: string;
  /** what was agreed on with servers before; default: those of this process */
  readonly tickets?: Tickets;
}

export interface ListenOptions extends StreamOptions {
  /** default: any free one */
  readonly port?: number;
  /** default 127.0.0.1 */
  readonly host?: string;
  /** connections at one time; more are not answered */
  readonly maxConnections?: number;
}

const CONNECT_OPTIONS: KeysOf<ConnectOptions> = { port: true, host: true, tickets: true, ...STREAM_OPTIONS };
const LISTEN_OPTIONS: KeysOf<ListenOptions> = {
  port: true,
  host: true,
  maxConnections: true,
  ...STREAM_OPTIONS,
};

export interface Listener {
  /** `host:port` */
  readonly address: string;
  readonly port: number;
  readonly connections: number;
  close(): void;
}

/** Connections that have said nothing that makes sense are dropped after so long, and there are at most so many: a flood costs no more. */
const HALF_OPEN_MS = 10_000;
const MAX_HALF_OPEN = 4_096;
const KEEP_ALIVE_MS = 15_000;
const GIVE_UP_SEC = 60;
/** Of this process: later connections to the same server begin without a round trip. */
const TICKETS = new Tickets();
/** Of this process's own connections: an algorithm's agent is made once, not for each of them. */
const SHARED: Map<string, unknown> = new Map();

/**
 * A connection to a listener; it may be written to at once.
 * @throws CcparkError (invalid-argument, not-found) for a wrong or an unknown option, (unavailable) if no socket can be opened; a peer
 * that refuses (`code` ECONNREFUSED), wants another stack (EPROTO) or does not answer (ETIMEDOUT) is an `error` event
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  refuseUnknown("connect", options, CONNECT_OPTIONS);
  checkSocketOptions("connect", options, 1);
  streamSlots(options);
  const { port, keepAliveMs = KEEP_ALIVE_MS, giveUpSec = GIVE_UP_SEC } = options;
  const host = await addressOf(options.host ?? "127.0.0.1");
  const peer = addressText(host, port);
  let connection: Connection | undefined;
  // in a turn of its own, since it closes the socket that tells
  const onRefused = (): void => process.nextTick(() => connection?.refused());
  const socket = await UdpSocket.open(
    {
      host: host.includes(":") ? "::" : "0.0.0.0",
      offload: options.offload,
      peer: { address: peer, onRefused },
    },
    (datagram, from) => {
      if (from === peer) connection?.arrive(datagram, from);
    },
    () => connection?.drained(),
  );
  connection = new Connection({
    surroundings: realSurroundings(options.trace, SHARED),
    port: socket.port,
    options,
    agreement: options.tickets ?? TICKETS,
    peer,
    keepAliveMs,
    giveUpMs: giveUpSec * 1_000,
    onClosed: () => socket.close(),
  });
  return connection;
}

/** Connections by the session that their datagrams name: a client may change its address (NAT) only by a new one. */
export async function listen(
  options: ListenOptions,
  onConnection: (connection: Connection) => void,
): Promise<Listener> {
  refuseUnknown("listen", options, LISTEN_OPTIONS);
  checkSocketOptions("listen", options);
  const {
    host,
    port,
    keepAliveMs = KEEP_ALIVE_MS,
    giveUpSec = GIVE_UP_SEC,
    maxConnections = 10_000,
  } = options;
  numberOption("listen", "maxConnections", maxConnections, { low: 1, high: 1_000_000 });
  const slots = streamSlots(options);
  const address = await addressOf(host ?? "127.0.0.1");
  const surroundings = realSurroundings(options.trace);
  /** connections of which no message has come yet: nobody hears of them */
  const halfOpen = new Map<Connection, NodeJS.Timeout>();
  const forget = (connection: Connection): void => {
    clearTimeout(halfOpen.get(connection));
    halfOpen.delete(connection);
  };
  let isClosed = false;
  const socket = await UdpSocket.open(
    { host: address, port, offload: options.offload },
    (datagram, from) => acceptor.arrive(datagram, from),
    () => {
      for (const connection of acceptor.connections) connection.drained();
    },
  );
  const acceptor: Acceptor<Connection> = new Acceptor<Connection>({
    slots,
    surroundings,
    send: socket.port.send,
    hasRoom: () => !isClosed && acceptor.size < maxConnections && halfOpen.size < MAX_HALF_OPEN,
    begin: (opening, peer, remove) => {
      const connection = new Connection({
        surroundings,
        port: socket.port,
        options,
        agreement: opening,
        peer,
        keepAliveMs,
        giveUpMs: giveUpSec * 1_000,
        onOpen: () => {
          forget(connection);
          onConnection(connection);
        },
        onClosed: () => {
          forget(connection);
          remove();
          if (isClosed && acceptor.size === 0) socket.close();
        },
      });
      halfOpen.set(connection, setTimeout(() => connection.destroy(), HALF_OPEN_MS).unref());
      return connection;
    },
  });
  return {
    address: socket.port.self,
    port: Number(socket.port.self.slice(socket.port.self.lastIndexOf(":") + 1)),
    get connections(): number {
      return acceptor.size;
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      if (acceptor.size === 0) socket.close();
    },
  };
}
