/**
 * How late the machine wakes a thread that sleeps for 5 ms, in a thread of its own: on a machine with other work a wait for an
 * answer, which passes through several threads, is longer by a few such delays, whoever answers.
 */
import { Worker } from "node:worker_threads";

const SLEEPER = `
const { workerData } = require("node:worker_threads");
const words = new Int32Array(workerData);
for (;;) {
  const startedMs = performance.now();
  Atomics.wait(words, 1, 0, 5);
  const lateUs = Math.round((performance.now() - startedMs - 5) * 1000);
  if (lateUs > Atomics.load(words, 0)) Atomics.store(words, 0, lateUs);
}`;
/** Client, its socket, the server's socket and main thread, and back. */
const THREADS_PASSED = 4;

export class Starvation {
  readonly #words = new Int32Array(new SharedArrayBuffer(8));
  readonly #thread: Worker;

  constructor() {
    this.#thread = new Worker(SLEEPER, { eval: true, workerData: this.#words.buffer });
    this.#thread.unref();
  }

  /** By how much waits may be longer since the last call, ms. */
  take(): number {
    return (Atomics.exchange(this.#words, 0, 0) / 1000) * THREADS_PASSED;
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }
}
