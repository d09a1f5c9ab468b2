/** A loopback TCP relay between client and server that can break or freeze the connection. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface CuttableProxy {
  readonly port: number;
  /** Destroys every connection, as the death of a process does. */
  cut(): void;
  /** Nothing passes any more, but nothing is closed. */
  freeze(): void;
  close(): void;
}

/** @param port 0: any free one */
export async function startProxy(serverPort: number, port = 0): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (down) => {
    const up = connect({ port: serverPort, host: "127.0.0.1", noDelay: true }); // else 40 ms per unary call
    for (const [from, to] of [
      [down, up],
      [up, down],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      server.close();
    },
  };
}
