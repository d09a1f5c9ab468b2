/** Both ends of a connection by TLS over loopback TCP, as programs on one host have it: what a stack that knows its peer to be local stands against. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type PSKCallbackNegotation } from "node:tls";

/** TLS 1.2, the last version in which Node takes a shared secret in place of certificates; the cipher is that of our own `encrypt`. */
const VERSION = "TLSv1.2";
const CIPHERS = "ECDHE-PSK-CHACHA20-POLY1305";

/** A client's end of something that sends back what it is sent. */
export interface EchoWire {
  /** to be called when as many bytes have come back as were sent last. */
  heard: () => void;
  send(bytes: Uint8Array): void;
  close(): void;
}

export async function openTlsPair(): Promise<EchoWire> {
  const psk: PSKCallbackNegotation = { psk: randomBytes(32), identity: "of both" };
  const both = { minVersion: VERSION, maxVersion: VERSION, ciphers: CIPHERS } as const;
  const server = createServer({ ...both, pskCallback: () => psk.psk }, (socket) => {
    socket.setNoDelay(true);
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({
    ...both,
    host: "127.0.0.1",
    port,
    pskCallback: () => psk,
    checkServerIdentity: () => undefined,
  });
  await once(client, "secureConnect");
  client.setNoDelay(true);
  let missing = 0;
  const wire: EchoWire = {
    heard: () => {},
    send: (bytes) => {
      missing = bytes.length;
      client.write(bytes);
    },
    close: () => {
      client.destroy();
      server.close();
    },
  };
  client.on("data", (bytes: Uint8Array) => {
    missing -= bytes.length;
    if (missing === 0) wire.heard();
  });
  return wire;
}
