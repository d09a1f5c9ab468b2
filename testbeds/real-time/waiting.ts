import { CcparkError } from "../../core/errors.ts";
import type { Nanos } from "../../core/units.ts";

interface Waiter {
  readonly untilNs: Nanos;
  readonly resolve: (reached: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Who waits in `runUntil` of a run in real time, and what the run has failed of. */
export class Waiting {
  #waiter: Waiter | undefined;
  #failure: unknown;

  /** Infinity: nobody waits */
  get untilNs(): Nanos {
    return this.#waiter?.untilNs ?? Number.POSITIVE_INFINITY;
  }

  /** Waits, until `settle` finds that it is time. */
  until(untilNs: Nanos): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiter = { untilNs, resolve, reject };
    });
  }

  /** The first failure counts; who waits hears of it from `settle`. */
  fail(error: unknown): void {
    this.#failure ??= error;
  }

  settle(nowNs: Nanos, isStopped: boolean): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    const isReached = nowNs >= waiter.untilNs;
    if (this.#failure === undefined && !isReached && !isStopped) return;
    this.#waiter = undefined;
    if (this.#failure !== undefined) waiter.reject(this.#failure);
    else waiter.resolve(isReached);
  }

  /** @param name of the testbed, for who still waits */
  close(name: string): void {
    const message = `[${name}] the run was closed while somebody waited for it`;
    this.#waiter?.reject(new CcparkError("failed-precondition", message));
    this.#waiter = undefined;
  }
}
