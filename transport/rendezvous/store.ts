/**
 * Where the ends of a connection meet: a key-value store that swaps a value only if nobody else has in between. Anything that has the
 * two operations will do; one in memory is here, one for several processes, Redis and etcd in `shell/rendezvous/`.
 */
import type { CcparkError } from "../../core/errors.ts";

export interface StoreEntry {
  readonly value: Uint8Array;
  /** another one after each swap of the key */
  readonly revision: string;
}

/** An error says nothing about whether a swap has been made: whoever asked looks again. */
export interface RendezvousStore {
  /** @param done undefined: there is none of that key */
  get(key: string, done: (entry: StoreEntry | undefined | CcparkError) => void): void;
  /**
   * @param revision of what is there; undefined: there is none
   * @param done false: something else was there
   */
  swap(
    key: string,
    revision: string | undefined,
    value: Uint8Array,
    done: (swapped: boolean | CcparkError) => void,
  ): void;
}

/** For the ends of one process. */
export class MemoryStore implements RendezvousStore {
  readonly #entries = new Map<string, StoreEntry>();
  #revisions = 0;

  get(key: string, done: (entry: StoreEntry | undefined | CcparkError) => void): void {
    done(this.#entries.get(key));
  }

  swap(
    key: string,
    revision: string | undefined,
    value: Uint8Array,
    done: (swapped: boolean | CcparkError) => void,
  ): void {
    const isSame = this.#entries.get(key)?.revision === revision;
    if (isSame) this.#entries.set(key, { value: value.slice(), revision: String(++this.#revisions) });
    done(isSame);
  }
}
