/**
 * Two UDP sockets on loopback, connected to each other, so that no other process's packets reach them. What waits in the
 * system's buffers is bounded here: the rest of a burst waits in the process and is not lost.
 */
import { createSocket, type Socket } from "node:dgram";

/** Linux's default buffer has 212,992 bytes, of which a packet of 1500 takes some 2.3 kB, and one of 9000 some 16.7 kB. */
const MAX_UNDER_WAY_BYTES = 147_456;
/** What the system keeps beside a packet's own bytes: headers before it, and what it knows of it. */
const HEADERS_BYTES = 400;
const BOOKS_BYTES = 256;

/** How many of its size may be under way. */
function mostUnderWay(datagram: Datagram): number {
  let room = 1;
  const bytes = datagram.reduce((sum, part) => sum + part.length, HEADERS_BYTES);
  while (room < bytes) room *= 2;
  return Math.floor(MAX_UNDER_WAY_BYTES / (room + BOOKS_BYTES));
}

/** Its bytes, in parts. */
type Datagram = readonly Uint8Array[];

type OnDatagram = (datagram: Buffer) => void;

/** One direction of the pair. */
export class UdpWay {
  readonly #socket: Socket;
  readonly #waiting: Datagram[] = [];
  #underWay = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(datagram: Datagram): void {
    if (this.#underWay >= mostUnderWay(datagram)) this.#waiting.push(datagram);
    else this.#sendNow(datagram);
  }

  #sendNow(datagram: Datagram): void {
    this.#underWay++;
    this.#socket.send(datagram);
  }

  /** One has come out at the other end, or is given up. */
  onOut(): void {
    this.#underWay--;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#sendNow(next);
  }
}

export interface SocketPair {
  /** from the first socket to the second */
  readonly there: UdpWay;
  readonly back: UdpWay;
  close(): void;
}

function bind(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, "127.0.0.1", () => {
      socket.off("error", reject);
      resolve(socket.address().port);
    });
  });
}

function connect(socket: Socket, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.connect(port, "127.0.0.1", () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

/** @throws the system's error, such as EMFILE */
export async function openSocketPair(options: {
  readonly onThere: OnDatagram;
  readonly onBack: OnDatagram;
  readonly onError: (error: Error) => void;
}): Promise<SocketPair> {
  const near = createSocket("udp4");
  const far = createSocket("udp4");
  const close = (): void => {
    near.close();
    far.close();
  };
  try {
    const [nearPort, farPort] = await Promise.all([bind(near), bind(far)]);
    await Promise.all([connect(near, farPort), connect(far, nearPort)]);
  } catch (error) {
    close();
    throw error;
  }
  const there = new UdpWay(near);
  const back = new UdpWay(far);
  far.on("message", (datagram) => {
    there.onOut();
    options.onThere(datagram);
  });
  near.on("message", (datagram) => {
    back.onOut();
    options.onBack(datagram);
  });
  near.on("error", options.onError);
  far.on("error", options.onError);
  return { there, back, close };
}
