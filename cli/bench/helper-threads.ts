/** Further threads of `bench`, and what they have done. */
import type { Worker } from "node:worker_threads";
import { startWorkerThread } from "../../core/start-worker-thread.ts";
import type { DoneUnit } from "./bench-unit.ts";
import type { BenchWorkerData } from "./bench-worker.ts";

export class HelperThreads {
  readonly #data: Omit<BenchWorkerData, "thread" | "threads">;
  readonly #hand: (done: DoneUnit) => void;
  readonly #workers: Worker[] = [];
  readonly #ends: Promise<void>[] = [];

  /** @param hand may throw */
  constructor(data: Omit<BenchWorkerData, "thread" | "threads">, hand: (done: DoneUnit) => void) {
    this.#data = data;
    this.#hand = hand;
  }

  /** Starts threads of these numbers, `first` to `threads - 1`: the others are others'. */
  start(first: number, threads: number): void {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const url = new URL(`./bench-worker.${extension}`, import.meta.url);
    for (let thread = threads - 1; thread >= first; thread--) {
      const data: BenchWorkerData = { ...this.#data, thread, threads };
      const worker = startWorkerThread(url, data);
      const end = new Promise<void>((resolve, reject) => {
        worker.on("message", (done: DoneUnit) => {
          try {
            this.#hand(done);
          } catch (error) {
            reject(error);
          }
        });
        worker.once("error", reject);
        worker.once("exit", () => resolve());
      });
      // all are awaited in the end; one that fails meanwhile must not be an unhandled rejection
      end.catch(() => {});
      this.#workers.push(worker);
      this.#ends.push(end);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#ends);
  }

  async terminate(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
