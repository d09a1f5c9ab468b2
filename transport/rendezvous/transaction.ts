/** Changes of one key's record, one after another: read, changed, swapped, and again where somebody else was faster or the store does not answer. */
import { CcparkError } from "../../core/errors.ts";
import type { Micros } from "../../core/units.ts";
import type { Surroundings, Timer } from "../chunnel.ts";
import { decodeRecord, encodeRecord, type GroupRecord } from "./record.ts";
import type { RendezvousStore, StoreEntry } from "./store.ts";

/** The store is asked again where it has not answered for so long. */
const ANSWER_US: Micros = 2_000_000;
const FIRST_RETRY_US: Micros = 10_000;
const MAX_RETRY_US: Micros = 1_000_000;

/** The change has to wait for something that somebody else does. */
export const LATER: unique symbol = Symbol("later");

/**
 * Asked with what is there now, perhaps several times, and perhaps after it has taken effect unseen.
 * @returns undefined: there is nothing to change
 * @throws CcparkError if it cannot be
 */
export type Change = (
  record: GroupRecord | undefined,
) => Omit<GroupRecord, "version"> | undefined | typeof LATER;

interface Job {
  readonly change: Change;
  /** @param error of the change; with it the record is as it was */
  readonly done: (record: GroupRecord | undefined, error?: CcparkError) => void;
}

export class Transactions {
  readonly #store: RendezvousStore;
  readonly #key: string;
  readonly #surroundings: Surroundings;
  readonly #jobs: Job[] = [];
  #isBusy = false;
  #retryUs: Micros = FIRST_RETRY_US;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(store: RendezvousStore, key: string, surroundings: Surroundings) {
    this.#store = store;
    this.#key = key;
    this.#surroundings = surroundings;
  }

  /** Changes that have not been made. */
  get waiting(): number {
    return this.#jobs.length;
  }

  run(change: Change, done: Job["done"]): void {
    this.#jobs.push({ change, done });
    this.#next();
  }

  close(): void {
    this.#isClosed = true;
    this.#jobs.length = 0;
    this.#timer?.cancel();
  }

  #next(): void {
    if (this.#isBusy || this.#isClosed || this.#jobs.length === 0) return;
    this.#isBusy = true;
    this.#read(this.#jobs[0]!);
  }

  #finish(job: Job, record: GroupRecord | undefined, error?: CcparkError): void {
    this.#jobs.shift();
    this.#isBusy = false;
    this.#retryUs = FIRST_RETRY_US;
    job.done(record, error);
    this.#next();
  }

  /** After a while, drawn so that those that met do not meet again. */
  #again(job: Job): void {
    const { surroundings, waitUs } = { surroundings: this.#surroundings, waitUs: this.#retryUs };
    this.#retryUs = Math.min(MAX_RETRY_US, 2 * waitUs);
    const atUs = surroundings.nowUs() + waitUs * surroundings.rng.uniform(0.5, 1.5);
    this.#timer = surroundings.wakeAt(atUs, () => this.#read(job));
  }

  /** @param ask is given what to call with the answer; only what comes first and in time counts */
  #ask<T>(
    ask: (done: (answer: T | CcparkError) => void) => void,
    done: (answer: T | CcparkError) => void,
  ): void {
    let isOver = false;
    const once = (answer: T | CcparkError): void => {
      if (isOver || this.#isClosed) return;
      isOver = true;
      timer.cancel();
      done(answer);
    };
    const { nowUs, wakeAt } = this.#surroundings;
    const timer = wakeAt(nowUs() + ANSWER_US, () =>
      once(new CcparkError("unavailable", "[transport] the store has not answered")),
    );
    this.#timer = timer;
    ask(once);
  }

  #read(job: Job): void {
    this.#ask<StoreEntry | undefined>(
      (done) => this.#store.get(this.#key, done),
      (entry) => {
        if (entry instanceof CcparkError) {
          this.#again(job);
          return;
        }
        let next: ReturnType<Change>;
        let record: GroupRecord | undefined;
        try {
          record = entry === undefined ? undefined : decodeRecord(this.#key, entry.value);
          next = job.change(record);
        } catch (error) {
          if (!(error instanceof CcparkError)) throw error;
          this.#finish(job, record, error);
          return;
        }
        if (next === LATER) this.#again(job);
        else if (next === undefined) this.#finish(job, record);
        else this.#swap(job, entry?.revision, { ...next, version: (record?.version ?? 0) + 1 });
      },
    );
  }

  #swap(job: Job, revision: string | undefined, next: GroupRecord): void {
    this.#ask<boolean>(
      (done) => this.#store.swap(this.#key, revision, encodeRecord(next), done),
      (swapped) => {
        if (swapped === true) this.#finish(job, next);
        else this.#again(job);
      },
    );
  }
}
