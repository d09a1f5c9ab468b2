/** A UDP socket whose datagrams go many by one system call: those of one size to one peer that are sent in one turn. */
import { sockaddrIn } from "../../testbeds/host/addresses.ts";
import { DatagramBatches } from "../../testbeds/host/datagram-batches.ts";
import type { Libc } from "../../testbeds/host/libc.ts";
import type { DatagramPort } from "../stack/open.ts";

/** Datagrams that wait for room in the system; more wait in the stacks. */
const MAX_WAITING = 256;

interface Batch {
  readonly to: string;
  readonly datagrams: Uint8Array[];
}

/** All are of one size, but for a last one, which may be shorter. */
function hasRoomFor(datagrams: readonly Uint8Array[], bytes: number): boolean {
  const size = datagrams[0]!.length;
  const isEnded = datagrams.at(-1)!.length < size;
  return !isEnded && bytes <= size && datagrams.length < DatagramBatches.most(size);
}

export interface BatchBind {
  readonly host: string;
  readonly port: number;
  readonly bufferBytes: number;
  readonly maxBytes: number;
  /** the only one that it speaks with */
  readonly peer?: { readonly address: string; onRefused(): void } | undefined;
}

export class BatchSocket {
  readonly port: DatagramPort;
  readonly #socket: DatagramBatches;
  readonly #onRoom: () => void;
  readonly #addresses = new Map<string, Uint8Array>();
  /** oldest first; only the last may grow */
  readonly #waiting: Batch[] = [];
  #count = 0;
  #isDue = false;
  #wasFull = false;
  #isClosed = false;

  /** @throws SystemCallError as of `DatagramBatches` */
  constructor(
    libc: Libc,
    bind: BatchBind,
    onDatagram: (datagram: Uint8Array, from: string) => void,
    onRoom: () => void,
  ) {
    this.#onRoom = onRoom;
    const { peer } = bind;
    const to = peer && { sockaddr: this.#addressOf(peer.address), onRefused: () => peer.onRefused() };
    this.#socket = new DatagramBatches(libc, { ...bind, peer: to }, onDatagram);
    this.port = {
      self: `${bind.host}:${this.#socket.port}`,
      maxBytes: bind.maxBytes,
      room: () => {
        this.#wasFull ||= this.#count >= MAX_WAITING;
        return MAX_WAITING - this.#count;
      },
      send: (datagram, to) => this.#send(datagram, to),
    };
  }

  #send(datagram: Uint8Array, to: string): void {
    if (this.#isClosed) return;
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.to === to && hasRoomFor(last.datagrams, datagram.length))
      last.datagrams.push(datagram);
    else this.#waiting.push({ to, datagrams: [datagram] });
    this.#count++;
    if (this.#isDue) return;
    this.#isDue = true;
    // when whoever sends now has sent all
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#isDue = false;
    if (this.#isClosed) return;
    let sent = 0;
    for (const { to, datagrams } of this.#waiting) {
      if (!this.#socket.send(datagrams, this.#addressOf(to))) break;
      sent++;
      this.#count -= datagrams.length;
    }
    this.#waiting.splice(0, sent);
    if (this.#waiting.length > 0) {
      this.#isDue = true;
      setImmediate(() => this.#flush());
    }
    if (!this.#wasFull || this.#count > MAX_WAITING / 2) return;
    this.#wasFull = false;
    this.#onRoom();
  }

  #addressOf(name: string): Uint8Array {
    let address = this.#addresses.get(name);
    if (address === undefined) {
      const at = name.lastIndexOf(":");
      address = sockaddrIn(name.slice(0, at), Number(name.slice(at + 1)));
      if (this.#addresses.size > 10_000) this.#addresses.clear();
      this.#addresses.set(name, address);
    }
    return address;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#isClosed = true;
    this.#socket.close();
  }
}
