/** A UDP socket with a unix one beside it: a peer of this host is reached inside it (`local`), any other by UDP. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openUnixDatagram } from "../../ccp-bridge/ipc/unix-datagram.ts";
import type { DatagramPort } from "../stack/open.ts";
import { MAX_DATAGRAM_BYTES, UdpSocket } from "./udp-socket.ts";
import { UNIX_FOLDER } from "./unix-way.ts";

/** Addresses of this host that all its processes share. */
const OF_THIS_HOST = /^(?:127\.0\.0\.1|\[::1\]):(\d+)$/;

function pathOf(address: string): string | undefined {
  const port = OF_THIS_HOST.exec(address)?.[1];
  return port === undefined ? undefined : join(UNIX_FOLDER, `udp-${port}.sock`);
}

export interface LocalPort {
  readonly port: DatagramPort;
  close(): void;
}

/**
 * @param onDatagram isLocal: it came inside this host; only this user's processes can send so
 * @throws CcparkError (unavailable) if a socket cannot be opened
 */
export async function openLocalPort(
  bind: { readonly host?: string | undefined; readonly port?: number | undefined },
  onDatagram: (datagram: Uint8Array, from: string, isLocal?: true) => void,
  onRoom: () => void,
): Promise<LocalPort> {
  const udp = await UdpSocket.open(bind, (datagram, from) => onDatagram(datagram, from), onRoom);
  const { self } = udp.port;
  const path = pathOf(self);
  if (path === undefined) return { port: udp.port, close: () => udp.close() };
  /** by unix path: the peer's address */
  const names = new Map<string, string>();
  const unix = await openUnixDatagram({
    path,
    onMessage: (bytes, from) => {
      const address = names.get(String(from)) ?? addressOf(String(from));
      if (address !== undefined) onDatagram(new Uint8Array(bytes), address, true);
    },
  });
  const local = (peer: string): DatagramPort | undefined => {
    const to = pathOf(peer);
    if (to === undefined || !existsSync(to)) return undefined;
    names.set(to, peer);
    return {
      self,
      maxBytes: MAX_DATAGRAM_BYTES,
      // a full queue is a loss: whoever needs the datagram sends it again
      send: (datagram) => void unix.send(datagram, to),
      room: () => Number.POSITIVE_INFINITY,
    };
  };
  return {
    port: { ...udp.port, local },
    close: () => {
      unix.close();
      udp.close();
    },
  };
}

function addressOf(path: string): string | undefined {
  const port = /^udp-(\d+)\.sock$/.exec(path.slice(UNIX_FOLDER.length + 1))?.[1];
  return port === undefined || !path.startsWith(`${UNIX_FOLDER}/`) ? undefined : `127.0.0.1:${port}`;
}
