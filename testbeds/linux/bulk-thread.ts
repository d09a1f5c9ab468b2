/**
 * The thread of a run's hosts: keeps senders' sockets full and reads what arrives at the receivers. The sockets are made by
 * the thread that starts it, inside the namespaces they belong to; what is to be done with each is told in shared memory.
 */
import { parentPort, workerData } from "node:worker_threads";
import { MSG_NOSIGNAL, POLLIN, POLLOUT, SHUT_WR, SOCK_CLOEXEC, SOCK_NONBLOCK } from "../host/constants.ts";
import { type Libc, loadLibc } from "../host/libc.ts";
import { type BulkData, ROW, ROW_WORDS, SENDER_STATE } from "./bulk-shared.ts";

/** discards the data of a TCP socket instead of copying it */
const MSG_TRUNC = 0x20;
const CHUNK_BYTES = 1 << 18;
const IDLE_NS = 100_000_000;
const ERRORS = POLLIN | POLLOUT | 0x38;

class Pump {
  readonly #libc: Libc;
  readonly #data: BulkData;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  readonly #received: number[] = [];

  constructor(libc: Libc, data: BulkData) {
    this.#libc = libc;
    this.#data = data;
  }

  run(): void {
    const { wake, listener, state } = this.#data;
    const count = new Uint8Array(8);
    while (Atomics.load(state, 0) === 0) {
      const senders = this.#busySenders();
      const polled = new Int32Array([
        wake,
        POLLIN,
        listener,
        POLLIN,
        ...this.#received.flatMap((fd) => [fd, POLLIN]),
        ...senders.flatMap((row) => [this.#word(row, ROW.fd), POLLOUT]),
      ]);
      if (this.#libc.ppoll(polled, IDLE_NS) === 0) continue;
      const isReady = (i: number): boolean => ((polled[2 * i + 1]! >> 16) & ERRORS) !== 0;
      if (isReady(0)) this.#libc.read(wake, count);
      const readers = [...this.#received];
      if (isReady(1)) this.#accept();
      for (const [i, fd] of readers.entries()) if (isReady(2 + i)) this.#receive(fd);
      for (const [i, row] of senders.entries()) if (isReady(2 + readers.length + i)) this.#send(row);
    }
    for (const fd of this.#received) this.#libc.close(fd);
  }

  #word(row: number, word: number): number {
    return Atomics.load(this.#data.rows, row * ROW_WORDS + word);
  }

  #busySenders(): number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.#data.leftBytes.length; row++) {
      if (this.#word(row, ROW.state) === SENDER_STATE.sending) rows.push(row);
    }
    return rows;
  }

  #accept(): void {
    for (;;) {
      const fd = this.#libc.accept(this.#data.listener, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      this.#received.push(fd);
    }
  }

  #receive(fd: number): void {
    let isOver = false;
    try {
      const bytes = this.#libc.recv(fd, this.#chunk, CHUNK_BYTES, MSG_TRUNC);
      isOver = bytes === 0;
    } catch {
      isOver = true;
    }
    if (!isOver) return;
    this.#libc.close(fd);
    this.#received.splice(this.#received.indexOf(fd), 1);
  }

  #send(row: number): void {
    const { rows, leftBytes } = this.#data;
    const fd = this.#word(row, ROW.fd);
    const left = leftBytes[row]!;
    try {
      const sent = this.#libc.send(fd, this.#chunk, Math.min(left, CHUNK_BYTES), MSG_NOSIGNAL);
      if (sent > 0) leftBytes[row] = left - sent;
      if (left - sent > 0) return;
      this.#libc.shutdown(fd, SHUT_WR);
    } catch {} // the connection has been reset: its facts say so
    Atomics.compareExchange(rows, row * ROW_WORDS + ROW.state, SENDER_STATE.sending, SENDER_STATE.done);
  }
}

const pump: Pump = new Pump(await loadLibc(), workerData as BulkData);
parentPort!.postMessage("ready");
pump.run();
