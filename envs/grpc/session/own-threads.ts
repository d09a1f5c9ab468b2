/**
 * Threads for sessions whose scenario a client has written: nobody knows beforehand what it costs, so each such session
 * checks, resets and steps it in threads that are its alone. What takes too long there is ended with its session, and
 * neither the calling thread nor anybody else's environments wait for it.
 */
import { CcparkError } from "../../../core/errors.ts";
import type { BlockThreads } from "../../vector/open-rows.ts";
import { OwnThread, type WorkerOptions } from "../../vector/worker-threads.ts";

/** Threads that lie idle: the next session need not wait for one to start. */
const MAX_IDLE = 4;
/** What a thread has allocated stays with it: one that has run larger sessions is not kept. */
const MAX_KEPT_BYTES = 64 * 2 ** 20;
/** Within this an idle thread answers; one that does not is still at work for the session that left it. */
const IDLE_WITHIN_MS = 500;

export class OwnThreads {
  readonly #options: WorkerOptions;
  readonly #most: number;
  readonly #taken = new Set<OwnThread>();
  readonly #idle: OwnThread[] = [];
  #isClosed = false;

  /** @param most at one time, over all sessions */
  constructor(options: WorkerOptions, most: number) {
    this.#options = options;
    this.#most = most;
  }

  get free(): number {
    return this.#most - this.#taken.size;
  }

  /**
   * One thread, and more up to `wanted` where they are free.
   * @throws CcparkError (resource-exhausted): all are taken
   */
  take(wanted = 1): OwnThread[] {
    const count = Math.min(wanted, this.free);
    if (count <= 0) {
      throw new CcparkError(
        "resource-exhausted",
        `[grpc] scenarios given as objects run in threads of their own: all ${this.#most} that this server allows are in use`,
      );
    }
    const threads = Array.from({ length: count }, () => this.#idle.pop() ?? new OwnThread(this.#options));
    for (const thread of threads) this.#taken.add(thread);
    return threads;
  }

  /** @param bytes estimated, that the thread has held at one time; its blocks are closed */
  giveBack(thread: OwnThread, bytes: number): void {
    if (!this.#taken.delete(thread)) return;
    if (bytes > MAX_KEPT_BYTES || this.#idle.length >= MAX_IDLE || this.#isClosed) {
      thread.end();
      return;
    }
    const timer = setTimeout(() => thread.end(), IDLE_WITHIN_MS).unref();
    const keep = (): void => {
      if (this.#idle.length < MAX_IDLE && !this.#isClosed) this.#idle.push(thread);
      else thread.end();
    };
    thread
      .greet()
      .then(keep, () => undefined)
      .finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#isClosed = true;
    for (const thread of [...this.#taken, ...this.#idle.splice(0)]) thread.end();
    this.#taken.clear();
  }
}

/** Several as one, each with a part of the blocks. */
export function together(threads: readonly OwnThread[]): BlockThreads {
  return {
    count: threads.length,
    async open(requests) {
      const opened = await Promise.all(
        requests.map((request, i) => threads[i % threads.length]!.open([request])),
      );
      return opened.flat();
    },
  };
}
