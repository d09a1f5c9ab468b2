/** The two hosts of a run: bulk senders in one network namespace, a sink in the other, and a thread that moves their data. */
import type { Worker } from "node:worker_threads";
import { startWorkerThread } from "../../core/start-worker-thread.ts";
import type { Bytes } from "../../core/units.ts";
import { portOf, sockaddrIn } from "../host/addresses.ts";
import {
  AF_INET,
  IPPROTO_TCP,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_CONGESTION,
} from "../host/constants.ts";
import type { Libc } from "../host/libc.ts";
import { type BulkData, ROW, ROW_WORDS, SENDER_STATE } from "./bulk-shared.ts";

/** What is needed of a network namespace. */
export interface HostNamespace {
  run<T>(body: () => T): T;
}

export interface Host {
  readonly namespace: HostNamespace;
  /** IPv4, dotted */
  readonly address: string;
}

const BACKLOG = 1024;
const SO_LINGER = 13;

/** A sender's socket. */
export interface Sender {
  readonly fd: number;
  readonly port: number;
  readonly row: number;
}

export class Hosts {
  readonly #libc: Libc;
  readonly #client: Host;
  readonly #server: Host;
  readonly #data: BulkData;
  readonly #serverPort: number;
  readonly #thread: Worker;
  readonly #ended: Promise<void>;
  /** The thread moves data from now on. */
  readonly ready: Promise<void>;
  readonly #senders: Set<Sender> = new Set();
  readonly #freeRows: number[] = [];
  #closing: Promise<void> | undefined;

  /** @param mostSenders at one time */
  constructor(libc: Libc, client: Host, server: Host, mostSenders: number) {
    this.#libc = libc;
    this.#client = client;
    this.#server = server;
    const listener = server.namespace.run(() => {
      const fd = libc.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
      libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      libc.bind(fd, sockaddrIn(server.address, 0));
      libc.listen(fd, BACKLOG);
      return fd;
    });
    this.#serverPort = portOf(libc.getsockname(listener));
    this.#data = {
      wake: libc.eventfd(),
      listener,
      state: new Int32Array(new SharedArrayBuffer(4)),
      rows: new Int32Array(new SharedArrayBuffer(4 * ROW_WORDS * mostSenders)),
      leftBytes: new Float64Array(new SharedArrayBuffer(8 * mostSenders)),
    };
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#thread = startWorkerThread(new URL(`./bulk-thread.${extension}`, import.meta.url), this.#data);
    this.ready = new Promise((resolve) => this.#thread.once("message", () => resolve()));
    this.#ended = new Promise((resolve) => this.#thread.once("exit", () => resolve()));
  }

  onFailure(call: (error: unknown) => void): void {
    this.#thread.on("error", call);
  }

  /**
   * Opens a connection, which sends from `start` on.
   * @param algorithm name of the congestion control in Linux
   * @param bytes Infinity: without end
   * @param onPort called when its port is known, before its first packet
   * @throws SystemCallError: ENOENT for a congestion control that is not there
   */
  connect(algorithm: string, bytes: Bytes, onPort?: (sender: Sender) => void): Sender {
    const libc = this.#libc;
    const fd = this.#client.namespace.run(() =>
      libc.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC),
    );
    try {
      const name = new TextEncoder().encode(algorithm);
      libc.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, algorithm);
      libc.bind(fd, sockaddrIn(this.#client.address, 0));
      const sender = {
        fd,
        port: portOf(libc.getsockname(fd)),
        row: this.#freeRows.pop() ?? this.#senders.size,
      };
      this.#senders.add(sender);
      onPort?.(sender);
      libc.connect(fd, sockaddrIn(this.#server.address, this.#serverPort));
      this.#data.leftBytes[sender.row] = bytes;
      this.#data.rows[sender.row * ROW_WORDS + ROW.fd] = fd;
      return sender;
    } catch (error) {
      libc.close(fd);
      throw error;
    }
  }

  start(sender: Sender): void {
    this.#setState(sender, SENDER_STATE.sending);
  }

  /** It sends no more; what is in its socket's buffer goes out. */
  stop(sender: Sender): void {
    this.#setState(sender, SENDER_STATE.done);
  }

  /** Gives a sender back that has sent all that it had to: its connection ends when all of it is acknowledged. */
  release(sender: Sender): void {
    const state = Atomics.load(this.#data.rows, sender.row * ROW_WORDS + ROW.state);
    if (state !== SENDER_STATE.done || !this.#senders.delete(sender)) return;
    this.#freeRows.push(sender.row);
    this.#libc.close(sender.fd);
  }

  #setState({ row }: Sender, state: number): void {
    Atomics.store(this.#data.rows, row * ROW_WORDS + ROW.state, state);
    this.#wake();
  }

  #wake(): void {
    this.#libc.write(this.#data.wake, new BigUint64Array([1n]));
  }

  /** Ends the thread and resets the connections; may be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    Atomics.store(this.#data.state, 0, 1);
    this.#wake();
    await this.#ended;
    for (const { fd } of this.#senders) {
      // no orphans, which would keep the namespace and the congestion control for minutes
      this.#libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
      this.#libc.close(fd);
    }
    this.#libc.close(this.#data.listener);
    this.#libc.close(this.#data.wake);
  }
}
