/**
 * An alarm clock better than the event loop's timers, whose granularity is a millisecond: a worker thread waits by
 * `Atomics.wait`, which wakes it within some 50 us, and tells this thread by a message.
 */
import { Worker } from "node:worker_threads";
import type { Nanos } from "../../core/units.ts";

/** Words shared with the thread. */
const WAKE_AT = 0;
const NEVER = 2n ** 62n;
const CLOSED = -1n;

/** Nanoseconds of the monotonic clock that all threads share. */
export function monotonicNs(): bigint {
  return process.hrtime.bigint();
}

/**
 * The thread. Its source is passed as text, so that it is the same in a bundle, in dist and from source: it must not
 * import anything, refer to anything outside, nor name a function inside.
 */
function ring(): void {
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
  const { words, changes, never }: AlarmData = workerData;
  for (;;) {
    const seen = Atomics.load(changes, 0);
    const at = Atomics.load(words, 0);
    if (at === -1n) return;
    const leftNs = Number(at - process.hrtime.bigint());
    if (leftNs > 0) {
      Atomics.wait(changes, 0, seen, leftNs / 1e6);
    } else if (Atomics.compareExchange(words, 0, at, never) === at) {
      // once for each time that it is set, also to the same one
      parentPort!.postMessage(undefined);
    }
  }
}

interface AlarmData {
  readonly words: BigInt64Array;
  readonly changes: Int32Array;
  readonly never: bigint;
}

export class Alarm {
  readonly #worker: Worker;
  readonly #words = new BigInt64Array(new SharedArrayBuffer(8));
  readonly #changes = new Int32Array(new SharedArrayBuffer(4));
  #setNs: bigint = NEVER;

  /** @param onRing the time has come (or lies a little back); nothing is set then */
  constructor(onRing: () => void, onError: (error: Error) => void) {
    Atomics.store(this.#words, WAKE_AT, NEVER);
    const workerData: AlarmData = { words: this.#words, changes: this.#changes, never: NEVER };
    this.#worker = new Worker(`(${ring})()`, { eval: true, workerData, execArgv: [] });
    this.#worker.on("message", () => {
      const dueNs = this.#setNs;
      this.#setNs = NEVER;
      // it rang for a time that was set before, and does not know of this one yet
      if (dueNs > monotonicNs()) this.set(dueNs);
      else onRing();
    });
    this.#worker.on("error", onError);
  }

  /** @param atNs on the monotonic clock; undefined: no more */
  set(atNs: bigint | undefined): void {
    const next = atNs ?? NEVER;
    if (next === this.#setNs) return;
    const isEarlier = next < this.#setNs;
    this.#setNs = next;
    Atomics.store(this.#words, WAKE_AT, next);
    // one that wakes too early looks again and waits on
    if (isEarlier) this.#notify();
  }

  #notify(): void {
    Atomics.add(this.#changes, 0, 1);
    Atomics.notify(this.#changes, 0);
  }

  async close(): Promise<void> {
    Atomics.store(this.#words, WAKE_AT, CLOSED);
    this.#notify();
    await this.#worker.terminate();
  }
}

/** A clock that stands still until it is started. */
export class Stopwatch {
  #zero: bigint | undefined;

  get isRunning(): boolean {
    return this.#zero !== undefined;
  }

  /** @param zero when it shows 0, on the monotonic clock; absent: now */
  start(zero: bigint = monotonicNs()): void {
    this.#zero ??= zero;
  }

  get nowNs(): Nanos {
    return this.#zero === undefined ? 0 : Number(monotonicNs() - this.#zero);
  }

  /** The same point on the monotonic clock. */
  absolute(atNs: Nanos): bigint {
    return this.#zero! + BigInt(Math.ceil(atNs));
  }
}
