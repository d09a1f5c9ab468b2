/** A store as promises, and a counter kept in one. */
import { CcparkError } from "../../../core/errors.ts";
import type { RendezvousStore, StoreEntry } from "../../../transport/index.ts";

/** @throws what the store answers instead */
export function get(store: RendezvousStore, key: string): Promise<StoreEntry | undefined> {
  return new Promise((resolve, reject) =>
    store.get(key, (entry) => (entry instanceof CcparkError ? reject(entry) : resolve(entry))),
  );
}

/** @throws what the store answers instead */
export function swap(
  store: RendezvousStore,
  key: string,
  revision: string | undefined,
  value: Uint8Array,
): Promise<boolean> {
  return new Promise((resolve, reject) =>
    store.swap(key, revision, value, (swapped) =>
      swapped instanceof CcparkError ? reject(swapped) : resolve(swapped),
    ),
  );
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array | undefined): string {
  return new TextDecoder().decode(value);
}

/** Adds one to a counter, and tries again as often as others are faster. */
export async function add(
  store: RendezvousStore,
  key: string,
): Promise<{ readonly value: number; readonly before: string | undefined }> {
  for (;;) {
    const entry = await get(store, key);
    const value = entry === undefined ? 1 : Number(text(entry.value)) + 1;
    const before = entry?.revision;
    if (await swap(store, key, before, bytes(String(value)))) return { value, before };
  }
}
