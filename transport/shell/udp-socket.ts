/** A UDP socket as the port of many stacks: addresses are `host:port`, and what the system's buffer has no room for waits there. */
import { createSocket, type Socket, type SocketOptions } from "node:dgram";
import { lookup } from "node:dns";
import { isIP, isIPv6 } from "node:net";
import { CcparkError } from "../../core/errors.ts";
import { loadLibc, SystemCallError } from "../../testbeds/host/libc.ts";
import type { DatagramPort } from "../stack/open.ts";
import { BatchSocket } from "./batch-socket.ts";

/** Of the system, each way: a burst of a few milliseconds at a gigabit. */
const SYSTEM_BUFFER_BYTES = 1 << 22;
/** Datagrams that libuv may hold; more wait in the stacks. */
const MAX_QUEUED = 256;
/** IPv4 and UDP headers off Ethernet's 1,500. */
export const MAX_DATAGRAM_BYTES = 1_472;

export function addressText(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseAddress(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(text.slice(at + 1)) };
}

/** An address is what it is: asking the system for each datagram would cost more than sending it. */
const lookUp: NonNullable<SocketOptions["lookup"]> = (host, options, callback) => {
  const family = isIP(host);
  if (family === 0) lookup(host, options, callback);
  else callback(null, host, family);
};

/** Of the system, or of the system by batches. */
export interface UdpSocket {
  readonly port: DatagramPort;
  close(): void;
}

export interface UdpBind {
  /** default 127.0.0.1 */
  readonly host?: string | undefined;
  /** default: any free one */
  readonly port?: number | undefined;
  /** many datagrams by one system call, on Linux with koffi; default true: where it can be */
  readonly offload?: boolean | undefined;
  /** The only one that it speaks with: its system says so where nobody has that port. */
  readonly peer?: { readonly address: string; onRefused(): void } | undefined;
}

class NodeSocket implements UdpSocket {
  readonly #socket: Socket;
  readonly port: DatagramPort;
  #queued = 0;
  #isClosed = false;
  #wasFull = false;

  constructor(
    socket: Socket,
    peer: UdpBind["peer"],
    onDatagram: (datagram: Uint8Array, from: string) => void,
    onRoom: () => void,
  ) {
    this.#socket = socket;
    // other errors of single datagrams are losses: whoever needs one sends it again
    const heed = (error: NodeJS.ErrnoException | null): void => {
      if (error?.code === "ECONNREFUSED") peer?.onRefused();
    };
    socket.on("error", heed);
    const { address, port } = socket.address();
    const names = new Map<string, { host: string; port: number }>();
    socket.on("message", ({ buffer, byteOffset, length }, { address: host, port: from }) =>
      // plain bytes: a Buffer's `slice` is no copy
      onDatagram(new Uint8Array(buffer, byteOffset, length), addressText(host, from)),
    );
    this.port = {
      self: addressText(address, port),
      maxBytes: MAX_DATAGRAM_BYTES,
      room: () => {
        this.#wasFull ||= this.#queued >= MAX_QUEUED;
        return MAX_QUEUED - this.#queued;
      },
      send: (datagram, to) => {
        if (this.#isClosed) return;
        this.#queued++;
        const sent = (error: Error | null): void => {
          this.#queued--;
          heed(error);
          if (!this.#wasFull || this.#queued > MAX_QUEUED / 2) return;
          this.#wasFull = false;
          onRoom();
        };
        if (peer !== undefined) {
          socket.send(datagram, sent);
          return;
        }
        let target = names.get(to);
        if (target === undefined) {
          target = parseAddress(to);
          if (names.size > 10_000) names.clear();
          names.set(to, target);
        }
        socket.send(datagram, target.port, target.host, sent);
      },
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}

function cannotBind(where: string, code: string | undefined, cause: unknown): CcparkError {
  return new CcparkError("unavailable", `[transport] cannot bind ${where}: ${code}`, { cause, code });
}

/** Undefined: this machine, or this address, has none. */
async function openBatches(
  { host = "127.0.0.1", port = 0, peer }: UdpBind,
  onDatagram: (datagram: Uint8Array, from: string) => void,
  onRoom: () => void,
): Promise<UdpSocket | undefined> {
  if (isIP(host) !== 4) return undefined;
  const libc = await loadLibc().catch(() => undefined);
  if (libc === undefined) return undefined;
  const bind = { host, port, peer, bufferBytes: SYSTEM_BUFFER_BYTES, maxBytes: MAX_DATAGRAM_BYTES };
  try {
    return new BatchSocket(libc, bind, onDatagram, onRoom);
  } catch (error) {
    if (error instanceof SystemCallError && error.call === "bind")
      throw cannotBind(addressText(host, port), error.errnoName, error);
    return undefined;
  }
}

async function openNode(
  { host = "127.0.0.1", port = 0, peer }: UdpBind,
  onDatagram: (datagram: Uint8Array, from: string) => void,
  onRoom: () => void,
): Promise<UdpSocket> {
  const socket = createSocket({
    type: isIPv6(host) ? "udp6" : "udp4",
    recvBufferSize: SYSTEM_BUFFER_BYTES,
    sendBufferSize: SYSTEM_BUFFER_BYTES,
    lookup: lookUp,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (cause: NodeJS.ErrnoException) => {
      socket.close();
      reject(cannotBind(addressText(host, port), cause.code, cause));
    });
    socket.bind(port, host, () => {
      if (peer === undefined) resolve();
      else {
        const to = parseAddress(peer.address);
        socket.connect(to.port, to.host, resolve);
      }
    });
  });
  socket.removeAllListeners("error");
  return new NodeSocket(socket, peer, onDatagram, onRoom);
}

export const UdpSocket: {
  /** @throws CcparkError (unavailable) with the system's code, such as EADDRINUSE */
  open(
    bind: UdpBind,
    onDatagram: (datagram: Uint8Array, from: string) => void,
    onRoom: () => void,
  ): Promise<UdpSocket>;
} = {
  async open(bind, onDatagram, onRoom) {
    const batches = bind.offload === false ? undefined : await openBatches(bind, onDatagram, onRoom);
    return batches ?? openNode(bind, onDatagram, onRoom);
  },
};
