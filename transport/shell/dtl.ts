/**
 * Reliable byte streams over UDP, with one priority that may change while a connection lives: DTL as a library
 * (Reale, Roverso, El-Ansary and Haridi, ICDCN 2012). `connect` and `listen` as of `node:net`.
 */
import { randomBytes } from "node:crypto";
import { CcparkError } from "../../core/errors.ts";
import type { Bytes } from "../../core/units.ts";
import type { Surroundings } from "../chunnel.ts";
import { udp } from "../chunnels/base.ts";
import { cc } from "../chunnels/control/cc.ts";
import { flow } from "../chunnels/control/flow.ts";
import { encrypt } from "../chunnels/framing/encrypt.ts";
import { frame, SESSION_BYTES, sessionOf } from "../chunnels/framing/frame.ts";
import { order } from "../chunnels/reliability/order.ts";
import { reliable } from "../chunnels/reliability/reliable.ts";
import { sack } from "../chunnels/reliability/sack.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { Connection } from "./connection.ts";
import { realSurroundings } from "./surroundings.ts";
import { addressText, UdpSocket } from "./udp-socket.ts";

export interface StreamOptions {
  /** 0: yields to everybody; N: the share of N TCPs; default 1 */
  readonly priority?: number;
  /** instead of `priority`: any algorithm that CCP runs, such as `copa` */
  readonly algorithm?: string;
  /** what both ends know: with it the connection is encrypted */
  readonly secret?: string;
  /** bytes that the receiver holds for an application that does not read */
  readonly windowBytes?: Bytes;
  /** after so long without traffic a message keeps a NAT's mapping; default 15 s (RFC 4787: at least 30 s) */
  readonly keepAliveMs?: number;
  /** after so long without an answer the peer is gone; default 60 */
  readonly giveUpSec?: number;
  /** of the connections' events, in qlog's form */
  readonly trace?: Surroundings["trace"];
}

export interface ConnectOptions extends StreamOptions {
  readonly port: number;
  /** default 127.0.0.1 */
  readonly host?: string;
}

export interface ListenOptions extends StreamOptions {
  /** default: any free one */
  readonly port?: number;
  /** default 127.0.0.1 */
  readonly host?: string;
  /** connections at one time; more are not answered */
  readonly maxConnections?: number;
}

export interface Listener {
  /** `host:port` */
  readonly address: string;
  readonly port: number;
  readonly connections: number;
  close(): void;
}

/** The stack of a stream: read from the top. @throws CcparkError (invalid-argument, not-found) */
export function streamStack(options: StreamOptions = {}): readonly ChunnelSpec[] {
  const { priority = 1, algorithm = `dtl:priority=${priority}`, secret, windowBytes, giveUpSec } = options;
  const sealed = secret === undefined ? [] : [encrypt({ secret })];
  return [
    flow({ windowBytes }),
    order(),
    reliable(),
    cc({ algorithm, mssBytes: 1_448 }),
    sack({ giveUpSec }),
    ...sealed,
    frame(),
    udp(),
  ];
}

/** Connections that have said nothing that makes sense are dropped after so long, and there are at most so many: a flood costs no more. */
const HALF_OPEN_MS = 10_000;
const MAX_HALF_OPEN = 4_096;
const KEEP_ALIVE_MS = 15_000;

/**
 * A connection to a listener; it may be written to at once.
 * @throws CcparkError (unavailable) if no socket can be opened; a peer that does not answer is an `error` event
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { host = "127.0.0.1", port, keepAliveMs = KEEP_ALIVE_MS } = options;
  if (!(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new CcparkError(
      "invalid-argument",
      `[transport] port: got ${port}, expected a whole number from 1 to 65535`,
    );
  }
  const peer = addressText(host, port);
  const stack = streamStack(options);
  let connection: Connection | undefined;
  const socket = await UdpSocket.open(
    { host: host.includes(":") ? "::" : "0.0.0.0" },
    (datagram, from) => {
      if (from === peer) connection?.arrive(datagram, from);
    },
    () => connection?.drained(),
  );
  connection = new Connection({
    surroundings: realSurroundings(options.trace),
    port: socket.port,
    stack,
    side: "client",
    peer,
    session: new Uint8Array(randomBytes(SESSION_BYTES)),
    keepAliveMs,
    onClosed: () => socket.close(),
  });
  return connection;
}

/** Connections by the session that their datagrams name: a client may change its address (NAT) only by a new one. */
export async function listen(
  options: ListenOptions,
  onConnection: (connection: Connection) => void,
): Promise<Listener> {
  const { host, port, keepAliveMs = KEEP_ALIVE_MS, maxConnections = 10_000 } = options;
  const stack = streamStack(options);
  const surroundings = realSurroundings(options.trace);
  const bySession = new Map<string, Connection>();
  const accept = (datagram: Uint8Array, from: string): void => {
    const session = sessionOf(datagram);
    if (session === undefined) return;
    const name = `${from} ${Buffer.from(session).toString("hex")}`;
    const known = bySession.get(name);
    if (known !== undefined) {
      known.arrive(datagram, from);
      return;
    }
    if (isClosed || bySession.size >= maxConnections || halfOpen.size >= MAX_HALF_OPEN) return;
    const connection = new Connection({
      surroundings,
      port: socket.port,
      stack,
      side: "server",
      peer: from,
      session: session.slice(),
      keepAliveMs,
      onOpen: () => {
        clearTimeout(halfOpen.get(connection));
        halfOpen.delete(connection);
        onConnection(connection);
      },
      onClosed: () => {
        clearTimeout(halfOpen.get(connection));
        halfOpen.delete(connection);
        bySession.delete(name);
        if (isClosed && bySession.size === 0) socket.close();
      },
    });
    bySession.set(name, connection);
    halfOpen.set(connection, setTimeout(() => connection.destroy(), HALF_OPEN_MS).unref());
    connection.arrive(datagram, from);
  };
  /** connections of which no message has come yet: nobody hears of them */
  const halfOpen = new Map<Connection, NodeJS.Timeout>();
  let isClosed = false;
  const socket = await UdpSocket.open({ host, port }, accept, () => {
    for (const connection of bySession.values()) connection.drained();
  });
  return {
    address: socket.port.self,
    port: Number(socket.port.self.slice(socket.port.self.lastIndexOf(":") + 1)),
    get connections(): number {
      return bySession.size;
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      if (bySession.size === 0) socket.close();
    },
  };
}
