/** Hosts of the examples: a stack over a UDP socket each. */
import { type App, type ChunnelSpec, OpenStack, realSurroundings, UdpSocket } from "../../transport/index.ts";

/** Of all hosts: without it each pair would have to agree on one (`connect` and `listen` do). */
const SESSION = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1);

export interface Host {
  readonly address: string;
  readonly stack: OpenStack;
  close(): void;
}

export async function openSocket(): Promise<{ readonly address: string; open(make: Opened): Host }> {
  let stack: OpenStack | undefined;
  const socket = await UdpSocket.open(
    {},
    (datagram, from) => stack?.arrive(datagram, from),
    () => stack?.drained(),
  );
  const address = socket.port.self;
  return {
    address,
    open: ({ side, specs, app }) => {
      stack = new OpenStack({
        stack: specs,
        surroundings: realSurroundings(),
        port: socket.port,
        side,
        app,
        session: SESSION,
      });
      const own = stack;
      return {
        address,
        stack: own,
        close: () => {
          own.close();
          socket.close();
        },
      };
    },
  };
}

export interface Opened {
  readonly side: "client" | "server";
  readonly specs: readonly ChunnelSpec[];
  readonly app: App;
}
