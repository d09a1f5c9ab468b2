/**
 * UDP on the loopback address: for containers that share a network but no folder, and for platforms without a build of
 * koffi. Addresses are `127.0.0.1:port`. The messages are those of the unix sockets; nobody listening shows as silence.
 */
import { createSocket } from "node:dgram";
import { CcparkError } from "../../core/errors.ts";
import type { Address } from "../agent/agent.ts";
import {
  type DatagramTransport,
  MAX_MESSAGE_BYTES,
  noTraffic,
  type OnMessage,
  type SendOutcome,
} from "./datagram-transport.ts";

const LOOPBACK = "127.0.0.1";
/** Bytes that may wait in the process before a send says `full`. */
const MAX_QUEUED_BYTES = 1 << 20;

export interface UdpOptions {
  /** 0: any free one */
  readonly port: number;
  readonly onMessage: OnMessage;
}

/** @throws CcparkError if the port is taken */
export async function openUdp(options: UdpOptions): Promise<DatagramTransport> {
  const counters = noTraffic();
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (cause: NodeJS.ErrnoException) => {
      socket.close();
      const code = cause.code ?? cause.message;
      const message = `[ccp-ipc] cannot bind UDP ${LOOPBACK}:${options.port}: ${code}`;
      reject(new CcparkError("unavailable", message, { cause }));
    });
    socket.bind({ address: LOOPBACK, port: options.port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      resolve();
    });
  });
  let open = true;
  // errors of earlier sends; the peer's silence is what counts
  socket.on("error", () => {
    counters.gone += 1;
  });
  socket.on("message", (bytes, from) => {
    if (!open) return;
    counters.received += 1;
    if (bytes.length > MAX_MESSAGE_BYTES) counters.oversize += 1;
    else options.onMessage(bytes, `${from.address}:${from.port}`);
  });
  return {
    address: `${LOOPBACK}:${socket.address().port}`,
    counters,
    send(bytes: Uint8Array, to: Address): SendOutcome {
      const port = Number(to.slice(to.lastIndexOf(":") + 1));
      if (!open || !to.startsWith(`${LOOPBACK}:`) || !(port > 0 && port < 65_536)) {
        counters.gone += 1;
        return "gone";
      }
      if (socket.getSendQueueSize() > MAX_QUEUED_BYTES) {
        counters.full += 1;
        return "full";
      }
      socket.send(Uint8Array.from(bytes), port, LOOPBACK, () => {});
      counters.sent += 1;
      return "sent";
    },
    close(): void {
      if (!open) return;
      open = false;
      socket.close();
    },
  };
}
