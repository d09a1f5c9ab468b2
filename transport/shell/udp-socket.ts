/** A UDP socket as the port of many stacks: addresses are `host:port`, and what the system's buffer has no room for waits there. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { CcparkError } from "../../core/errors.ts";
import type { DatagramPort } from "../stack/open.ts";

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

export class UdpSocket {
  readonly #socket: Socket;
  readonly port: DatagramPort;
  #queued = 0;
  #wasFull = false;

  private constructor(
    socket: Socket,
    onDatagram: (datagram: Uint8Array, from: string) => void,
    onRoom: () => void,
  ) {
    this.#socket = socket;
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
        let target = names.get(to);
        if (target === undefined) {
          target = parseAddress(to);
          if (names.size > 10_000) names.clear();
          names.set(to, target);
        }
        this.#queued++;
        // an error (no route, a closed port) is a loss: whoever needs the datagram sends it again
        socket.send(datagram, target.port, target.host, () => {
          this.#queued--;
          if (!this.#wasFull || this.#queued > MAX_QUEUED / 2) return;
          this.#wasFull = false;
          onRoom();
        });
      },
    };
  }

  /** @throws CcparkError (unavailable) with the system's code, such as EADDRINUSE */
  static async open(
    bind: { readonly host?: string | undefined; readonly port?: number | undefined },
    onDatagram: (datagram: Uint8Array, from: string) => void,
    onRoom: () => void,
  ): Promise<UdpSocket> {
    const { host = "127.0.0.1", port = 0 } = bind;
    const socket = createSocket({
      type: isIPv6(host) ? "udp6" : "udp4",
      recvBufferSize: SYSTEM_BUFFER_BYTES,
      sendBufferSize: SYSTEM_BUFFER_BYTES,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", (cause: NodeJS.ErrnoException) => {
        socket.close();
        const where = addressText(host, port);
        reject(new CcparkError("unavailable", `[transport] cannot bind ${where}: ${cause.code}`, { cause }));
      });
      socket.bind(port, host, () => {
        socket.removeAllListeners("error");
        resolve();
      });
    });
    // errors of single datagrams come to their senders
    socket.on("error", () => {});
    return new UdpSocket(socket, onDatagram, onRoom);
  }

  close(): void {
    this.#socket.close();
  }
}
